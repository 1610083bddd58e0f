"""What leaves as ONNX or as a hub folder is what was trained, at any size; what is not is refused."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import safetensors.torch
import torch

import bench
import variants
from bench.errors import BenchError, UsageError
from bench.exporting import graph as graph_module
from bench.exporting import smallest
from bench.exporting.graph import OnnxExport, export_onnx
from bench.exporting.hub import export_hub
from bench.runs.folder import RunFolder
from bench.training.checkpoint import load_generators
from variants import Translation, VariantError

FEW = [
    "images.size=32",
    "images.load_size=36",
    "images.per_domain=6",
    "images.validation=2",
    "images.test=4",
    "train.images_seen=2",
    "train.pool=3",
    "train.discriminator_width=8",
    "score.kid_subset_size=3",
    "score.samples=2",
    "model.width=8",
    "model.blocks=1",
    "model.slot_size=8",
    "model.encoder=4-4-4-8",
]
PLUGIN = """
import torch
from blocks import first
from torch import nn
from variants import Generator, Translation, register


@register("mine", summary="Two convolutions.")
class Mine(Generator):
    def __init__(self) -> None:
        super().__init__()
        self.first = first()
        self.last = nn.Conv2d(4, 3, 3, padding=1)

    def forward(self, image, noise=None):
        y = torch.tanh(self.last(torch.relu(self.first(image))))
        return Translation(y, y.unsqueeze(1), None)


@register("noisy", summary="A convolution, brightened by noise.")
class Noisy(Generator):
    noise_shape = (2, 3)

    def __init__(self) -> None:
        super().__init__()
        self.only = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, image, noise=None):
        drawn = self.draw_noise(image.shape[0], noise).mean(dim=(1, 2))
        y = torch.tanh(self.only(image) + drawn[:, None, None, None])
        return Translation(y, y.unsqueeze(1), None)


@register("counting", summary="Counts its images as Python does.")
class Counting(Noisy):
    def forward(self, image, noise=None):
        drawn = self.draw_noise(len(image), noise).mean(dim=(1, 2))
        y = torch.tanh(self.only(image) + drawn[:, None, None, None])
        return Translation(y, y.unsqueeze(1), None)
