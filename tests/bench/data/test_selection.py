"""Which files a protocol uses: laws that hold for any numbers."""

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bench.data.folder import ImageFile, select
from bench.errors import BenchError
from bench.protocol import ImageSettings


def files(split, contents):
    return [ImageFile(split, Path(f"/data/{split}/{i:03d}.jpg"), f"{c:064x}") for i, c in enumerate(contents)]


def settings(**rules):
    return ImageSettings.model_validate({"size": 16, "load_size": 16} | rules)


CONTENTS = st.lists(st.integers(0, 2**64), min_size=1, max_size=30, unique=True)


@given(CONTENTS, st.integers(0, 10), st.integers(1, 30))
def test_validation_is_held_out_and_per_domain_images_are_trained_on_where_there_are_so_many(
    contents, validation, per_domain
):
    assume(validation < len(contents) >= per_domain)
    chosen = select(
        files("trainA", contents), files("testA", [1]), settings(validation=validation, per_domain=per_domain)
    )
    train, held_out = {f.name for f in chosen.train}, {f.name for f in chosen.validation}
    assert len(held_out) == validation
    assert len(train) == min(per_domain, len(contents) - validation)
    assert not train & held_out
    assert [f.name for f in chosen.train] == sorted(train)


@given(CONTENTS, st.integers(0, 10), st.randoms())
def test_validation_is_chosen_by_content_alone(contents, validation, shuffler):
    assume(validation < len(contents))
    renamed = list(contents)
    shuffler.shuffle(renamed)
    first, second = (
        select(files("trainA", order), files("testA", [1]), settings(validation=validation))
        for order in (contents, renamed)
    )
    assert {f.sha256 for f in first.validation} == {f.sha256 for f in second.validation}


def test_training_takes_the_first_by_name_of_what_is_left():
    chosen = select(
        files("trainA", [5, 1, 4, 3, 2]), files("testA", [9]), settings(validation=1, per_domain=2)
    )
    assert [f.name for f in chosen.validation] == ["001.jpg"]
    assert [f.name for f in chosen.train] == ["000.jpg", "002.jpg"]


def test_copies_of_a_validation_image_leave_training():
    chosen = select(files("trainA", [1, 7, 1, 8, 1]), files("testA", [9]), settings(validation=1))
    assert [f.name for f in chosen.train] == ["001.jpg", "003.jpg"]
    assert chosen.copies_left_out == 2


def test_the_test_split_is_cut_to_the_first_by_name():
    chosen = select(files("trainA", [1]), files("testA", [9, 8, 7]), settings(test=2))
    assert [f.name for f in chosen.test] == ["000.jpg", "001.jpg"]


def test_all_files_used_are_told_with_validation_as_a_split_of_its_own():
    chosen = select(files("trainB", [1, 2]), files("testB", [9]), settings(validation=1))
    assert [f.place for f in chosen.all()] == ["trainB/001.jpg", "validationB/000.jpg", "testB/000.jpg"]


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ({"per_domain": 4}, r"trainA holds 3 images, and images.per_domain = 4 .*--set images.per_domain=3"),
        ({"test": 3}, r"testA holds 2 images, and images.test = 3 .*--set images.test=2"),
        ({"validation": 3}, r"none would be left to train on"),
    ],
)
def test_fewer_images_than_asked_are_refused(rules, text):
    with pytest.raises(BenchError, match=text):
        select(files("trainA", [1, 2, 3]), files("testA", [4, 5]), settings(**rules))


def test_a_domain_of_copies_of_one_image_cannot_be_split():
    with pytest.raises(BenchError, match="are copies of the 1 held out"):
        select(files("trainA", [1, 1, 1]), files("testA", [4]), settings(validation=1))
