"""The figures of one comparison group, each with a title and a caption that says what it counts."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from reports import metrics
from reports.comparability import Group
from reports.comparisons import arrow_text
from reports.figures import curves, data, distances, images
from reports.figures.files import draw
from reports.figures.style import MOST_SERIES
from reports.numbers import counted
from reports.tables.distances import headline
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
    folded: bool = False
    """Whether the page shows it only when asked."""


def drawings(group: Group) -> Iterator[Drawing]:
    """Every figure that the group has data for."""
    shown = group.variants[:MOST_SERIES]
    yield from _distances(group, shown)
    yield from _images(group, shown)
    yield from _masks(group, shown)
    yield from _losses(group, shown)


def _drawing(
    group: Group, name: str, section: str, title: str, text: str, make: Callable[[], Figure]
) -> Drawing:
    key = f"{group.key}-{name}"
    png, svg = draw(key, make)
    folded = name.startswith("pair-")
    return Drawing(key, section, title, f"{text} {_scope(group)}", png, svg, folded)


def _scope(group: Group) -> str:
    """Run count, seeds and protocol hash, and which variants found no room."""
    runs = group.study.runs[group.study.runs["status"] != "external"]
    seeds = counted(int(runs["seed"].nunique()), "seed")
    hashes = ", ".join(sorted({str(value) for value in runs["protocol_hash"].dropna()}))
    left_out = len(group.variants) - MOST_SERIES
    more = (
        f" {counted(left_out, 'variant')} beyond the first {MOST_SERIES} not drawn." if left_out > 0 else ""
    )
    if runs.empty:
        return f"Images of other programs.{more}"
    return f"{counted(len(runs), 'run')}, {seeds}, protocol {group.protocol} ({hashes}).{more}"


def _distances(group: Group, shown: Sequence[str]) -> Iterator[Drawing]:
    key = headline(group)
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
    make = _later(distances.by_seed, points, references, shown, label)
    yield _drawing(group, "seeds", "distances", f"{label}, seed by seed", text, make)
    if table.empty:
        return
    text = (
        "Who is worth its price: GFLOP of one forward at batch 1 against the distance. Lower left is best. "
        "Bars: 95 % interval of the mean from 5 seeds on, else the range of the seeds."
    )
    make = _later(distances.against_cost, table, references, shown, label, "GFLOP")
    yield _drawing(group, "cost", "distances", f"{label} against cost", text, make)


def _images(group: Group, shown: Sequence[str]) -> Iterator[Drawing]:
    values = data.image_values(group, SHOWN_MEASUREMENTS, shown)
    for direction in DIRECTIONS:
        here = values[values["direction"] == direction]
        keys = [key for key in SHOWN_MEASUREMENTS if key in set(here["metric"])]
        if not keys:
            continue
        text = "A point is one test image, averaged over the seeds; boxes are quartiles, the line the median."
        title = f"Per-image measurements, {arrow_text(direction)}"
        make = _later(images.distributions, here, keys, shown)
        yield _drawing(group, f"images-{direction}", "faithfulness", title, text, make)


def _later(make: Callable[..., Figure], *arguments: object) -> Callable[[], Figure]:
    return lambda: make(*arguments)


def _masks(group: Group, shown: Sequence[str]) -> Iterator[Drawing]:
    table = data.validation_curves(group, shown)
    drawn = [variant for variant in shown if variant in set(table["variant"])]
    statistics = [name for name in table["loss"].unique() if name.startswith("mask_")]
    if statistics:
        text = "Mask statistics of the validation images; bands from the least to the largest seed."
        make = _later(curves.overlay, table, statistics, drawn)
        yield _drawing(group, "mask-statistics", "masks", "Masks over training", text, make)
    table = data.validation_distances(group, table)
    measured = list(table["loss"].unique())
    if measured:
        text = "Kernel distance of the validation images; its least sum chooses the checkpoint."
        make = _later(curves.overlay, table, measured, drawn)
        yield _drawing(group, "validation", "losses", "Validation distance over training", text, make)


def _losses(group: Group, shown: Sequence[str]) -> Iterator[Drawing]:
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
        make = _later(curves.overlay, table, cycle, drawn)
        yield _drawing(group, "cycle-losses", "losses", "Cycle losses", band, make)
    make = _later(curves.overlay, table, names, drawn)
    yield _drawing(group, "all-losses", "losses", "All losses, all variants", band, make)
    for at, other in enumerate(drawn[1 : MOST_PAIRS + 1]):
        pair = (drawn[0], other)
        title = f"Every loss: {pair[0]} and {pair[1]}"
        more = (
            ""
            if len(drawn) <= MOST_PAIRS + 1
            else " Other pairs: bench report with the runs of two variants."
        )
        make = _later(curves.side_by_side, table, names, pair)
        yield _drawing(
            group, f"pair-{at + 1}", "losses", title, f"One vertical axis for both. {band}{more}", make
        )


def _loss_place(name: str) -> tuple[int, str]:
    """Generator's losses first, in the order in which the paper plots them."""
    stems = ("gan", "cycle", "identity", "patchnce", "discriminator", "gradient")
    return next((at for at, stem in enumerate(stems) if name.startswith(stem)), len(stems)), name
