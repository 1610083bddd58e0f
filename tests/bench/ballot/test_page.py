"""The page that raters see: blind, whole without a network, answered by keys and by touch, kept and saved."""

import json
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.ballot.counting import count_ballot
from bench.ballot.making import BallotRequest, make_ballot, plan_ballot
from bench.ballot.records import read_answers, read_key
from bench.errors import BenchError, UsageError
from bench.progress import Silent

CHROMIUM = Path("/usr/bin/chromium")
browsing = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}: apt install chromium"),
]


def test_the_page_tells_nothing_of_who_made_what_and_asks_nothing_of_a_network(ballot: Path) -> None:
    page = (ballot / "ballot.html").read_text()
    assert "http" not in page.replace("http-equiv", "")
    for word in ("colour/", "copy/", "seed0", "toy-stripes", "kd("):
        assert word not in page
    assert '"copy"' not in page
    assert '"colour"' not in page


def test_every_pair_shows_two_translations_of_its_image(ballot: Path) -> None:
    key = read_key(ballot)
    shown = json.loads(
        re.findall(r'type="application/json">(.*?)</script>', (ballot / "ballot.html").read_text())[0]
    )
    for item in key.items:
        (a, image_a), (b, image_b) = key.pictures[item.a], key.pictures[item.b]
        assert image_a == image_b == item.image
        assert (a == b) == item.copied
    assert len(key.items) == 6 + 2
    assert len(key.repeats) == 2
    assert {one["source"] for one in shown["items"]}.isdisjoint(key.pictures)
    assert shown["pictures"].keys() >= key.pictures.keys()


def test_neither_place_nor_order_in_the_source_goes_with_a_program(make: Callable[..., Path]) -> None:
    """Whatever has an order has that of the codes, and these are random."""
    folder = make("copy", "colour", images=12)
    key = read_key(folder)
    shown = json.loads(
        re.findall(r'type="application/json">(.*?)</script>', (folder / "ballot.html").read_text())[0]
    )
    assert list(shown["pictures"]) == sorted(shown["pictures"])
    assert all(one["a"] <= one["b"] for one in shown["items"])
    assert [(item.a, item.b) for item in key.items] == [(one["a"], one["b"]) for one in shown["items"]]
    programs = [key.pictures[code][0] for code in shown["pictures"] if code in key.pictures]
    # 24 pictures of two programs lie in one of 2.7 million orders: by program is not among those to be met.
    assert programs not in (sorted(programs), sorted(programs, reverse=True))


