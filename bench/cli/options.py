"""Options that several commands share, and what --json prints."""

import json
import math
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

Runs = Annotated[
    Path,
    typer.Option("--runs", envvar="BENCH_RUNS", help="Folder of all runs.", metavar="DIR", show_default=True),
]
Device = Annotated[str, typer.Option("--device", help="auto, cpu, cuda or cuda:<number>.")]
MOST_THREADS = 2**10
Threads = Annotated[
    int | None,
    typer.Option(
        "--threads", min=1, max=MOST_THREADS, help="CPU threads; default: all that the process may use."
    ),
]
HIGHEST_SEED = 2**62
"""This and the number of threads are those of bench.cell and bench.setup, which this file must not import."""
Seed = Annotated[
    int, typer.Option("--seed", min=0, max=HIGHEST_SEED, help="Seed of weights, order, crops and noise.")
]
Weights = Annotated[
    Path | None,
    typer.Option("--weights", metavar="FILE", help="Local file with the feature network's weights."),
]
Plugin = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugin",
        metavar="FILE",
        help="Python file that registers variants or other parts; may be repeated.",
    ),
]
Compile = Annotated[
    bool,
    typer.Option("--compile", help="Networks through torch.compile; plain, and recorded, if that fails."),
]
Deterministic = Annotated[
    bool, typer.Option("--deterministic", help="Same seed, same result on a GPU too; slower there.")
]
PrecisionFallback = Annotated[
    bool, typer.Option("--precision-fallback", help="fp32 where bf16 is asked for and not there; recorded.")
]
Unchecked = Annotated[
    bool,
    typer.Option("--unchecked", help="Train a generator of one's own that fails bench check; recorded."),
]
TensorBoard = Annotated[
    bool, typer.Option("--tensorboard", help="Write curves and pictures for TensorBoard into the run folder.")
]
Track = Annotated[
    list[str] | None,
    typer.Option(
        "--track", metavar="NAME", help="Show the run by a tracker, such as a plugin's; repeatable."
    ),
]
SkipBadImages = Annotated[
    bool, typer.Option("--skip-bad-images", help="Leave unreadable images out and record which.")
]


class Directions(StrEnum):
    """Directions to compare."""

    A2B = "A2B"
    B2A = "B2A"
    BOTH = "both"


class Selections(StrEnum):
    """Weights whose scores are compared."""

    LAST = "last"
    VALIDATION = "validation"


FirstSide = Annotated[
    str, typer.Argument(metavar="A", help="A variant that was run, or a folder of its runs.")
]
SecondSide = Annotated[str, typer.Argument(metavar="B", help="The one to compare it with.")]
UnderProtocol = Annotated[str | None, typer.Option("--protocol", help="Only runs under this protocol.")]
OnDataset = Annotated[str | None, typer.Option("--dataset", help="Only runs on this data set.")]
InDirection = Annotated[Directions, typer.Option("--direction", help="A2B, B2A or both.")]
Selection = Annotated[
    Selections, typer.Option("--selection", help="Weights of the last step, or chosen on validation.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a machine.")]

DEFAULT_RUNS = Path("runs")


def load_plugins(files: list[Path] | None) -> None:
    """Make everything known that plugin files register."""
    if files:
        from bench import registry

        registry.load_plugins(files)


def print_json(value: object) -> None:
    """Print one JSON document: dicts, lists, numbers. NaN and infinity, which JSON has not, become null."""
    print(json.dumps(_finite(value), indent=2, allow_nan=False))


def _finite(value: object) -> object:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list | tuple) else value
