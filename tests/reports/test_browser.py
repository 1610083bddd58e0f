"""The page in a real browser: everything works, from disk, with no network and no error on the console."""

import contextlib
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
def runs(tmp_path_factory: pytest.TempPathFactory, mini: ModuleType) -> Path:
    """A study of two data sets whose rows are as long as the longest real ones."""
    root: Path = tmp_path_factory.mktemp("browser") / "runs"
    variants = ("spatial", "slot9", "slot9[init=kaiming]", "uniform", "copy")
    mini.write_study(root, variants, ("horse2zebra",), seeds=range(5), tables=False)
    return mini.write_study(root, variants, seeds=range(5))


@pytest.fixture(scope="module")
def address(runs: Path) -> str:
    """The page of the study."""
    return write_report(Request((runs,), runs.parent / "out", ("html",))).as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield started
        started.close()


class Heard:
    """What pages asked for and complained of; they ask nothing of a network and complain of nothing."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.said: list[str] = []

    def listen(self, page: Any) -> Any:
        page.set_default_timeout(180_000)  # a busy machine is no fault of the page
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        return page

    def check(self) -> None:
        assert self.asked
        assert [url for url in self.asked if not url.startswith(("file://", "data:"))] == []
        assert self.said == []


@pytest.fixture
def open_page(browser: Any, address: str) -> Iterator[Any]:
    """Opens the page with context options; afterwards nothing was asked of a network, nothing complained."""
    heard, contexts = Heard(), []

    def opened(**options: Any) -> Any:
        contexts.append(browser.new_context(**options))
        page = heard.listen(contexts[-1].new_page())
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    heard.check()


@contextlib.contextmanager
def shared(browser: Any, address: str) -> Iterator[tuple[Any, Heard]]:
    """A page that several tests look at, and what it asked for."""
    heard = Heard()
    context = browser.new_context()
    page = heard.listen(context.new_page())
    page.goto(address)
    yield page, heard
    context.close()


@pytest.fixture(scope="module")
def only_opened(browser: Any, address: str) -> Iterator[tuple[Any, Heard]]:
    """The page as it opens, for tests that only look at it."""
    with shared(browser, address) as opened:
        yield opened


@pytest.fixture(scope="module")
def all_opened(browser: Any, address: str) -> Iterator[tuple[Any, Heard]]:
    """The page with every fold open, for tests that look at it in windows and colours of their own."""
    with shared(browser, address) as (page, heard):
        page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        yield page, heard


@pytest.fixture
def seen(only_opened: tuple[Any, Heard]) -> Iterator[Any]:
    page, heard = only_opened
    yield page
    heard.check()


@pytest.fixture
def unfolded(all_opened: tuple[Any, Heard]) -> Iterator[Any]:
    page, heard = all_opened
    yield page
    heard.check()


DESK = {"width": 1280, "height": 720}
MAIN = "#toy-stripes-main-last"


def names(page: Any) -> list[str]:
    rows = page.locator(f"{MAIN} tbody tr:visible .vn")
    return [text.strip() for text in rows.all_inner_texts()]


def test_the_first_screen_holds_the_verdict_the_plot_and_the_pictures(open_page: Any) -> None:
    page = open_page(viewport={"width": 1400, "height": 900})
    for inner in ("h1", ".lede", ".answers", "#distance", "#look"):
        box = page.locator(inner).first.bounding_box()
        assert box["y"] + box["height"] <= 900, inner
    assert page.locator("#distance table.panel").count() == 2
    assert page.locator("#look img").count() >= 8


@pytest.mark.parametrize("width", [390, 1300, 1400])
def test_no_caption_of_the_pictures_lies_over_the_next_one(open_page: Any, width: int) -> None:
    """However small the pictures get for many variants."""
    page = open_page(viewport={"width": width, "height": 900})
    beyond = page.evaluate(
        """() => {
            document.querySelector('#look .strip').style.setProperty('--p', '76px', 'important');
            const texts = [...document.querySelectorAll('#look .col :is(.lab, .sub) *')];
            const right = (each) => each.getBoundingClientRect().right;
            const out = (each) => right(each) > right(each.closest(".col")) + 1;
            return texts.filter(out).map(each => each.innerText);
        }"""
    )
    assert page.locator("#look .col .sub").count() >= 5
    assert beyond == []


@pytest.mark.parametrize("width", [1300, 1400])
def test_no_table_scrolls_on_a_wide_screen(unfolded: Any, width: int) -> None:
    unfolded.set_viewport_size({"width": width, "height": 900})
    cut = unfolded.evaluate(
        """[...document.querySelectorAll('.scroll')].filter(one => one.scrollWidth > one.clientWidth + 1)
        .map(one => one.querySelector('table').id)"""
    )
    assert cut == []


def test_folds_answer_while_they_are_shut_and_links_open_them(open_page: Any) -> None:
    page = open_page()
    folds = page.locator("details.q")
    assert folds.count() == 6
    assert all(text.strip() for text in folds.locator(".ans").all_inner_texts())
    page.locator(".answers a[href='#attend']").click()
    assert page.locator("#attend").get_attribute("open") is not None


def test_the_keyboard_alone_opens_every_fold_and_every_picture(open_page: Any) -> None:
    page = open_page()
    page.locator("#cost > summary").focus()
    page.keyboard.press("Enter")
    assert page.locator("#cost").get_attribute("open") is not None
    page.locator("#look button.pic").nth(1).focus()
    page.keyboard.press("Enter")
    assert page.locator("#zoom").is_visible()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    assert page.locator("[data-slider]").input_value() == "60"
    stage = page.locator("#zoom .stage")
    assert stage.evaluate("stage => stage.style.getPropertyValue('--cut')") == "60%"
    assert page.locator("[data-over]").get_attribute("src") != page.locator("[data-under]").get_attribute(
        "src"
    )
    page.keyboard.press("Escape")
    assert not page.locator("#zoom").is_visible()
    reached = page.evaluate(
        """[...document.querySelectorAll('summary, button, a[href], .scroll')]
        .filter(one => one.tabIndex < 0).map(one => one.outerHTML.slice(0, 80))"""
    )
    assert reached == []


def test_tables_sort_by_value_in_both_directions_and_say_so(open_page: Any) -> None:
    page = open_page()
    header = page.locator(f"{MAIN} thead tr:last-child th").nth(1)
    header.get_by_role("button").click()
    first = names(page)
    assert first[0] == "spatial"
    assert header.get_attribute("aria-sort") == "ascending"
    header.get_by_role("button").press("Enter")
    assert names(page)[-1] == "spatial"
    assert header.get_attribute("aria-sort") == "descending"
    assert "descending" in page.locator("[data-announce]").inner_text()


def test_the_copy_and_the_floor_stay_beneath_whatever_is_sorted(open_page: Any) -> None:
    page = open_page()
    page.locator(f"{MAIN} th.first button").click()
    foot = page.locator(f"{MAIN} tfoot th").all_inner_texts()
    assert [text.strip() for text in foot] == ["copy of the input", "floor: real against real"]


def test_rows_have_one_order_on_the_whole_page(seen: Any) -> None:
    main = names(seen)
    assert main == ["spatial", "slot9", "slot9", "uniform"]
    for table in seen.locator("table.panel:not(.pairs)").all():  # those of the folds are not visible yet
        assert [text.strip() for text in table.locator("tbody .vn").all_text_contents()] == main


def test_how_sure_draws_every_declared_difference_and_folds_the_sentences(open_page: Any) -> None:
    page = open_page()
    page.locator("#sure > summary").click()
    panels = page.locator("#sure table.pairs")
    assert panels.count() == 2
    rows = [text.strip() for text in panels.first.locator("tbody .vn").all_inner_texts()]
    assert "spatial minus slot9" in rows
    assert all(" minus " in row for row in rows)
    full = page.locator("#sure details.more").first
    full.locator("summary").click()
    assert full.locator("li").count() >= len(rows)


def test_no_table_has_a_column_of_nothing_but_dashes(seen: Any) -> None:
    empty = seen.evaluate(
        """[...document.querySelectorAll('table[data-sortable]')].flatMap(table => {
            const rows = [...table.tBodies[0].rows];
            return [...rows[0].cells].map((_, at) => at)
                .filter(at => at && rows.every(row => ['', '-'].includes(row.cells[at].textContent.trim())))
                .map(at => `${table.id} ${at}`);
        })"""
    )
    assert empty == []


def test_every_number_of_the_plot_is_text_and_its_drawing_hidden(seen: Any) -> None:
    assert seen.locator("table.panel td.n").all_inner_texts()
    assert seen.locator("table.panel svg.tr:not([aria-hidden])").count() == 0
    said = seen.locator("table.panel td.n").first.text_content()
    assert "nearer than a copy" in said


def test_every_picture_is_shown(unfolded: Any) -> None:
    unfolded.wait_for_function("[...document.images].every(one => one.complete)")
    broken = unfolded.evaluate(
        "[...document.images].filter(one => one.src && !one.naturalWidth).map(one => one.alt)"
    )
    assert broken == []
    assert unfolded.evaluate("document.images.length") > 30


def test_dark_follows_the_system_and_the_button_overrides_it(open_page: Any) -> None:
    page = open_page(color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(background) == "rgb(20, 23, 26)"
    button = page.locator("#theme")
    button.click()
    assert button.inner_text() == "Theme: light"
    assert page.evaluate(background) == "rgb(255, 255, 255)"


@pytest.mark.parametrize("width", [320, 390, 800, 1600])
def test_nothing_sticks_out_of_the_window(unfolded: Any, width: int) -> None:
    unfolded.set_viewport_size({"width": width, "height": 800})
    assert unfolded.evaluate("document.documentElement.scrollWidth") <= width


def test_print_shows_everything_and_cuts_no_table(open_page: Any) -> None:
    page = open_page(viewport={"width": 720, "height": 1000})
    page.emulate_media(media="print")
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert not page.locator("#theme, .bar nav, #zoom, .sources").locator("visible=true").count()
    assert page.locator("details:not([open])").count() == 0
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    cut = page.evaluate(
        """[...document.querySelectorAll('table')].filter(one => one.getBoundingClientRect().right > 721)
        .map(one => one.id || one.caption.textContent)"""
    )
    assert cut == []


def test_a_watched_page_comes_back_where_it_was_with_the_same_folds_open(
    browser: Any, tmp_path: Path, runs: Path
) -> None:
    request = Request((runs,), tmp_path / "out", ("html",), datasets=("horse2zebra",), refresh=600)
    where = write_report(request)
    page = browser.new_page(viewport={"width": 1000, "height": 500})
    page.goto(where.as_uri())
    page.locator("#cost > summary").click()
    page.evaluate("scrollTo(0, 300)")
    page.reload()
    page.wait_for_function("scrollY === 300")
    assert page.locator("#cost").get_attribute("open") is not None
    assert page.locator("#sure").get_attribute("open") is None
    page.close()


def test_a_reader_without_eyes_finds_names_for_everything(seen: Any) -> None:
    nameless = seen.evaluate(
        """[...document.querySelectorAll('button, select, input, svg[role=img], [role=region]')]
        .filter(one => !(one.textContent.trim() || one.getAttribute('aria-label') || one.title
            || one.labels?.length || one.getAttribute('aria-labelledby')
            || one.querySelector('img[alt]:not([alt=""])')))
        .map(one => one.outerHTML.slice(0, 120))"""
    )
    assert nameless == []
    ids = seen.evaluate("[...document.querySelectorAll('[id]')].map(one => one.id)")
    assert len(ids) == len(set(ids))


def test_the_keyboard_reaches_the_answer_first(open_page: Any) -> None:
    page = open_page()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the answer"
    page.keyboard.press("Enter")
    assert page.url.endswith("#answer")


def test_without_scripts_tables_and_pictures_are_still_there(open_page: Any) -> None:
    page = open_page(java_script_enabled=False)
    assert page.locator(f"{MAIN} tbody tr").count() == 4
    assert page.locator(".gallery img[src], #look img[src]").first.is_visible()


@pytest.fixture(scope="module")
def axe() -> Any:
    """axe-core, which finds what readers with other senses or tools cannot use."""
    return pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="pip install axe-playwright-python brings axe-core"
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault_with_every_fold_open(axe: Any, unfolded: Any, scheme: str) -> None:
    unfolded.set_viewport_size(DESK)
    unfolded.emulate_media(color_scheme=scheme)
    found = axe.Axe().run(unfolded, options={"resultTypes": ["violations"]}).response["violations"]
    serious = {
        each["id"]: [node["html"][:100] for node in each["nodes"][:3]]
        for each in found
        if each["impact"] in ("serious", "critical")
    }
    assert serious == {}
