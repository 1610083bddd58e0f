"""`bench translate` as typed: every image keeps its size, nothing is overwritten, all that is odd is said."""

import os
import tempfile
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import Result
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from typer.testing import CliRunner

import variants
from bench.cli import app
from bench.data.tensors import quantise, to_tensor
from bench.errors import BenchError
from bench.protocol import load_protocol
from bench.translating import Photograph, refuse_images_beyond_memory, translate_files
from variants import Generator, Translation
from variants.published import theirs_of
from variants.published.names import ATTENTIONGAN
from variants.registry.catalogue import find

PHOTO = np.random.default_rng(0).integers(0, 256, (20, 37, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A narrow generator of a published system, as its authors keep it."""
    generator = variants.build("spatial", {"width": 4, "blocks": 1, "contents": 2})
    names = theirs_of(list(generator.state_dict()), ATTENTIONGAN.modules(generator.parameter_values))
    file = tmp_path_factory.mktemp("published") / "generator.pth"
    torch.save({names[key]: value for key, value in generator.state_dict().items()}, file)
    return file


@pytest.fixture
def translate(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Types `bench translate` in a folder of one's own; errors of bench come out as they are."""
    monkeypatch.chdir(tmp_path)

    def typed(*words: str | Path, code: int = 0) -> Result:
        system = ["translate", "--published", "attentiongan", "--checkpoint", str(checkpoint)]
        result = CliRunner().invoke(app, [*system, "--device", "cpu", *map(str, words)])
        if isinstance(result.exception, BenchError):
            raise result.exception
        assert result.exit_code == code, result.output
        return result

    return typed


def save(path: str, pixels: np.ndarray = PHOTO, **options: object) -> Path:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, **options)
    return Path(path)


def contents(folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder).iterdir() if path.is_file()}


