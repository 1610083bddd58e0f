"""How time and memory of a training step grow with the size of images and the number of slots.

    python tests/benchmarks/growth.py --out docs/figures

Asks `bench profile` for one setting after the other, each in a process of its own, takes the quickest of some
steps, which other work has disturbed least, and fits the exponent p of `seconds = a * x^p` by least squares
on logarithms. Writes growth.csv and growth.svg. Needs a quiet machine.
"""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.ticker import FuncFormatter, LogLocator

SIZES = (64, 96, 128, 192, 256)
SLOTS = (2, 4, 8, 16)
MEASURES = {"seconds_per_step": "seconds of a step", "memory": "memory of a step [GiB]"}


@dataclass(frozen=True)
class Setting:
    """One step to be measured: a variant as `bench profile` takes it, where it belongs in the plot."""

    line: str
    spelling: str
    axis: str
    x: int
    size: int


def settings_of(variants: Sequence[str], sizes: Sequence[int], slots: Sequence[int]) -> Iterator[Setting]:
    """Every variant at every size, and `slot9` with every number of slots at the smallest."""
    for variant in variants:
        for size in sizes:
            yield Setting(variant, variant, "image size [px]", size, size)
    for count in slots:
        yield Setting("slot9", f"slot9[slots={count}]", "slots", count, min(sizes))


def measured(setting: Setting, options: argparse.Namespace) -> dict[str, object]:
    """A row of the table."""
    command = [sys.executable, "-m", "bench", "profile", setting.spelling, "--json", "--threads", "1"]
    command += ["--protocol", options.protocol, "--size", str(setting.size), "--steps", str(options.steps)]
    finished = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    (found,) = json.loads(finished.stdout)
    memory = (found["peak_memory_bytes"] - found["memory_before_bytes"]) / 2**30
    return {
        "line": setting.line,
        "axis": setting.axis,
        "x": setting.x,
        "seconds_per_step": min(found["seconds"]),
        "memory": memory,
        "step_gflop": found["step_gflop"],
    }


def exponent(x: Sequence[float], y: Sequence[float]) -> float:
    """The p of y = a * x^p that fits best, by least squares on logarithms; two points at the least."""
    slope, _ = np.polyfit(np.log(np.asarray(x, float)), np.log(np.asarray(y, float)), 1)
    return float(slope)


def draw(table: pd.DataFrame, path: Path) -> None:
    """Time and memory over either axis, with the exponents in the legends."""
    figure, panels = plt.subplots(len(MEASURES), 2, figsize=(9, 7), layout="constrained")
    for column, (axis, part) in enumerate(table.groupby("axis", sort=True)):
        for row, (measure, label) in enumerate(MEASURES.items()):
            panel = panels[row][column]
            for name, line in part.groupby("line"):
                power = exponent(line["x"], line[measure])
                panel.loglog(line["x"], line[measure], marker="o", label=f"{name}: exponent {power:.2f}")
            panel.set(xlabel=axis, ylabel=label)
            panel.set_xticks(sorted(set(part["x"])), [str(x) for x in sorted(set(part["x"]))])
            panel.minorticks_off()
            panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            panel.legend()
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--variants", nargs="+", default=["spatial", "slot9"])
    parser.add_argument("--sizes", nargs="+", type=int, default=list(SIZES))
    parser.add_argument("--slots", nargs="*", type=int, default=list(SLOTS))
    parser.add_argument("--protocol", default="small", help="gives the widths")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("docs/figures"))
    options = parser.parse_args()
    rows = []
    for setting in settings_of(options.variants, options.sizes, options.slots):
        rows.append(measured(setting, options))
        print(rows[-1], file=sys.stderr)
    table = pd.DataFrame(rows)
    options.out.mkdir(parents=True, exist_ok=True)
    table.to_csv(options.out / "growth.csv", index=False, float_format="%.4g")
    draw(table, options.out / "growth.svg")


if __name__ == "__main__":
    main()