"""
BLOCKS = "from torch import nn\n\n\ndef first():\n    return nn.Conv2d(3, 4, 3, padding=1)\n"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with runs of slot9, of colour and of a plugin's generators, which import what lies beside."""
    folder = tmp_path_factory.mktemp("export")
    (folder / "plug").mkdir()
    (folder / "plug" / "mine.py").write_text(PLUGIN)
    (folder / "plug" / "blocks.py").write_text(BLOCKS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BENCH_CACHE", str(folder / "cache"))
        for variant in ("slot9", "colour", "mine", "noisy", "counting"):
            bench.run(variant, set=FEW, runs=folder / "runs", threads=1, plugin=folder / "plug" / "mine.py")
    return folder


def run_of(place: Path, variant: str) -> RunFolder:
    return RunFolder(
        next(path.parent for path in (place / "runs").rglob("run.json") if variant in path.parts)
    )


@pytest.fixture(scope="module")
def graph(place: Path) -> tuple[Path, OnnxExport]:
    out = place / "out" / "slot9.onnx"
    return out, export_onnx(run_of(place, "slot9"), out, direction="B2A")


def test_a_graph_gives_what_torch_gives_at_sizes_and_batches_it_was_not_made_at(
    place: Path, graph: tuple[Path, OnnxExport]
) -> None:
    out, made = graph
    assert made.largest_difference <= 1e-4
    generator = load_generators(run_of(place, "slot9").generator)["B2A"]
    assert generator.noise_shape is not None
    session = onnxruntime.InferenceSession(str(out))
    for batch, height, width in ((1, 64, 32), (3, 32, 80), (1, 16, 16), (2, 16, 32)):
        image, noise = torch.rand(batch, 3, height, width) * 2 - 1, torch.randn(batch, *generator.noise_shape)
        translation, masks = session.run(None, {"image": image.numpy(), "noise": noise.numpy()})
        with torch.no_grad():
            ours = generator(image, noise)
        assert ours.masks is not None
        assert np.abs(translation - ours.image.numpy()).max() < 1e-4
        assert np.abs(masks - ours.masks.numpy()).max() < 1e-4


def test_a_graph_says_what_it_is(graph: tuple[Path, OnnxExport]) -> None:
    told = {each.key: each.value for each in onnx.load(str(graph[0])).metadata_props}
    assert told["variant"] == "slot9"
    assert told["direction"] == "B2A"
    assert told["noise"] == "an input"
    assert told["smallest"] == "16"
    assert told["image"].endswith("multiples of 16 from 16 on")
    assert graph[1].sizes == ((32, 32), (48, 32), (16, 16))
    assert graph[1].smallest == 16


def test_three_sizes_are_checked_whatever_was_trained_at() -> None:
    for size in (16, 32, 48, 256):
        for least in (16, 32):
            sizes = graph_module.checked_sizes(size, least)
            assert len(set(sizes)) == 3
            assert (least, least) in sizes
            assert (size, size) in sizes


def test_one_that_takes_no_image_of_16_is_known_by_its_least_size() -> None:
    generator = variants.build("copy")
    assert smallest(generator) == 16
    one_place = torch.nn.Sequential(torch.nn.AvgPool2d(16), torch.nn.InstanceNorm2d(3))
    generator.forward = lambda image, noise=None: Translation(one_place(image), image[:, None], None)
    assert smallest(generator) == 32  # torch refuses to normalise a single place


def test_noise_that_a_seed_fixes_leaves_the_image_as_the_only_input(place: Path) -> None:
    variants.load_plugin(place / "plug" / "mine.py")
    run, said = run_of(place, "noisy"), []
    generator = load_generators(run.generator)["A2B"]
    image = torch.rand(2, 3, 32, 48) * 2 - 1
    made = {}
    for seed in (0, 7):
        out = place / f"fixed-{seed}.onnx"
        assert export_onnx(run, out, noise_seed=seed).noise is None
        session = onnxruntime.InferenceSession(str(out))
        assert [each.name for each in session.get_inputs()] == ["image"]
        assert session.get_modelmeta().custom_metadata_map["noise"] == f"fixed by seed {seed}"
        (made[seed],) = session.run(None, {"image": image.numpy()})
        noise = torch.randn(1, 2, 3, generator=torch.Generator().manual_seed(seed)).expand(2, -1, -1)
        with torch.no_grad():
            assert np.abs(made[seed] - generator(image, noise).image.numpy()).max() < 1e-5
    assert np.abs(made[0] - made[7]).max() > 1e-2
    export_onnx(run_of(place, "mine"), place / "none.onnx", noise_seed=0, announce=said.append)
    assert said == ["note: mine draws no noise, so there is none to fix"]


def test_noise_is_an_input_by_name_unless_it_is_fixed(place: Path) -> None:
    variants.load_plugin(place / "plug" / "mine.py")
    run = run_of(place, "noisy")
    made = export_onnx(run, place / "noisy.onnx")
    assert made.noise == (2, 3)
    session = onnxruntime.InferenceSession(str(made.path))
    assert [each.name for each in session.get_inputs()] == ["image", "noise"]
    image = np.zeros((1, 3, 32, 32), np.float32)
    dark, bright = (
        session.run(None, {"image": image, "noise": np.full((1, 2, 3), value, np.float32)})[0].mean()
        for value in (-1, 1)
    )
    assert dark < bright


def test_what_differs_is_not_kept(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    variants.load_plugin(place / "plug" / "mine.py")
    monkeypatch.setattr(graph_module, "LARGEST_DIFFERENCE", -1.0)
    out = place / "differs" / "mine.onnx"
    with pytest.raises(BenchError, match="so it is not kept"):
        export_onnx(run_of(place, "mine"), out)
    assert list(out.parent.iterdir()) == []


def test_a_graph_for_one_number_of_images_alone_is_not_kept(place: Path) -> None:
    variants.load_plugin(place / "plug" / "mine.py")
    out = place / "counted" / "counting.onnx"
    with pytest.raises(BenchError, match=r"does not run on an image of 1 x 3 x .*write image\.shape\[0\]"):
        export_onnx(run_of(place, "counting"), out)
    assert list(out.parent.iterdir()) == []


def test_what_onnx_cannot_say_is_named_and_leaves_as_a_hub_folder(place: Path) -> None:
    out = place / "coloured" / "colour.onnx"
    with pytest.raises(BenchError, match=r"colour cannot be written.*linalg_inv.*--format hub keeps it"):
        export_onnx(run_of(place, "colour"), out)
    assert list(out.parent.iterdir()) == []
    again = variants.from_pretrained(export_hub(run_of(place, "colour"), out.parent / "hub"))
    image = torch.rand(1, 3, 32, 48)
    ours = load_generators(run_of(place, "colour").generator)["A2B"]
    assert torch.equal(again(image).image, ours(image).image)


def test_nothing_is_written_over_and_missing_packages_are_named(
    place: Path, graph: tuple[Path, OnnxExport], monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match="is there already"):
        export_onnx(run_of(place, "slot9"), graph[0])
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UsageError, match="pip install 'bench-unpaired\\[onnx\\]'"):
        export_onnx(run_of(place, "slot9"), place / "another.onnx")


@pytest.mark.parametrize("direction", ["A2B", "B2A"])
def test_a_hub_folder_gives_the_same_generator_again(place: Path, direction: str) -> None:
    out = place / f"hub-{direction}"
    export_hub(run_of(place, "slot9"), out)
    again = variants.from_pretrained(out, direction=direction)
    generator = load_generators(run_of(place, "slot9").generator)[direction]
    image, noise = torch.rand(1, 3, 32, 48), torch.randn(1, *(generator.noise_shape or ()))
    assert torch.equal(again(image, noise).image, generator(image, noise).image)
    card = (out / "README.md").read_text()
    for said in ("KD(tiny)", "real against real", "seed 0", "Rendered scenes", "One training", "from 16 on"):
        assert said in card
    assert json.loads((out / "config.json").read_text())["image"]["smallest"] == 16


def test_a_plugins_generator_travels_with_its_files_and_is_loaded_by_who_has_read_them(place: Path) -> None:
    variants.load_plugin(place / "plug" / "mine.py")
    out = export_hub(run_of(place, "mine"), place / "hub-mine")
    assert (out / "blocks.py").read_text() == BLOCKS
    program = (
        "import sys, torch, variants\n"
        f"try: variants.from_pretrained({str(out)!r})\n"
        "except variants.VariantError as error: print(error)\n"
        "assert not any('mine' in name for name in sys.modules)\n"
        f"variants.load_plugin({str(out / 'mine.py')!r})\n"
        f"print(variants.from_pretrained({str(out)!r})(torch.zeros(1, 3, 16, 16)).image.shape)"
    )
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert "load it first: variants.load_plugin" in done.stdout
    assert "torch.Size([1, 3, 16, 16])" in done.stdout


def test_another_source_than_the_weights_were_trained_with_is_refused(
    place: Path, tmp_path: Path, forget_plugins: Callable[[], None]
) -> None:
    variants.load_plugin(place / "plug" / "mine.py")
    out = export_hub(run_of(place, "mine"), tmp_path / "hub")
    forget_plugins()
    (tmp_path / "mine.py").write_text(PLUGIN.replace("torch.tanh(", "-torch.tanh("))
    (tmp_path / "blocks.py").write_text(BLOCKS)
    variants.load_plugin(tmp_path / "mine.py")
    with pytest.raises(VariantError, match="another source of mine"):
        variants.from_pretrained(out)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("config.json", "{", "it is no JSON"),
        ("config.json", "[]", "names no variant with parameters"),
        ("config.json", '{"schema_version": 99}', "schema version 99"),
        (
            "config.json",
            '{"schema_version": 1, "variant": "slto9", "parameters": {}}',
            "Did you mean 'slot9'",
        ),
        (
            "config.json",
            '{"schema_version": 1, "variant": "slot9", "parameters": {"width": 8}}',
            "names no variant",
        ),
        ("model.safetensors", "no weights", "is not a whole safetensors file"),
    ],
)
def test_a_damaged_folder_is_refused_by_name(
    place: Path, tmp_path: Path, name: str, text: str, message: str
) -> None:
    out = export_hub(run_of(place, "slot9"), tmp_path / "hub")
    (out / name).write_text(text)
    with pytest.raises(VariantError, match=message):
        variants.from_pretrained(out)


