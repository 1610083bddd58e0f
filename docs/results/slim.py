"""Makes the plots of a report small enough to be committed: PNG of 128 colours, no SVG.

python docs/results/slim.py docs/results/small/figures
"""

import argparse
from pathlib import Path

from PIL import Image

COLOURS = 128


def slim(folder: Path) -> None:
    """Change the plots of a folder in place."""
    for path in folder.glob("*.svg"):
        path.unlink()
    for path in folder.glob("*.png"):
        picture = Image.open(path).convert("RGB")
        # Not the median cut, which merges the colours of lines and markers that cover few pixels.
        method = Image.Quantize.MAXCOVERAGE
        picture.quantize(COLOURS, method, dither=Image.Dither.NONE).save(path, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    slim(parser.parse_args().folder)


if __name__ == "__main__":
    main()
