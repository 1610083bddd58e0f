"""Makes the figures and tables of "Section 7 of the paper as ablations" in docs/variants.md.

bench study docs/figures/section-7.toml
python docs/figures/section_7.py            # the figures, from those runs
python docs/figures/section_7.py --costs    # parameters and GFLOP at 128 px; needs no run

One strip a setting: the first test image, its masks, its translation, and below every mask the same stretched
from its own least to its own largest weight, which the number says. Masks are computed again from the saved
weights, since eight bits of a picture cannot show a mask that varies by a millionth.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

import variants
from bench.data.tensors import to_tensor
from bench.runs.folder import RunFolder
from bench.runs.pictures import read_entries
from bench.runs.records import DIRECTIONS
from bench.scoring.translate import translate
from bench.streams import Streams
from bench.training.checkpoint import load_generators
from variants.contract import Generator
from variants.parts.cost import forward_gflop, parameter_count

Picture = NDArray[np.uint8]

HERE = Path(__file__).parent
AWAKE = "slot9[init=kaiming]"
FIGURES = {
    "initialisation": ["slot9", "slot9[init=default]", AWAKE],
    "iterations": [AWAKE, "slot9[iterations=7,init=kaiming]"],
    "slot-size": [AWAKE, "slot9[slot_size=32,init=kaiming]"],
    "channels": [AWAKE, "slot9[encoder=16-16-16-32,init=kaiming]"],
    "slots": [AWAKE, "slot5[init=kaiming]"],
    "decoder": [AWAKE, "slot9[decoder=resize,init=kaiming]"],
    "learned": [AWAKE, "slot9[learned_init=true,init=kaiming]"],
    "bound": [AWAKE, "slot9[learned_init=true,slot_init=own,init=kaiming]"],
    "noise": [AWAKE, "slot9[noise=shared,init=kaiming]"],
    "depth": [AWAKE, "slot9[init=kaiming,encoder_layers=6]"],
    "mask-norm": [
        *("light-slot5", "light-slot5[mask_norm=none]"),
        *("light-spatial5[mask_norm=softmax]", "light-spatial5"),
    ],
    "background": [AWAKE, "slot9[background=own,init=kaiming]"],
    "foreground": [AWAKE, "slot9[background=head,init=kaiming]"],
}
"""The settings of each figure in canonical spelling, the published one first."""
COSTS = [
    *("slot9", "slot9[iterations=1]", "slot9[iterations=7]", "slot9[slot_size=128]"),
    *("slot9[encoder=32-32-32-128]", "slot9[mlp_hidden=512]", "slot9[encoder_layers=6]"),
    *("slot5", "slot9[slots=3]", "slot9[slots=12]"),
    *("slot9[decoder=narrow]", "slot9[decoder=resize]", "slot9[learned_init=true]"),
    *("slot9[learned_init=true,slot_init=own]", "slot9[noise=shared]", "slot9[init=kaiming]"),
    *("slot9[background=own]", "slot9[background=none]", "slot9[background=head]", "encoded-slot5[slots=9]"),
    *("light-slot5", "light-slot5[mask_norm=none]", "light-spatial5", "light-spatial5[mask_norm=softmax]"),
]
SCORES = {
    "mask_spatial_deviation": "mask deviation",
    "attention_effect": "attention effect",
    "noise_sensitivity": "noise sensitivity",
    "mask_background": "weight of the input",
}
"""What the printed table says of every setting: metric and heading."""
DIRECTION = DIRECTIONS[0]
CELL, GAP, LINE = 64, 4, 14
SHADES, STRETCHED = 16, 6
"""Shades of a mask, and of a stretched one: noise in more of them would fill the repository."""
COLOURS = 80
INK, PAPER, RULE = "#202020", "white", "#b0b0b0"


@dataclass(frozen=True)
class Shown:
    """What a strip shows of a run."""

    variant: str
    source: Picture
    output: Picture
    masks: torch.Tensor
    """[k, h, w], as the generator gives them."""
    background: int | None
    scores: dict[str, float]
    """By heading: `SCORES` of all test images, from scores.json, and the `changes` of the sample images."""


def shown_of(folder: RunFolder) -> Shown:
    """The first final sample of a run, with masks in full precision."""
    entries = [
        each for each in read_entries(folder) if (each["kind"], each["direction"]) == ("final", DIRECTION)
    ]
    sources, outputs = (
        np.stack([np.array(Image.open(folder.path / each["folder"] / f"{name}.png")) for each in entries])
        for name in ("source", "output")
    )
    cell = folder.read().cell
    generator = load_generators(folder.generator)[DIRECTION]
    streams, names = Streams(cell.seed), [each["file"] for each in entries]
    first = translate(generator, to_tensor(sources[:1]), names[:1], streams, DIRECTION)
    assert first.masks is not None
    metrics = json.loads(folder.scores_json.read_text(encoding="utf-8"))["selections"]["last"]["directions"]
    scores = {heading: metrics[DIRECTION]["metrics"][key]["value"] for key, heading in SCORES.items()}
    scores |= changes(generator, sources, names, streams)
    return Shown(cell.variant, sources[0], outputs[0], first.masks[0], generator.background, scores)


def changes(generator: Generator, sources: Picture, names: list[str], streams: Streams) -> dict[str, float]:
    """How much masks change with the image at one noise, and with the noise at one image: deviations."""
    images = to_tensor(sources)
    one_noise = translate(generator, images, names[:1] * len(images), streams, DIRECTION)
    one_image = translate(generator, images[:1].expand_as(images), names, streams, DIRECTION)
    assert one_noise.masks is not None
    assert one_image.masks is not None
    return {
        "masks over images": float(one_noise.masks.std(0).mean()),
        "masks over noise": float(one_image.masks.std(0).mean()),
    }


def strip(shown: Shown) -> Image.Image:
    """A setting: its name and mask deviation, source, masks and output; below the masks these stretched."""
    top = max(1.0, float(shown.masks.max()))
    across = len(shown.masks) + 2
    canvas = Image.new("RGB", (across * (CELL + GAP), 2 * (CELL + LINE) + LINE), PAPER)
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(size=11)
    small = ImageFont.load_default(size=9)
    deviation = number(shown.scores["mask deviation"])
    pen.text((0, 0), f"{shown.variant}: mask deviation {deviation}", INK, font)
    canvas.paste(Image.fromarray(shown.source), (0, LINE))
    canvas.paste(Image.fromarray(shown.output), ((across - 1) * (CELL + GAP), LINE))
    for at, mask in enumerate(shown.masks):
        left = (at + 1) * (CELL + GAP)
        canvas.paste(grey(mask / top, SHADES), (left, LINE))
        least, largest = float(mask.min()), float(mask.max())
        stretched = (mask - least) / max(largest - least, 1e-30)
        canvas.paste(grey(stretched, STRETCHED), (left, 2 * LINE + CELL))
        name = "input" if at == shown.background else f"mask {at + 1}"
        pen.text((left, LINE + CELL), name, INK, small)
        pen.text((left, 2 * (LINE + CELL)), between(least, largest), INK, small)
    pen.text((0, LINE + CELL), "source", INK, small)
    pen.text(((across - 1) * (CELL + GAP), LINE + CELL), "translation", INK, small)
    white = "" if top == 1 else f"white: {number(top)}"
    pen.text((0, 2 * LINE + CELL), f"{white}\n\neach mask\nstretched:", INK, small)
    return canvas


def grey(mask: torch.Tensor, shades: int) -> Image.Image:
    """A mask [h, w] in [0, 1] as a picture of few shades."""
    steps = mask.clamp(0, 1).mul(shades - 1).round() / (shades - 1)
    return Image.fromarray(steps.mul(255).round().to(torch.uint8).numpy())


def number(value: float) -> str:
    """Two significant digits."""
    return f"{value:.2g}"


def between(least: float, largest: float) -> str:
    """The range of a mask; where its ends look alike, the middle and the width."""
    ends = f"{least:.2f}", f"{largest:.2f}"
    return "-".join(ends) if ends[0] != ends[1] else f"{ends[0]} +{largest - least:.0e}"


def stacked(shown: list[Shown]) -> Image.Image:
    """The strips of some settings below each other, with a line between them."""
    strips = [strip(each) for each in shown]
    width = max(each.width for each in strips)
    height = sum(each.height + LINE for each in strips)
    canvas = Image.new("RGB", (width, height), PAPER)
    pen, top = ImageDraw.Draw(canvas), 0
    for each in strips:
        canvas.paste(each, (0, top))
        pen.line((0, top + each.height + LINE // 2, width, top + each.height + LINE // 2), RULE)
        top += each.height + LINE
    return canvas.quantize(palette=palette(shown), dither=Image.Dither.NONE)


def palette(shown: list[Shown]) -> Image.Image:
    """The greys of masks and writing, and as many colours of the pictures as fit beside them."""
    greys = [shade * 255 // (SHADES - 1) for shade in range(SHADES) for _ in "RGB"]
    pictures = np.concatenate([picture for each in shown for picture in (each.source, each.output)])
    colours = Image.fromarray(pictures).quantize(COLOURS - len(greys) // 3).getpalette()
    assert colours is not None
    made = Image.new("P", (1, 1))
    made.putpalette((greys + colours)[: 3 * COLOURS])
    return made


def draw_figures(runs: Path) -> None:
    """Write every figure, and print the scores of every setting as a table."""
    folders = {variant: RunFolder(runs / "smoke" / "toy-stripes" / variant / "seed0")
               for settings in FIGURES.values() for variant in settings}  # fmt: skip
    shown = {variant: shown_of(folder) for variant, folder in folders.items()}
    headings = next(iter(shown.values())).scores
    print(f"| setting | {' | '.join(headings)} |\n|---|{'---|' * len(headings)}")
    for variant, each in shown.items():
        print(f"| `{variant}` | {' | '.join(map(number, each.scores.values()))} |")
    for name, settings in FIGURES.items():
        figure = stacked([shown[variant] for variant in settings])
        figure.save(HERE / f"section-7-{name}.png", optimize=True)


def print_costs(size: int = 128) -> None:
    """Parameters and GFLOP of one translation, as a table."""
    print(f"| setting | trained parameters | GFLOP at {size} px |\n|---|---|---|")
    for text in COSTS:
        generator = variants.build(text)
        print(f"| `{text}` | {parameter_count(generator):,} | {forward_gflop(generator, size):,.1f} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="Folder of the runs.")
    parser.add_argument("--costs", action="store_true", help="Print parameters and GFLOP instead.")
    given = parser.parse_args()
    print_costs() if given.costs else draw_figures(given.runs)


if __name__ == "__main__":
    main()
