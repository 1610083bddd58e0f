"""Pairs by name: translations to their sources, test images to themselves, whatever programs call them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import BenchError
from bench.scoring.pairing import matches, mixed, pair

FOLDERS = ("fakes", "sources")
STEMS = st.lists(
    st.text("abcXYZ019_-. ", min_size=1, max_size=8).filter(
        lambda text: text.strip(" .") == text and text[0] not in "_-" and text[-1] not in "_-"
    ),
    min_size=2,
    max_size=8,
    unique=True,
)
WRITTEN = [
    ("{}.png", "{}.jpg"),
    ("{}_fake.png", "{}_real.png"),
    ("{}_fake.png", "{}.jpg"),
    ("{}_fake_B.png", "{}_real_A.png"),
    ("{}_fake_B.png", "{}.jpg"),
    ("{}-output.png", "{}-input.png"),
    ("fake_{}.png", "real_{}.png"),
    ("fake_B_{}.png", "{}.tif"),
    ("{}_synthesized_image.jpg", "{}_input_image.jpg"),
    ("{}.png", "{}_real.PNG"),
    ("{}-epoch200.png", "{}.jpg"),
    ("test/{}_fake.png", "test/{}_real.png"),
    ("images/fake_B/{}.png", "testA/{}.jpg"),
]


@pytest.mark.parametrize(("translated", "original"), WRITTEN)
@given(stems=STEMS, seed=st.randoms(use_true_random=False))
def test_every_translation_finds_its_source(translated: str, original: str, stems: list[str], seed) -> None:  # type: ignore[no-untyped-def]
    sources = [original.format(stem) for stem in (*stems, "another one")]
    shuffled = seed.sample(range(len(sources)), len(sources))
    sources = [sources[at] for at in shuffled]
    fakes = [translated.format(stem) for stem in stems]
    assert [sources[at] for at in pair(fakes, sources, FOLDERS)] == [original.format(stem) for stem in stems]


def test_names_that_happen_to_begin_alike_keep_their_beginning() -> None:
    assert pair(["0.0-epoch200.png", "0.00-epoch200.png"], ["0.00.jpg", "0.0.jpg"], FOLDERS) == [1, 0]


def test_cyclegan_s_folder_of_results_is_parted_by_domain() -> None:
    kinds = ("real_A", "real_B", "rec_A", "rec_B", "fake_A", "idt_A")
    sources = [f"{stem}_{kind}.png" for stem in ("x", "y") for kind in kinds]
    found = pair(["x_fake_B.png", "y_fake_B.png"], sources, FOLDERS)
    assert [sources[at] for at in found] == ["x_real_A.png", "y_real_A.png"]


def test_a_name_that_is_a_role_and_a_point_is_compared_like_any_other() -> None:
    with pytest.raises(BenchError, match="2 images in fakes have no source"):
        pair(["fake_..png", "fake_b.png"], ["x.png", "a.png"], FOLDERS)


@pytest.mark.parametrize(
    ("fakes", "sources", "message"),
    [
        (["a.png", "lonely.png"], ["a.jpg"], r"1 of 2 images in fakes have no source .* lonely\.png"),
        (["a.png"], ["a.jpg", "a.png"], "sources holds several images called a that differ in their suffix"),
        (["a.png", "a.bmp"], ["a.jpg"], "fakes holds several images called a that differ in their suffix"),
        (["a_fake.png"], ["a_real_A.png", "a_real_B.png"], r"--source-pattern '\*_real_A\.png'"),
        (["x_fake.png"], ["x.jpg", "x_real.png"], r"--source-pattern '\*_real\.png'"),
        (["a.png", "a_fake.png"], ["a_real.png"], r"--pattern '\*_fake\.png'"),
        (["a.png", "fake_a.png"], ["real_a.png"], r"--pattern 'fake_\*'"),
        (["horse_1.png", "horse_2.png"], ["zebra_1.jpg", "zebra_2.jpg"], "2 of 2 images in fakes have no"),
        (["a1.png", "a2.png"], ["b1.png", "b2.png"], "2 of 2 images in fakes have no source"),
    ],
)
def test_names_that_do_not_tell_are_refused(fakes: list[str], sources: list[str], message: str) -> None:
    with pytest.raises(BenchError, match=message):
        pair(fakes, sources, FOLDERS)


@pytest.mark.parametrize(("translated", "original"), WRITTEN)
def test_letters_with_marks_are_paired_however_they_are_written(translated: str, original: str) -> None:
    stems = ["\u00e4rger", "caf\u00e9"]
    fakes = [translated.format(unicodedata.normalize("NFD", stem)) for stem in stems]
    assert pair(fakes, [original.format(stem) for stem in reversed(stems)], FOLDERS) == [1, 0]


def test_two_files_that_differ_in_how_a_letter_is_written_stay_two() -> None:
    both = [unicodedata.normalize(form, "\u00e4") for form in ("NFC", "NFD")]
    assert pair([f"{name}.png" for name in both], [f"{name}.jpg" for name in both], FOLDERS) == [0, 1]


@given(stems=STEMS, kept=st.sets(st.integers(0, 7)), written=st.sampled_from(WRITTEN))
def test_images_that_two_sides_have_are_matched(
    stems: list[str], kept: set[int], written: tuple[str, str]
) -> None:
    a = [written[1].format(stem) for stem in stems]
    places = [at for at in range(len(stems)) if at in kept]
    b = [written[1].format(stems[at]) for at in reversed(places)]
    assert matches(a, b) == [(at, len(places) - 1 - number) for number, at in enumerate(places)]
    assert [(j, i) for i, j in sorted(matches(b, a), key=lambda both: both[1])] == matches(a, b)


def test_a_folder_that_holds_both_is_seen() -> None:
    assert mixed(["x_fake.png", "y.png", "x_real.png"]) == ("x_fake.png", "x_real.png")
    assert mixed(["a/x_fake_B.png", "b/x_real_A.png"]) is None
    assert mixed(["x_fake.png", "y_fake.png", "real_z.png"]) is None