# Sizes


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 70), st.integers(1, 70))
def test_an_image_of_any_size_comes_back_in_its_size_and_place(height: int, width: int) -> None:
    pixels = np.random.default_rng(height).integers(0, 256, (height, width, 3)).astype(np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        file = save(f"{folder}/photo.png", pixels)
        one = Photograph(file, file, height, width)
        ((_, made),) = translate_files(variants.build("copy"), [one], 0, "cpu")
    np.testing.assert_array_equal(made, pixels)


BY_PIXELS = [name for name in variants.names() if find(name).generator.wants_masks is None]


@pytest.mark.parametrize("name", BY_PIXELS)
def test_every_generator_translates_images_of_other_sizes_than_it_was_trained_on(
    name: str, tmp_path: Path
) -> None:
    generator = variants.build(name, load_protocol("smoke").model).eval()
    file = save(str(tmp_path / "photo.png"))
    ((_, made),) = translate_files(generator, [Photograph(file, file, 20, 37)], 0, "cpu")
    assert made.shape == (20, 37, 3)


def test_an_image_that_needs_no_padding_is_given_to_the_generator_as_it_is(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (32, 48, 3)).astype(np.uint8)
    file = save(str(tmp_path / "photo.png"), pixels)
    generator = variants.build("spatial", {"width": 4, "blocks": 1}).eval()
    ((_, made),) = translate_files(generator, [Photograph(file, file, 32, 48)], 0, "cpu")
    with torch.inference_mode():
        expected = quantise(generator(to_tensor(pixels[None])).image)[0]
    np.testing.assert_array_equal(made, expected)


@pytest.mark.parametrize(("options", "size"), [([], (37, 20)), (["--size", "30"], (56, 30))])
def test_proportions_are_kept_and_size_scales_the_shorter_side(translate, options, size) -> None:
    save("photo.png")
    translate("photo.png", "--out", "made", *options)
    assert Image.open("made/photo.png").size == size


@pytest.mark.parametrize("size", ["0", "-5", "1000000", "wide", "2.5"])
def test_a_size_that_cannot_be_is_refused(translate, size: str) -> None:
    save("photo.png")
    assert "--size" in translate("photo.png", "--out", "made", "--size", size, code=2).output
    assert not Path("made").exists()


def test_an_image_for_which_the_memory_does_not_suffice_says_so_before_anything_is_done(translate) -> None:
    save("photo.png", np.zeros((1, 1000, 3), np.uint8))
    needs = r"photo\.png at 16384000 x 16384 pixels needs [\d.]+ GiB or more of memory; .*--size \d+"
    with pytest.raises(BenchError, match=needs):
        translate("photo.png", "--out", "made", "--size", "16384")
    assert not Path("made").exists()


def test_the_size_that_is_advised_where_memory_is_short_fits(tmp_path: Path) -> None:
    generator = variants.build("copy")
    wide = Photograph(tmp_path / "photo.png", tmp_path / "made.png", 10**6, 10**6)
    with pytest.raises(BenchError, match="Less is needed with --size") as refused:
        refuse_images_beyond_memory(generator, [wide])
    side = int(str(refused.value).split("--size ")[1].split(",")[0])
    refuse_images_beyond_memory(generator, [Photograph(wide.path, wide.target, side, side)])


class SquareAlone(Generator):
    """Somebody's generator whose weights have the size of the images."""

    def __init__(self) -> None:
        super().__init__()
        self.places = torch.nn.Parameter(torch.zeros(3, 64, 64))

    def forward(self, image, noise=None):
        made = image + self.places
        return Translation(made, made.unsqueeze(1), None)


def test_a_generator_of_one_size_says_which_it_was_trained_at(tmp_path: Path) -> None:
    from bench.progress import Silent
    from bench.translating import translate_into

    file = save(str(tmp_path / "photo.png"))
    one = Photograph(file, tmp_path / "made.png", 20, 37)
    with pytest.raises(BenchError, match=r"photo\.png .* 37 x 20 pixels .*crop .* --size 64"):
        translate_into(SquareAlone(), [one], seed=0, device="cpu", trained_at=64, progress=Silent())


# Nothing is overwritten


@pytest.mark.parametrize(
    "spelling", ["photos", "photos/", "./photos", "photos/../photos", "link", "{here}/photos"]
)
def test_translations_never_take_the_place_of_the_photographs(translate, spelling: str) -> None:
    save("photos/a.png")
    save("photos/b.jpg")
    Path("link").symlink_to("photos")
    before = contents("photos")
    for place in ("photos", "photos/b.jpg", "link"):
        with pytest.raises(BenchError, match="is the folder that the images are read from") as refused:
            translate(place, "--out", spelling.format(here=Path.cwd()))
        assert refused.value.exit_code == 2
    assert contents("photos") == before


def test_translations_never_take_the_place_of_what_a_link_leads_to(translate) -> None:
    original = save("originals/a.png").resolve()
    Path("photos").mkdir()
    Path("photos/a.png").symlink_to(original)
    with pytest.raises(BenchError, match="is the folder that the images are read from"):
        translate("photos", "--out", "originals")


@pytest.mark.parametrize("kind", ["image", "text", "folder", "pipe", "link"])
def test_what_somebody_else_put_into_the_folder_stays(translate, kind: str) -> None:
    save("photos/a.png")
    there = Path("made/a.png")
    there.parent.mkdir()
    match kind:
        case "image":
            save("made/a.png")
        case "text":
            there.write_text("mine")
        case "folder":
            there.mkdir()
        case "pipe":
            os.mkfifo(there)
        case "link":
            there.symlink_to("/nowhere")
    with pytest.raises(BenchError, match=r"made/a\.png is there already, and bench translate did not"):
        translate("photos", "--out", "made")


def test_earlier_translations_are_replaced(translate) -> None:
    save("photos/a.png")
    translate("photos", "--out", "made")
    first = contents("made")
    translate("photos", "--out", "made", "--size", "24")
    assert contents("made") != first
    assert Image.open("made/a.png").size == (44, 24)


def test_two_images_that_would_become_one_are_refused_and_one_named_twice_is_one(translate) -> None:
    save("photos/a.png")
    save("photos/a.jpg")
    with pytest.raises(BenchError, match=r"photos/a\.jpg and photos/a\.png would both be .* made/a\.png"):
        translate("photos", "--out", "made")
    Path("photos/a.jpg").unlink()
    assert "1 image translated" in translate("photos", "./photos/a.png", "photos/", "--out", "made").output


@pytest.mark.parametrize(("out", "reason"), [("photo.png", "is not a folder"), ("lost", "leads nowhere")])
def test_an_output_that_is_no_folder_is_refused(translate, out: str, reason: str) -> None:
    save("photos/photo.png")
    save("photo.png")
    Path("lost").symlink_to("/nowhere/at/all")
    with pytest.raises(BenchError, match=rf"--out: {out} .*{reason}"):
        translate("photos", "--out", out)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_output_that_cannot_be_written_is_refused_before_anything_is_done(translate) -> None:
    save("photos/photo.png")
    Path("closed").mkdir(mode=0o500)
    with pytest.raises(BenchError, match=r"Could not write closed: .*--out"):
        translate("photos", "--out", "closed")


# What the inputs are


def test_what_is_no_image_is_left_out_and_counted_and_nothing_hangs(translate) -> None:
    save("photos/a.png")
    Path("photos/._a.png").write_bytes(b"\0\5\26\7Mac OS X")
    Path("photos/inner.png").mkdir()
    os.mkfifo("photos/pipe.png")
    Path("photos/notes.txt").touch()
    said = translate("photos", "--out", "made").output
    assert "1 image translated" in said
    assert "Left out of photos: 1 hidden image, 1 folder (inner.png), 1 pipe" in said.replace("\n", " ")
    for place, reason in (
        ("photos/pipe.png", "is a pipe, socket or device"),
        ("nowhere.png", "There is no image and no folder"),
    ):
        with pytest.raises(BenchError, match=reason) as refused:
            translate(place, "--out", "made")
        assert refused.value.exit_code == 2


@pytest.mark.parametrize("kind", ["empty", "text", "truncated", "dangling"])
def test_an_unreadable_image_stops_the_work_before_it_begins_unless_it_may_be_skipped(
    translate, kind: str
) -> None:
    whole = save("photos/a.png").read_bytes()
    bad = Path("photos/b.png")
    if kind == "dangling":
        bad.symlink_to("/nowhere.png")
    else:
        bad.write_bytes({"empty": b"", "text": b"no image", "truncated": whole[: len(whole) // 2]}[kind])
    with pytest.raises(BenchError, match=r"photos/b\.png is not a readable image: .*--skip-bad-images"):
        translate("photos", "--out", "made")
    assert not Path("made").exists()
    said = translate("photos", "--out", "made", "--skip-bad-images").output
    assert "Skipped photos/b.png" in said
    assert [path.name for path in Path("made").iterdir()] == ["a.png"]
    Path("photos/a.png").unlink()
    with pytest.raises(BenchError, match="None of the images can be read"):
        translate("photos", "--out", "made", "--skip-bad-images")


def test_every_kind_of_image_is_translated_and_what_is_lost_of_it_is_said(translate) -> None:
    turned = Image.Exif()
    turned[0x0112] = 6
    deep = (PHOTO[..., 0].astype(np.uint16)) * 257
    picture = Image.fromarray(PHOTO)
    save("photos/turned.jpg", exif=turned)
    save("photos/grey.png", PHOTO[..., 0])
    save("photos/deep.png", deep)
    save("photos/clear.webp", np.dstack([PHOTO, PHOTO[..., 0]]), lossless=True)
    picture.convert("CMYK").save("photos/print.tif")
    picture.quantize(16).save("photos/palette.BMP")
    picture.save("photos/moving.webp", save_all=True, append_images=[Image.fromarray(PHOTO[::-1])])
    said = translate("photos", "--out", "made").output.replace("\n", " ")
    sizes = {path.stem: Image.open(path).size for path in Path("made").iterdir()}
    assert sizes == dict.fromkeys(("grey", "deep", "clear", "print", "palette", "moving"), (37, 20)) | {
        "turned": (20, 37)
    }
    assert {Image.open(path).mode for path in Path("made").iterdir()} == {"RGB"}
    assert "Several images are in moving.webp: the first one is translated" in said
    assert "laid over white: 1" in said


@pytest.mark.parametrize(
    "name", [b"caf\xe9.png", b'it\'s "100%" #1.png', b"x" * 242 + b".png", b"x" * 251 + b".jpg", b"a\nb.png"]
)
def test_names_may_hold_any_bytes_and_be_long(translate, name: bytes) -> None:
    image = save("photos/a.png")
    image.rename(image.with_name(os.fsdecode(name)))
    translate("photos", "--out", "made")
    (made,) = Path("made").iterdir()
    assert os.fsencode(made.name) == name[:-4] + b".png"


def test_a_name_that_would_become_too_long_is_refused_before_anything_is_done(translate) -> None:
    image = save("photos/a.png").rename("photos/" + "x" * 255)
    with pytest.raises(BenchError, match="is too long for"):
        translate(image, "--out", "made")
