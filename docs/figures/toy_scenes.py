"""Makes the two pictures of the README from runs of the studies in docs/results on toy-stripes, seed 0.

    python docs/figures/toy_scenes.py --runs runs

translations.png, of small.toml: rendered horses and zebras, every variant's translation of them, the truth.
attention.png, of awake.toml: the masks of spatial and of slot attention on one, drawn as in docs/variants.md.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from section_7 import HERE, INK, PAPER, shown_of, stacked

from bench.runs.folder import RunFolder
from bench.runs.pictures import read_entries
from bench.runs.records import Direction
from bench.studies.grid import expand
from bench.studies.study import load_study

STUDIES = HERE.parent / "results"
DATASET, SEED = "toy-stripes", 0
COLUMNS = (
    *("colour", "cyclegan", "spatial", "uniform", "encoded-slot5", "slot5", "slot9"),
    *("light-spatial5", "light-slot5"),
)
ROWS: tuple[tuple[Direction, int], ...] = (("A2B", 0), ("A2B", 3), ("B2A", 0), ("B2A", 3))
"""Direction and number of the sample."""
ATTENTION = ("spatial", "slot9", "slot9[init=kaiming]")
SCALE, GAP, LINE, FONT = 2, 6, 18, 12


def folders(study: str, runs: Path) -> dict[str, RunFolder]:
    """Variant -> the run that is shown."""
    cells = expand(load_study(str(STUDIES / study))).compared_cells()
    return {
        cell.variant: RunFolder(cell.folder(runs))
        for cell in cells
        if (cell.dataset, cell.seed) == (DATASET, SEED)
    }


def picture(folder: RunFolder, direction: Direction, number: int, name: str) -> Image.Image:
    """A final picture of a run, enlarged."""
    finals = [
        each for each in read_entries(folder) if (each["kind"], each["direction"]) == ("final", direction)
    ]
    found = Image.open(folder.path / finals[number]["folder"] / f"{name}.png").convert("RGB")
    return found.resize((SCALE * found.width, SCALE * found.height), Image.Resampling.NEAREST)


def translations(shown: dict[str, RunFolder]) -> Image.Image:
    """Rows of test scenes: the source, what every variant makes of it, and the true counterfactual."""
    first = next(iter(shown.values()))
    rows: list[Sequence[Image.Image]] = []
    for direction, number in ROWS:
        made = [picture(shown[variant], direction, number, "output") for variant in COLUMNS]
        source, truth = (picture(first, direction, number, name) for name in ("source", "counterfactual"))
        rows.append([source, *made, truth])
    side = rows[0][0].width
    canvas = Image.new(
        "RGB", (len(rows[0]) * (side + GAP) - GAP, LINE + len(rows) * (side + GAP) - GAP), PAPER
    )
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(size=FONT)
    for column, name in enumerate(("source", *COLUMNS, "truth")):
        pen.text((column * (side + GAP), 0), name, INK, font)
        for row, pictures in enumerate(rows):
            canvas.paste(pictures[column], (column * (side + GAP), LINE + row * (side + GAP)))
    return canvas.quantize(256, dither=Image.Dither.NONE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="Folder of the runs.")
    runs = parser.parse_args().runs
    translations(folders("small.toml", runs)).save(HERE / "translations.png", optimize=True)
    awake = folders("awake.toml", runs)
    stacked([shown_of(awake[variant]) for variant in ATTENTION]).save(HERE / "attention.png", optimize=True)


if __name__ == "__main__":
    main()
