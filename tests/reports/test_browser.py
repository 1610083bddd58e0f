"""The page in a real browser: everything works, from disk, with no network and no error on the console."""

from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from reports.write import Request, write_report

playwright = pytest.importorskip("playwright.sync_api", reason="the playwright package is not installed")
CHROMIUM = Path("/usr/bin/chromium")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}: apt install chromium"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, mini: ModuleType) -> str:
    root = tmp_path_factory.mktemp("browser")
    mini.write_study(root / "runs", ("spatial", "slot9", "copy"), seeds=(0,))
    return write_report(Request((root / "runs",), root / "out", ("html",))).as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def open_page(browser: Any, address: str) -> Iterator[Any]:
    """Opens the page with context options; afterwards nothing was asked of a network, nothing complained."""
    asked: list[str] = []
    said: list[str] = []
    contexts = []

    def opened(**options: Any) -> Any:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert asked
    assert [url for url in asked if not url.startswith(("file://", "data:"))] == []
    assert said == []


def names(page: Any) -> list[str]:
    rows = page.locator("#smoke-toy-stripes-main-last tbody tr:visible .name")
    return [text.strip() for text in rows.all_inner_texts()]


def test_tables_sort_by_value_in_both_directions_and_say_so(open_page: Any) -> None:
    page = open_page()
    header = page.locator("#smoke-toy-stripes-main-last thead tr:last-child th").nth(2)
    header.get_by_role("button").click()
    assert names(page) == ["spatial", "slot9", "copy"]
    assert header.get_attribute("aria-sort") == "ascending"
    header.get_by_role("button").press("Enter")
    assert names(page) == ["copy", "slot9", "spatial"]
    assert header.get_attribute("aria-sort") == "descending"
    assert "descending" in page.locator("[data-announce]").inner_text()


def test_the_foot_stays_beneath_whatever_is_sorted(open_page: Any) -> None:
    page = open_page()
    page.locator("#smoke-toy-stripes-main-last th.first button").click()
    foot = page.locator("#smoke-toy-stripes-main-last tfoot th").all_inner_texts()
    assert [text.partition(":")[0].strip() for text in foot] == ["floor", "ceiling"]


def test_filtering_hides_the_other_rows(open_page: Any) -> None:
    page = open_page()
    table = page.locator("#table-runs-left-out, .table").filter(has=page.locator("[data-filter]"))
    if table.count() == 0:
        pytest.fail("no table has a filter")
    box = table.first.locator("[data-filter]")
    rows = table.first.locator("tbody tr")
    box.fill("slot9")
    assert rows.locator("visible=true").locator(".name").all_inner_texts() == ["slot9"]
    box.fill("")
    assert rows.locator("visible=true").count() == rows.count()


def test_the_slider_moves_with_the_arrow_keys_and_shows_two_pictures(open_page: Any) -> None:
    page = open_page()
    box = page.locator("[data-compare]").first
    slider = box.locator("[data-slider]")
    slider.focus()
    for _ in range(10):
        slider.press("ArrowRight")
    assert slider.input_value() == "60"
    assert box.locator(".stage").evaluate("stage => stage.style.getPropertyValue('--cut')") == "60%"
    assert box.locator("[data-over]").get_attribute("src") != box.locator("[data-under]").get_attribute("src")


def test_pressing_a_picture_compares_it_with_its_source(open_page: Any) -> None:
    page = open_page()
    gallery = page.locator("#gallery-smoke-toy-stripes-outputs-A2B")
    gallery.locator(".strip").nth(1).locator('.shot[data-label="slot9"] [data-open]').click()
    box = gallery.locator("[data-compare]")
    assert box.locator("[data-image]").input_value() == "001.png"
    assert (box.locator("[data-left]").input_value(), box.locator("[data-right]").input_value()) == (
        "source",
        "slot9",
    )
    assert "edges kept" in box.locator("[data-compare-numbers]").inner_text()


def test_masks_appear_on_hover_and_on_focus(open_page: Any) -> None:
    page = open_page(reduced_motion="reduce")
    shot = page.locator("#gallery-smoke-toy-stripes-outputs-A2B .has-overlay").first
    opacity = "one => getComputedStyle(one).opacity"
    overlay = shot.locator(".overlay")
    assert overlay.evaluate(opacity) == "0"
    shot.hover()
    assert float(overlay.evaluate(opacity)) > 0.5
    page.mouse.move(0, 0)
    assert overlay.evaluate(opacity) == "0"
    page.keyboard.press("Tab")
    shot.focus()
    assert float(overlay.evaluate(opacity)) > 0.5


def test_every_picture_is_shown(open_page: Any) -> None:
    page = open_page()
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    page.wait_for_function("[...document.images].every(one => one.complete)")
    broken = page.evaluate(
        "[...document.images].filter(one => one.src && !one.naturalWidth).map(one => one.alt)"
    )
    assert broken == []
    assert page.evaluate("document.images.length") > 30


def test_dark_follows_the_system_and_the_button_overrides_it(open_page: Any) -> None:
    page = open_page(color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgb(19, 23, 27)"
    button = page.locator("[data-theme-button]")
    button.click()
    assert button.inner_text() == "Theme: light"
    assert page.evaluate(background) == "rgb(253, 252, 250)"


@pytest.mark.parametrize("width", [320, 390, 800, 1600])
def test_nothing_sticks_out_of_the_window(open_page: Any, width: int) -> None:
    page = open_page(viewport={"width": width, "height": 800})
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_print_shows_everything_and_no_controls(open_page: Any) -> None:
    page = open_page()
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert not page.locator(".theme, .contents, [data-compare], .filter").locator("visible=true").count()
    assert page.locator("details.more:not([open])").count() == 0
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


def test_a_reader_without_eyes_finds_names_for_everything(open_page: Any) -> None:
    page = open_page()
    nameless = page.evaluate(
        """[...document.querySelectorAll('button, select, input, svg[role=img], [role=region]')]
        .filter(one => !(one.textContent.trim() || one.getAttribute('aria-label') || one.title
            || one.labels?.length || one.getAttribute('aria-labelledby')
            || one.querySelector('img[alt]:not([alt=""])')))
        .map(one => one.outerHTML.slice(0, 120))"""
    )
    assert nameless == []
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(one => one.id)")
    assert len(ids) == len(set(ids))


def test_the_keyboard_reaches_the_report_first(open_page: Any) -> None:
    page = open_page()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")


def test_without_scripts_tables_and_pictures_are_still_there(open_page: Any) -> None:
    page = open_page(java_script_enabled=False)
    assert page.locator("#smoke-toy-stripes-main-last tbody tr").count() == 3
    assert page.locator(".gallery img[src]").first.is_visible()
