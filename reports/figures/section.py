"""The figures of one comparison group, each with a title and a caption that says what it counts."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from bench.names import counted
from reports import metrics
from reports.comparability import Group
from reports.comparisons import arrow_text
from reports.figures import curves, data, distances, images
from reports.figures.files import Begin, Files, Later
from reports.figures.style import MOST_SERIES
from reports.parts import Part, Sketch, blaming, figure, sketches_of
from reports.tables.distances import headline_metric
from reports.tables.scores import DIRECTIONS

MOST_PAIRS = 3
SHOWN_MEASUREMENTS = (
    "edge_correlation",
    "structure",
    "ms_ssim",
    "colourfulness",
    "noise",
    "mean_change",
    "mask_background",
    "counterfactual_l1",
    "foreground_iou",
)


@dataclass(frozen=True)
class Drawing:
    """One figure, drawn. `section` is the part of the page that it belongs to."""

    key: str
    section: str
    title: str
    caption: str
    png: bytes
    svg: bytes
    on_page: bool = True
    """False: it lies in figures/ and report.md alone."""


def drawings(group: Group, begin: Begin) -> list[Callable[[], Drawing]]:
    """Begins every figure that the group has data for; each of these waits for one.

    Both raise BenchError naming a plugin whose figure fails.
    """
    return [
        partial(_drawing, group, part, sketch, begin(sketch.key, sketch.make))
        for part, sketch in sketches_of(group)
    ]


def _drawing(group: Group, part: Part, sketch: Sketch, finished: Callable[[], Files]) -> Drawing:
    with blaming(part, group):
        png, svg = finished()
    text = f"{sketch.caption} {_scope(group)}"
    return Drawing(sketch.key, sketch.section, sketch.title, text, png, svg, sketch.on_page)


def _shown(group: Group) -> list[str]:
    """The variants that a figure has room for."""
    return group.variants[:MOST_SERIES]


def _scope(group: Group) -> str:
    """Count of the runs drawn, their seeds and protocol hash, and which variants found no room."""
    runs = group.study.runs[group.study.runs["variant"].isin(_shown(group))]
    runs = runs[runs["status"] != "external"]
    seeds = counted(int(runs["seed"].nunique()), "seed")
    hashes = ", ".join(sorted({str(value) for value in runs["protocol_hash"].dropna()}))
    left_out = len(group.variants) - MOST_SERIES
    more = (
        f" {counted(left_out, 'variant')} beyond the first {MOST_SERIES} not drawn." if left_out > 0 else ""
    )
    if runs.empty:
        return f"Images of other programs.{more}"
    return f"{counted(len(runs), 'run')}, {seeds}, protocol {group.protocol} ({hashes}).{more}"


@figure("distances", section="distances")
def seeds_and_cost(group: Group) -> Iterator[Sketch]:
    """Every run by itself, and what a distance costs."""
    shown = _shown(group)
    key = headline_metric(group)
    if key is None:
        return
    label, references = metrics.heading(key), data.references(group, key)
    points = data.seed_points(group, key, shown)
    if points.empty:
        return
    table = data.cost_and_quality(group, key, shown)
    shares = data.as_shares(references)
    if shares is not None:  # the unit of the page, where copying the input has a distance
        points, table = data.in_shares(points, references), data.in_shares(table, references)
        label, references = f"{metrics.title(key)}, share of a copy's", shares
    text = (
        "Every run is a mark of its own. Lower is nearer the target. Dotted: floor (real against real) and "
        "copying the input."
    )
    make = Later(distances.by_seed, points, references, shown, label)
    yield Sketch(f"{label}, seed by seed", text, make, "seeds")
    if table.empty:
        return
    text = (
        "Who is worth its price: GFLOP of one forward at batch 1 against the distance. Lower left is best. "
        "Bars: 95 % interval of the mean from 5 seeds on, else the range of the seeds."
    )
    make = Later(distances.against_cost, table, references, shown, label, "GFLOP")
    yield Sketch(f"{label} against cost", text, make, "cost")


@figure("images", section="faithfulness")
def over_images(group: Group) -> Iterator[Sketch]:
    """Measurements image by image."""
    shown = _shown(group)
    values = data.image_values(group, SHOWN_MEASUREMENTS, shown)
    for direction in DIRECTIONS:
        here = values[values["direction"] == direction]
        keys = [key for key in SHOWN_MEASUREMENTS if key in set(here["metric"])]
        if not keys:
            continue
        text = "A point is one test image, averaged over the seeds; boxes are quartiles, the line the median."
        title = f"Per-image measurements, {arrow_text(direction)}"
        make = Later(images.distributions, here, keys, shown)
        yield Sketch(title, text, make, f"images-{direction}")


@figure("masks", section="masks")
def over_validations(group: Group) -> Iterator[Sketch]:
    """Statistics and distances of the validation images over training."""
    shown = _shown(group)
    table = data.validation_curves(group, shown)
    drawn = [variant for variant in shown if variant in set(table["variant"])]
    statistics = [name for name in table["loss"].unique() if name.startswith("mask_")]
    if statistics:
        text = "Mask statistics of the validation images; bands from the least to the largest seed."
        make = Later(curves.overlay, table, statistics, drawn)
        yield Sketch("Masks over training", text, make, "mask-statistics")
    shares = data.validation_shares(group, table)
    table = data.validation_distances(group, table) if shares.empty else shares
    measured = list(table["loss"].unique())
    if measured:
        unit = "" if shares.empty else " as a share of a copy's (dashed)"
        text = f"Kernel distance of the validation images{unit}; its least sum chooses the checkpoint."
        make = Later(
            curves.overlay, table, measured, drawn, None if shares.empty else (1.0, "share of a copy's")
        )
        yield Sketch("Validation distance over training", text, make, "validation", "losses")


@figure("losses", section="losses")
def over_training(group: Group) -> Iterator[Sketch]:
    """Losses over training; pairs of variants with one axis are left to figures/."""
    shown = _shown(group)
    table = data.loss_curves(group, shown)
    names = sorted(table["loss"].unique(), key=_loss_place)
    drawn = [variant for variant in shown if variant in set(table["variant"])]
    if not names:
        return
    band = (
        "Lines: mean over seeds; bands: from the least to the largest seed. Weights of the losses included."
    )
    cycle = [name for name in names if name.startswith("cycle")]
    if cycle:
        make = Later(curves.overlay, table, cycle, drawn)
        yield Sketch("Cycle losses", band, make, "cycle-losses")
    make = Later(curves.overlay, table, names, drawn)
    yield Sketch("All losses, all variants", band, make, "all-losses")
    for at, other in enumerate(drawn[1 : MOST_PAIRS + 1]):
        pair = (drawn[0], other)
        title = f"Every loss: {pair[0]} and {pair[1]}"
        more = (
            ""
            if len(drawn) <= MOST_PAIRS + 1
            else " Other pairs: bench report with the runs of two variants."
        )
        make = Later(curves.side_by_side, table, names, pair)
        text = f"One vertical axis for both. {band}{more}"
        yield Sketch(title, text, make, f"pair-{at + 1}", on_page=False)


def _loss_place(name: str) -> tuple[int, str]:
    """Generator's losses first, in the order in which the paper plots them."""
    stems = ("gan", "cycle", "identity", "patchnce", "discriminator", "gradient")
    return next((at for at, stem in enumerate(stems) if name.startswith(stem)), len(stems)), name
