"""Every kind of image file becomes 8-bit RGB in the documented way."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.data.pictures import BadImage, image_size, is_greyscale, is_transparent, read_image

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)


def saved(path: Path, picture: Image.Image, **options: object) -> Path:
    picture.save(path, **options)
    return path


def test_greyscale_is_replicated(tmp_path):
    path = saved(tmp_path / "grey.png", Image.fromarray(RAMP))
    np.testing.assert_array_equal(read_image(path, 16), np.stack([RAMP] * 3, axis=2))
    assert is_greyscale(path)


def test_sixteen_bits_are_scaled_to_eight(tmp_path):
    path = saved(tmp_path / "deep.png", Image.fromarray(RAMP.astype(np.uint16) * 257))
    np.testing.assert_array_equal(read_image(path, 16)[..., 1], RAMP)
    assert is_greyscale(path)


def test_transparency_is_laid_over_white(tmp_path):
    pixels = np.zeros((16, 16, 4), dtype=np.uint8)
    pixels[:, 8:] = (200, 0, 0, 255)
    path = saved(tmp_path / "clear.png", Image.fromarray(pixels))
    shown = read_image(path, 16)
    assert shown[0, 0].tolist() == [255, 255, 255]
    assert shown[0, 15].tolist() == [200, 0, 0]
    assert is_transparent(path)


def test_a_transparent_colour_of_a_palette_is_laid_over_white(tmp_path):
    picture = Image.fromarray(np.zeros((16, 16, 3), np.uint8)).quantize(4)
    path = saved(tmp_path / "palette.png", picture, transparency=0)
    assert (read_image(path, 16) == 255).all()


def test_opaque_images_are_not_called_transparent(tmp_path):
    path = saved(tmp_path / "plain.png", Image.new("RGB", (16, 16), (1, 2, 3)))
    assert not is_transparent(path)
    assert not is_greyscale(path)


def test_cmyk_is_converted(tmp_path):
    path = saved(tmp_path / "print.jpg", Image.new("CMYK", (16, 16), (0, 255, 255, 0)), quality=100)
    red = read_image(path, 16)[8, 8].astype(int)
    assert red[0] > 240
    assert red[1:].max() < 15


def test_the_orientation_of_the_camera_is_applied(tmp_path):
    pixels = np.zeros((16, 16, 3), dtype=np.uint8)
    pixels[:8] = 255
    exif = Image.Exif()
    exif[0x0112] = 3
    path = saved(tmp_path / "turned.jpg", Image.fromarray(pixels), exif=exif, quality=100)
    shown = read_image(path, 16)
    assert shown[:6].max() < 20
    assert shown[10:].min() > 235


def test_resizing_is_antialiased_bicubic_as_pillow_does_it(tmp_path):
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8))
    path = saved(tmp_path / "large.png", picture)
    expected = np.asarray(picture.resize((16, 16), Image.Resampling.BICUBIC))
    np.testing.assert_array_equal(read_image(path, 16), expected)
    assert expected.std() < 60  # antialiased: noise is averaged away


@pytest.mark.parametrize("suffix", [".webp", ".PNG", ".bmp", ".tiff", ".JPeG"])
def test_formats_and_spellings(tmp_path, suffix):
    path = saved(tmp_path / f"image{suffix}", Image.new("RGB", (8, 8), (10, 20, 30)))
    assert np.abs(read_image(path, 16)[5, 5].astype(int) - [10, 20, 30]).max() <= 3


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_a_truncated_image_is_refused_by_name(tmp_path, suffix, share):
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8))
    path = saved(tmp_path / f"cut{suffix}", picture)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(BadImage, match=rf"cut{suffix} is not a readable image: .*--skip-bad-images"):
        read_image(path, 16)


def test_text_with_the_name_of_an_image_is_refused(tmp_path):
    path = tmp_path / "text.jpg"
    path.write_text("not an image")
    with pytest.raises(BadImage, match=r"text\.jpg is not a readable image"):
        read_image(path, 16)


def test_floating_point_images_are_refused(tmp_path):
    path = saved(tmp_path / "float.tif", Image.fromarray(np.zeros((8, 8), np.float32)))
    with pytest.raises(BadImage, match="floating-point numbers of unknown range"):
        read_image(path, 16)


def test_a_decompression_bomb_is_refused(tmp_path, monkeypatch):
    path = saved(tmp_path / "huge.png", Image.new("RGB", (100, 100)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(BadImage, match=r"huge\.png"):
        read_image(path, 16)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_the_size_of_a_file_is_that_of_the_image_it_gives(tmp_path, suffix, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = saved(tmp_path / f"turned{suffix}", Image.new("RGB", (7, 5)), exif=exif)
    assert image_size(path) == read_image(path, None).shape[:2] == ((7, 5) if orientation > 4 else (5, 7))
