"""The cache of decoded images: computed once, checked always, never in the way."""

import numpy as np
import pytest

from bench.data.dataset import cached_images

PIXELS = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)


class Computation:
    """Gives the pixels in two blocks and counts how often it was asked."""

    def __init__(self):
        self.times = 0

    def __call__(self):
        self.times += 1
        yield PIXELS[:3]
        yield PIXELS[3:]


def test_the_second_time_nothing_is_computed(tmp_path):
    compute = Computation()
    first = cached_images(tmp_path, "key", PIXELS.shape, compute)
    second = cached_images(tmp_path, "key", PIXELS.shape, compute)
    assert compute.times == 1
    assert (first.computed, second.computed) == (True, False)
    for cached in (first, second):
        np.testing.assert_array_equal(cached.images, PIXELS)
        assert cached.warning is None


def test_images_are_mapped_and_cannot_be_changed(tmp_path):
    cached = cached_images(tmp_path, "key", PIXELS.shape, Computation())
    assert isinstance(cached.images, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        cached.images[0] = 0


def test_other_content_has_another_file(tmp_path):
    cached_images(tmp_path, ["files", 64], PIXELS.shape, Computation())
    compute = Computation()
    cached_images(tmp_path, ["files", 72], PIXELS.shape, compute)
    assert compute.times == 1
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("damage", ["truncated", "flipped", "emptied", "other shape", "pickle"])
def test_a_damaged_file_is_computed_again_and_spoken_of(tmp_path, damage):
    cached_images(tmp_path, "key", PIXELS.shape, Computation())
    (path,) = tmp_path.iterdir()
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    if damage == "other shape":
        np.save(path, PIXELS[:2])
    elif damage == "pickle":
        np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    else:
        path.write_bytes({"truncated": content[:-7], "flipped": content, "emptied": b""}[damage])
    compute = Computation()
    cached = cached_images(tmp_path, "key", PIXELS.shape, compute)
    assert compute.times == 1
    assert "damaged and have been computed again" in cached.warning
    np.testing.assert_array_equal(cached.images, PIXELS)
    assert cached_images(tmp_path, "key", PIXELS.shape, compute).warning is None


def test_a_failing_computation_leaves_nothing_behind(tmp_path):
    def fail():
        yield PIXELS[:3]
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        cached_images(tmp_path, "key", PIXELS.shape, fail)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_costs_only_the_cache(tmp_path):
    occupied = tmp_path / "file"
    occupied.write_text("in the way")
    cached = cached_images(occupied, "key", PIXELS.shape, Computation())
    np.testing.assert_array_equal(cached.images, PIXELS)
    assert "could not be cached" in cached.warning


def test_a_full_disk_costs_only_the_cache(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bench.data.dataset._write_blocks", full)
    cached = cached_images(tmp_path, "key", PIXELS.shape, Computation())
    np.testing.assert_array_equal(cached.images, PIXELS)
    assert "No space left on device" in cached.warning
    assert not list(tmp_path.iterdir())


def test_no_images_need_no_file(tmp_path):
    cached = cached_images(tmp_path, "key", (0, 8, 8, 3), Computation())
    assert cached.images.shape == (0, 8, 8, 3)
    assert not list(tmp_path.iterdir())
