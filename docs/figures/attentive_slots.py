"""Makes the picture of docs/attentive-slot5.md: the masks of slots that attend, over their training.

    python docs/figures/attentive_slots.py --runs runs

attentive-slots.png, of attention-pilot-2.toml on toy-stripes, seed 100: for one test scene of either domain
the source and the truth, and from validation to validation the output and the five masks, white where a mask
weighs 1.
"""

import argparse
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont
from section_7 import HERE, INK, PAPER

from bench.runs.folder import RunFolder
from bench.runs.pictures import read_entries
from bench.runs.records import Direction
from bench.studies.grid import expand
from bench.studies.study import load_study

STUDY = HERE.parent / "results" / "attention-pilot-2.toml"
SEED = 100
SHOWN: tuple[tuple[Direction, int], ...] = (("A2B", 0), ("B2A", 0))
"""Direction and number of the sample."""
GAP, LINE, FONT = 6, 18, 12


def run_shown(runs: Path) -> RunFolder:
    """The pilot's first arm: the one that attends."""
    cells = expand(load_study(str(STUDY))).compared_cells()
    first = next(cell for cell in cells if cell.seed == SEED)
    return RunFolder(first.folder(runs))


def rows_of(folder: RunFolder, direction: Direction, number: int) -> list[tuple[str, list[Image.Image]]]:
    """A title and the pictures of every row: source and truth, then what was made at each validation."""
    entries = [each for each in read_entries(folder) if each["direction"] == direction]
    final = [each for each in entries if each["kind"] == "final"][number]
    place = folder.path / final["folder"]
    rows = [("source, truth", [Image.open(place / f"{name}.png") for name in ("source", "counterfactual")])]
    steps = [each for each in entries if each["kind"] == "progress" and each["file"] == final["file"]]
    for each in sorted(steps, key=lambda entry: int(entry["step"])):
        made = folder.path / each["folder"]
        pictures = [Image.open(made / f"{name}.png") for name in ("output", "masks")]
        rows.append((f"{each['step']} images", pictures))
    return rows


def drawn(folder: RunFolder) -> Image.Image:
    """Both directions beside each other."""
    columns = [rows_of(folder, direction, number) for direction, number in SHOWN]
    height = max(picture.height for _, pictures in columns[0] for picture in pictures) + LINE + GAP
    width = max(sum(p.width + GAP for p in pictures) for rows in columns for _, pictures in rows) + GAP
    canvas = Image.new("RGB", (len(columns) * width, len(columns[0]) * height), PAPER)
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(size=FONT)
    for column, rows in enumerate(columns):
        for row, (title, pictures) in enumerate(rows):
            left, top = column * width, row * height
            pen.text((left, top), title, INK, font)
            for picture in pictures:
                canvas.paste(picture.convert("RGB"), (left, top + LINE))
                left += picture.width + GAP
    return canvas


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="Folder of the runs.")
    folder = run_shown(parser.parse_args().runs)
    drawn(folder).quantize(256, dither=Image.Dither.NONE).save(HERE / "attentive-slots.png", optimize=True)


if __name__ == "__main__":
    main()