def test_which_picture_is_named_first_is_drawn_for_every_pair(
    make: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    lots = random.Random(0)
    monkeypatch.setattr("bench.ballot.making.secrets.token_hex", lambda size: lots.randbytes(size).hex())
    first = []
    for _ in range(5):
        key = read_key(make("copy", "colour", images=12, repeats=0, copies=0))
        first += [key.pictures[item.a][0] for item in key.items]
    assert len(first) == 60
    assert 20 <= first.count("copy") <= 40


def test_images_of_another_program_are_paired_by_name(make: Callable[..., Path], workshop: Path) -> None:
    key = read_key(make("copy", "colour", str(workshop / "theirs"), images=4))
    assert [system.name for system in key.systems] == ["copy", "colour", "theirs"]
    assert len([item for item in key.items if not item.copied]) == 4 * 3


def test_questions_can_be_given(make: Callable[..., Path]) -> None:
    key = read_key(make("copy", "colour", images=4, questions=("Which is </script> sharper?",)))
    assert key.questions == {"q1": "Which is </script> sharper?"}


def test_it_is_said_where_there_are_fewer_than_were_asked_for(workshop: Path, tmp_path: Path) -> None:
    request = BallotRequest(
        ("copy", "colour"), tmp_path / "out", workshop / "runs", images=40, repeats=50, copies=60
    )
    said: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_CACHE", str(workshop / "cache"))
        make_ballot(plan_ballot(request), Silent(), said.append)
    key = read_key(tmp_path / "out")
    assert len(key.repeats) == 12
    assert said == [
        "note: --images 40 is more than there are: all 12 test images taken",
        "note: --repeats 50 is more than there are: all 12 pairs taken",
        "note: --copies 60 is more than there are: all 24 pictures taken",
    ]


def test_photographs_are_told_of_before_anything_is_written(workshop: Path, tmp_path: Path) -> None:
    request = BallotRequest(
        (str(workshop / "theirs"), str(workshop / "runs")), tmp_path / "out", workshop / "runs", "horse2zebra"
    )
    with pytest.raises(UsageError, match="several variants"):
        plan_ballot(request)
    (tmp_path / "others").mkdir()
    for path in (workshop / "theirs").iterdir():
        (tmp_path / "others" / path.name).write_bytes(path.read_bytes())
    folders = (str(workshop / "theirs"), str(tmp_path / "others"))
    planned = plan_ballot(BallotRequest(folders, tmp_path / "out", workshop / "runs", "horse2zebra"))
    assert planned.licence is not None
    assert "licence" in planned.licence
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("systems", "options", "message"),
    [
        (("copy",), {}, "two or more different"),
        (("copy", "copy"), {}, "two or more different"),
        (("copy", "colour"), {"seed": 3}, "no finished run with seed 3"),
        (("copy", "colur"), {}, "Did you mean 'colour'"),
        (("copy", "colour"), {"questions": ("Which?", " ")}, "--question is empty"),
        (("THEIRS", "THEIRS/"), {}, "Give --dataset NAME"),
    ],
)
def test_what_cannot_be_compared_is_refused_with_what_to_give(
    workshop: Path, tmp_path: Path, systems: tuple[str, ...], options: dict[str, Any], message: str
) -> None:
    named = tuple(each.replace("THEIRS", str(workshop / "theirs")) for each in systems)
    with pytest.raises((UsageError, BenchError), match=message):
        plan_ballot(BallotRequest(named, tmp_path / "out", workshop / "runs", **options))


def test_a_ballot_is_never_written_over(ballot: Path, workshop: Path) -> None:
    with pytest.raises(UsageError, match="answers may have been given"):
        plan_ballot(BallotRequest(("copy", "colour"), ballot, workshop / "runs"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="the playwright package is not installed")
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield started
        started.close()


def opened(browser: Any, ballot: Path, **options: Any) -> tuple[Any, list[str]]:
    """A page, and what it complained of or asked of a network."""
    said: list[str] = []
    page = browser.new_context(accept_downloads=True, **options).new_page()
    page.on(
        "request", lambda r: said.append(r.url) if not r.url.startswith(("file:", "data:", "blob:")) else None
    )
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto((ballot / "ballot.html").as_uri())
    return page, said


def saved(page: Any, place: Path) -> Path:
    with page.expect_download() as download:
        page.click("#save")
    path = place / download.value.suggested_filename
    download.value.save_as(path)
    return path


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}: apt install chromium")
def test_a_ballot_is_answered_by_keys_survives_a_reload_and_is_counted(
    browser: Any, ballot: Path, tmp_path: Path
) -> None:
    key = read_key(ballot)
    page, said = opened(browser, ballot)
    page.fill("#name", "Ada L.")
    page.keyboard.press("Enter")
    total = (len(key.items) + len(key.repeats)) * len(key.questions)
    for done in range(total):
        assert page.locator(".top span").first.inner_text() == f"{done + 1} of {total}"
        left, right = (page.locator(f"#{side} img").get_attribute("src") for side in ("left", "right"))
        # A rater who prefers whatever has the greater code, and sees that copies are alike.
        page.keyboard.press("ArrowDown" if left == right else "ArrowLeft" if left > right else "ArrowRight")
        if done == 3:
            page.reload()
        if done == 5:
            page.keyboard.press("Backspace")
            page.keyboard.press(
                "ArrowDown" if left == right else "ArrowLeft" if left > right else "ArrowRight"
            )
    path = saved(page, tmp_path)
    assert path.name == f"answers-{key.id}-Ada-L-.json"
    count = count_ballot(key, read_answers([path], key))
    rater = count.raters[0]
    assert (rater.rater, rater.complete, rater.counted) == ("Ada L.", True, True)
    assert rater.repeats_alike == rater.repeats > 0
    assert rater.copies_alike == rater.copies > 0
    assert said == []


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}: apt install chromium")
def test_answers_outlive_a_reload_for_which_the_browser_has_an_empty_storage(
    browser: Any, ballot: Path
) -> None:
    page, said = opened(browser, ballot)
    page.keyboard.press("Enter")
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.evaluate("localStorage.clear()")
    page.reload()
    assert page.locator(".top span").first.inner_text().startswith("4 of")
    page.keyboard.press("ArrowRight")
    assert page.locator(".top span").first.inner_text().startswith("5 of")
    assert page.locator("#overtaken").count() == 0
    assert said == []


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}: apt install chromium")
def test_a_ballot_is_answered_by_touch_and_handed_in_before_its_end(
    browser: Any, ballot: Path, tmp_path: Path
) -> None:
    key = read_key(ballot)
    page, said = opened(
        browser, ballot, has_touch=True, is_mobile=True, viewport={"width": 390, "height": 740}
    )
    page.tap("#begin")
    for button in ("#left", "#right", "#tie"):
        page.tap(button)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.tap("#pause")
    path = saved(page, tmp_path)
    choices = [each.choice for each in read_answers([path], key)[0].answers.answers]
    assert choices == ["left", "right", "tie"]
    page.tap("#continue")
    assert page.locator(".top span").first.inner_text().startswith("4 of")
    assert said == []


