"""Masks of a data set: rendered, or read from folders beside the images; cropped and flipped with them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bench.data import load_dataset
from bench.data.dataset import Dataset, Domain, Split
from bench.data.masks import as_wanted, masks_fingerprint
from bench.data.order import BatchOrder, fetch, fetch_masks
from bench.data.verify import verify_folder
from bench.errors import BenchError
from bench.progress import Silent
from bench.protocol import ImageSettings
from bench.streams import Streams

SPLITS = ("trainA", "trainB", "testA", "testB")
SETTINGS = ImageSettings(size=16, load_size=20)


@pytest.fixture
def load(tmp_path):
    def load_here(name, images=SETTINGS, **options):
        return load_dataset(str(name), images, cache=tmp_path / "cache", **options)

    return load_here


@pytest.fixture
def masked_folder(image_folder):
    """A folder of images with a mask each: white in the left half, or as given for a place `trainA/000`."""

    def make(**options):
        folder = image_folder(**options)
        for split in SPLITS:
            (folder / f"{split}_masks").mkdir()
            for image in sorted((folder / split).iterdir()):
                write_mask(folder / f"{split}_masks" / f"{image.stem}.png")
        return folder

    return make


def write_mask(path, values=None):
    pixels = np.zeros((20, 20), dtype=np.uint8)
    pixels[:, :10] = 255
    Image.fromarray(pixels if values is None else np.asarray(values, dtype=np.uint8)).save(path)


def test_a_folder_brings_masks_that_change_nothing_of_what_is_known_of_its_images(load, masked_folder):
    folder = masked_folder()
    dataset = load(folder)
    masks = dataset.A.train.masks()
    assert masks.shape == (6, 20, 20)
    assert masks.dtype == bool
    assert masks[:, :, :10].all()
    assert not masks[:, :, 10:].any()
    assert dataset.B.test.masks().shape == (2, 16, 16)
    assert dataset.warnings == ()
    assert masks_fingerprint(dataset)
    for split in SPLITS:
        (folder / f"{split}_masks").rename(folder / f"{split}_put_away")
    without = load(folder)
    assert without.fingerprint == dataset.fingerprint
    assert without.facts == dataset.facts
    assert without.A.train.masks is None
    assert masks_fingerprint(without) is None


def test_the_fingerprint_of_masks_follows_the_masks_alone(load, masked_folder):
    folder = masked_folder()
    first = load(folder)
    write_mask(folder / "testA_masks/000.png", np.zeros((20, 20)))
    second = load(folder)
    assert second.fingerprint == first.fingerprint
    assert masks_fingerprint(second) != masks_fingerprint(first)


def test_masks_may_be_there_for_some_splits_alone(load, masked_folder):
    folder = masked_folder()
    for split in ("trainA", "trainB"):
        (folder / f"{split}_masks").rename(folder / f"{split}_put_away")
    dataset = load(folder)
    assert dataset.A.train.masks is None
    assert dataset.A.test.masks is not None
    with pytest.raises(
        BenchError, match=r"oracle weighs by the foreground masks.*none for trainA.*trainA_masks"
    ):
        as_wanted(dataset, "own", "oracle", Streams(0))


def test_held_out_images_take_their_masks_with_them(load, masked_folder):
    folder = masked_folder()
    write_mask(folder / "trainA_masks/003.png", np.zeros((20, 20)))
    dataset = load(folder, ImageSettings(size=16, load_size=20, validation=2))
    for split in (dataset.A.train, dataset.A.validation):
        for name, mask in zip(split.names, split.masks(), strict=True):
            assert mask.any() == (name != "003.jpg")


def test_an_image_without_a_mask_is_an_error_that_names_the_file_wanted(load, masked_folder):
    folder = masked_folder()
    (folder / "testB_masks/001.png").unlink()
    with pytest.raises(BenchError, match=r"testB/001\.jpg has no mask: there is no .*testB_masks/001\.png"):
        load(folder)


def test_a_mask_of_another_kind_of_file_is_no_mask(load, masked_folder):
    folder = masked_folder()
    mask = folder / "trainA_masks/000.png"
    Image.open(mask).save(mask.with_suffix(".jpg"))
    mask.unlink()
    with pytest.raises(BenchError, match=r"trainA/000\.jpg has no mask"):
        load(folder)


def test_a_mask_without_an_image_is_left_out_and_said(load, masked_folder):
    folder = masked_folder()
    write_mask(folder / "trainA_masks/horse.png")
    (said,) = load(folder).warnings
    assert "belong to no image" in said
    assert said.endswith(": 1.")


def test_two_images_of_one_stem_cannot_share_a_mask(load, masked_folder):
    folder = masked_folder()
    Image.open(folder / "trainA/000.jpg").save(folder / "trainA/000.bmp")
    with pytest.raises(BenchError, match=r"2 images of .*trainA would share the mask 000\.png"):
        load(folder)


def test_a_mask_of_another_size_is_resized_to_the_nearest_pixel_and_said(load, masked_folder):
    folder = masked_folder()
    checks = np.kron(np.indices((4, 4)).sum(axis=0) % 2 * 255, np.ones((20, 20)))
    write_mask(folder / "trainA_masks/002.png", checks)
    dataset = load(folder)
    expected = np.kron(np.indices((4, 4)).sum(axis=0) % 2 == 1, np.ones((5, 5), dtype=bool))
    np.testing.assert_array_equal(dataset.A.train.masks()[2], expected)
    (said,) = dataset.warnings
    assert "another size than their image" in said


def test_more_than_two_values_are_divided_at_half_of_white_and_said(load, masked_folder):
    folder = masked_folder()
    steps = np.tile(np.linspace(0, 255, 20), (20, 1)).round()
    write_mask(folder / "testA_masks/000.png", steps)
    dataset = load(folder, ImageSettings(size=16, load_size=20, test=1))
    mask = dataset.A.test.masks()[0]
    assert mask[0].tolist() == sorted(mask[0].tolist())
    assert mask.mean() == 0.5
    (said,) = dataset.warnings
    assert "more than two values" in said
    assert load(folder, ImageSettings(size=16, load_size=20, test=1)).warnings == (
        said,
    )  # cached, still said


def test_labels_in_place_of_white_are_an_error_and_not_an_empty_foreground(load, masked_folder):
    folder = masked_folder()
    write_mask(folder / "trainB_masks/004.png", np.eye(20))
    with pytest.raises(BenchError, match=r"004\.png holds no value above 1.*255"):
        load(folder)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "I;16"])
def test_masks_are_read_whatever_kind_of_png_they_are(load, masked_folder, mode):
    folder = masked_folder()
    path = folder / "trainA_masks/000.png"
    grey = Image.open(path)
    if mode == "I;16":
        Image.fromarray(np.asarray(grey).astype(np.uint16) * 257).save(path)
    elif mode in ("RGBA", "LA"):  # white all over, and seen on the left alone
        seen = Image.new("L", grey.size, 255).convert(mode)
        seen.putalpha(grey)
        seen.save(path)
    else:
        grey.convert(mode).save(path)
    mask = load(folder).A.train.masks()[0]
    assert mask[:, :10].all()
    assert not mask[:, 10:].any()


def test_a_damaged_mask_is_an_error_that_names_it(load, masked_folder):
    folder = masked_folder()
    (folder / "testA_masks/001.png").write_bytes(b"\x89PNG not at all")
    with pytest.raises(BenchError, match=r"001\.png is not a readable mask"):
        load(folder)


def test_a_file_in_place_of_the_folder_of_masks_is_an_error(load, image_folder):
    folder = image_folder()
    (folder / "trainA_masks").write_text("none")
    with pytest.raises(BenchError, match="trainA_masks"):
        load(folder)


def test_a_skipped_image_needs_no_mask_and_is_counted_once(load, masked_folder):
    folder = masked_folder()
    (folder / "trainA/001.jpg").write_bytes(b"no image")
    (folder / "trainA_masks/001.png").unlink()
    write_mask(folder / "trainB_masks/000.png", np.tile(np.linspace(0, 255, 20), (20, 1)))
    dataset = load(folder, skip_bad_images=True)
    assert dataset.A.train.masks().shape == (5, 20, 20)
    assert any(said.endswith("from half of white on: 1.") for said in dataset.warnings)


def test_rendered_scenes_have_masks_of_their_own_objects_in_every_split(load):
    for name in ("toy-stripes", "toy-shape"):
        dataset = load(name, ImageSettings(size=32, load_size=32, per_domain=3, validation=2, test=2))
        for domain in (dataset.A, dataset.B):
            for split in (domain.train, domain.validation, domain.test):
                assert split.masks().shape == split.images.shape[:3]
                assert 0 < split.masks().mean() < 1
            np.testing.assert_array_equal(domain.test.masks(), domain.truth.objects > 0)


def test_where_everything_changes_there_is_no_foreground_and_it_is_said(load):
    dataset = load("toy-season", ImageSettings(size=32, load_size=32, per_domain=2, test=2))
    assert dataset.A.train.masks is None
    with pytest.raises(BenchError, match="everything changes in toy-season"):
        as_wanted(dataset, "own", "oracle", Streams(0))


def marked(count: int, size: int) -> Dataset:
    """Images whose red channel is white exactly where their masks are true."""
    masks = np.random.default_rng(count).random((count, size, size)) < 0.5
    images = np.zeros((count, size, size, 3), dtype=np.uint8)
    images[..., 0] = masks * 255
    split = Split(images, tuple(f"{place}.png" for place in range(count)), lambda: masks)
    domain = Domain(split, split, split)
    return Dataset("marked", domain, domain, "", {})


@settings(deadline=None)
@given(
    seed=st.integers(0, 2**32),
    step=st.integers(0, 2**20),
    room=st.integers(0, 5),
    flip=st.booleans(),
    batch=st.integers(1, 3),
)
def test_masks_are_cropped_and_flipped_with_their_images(seed, step, room, flip, batch):
    images = ImageSettings(size=16, load_size=16 + room, flip=flip)
    dataset = marked(4, 16 + room)
    draw = BatchOrder((4, 4), images, batch, Streams(seed)).draw(step)
    for pixels, masks in zip(fetch(dataset, draw), fetch_masks(dataset, draw), strict=True):
        np.testing.assert_array_equal(pixels[..., 0] == 255, masks)


@settings(deadline=None)
@given(seed=st.integers(0, 2**32), count=st.integers(2, 9))
def test_every_image_gets_the_mask_of_another_one_and_the_same_each_time(seed, count):
    dataset = marked(count, 16)
    other = as_wanted(dataset, "other", "shuffled", Streams(seed))
    again = as_wanted(dataset, "other", "shuffled", Streams(seed))
    own = dataset.A.train.masks()
    for domain in (other.A, other.B):
        for place, mask in enumerate(domain.test.masks()):
            assert not np.array_equal(mask, own[place])
            assert any(np.array_equal(mask, each) for each in own)
    np.testing.assert_array_equal(other.A.train.masks(), again.A.train.masks())
    assert other.fingerprint == dataset.fingerprint
    np.testing.assert_array_equal(other.A.train.images, dataset.A.train.images)


def test_a_single_image_has_no_other_whose_mask_it_could_take():
    with pytest.raises(BenchError, match="only image"):
        as_wanted(marked(1, 16), "other", "shuffled", Streams(0))


def test_verifying_a_folder_looks_at_its_masks_too(masked_folder, tmp_path):
    folder = masked_folder()
    assert verify_folder("photos", folder, Silent()).in_words == "usable and sound"
    (folder / "trainB_masks").rename(tmp_path / "away")
    assert verify_folder("photos", folder, Silent()).in_words == "usable, not sound: no masks for trainB"
    (tmp_path / "away").rename(folder / "trainB_masks")
    (folder / "testB_masks" / "000.png").unlink()
    write_mask(folder / "testA_masks" / "000.png", np.ones((20, 20)))
    (folder / "trainA_masks" / "000.png").write_text("no image")
    verdict = verify_folder("photos", folder, Silent())
    assert verdict.in_words == "NOT sound: masks that cannot be used"
    assert not verdict.usable
    told = "\n".join(verdict.bad_masks)
    for each in ("is not a readable mask", "Are these labels?", "testB/000.png has no mask"):
        assert each in told.replace(".jpg", ".png")