def changed(folder: Path, **changes: Any) -> None:
    """Write other entries into a folder's configuration; None takes one out."""
    said = json.loads((folder / "config.json").read_text()) | changes
    kept = {key: value for key, value in said.items() if value is not None}
    (folder / "config.json").write_text(json.dumps(kept))


def test_other_weights_than_were_exported_are_refused_unless_none_were_named(
    place: Path, tmp_path: Path
) -> None:
    out = export_hub(run_of(place, "slot9"), tmp_path / "hub")
    tensors = safetensors.torch.load_file(out / "model.safetensors")
    other = {key: torch.zeros_like(value) for key, value in tensors.items()}
    safetensors.torch.save_file(other, out / "model.safetensors")
    with pytest.raises(VariantError, match="other weights than were exported"):
        variants.from_pretrained(out)
    changed(out, weights_sha256=None)  # as folders exported before: nothing to hold them against
    assert not any(parameter.any() for parameter in variants.from_pretrained(out).parameters())


def test_a_configuration_that_contradicts_itself_is_refused(place: Path, tmp_path: Path) -> None:
    out = export_hub(run_of(place, "slot9"), tmp_path / "hub")
    parameters = json.loads((out / "config.json").read_text())["parameters"]
    changed(out, variant=f"slot9[iterations={parameters['iterations']}]")
    variants.from_pretrained(out)
    changed(out, variant="slot9[iterations=7]")
    with pytest.raises(
        VariantError, match=r"slot9\[iterations=7\] has iterations=7, its parameters iterations="
    ):
        variants.from_pretrained(out)


def test_weights_of_other_parameters_are_refused(place: Path, tmp_path: Path) -> None:
    out = export_hub(run_of(place, "slot9"), tmp_path / "hub")
    config = json.loads((out / "config.json").read_text())
    config["parameters"]["width"] = "16"
    (out / "config.json").write_text(json.dumps(config))
    with pytest.raises(VariantError, match="do not fit slot9"):
        variants.from_pretrained(out)
    with pytest.raises(VariantError, match="Give a folder that bench export"):
        variants.from_pretrained(tmp_path)
    with pytest.raises(VariantError, match="Unknown direction"):
        variants.from_pretrained(out, direction="A")