def seen_by(tab: Any, other: Any) -> None:
    """Wait until a tab's storage is that of the other: the browser brings it over when it finds the time."""
    kept = "JSON.stringify(Object.entries({...localStorage}).sort())"
    tab.wait_for_function(f"kept => {kept} === kept", arg=other.evaluate(kept))


def told(tab: Any) -> bool:
    """Whether the browser tells a tab of what another has kept; now and then it does not."""
    try:
        tab.wait_for_selector("#overtaken", timeout=10_000)
    except Exception as error:
        if "Timeout" not in str(error):
            raise
        return False
    return True


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason=f"no browser at {CHROMIUM}: apt install chromium")
@pytest.mark.parametrize("known", ["told", "turned to", "used"])
def test_two_tabs_of_one_ballot_never_write_over_each_others_answers(
    browser: Any, ballot: Path, tmp_path: Path, known: str
) -> None:
    """Whether the browser tells a tab of the other's answers, it is turned to, or it is used again before."""

    def learn(tab: Any, other: Any, use: Callable[[], None]) -> None:
        """Let a tab know of the other's answers, which it then says."""
        if known != "told":
            seen_by(tab, other)
        if known == "used":
            use()
        elif known == "turned to" or not told(tab):
            tab.evaluate("window.dispatchEvent(new Event('focus'))")
        tab.wait_for_selector("#overtaken")

    key = read_key(ballot)
    first, said = opened(browser, ballot)
    second = first.context.new_page()
    for tab in (first, second):
        if known != "told":
            tab.add_init_script(
                "const add = window.addEventListener.bind(window);"
                "window.addEventListener = (kind, ...rest) => kind === 'storage' || add(kind, ...rest);"
            )
        tab.goto((ballot / "ballot.html").as_uri())
    first.click("#begin")
    for _ in range(2):
        first.keyboard.press("ArrowLeft")
    learn(second, first, lambda: second.click("#begin"))
    second.keyboard.press("ArrowRight")
    learn(first, second, lambda: first.keyboard.press("ArrowDown"))
    first.keyboard.press("ArrowDown")
    first.click("#pause")
    found = read_answers([saved(first, tmp_path)], key)[0].answers.answers
    assert [each.choice for each in found] == ["left", "left", "right", "tie"]
    assert said == []
