"""Data sets by name and by path: what a run is given."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

import bench.data.photographs
from bench.data import load_dataset
from bench.data.scenes import SCENES
from bench.errors import BenchError, UsageError
from bench.protocol import ImageSettings


def settings(**rules):
    return ImageSettings.model_validate({"size": 16, "load_size": 20} | rules)


@pytest.fixture
def load(tmp_path):
    """Loads with places of its own."""

    def load_here(name, images=None, **options):
        places = {"data": tmp_path / "data", "cache": tmp_path / "cache"}
        return load_dataset(str(name), images or settings(), **(places | options))

    return load_here


def test_a_folder_becomes_two_domains(load, image_folder):
    dataset = load(image_folder((6, 5, 3, 2)), settings(validation=2))
    assert dataset.name == "photos"
    assert dataset.A.train.images.shape == (4, 20, 20, 3)
    assert dataset.B.train.images.shape == (3, 20, 20, 3)
    assert dataset.A.validation.images.shape == (2, 16, 16, 3)
    assert dataset.B.test.images.shape == (2, 16, 16, 3)
    assert dataset.B.test.names == ("000.jpg", "001.jpg")
    assert dataset.A.truth is None
    assert dataset.facts["counts"] == {
        "trainA": 4,
        "validationA": 2,
        "testA": 3,
        "trainB": 3,
        "validationB": 2,
        "testB": 2,
    }
    assert dataset.warnings == ()


def test_pixels_are_those_of_the_files(load, image_folder):
    folder = image_folder()
    dataset = load(folder)
    for index, name in enumerate(dataset.B.train.names):
        expected = np.asarray(Image.open(folder / "trainB" / name))
        np.testing.assert_array_equal(dataset.B.train.images[index], expected)


def test_the_second_load_decodes_nothing_and_is_equal(load, image_folder, monkeypatch):
    folder = image_folder()
    first = load(folder)
    monkeypatch.setattr(bench.data.photographs, "read_image", None)
    second = load(folder)
    assert second.fingerprint == first.fingerprint
    np.testing.assert_array_equal(second.A.test.images, first.A.test.images)


def test_a_changed_file_is_never_served_from_the_cache(load, image_folder):
    folder = image_folder()
    first = load(folder)
    shutil.copy(folder / "trainB/001.jpg", folder / "trainA/000.jpg")
    second = load(folder)
    assert second.fingerprint != first.fingerprint
    assert not np.array_equal(second.A.train.images[0], first.A.train.images[0])


def test_the_fingerprint_tells_what_is_used_and_not_where_it_lies(load, image_folder, tmp_path):
    folder = image_folder()
    whole = load(folder).fingerprint
    shutil.copytree(folder, tmp_path / "elsewhere")
    assert load(tmp_path / "elsewhere").fingerprint == whole
    assert load(folder, settings(validation=1)).fingerprint != whole
    assert load(folder, settings(per_domain=3)).fingerprint != whole
    assert load(folder, settings(test=1)).fingerprint != whole
    (folder / "trainA/zzz.jpg").write_bytes((folder / "testA/000.jpg").read_bytes())
    assert (
        load(folder, settings(per_domain=3)).fingerprint
        == load(tmp_path / "elsewhere", settings(per_domain=3)).fingerprint
    )


def test_a_corrupt_image_is_named(load, image_folder):
    folder = image_folder()
    (folder / "trainB/002.jpg").write_bytes(b"\xff\xd8\xff no more")
    with pytest.raises(BenchError, match=r"trainB/002\.jpg is not a readable image: .*--skip-bad-images"):
        load(folder)


def test_corrupt_images_may_be_skipped_and_are_recorded(load, image_folder):
    folder = image_folder((6, 5, 3, 2))
    (folder / "trainB/002.jpg").write_bytes(b"")
    (folder / "testA/000.jpg").write_bytes((folder / "testA/000.jpg").read_bytes()[:300])
    dataset = load(folder, settings(per_domain=4), skip_bad_images=True)
    assert dataset.facts["skipped"] == ["testA/000.jpg", "trainB/002.jpg"]
    assert dataset.B.train.names == ("000.jpg", "001.jpg", "003.jpg", "004.jpg")
    assert len(dataset.A.test) == 2
    assert any("2 unreadable images were skipped" in remark for remark in dataset.warnings)


def test_skipped_images_do_not_count_towards_what_is_asked(load, image_folder):
    folder = image_folder((6, 5, 3, 2))
    (folder / "trainB/002.jpg").write_bytes(b"")
    with pytest.raises(BenchError, match=r"trainB holds 4 images, and images.per_domain = 5"):
        load(folder, settings(per_domain=5), skip_bad_images=True)


def test_a_split_without_one_readable_image_is_refused(load, image_folder):
    folder = image_folder((2, 2, 2, 1))
    (folder / "testB/000.jpg").write_bytes(b"")
    with pytest.raises(BenchError, match=r"No image of .*testB is readable"):
        load(folder, skip_bad_images=True)


def test_leaks_are_counted_and_spoken_of(load, image_folder):
    folder = image_folder()
    shutil.copy(folder / "trainA/000.jpg", folder / "testA/leak.jpg")
    dataset = load(folder)
    assert dataset.facts["identical"]["leaks"] == {"testA in trainA": 1}
    assert dataset.warnings == ("Identical files: 1 of testA are also in trainA.",)


def test_greyscale_and_transparency_are_recorded(load, image_folder):
    folder = image_folder()
    Image.new("L", (20, 20)).save(folder / "trainA/grey.png")
    Image.new("RGBA", (20, 20)).save(folder / "trainB/clear.png")
    dataset = load(folder)
    assert dataset.facts["greyscale"] == ["trainA/grey.png"]
    assert dataset.facts["transparent_laid_over_white"] == ["trainB/clear.png"]
    assert (dataset.B.train.images[dataset.B.train.names.index("clear.png")] == 255).all()


def test_a_damaged_cache_is_mended_and_spoken_of(load, image_folder, tmp_path):
    folder = image_folder()
    pixels = np.array(load(folder).A.train.images)
    for path in (tmp_path / "cache/images").iterdir():
        path.write_bytes(path.read_bytes()[:-1])
    second = load(folder)
    np.testing.assert_array_equal(second.A.train.images, pixels)
    assert len(second.warnings) == 4
    assert all("damaged" in warning for warning in second.warnings)


def test_a_real_set_that_is_not_here_names_the_commands_that_fetch_it(load):
    with pytest.raises(
        BenchError,
        match=r"(?s)horse2zebra is not here.*bench data get horse2zebra .*\n.*--archive horse2zebra.zip",
    ):
        load("horse2zebra")


def test_a_real_set_is_found_in_the_data_folder(load, image_folder):
    image_folder(name="data/horse2zebra")
    assert load("horse2zebra").name == "horse2zebra"


def test_an_unknown_name_is_answered_with_close_ones(load):
    with pytest.raises(UsageError, match=r"Unknown dataset 'toy-strips'. Did you mean 'toy-stripes'"):
        load("toy-strips")


def test_a_path_that_does_not_exist_is_refused(load, tmp_path):
    with pytest.raises(BenchError, match="There is no folder"):
        load(tmp_path / "nothing")


@pytest.mark.parametrize("name", ["toy-stripes", "toy-season", "toy-shape"])
def test_embedded_sets_have_as_many_scenes_as_asked_and_their_truth(load, name):
    dataset = load(name, settings(per_domain=3, validation=2, test=4))
    for domain in (dataset.A, dataset.B):
        assert domain.train.images.shape == (3, 20, 20, 3)
        assert domain.validation.images.shape == (2, 16, 16, 3)
        assert domain.test.images.shape == domain.truth.counterfactual.shape == (4, 16, 16, 3)
        assert domain.truth.foreground.shape == domain.truth.objects.shape == (4, 16, 16)
        assert domain.truth.foreground.dtype == bool
        assert domain.truth.objects.dtype == np.uint8
        assert len(set(domain.train.names)) == 3


def test_embedded_sets_are_equal_from_the_cache_and_afresh(load, tmp_path):
    images = settings(per_domain=3, validation=2, test=2)
    first, cached = load("toy-shape", images), load("toy-shape", images)
    afresh = load("toy-shape", images, cache=tmp_path / "another")
    assert first.fingerprint == cached.fingerprint == afresh.fingerprint
    np.testing.assert_array_equal(cached.A.truth.counterfactual, afresh.A.truth.counterfactual)


def test_the_fingerprint_of_an_embedded_set_tells_sizes_and_numbers(load):
    rules = {"per_domain": 3, "test": 2}
    prints = {
        load("toy-shape", settings(**(rules | change))).fingerprint
        for change in ({}, {"per_domain": 4}, {"validation": 1}, {"load_size": 24}, {"test": 3})
    }
    assert len(prints) == 5


def test_without_numbers_an_embedded_set_has_its_own(load, monkeypatch):
    fewer = replace(SCENES.find("toy-stripes"), train=5, test=3)
    monkeypatch.setitem(SCENES._entries, "toy-stripes", fewer)
    counts = load("toy-stripes", settings(validation=1)).facts["counts"]
    assert counts == {
        "trainA": 5,
        "validationA": 1,
        "testA": 3,
        "trainB": 5,
        "validationB": 1,
        "testB": 3,
    }
