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
from bench.runs.scores import DIRECTIONS
from bench.scoring.translate import translate
from bench.streams import Streams
from bench.training.weights import load_generators
from variants.cost import forward_gflop, parameter_count

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
DIRECTION = DIRECTIONS[0]
CELL, GAP, LINE = 64, 4, 14
STEPS = 7
"""Shades of a stretched mask less one: rounding noise in more would fill the repository."""
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
    deviation: float
    """`mask_spatial_deviation` of all test images, from scores.json."""


def shown_of(folder: RunFolder) -> Shown:
    """The first final sample of a run, with masks in full precision."""
    entry = next(
        each for each in read_entries(folder) if (each["kind"], each["direction"]) == ("final", DIRECTION)
    )
    source, output = (np.array(Image.open(folder.path / entry["folder"] / f"{name}.png"))
                      for name in ("source", "output"))  # fmt: skip
    cell = folder.read().cell
    generators = load_generators(folder.generator)
    with torch.no_grad():
        made = translate(
            generators[DIRECTION], to_tensor(source[None]), [entry["file"]], Streams(cell.seed), DIRECTION
        )
    assert made.masks is not None
    scores = json.loads(folder.scores_json.read_text(encoding="utf-8"))
    metrics = scores["selections"]["last"]["directions"][DIRECTION]["metrics"]
    return Shown(
        cell.variant, source, output, made.masks[0], generators[DIRECTION].background,
        metrics["mask_spatial_deviation"]["value"],
    )  # fmt: skip


def strip(shown: Shown) -> Image.Image:
    """A setting: its name and mask deviation, source, masks and output; below the masks these stretched."""
    top = max(1.0, float(shown.masks.max()))
    across = len(shown.masks) + 2
    canvas = Image.new("RGB", (across * (CELL + GAP), 2 * (CELL + LINE) + LINE), PAPER)
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(size=11)
    small = ImageFont.load_default(size=9)
    pen.text((0, 0), f"{shown.variant}: mask deviation {number(shown.deviation)}", INK, font)
    canvas.paste(Image.fromarray(shown.source), (0, LINE))
    canvas.paste(Image.fromarray(shown.output), ((across - 1) * (CELL + GAP), LINE))
    for at, mask in enumerate(shown.masks):
        left = (at + 1) * (CELL + GAP)
        canvas.paste(grey(mask / top), (left, LINE))
        least, largest = float(mask.min()), float(mask.max())
        stretched = (mask - least) / max(largest - least, 1e-30)
        canvas.paste(grey((stretched * STEPS).round() / STEPS), (left, 2 * LINE + CELL))
        name = "input" if at == shown.background else f"mask {at + 1}"
        pen.text((left, LINE + CELL), name, INK, small)
        pen.text((left, 2 * (LINE + CELL)), between(least, largest), INK, small)
    pen.text((0, LINE + CELL), "source", INK, small)
    pen.text(((across - 1) * (CELL + GAP), LINE + CELL), "translation", INK, small)
    white = "" if top == 1 else f"white: {number(top)}"
    pen.text((0, 2 * LINE + CELL), f"{white}\n\neach mask\nstretched:", INK, small)
    return canvas


def grey(mask: torch.Tensor) -> Image.Image:
    """A mask [h, w] in [0, 1] as a picture."""
    return Image.fromarray(mask.clamp(0, 1).mul(255).round().to(torch.uint8).numpy())


def number(value: float) -> str:
    """Two significant digits."""
    return f"{value:.2g}"


def between(least: float, largest: float) -> str:
    """The range of a mask; where its ends look alike, the middle and the width."""
    ends = f"{least:.2f}", f"{largest:.2f}"
    return "–".join(ends) if ends[0] != ends[1] else f"{ends[0]} +{largest - least:.0e}"


def stacked(strips: list[Image.Image]) -> Image.Image:
    """Strips below each other with a line between them, in a palette of 64 colours."""
    width = max(each.width for each in strips)
    height = sum(each.height + LINE for each in strips)
    canvas = Image.new("RGB", (width, height), PAPER)
    pen, top = ImageDraw.Draw(canvas), 0
    for each in strips:
        canvas.paste(each, (0, top))
        pen.line((0, top + each.height + LINE // 2, width, top + each.height + LINE // 2), RULE)
        top += each.height + LINE
    return canvas.quantize(64)


def draw_figures(runs: Path) -> None:
    """Write every figure, and print the mask deviation of every setting."""
    print("| setting | mask deviation |\n|---|---|")
    known: dict[str, Shown] = {}
    for name, settings in FIGURES.items():
        for variant in settings:
            if variant not in known:
                known[variant] = shown_of(RunFolder(runs / "smoke" / "toy-stripes" / variant / "seed0"))
                print(f"| `{variant}` | {number(known[variant].deviation)} |")
        figure = stacked([strip(known[variant]) for variant in settings])
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
