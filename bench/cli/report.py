"""`bench report` and `bench compare`: what runs have shown, as a page and as a paired comparison."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import (
    DEFAULT_RUNS,
    AsJson,
    Directions,
    FirstSide,
    InDirection,
    OnDataset,
    Plugin,
    Runs,
    SecondSide,
    Selection,
    Selections,
    UnderProtocol,
    load_plugins,
    print_json,
)
from reports.galleries.model import ShownPictures

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.comparing import ComparedRuns
    from bench.statistics import Comparison

SECONDS_BETWEEN_LOOKS = 5.0


def report(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[RUNS]...",
            help="Run folders, folders that hold some, or one STUDY.toml. Default: --runs.",
        ),
    ] = None,
    root: Annotated[
        Path, typer.Option("--runs", envvar="BENCH_RUNS", metavar="DIR", help="Folder of all runs.")
    ] = DEFAULT_RUNS,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the report.")] = Path("report"),
    formats: Annotated[
        str, typer.Option("--format", metavar="md,html,latex,csv", help="What to write, separated by commas.")
    ] = "md,html,latex,csv",
    protocol: Annotated[
        list[str] | None, typer.Option("--protocol", help="Only runs of this protocol; may be repeated.")
    ] = None,
    dataset: Annotated[
        list[str] | None, typer.Option("--dataset", help="Only runs on this data set; may be repeated.")
    ] = None,
    allow_different_schedules: Annotated[
        bool,
        typer.Option(
            "--allow-different-schedules", help="Mark runs of another schedule, do not refuse them."
        ),
    ] = False,
    pictures: Annotated[
        ShownPictures,
        typer.Option(
            "--pictures",
            help="Of which data sets: all, rendered (scenes alone, for a page to be published), or none.",
        ),
    ] = ShownPictures.ALL,
    watch: Annotated[
        bool, typer.Option("--watch", help="Write again whenever a run changes, until Ctrl-C.")
    ] = False,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    plugin: Plugin = None,
) -> None:
    """Turn run folders into the report: a page, tables, figures, results.json.

    Example: bench report

    Example: bench report runs/smoke --out report --format md,html

    Example: bench report smoke.toml --watch --open

    Example: bench report --pictures rendered --out page
    """
    from bench.api.reporting import report_request
    from bench.errors import announce
    from reports.following import follow
    from reports.write import Request, write_report

    load_plugins(plugin)
    said: set[str] = set()

    def find() -> Request:
        """What to report on now, and, once, what is to be said of it."""
        request = report_request(
            runs or [],
            root,
            out,
            formats,
            tuple(protocol or ()),
            tuple(dataset or ()),
            allow_different_schedules,
            pictures,
            plugin or [],
        )
        for remark in request.remarks:
            if remark not in said:
                announce(f"note: {remark}")
                said.add(remark)
        return request

    if watch:
        follow(find, SECONDS_BETWEEN_LOOKS, lambda path, first: _tell(path, open_page and first))
    else:
        _tell(write_report(find()), open_page)


def _tell(path: Path, open_page: bool) -> None:
    print(path.resolve())
    if open_page:
        import webbrowser

        webbrowser.open(path.resolve().as_uri())


def compare(
    a: FirstSide,
    b: SecondSide,
    runs: Runs = DEFAULT_RUNS,
    protocol: UnderProtocol = None,
    dataset: OnDataset = None,
    direction: InDirection = Directions.BOTH,
    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", metavar="KEY", help="A key of bench list metrics; may be repeated."),
    ] = None,
    selection: Selection = Selections.LAST,
    allow_different_schedules: Annotated[
        bool,
        typer.Option("--allow-different-schedules", help="Compare runs that were not trained alike, marked."),
    ] = False,
    plugin: Plugin = None,
    as_json: AsJson = False,
) -> None:
    """Compare two variants over the seeds they share, and say what may be claimed.

    One or two seeds give values, three or four a range, five or more an interval and a test, corrected by
    Holm over all comparisons of the command. Images of another program that bench score kept, by folder or
    name, have no seeds and are compared over the test images.

    Examples:

      bench compare slot9 uniform

      bench compare slot9 spatial --dataset horse2zebra --metric kid --metric edge_correlation --json

      bench compare runs-1/small/horse2zebra/slot9 runs-2/small/horse2zebra/slot9

      bench compare runs/small/horse2zebra/spatial/seed0 theirs
    """
    from bench import api

    outcome = api.compare(
        a,
        b,
        runs=runs,
        protocol=protocol,
        dataset=dataset,
        direction=direction.value,
        metric=metric or (),
        selection=selection.value,
        allow_different_schedules=allow_different_schedules,
        plugin=plugin or (),
    )
    if as_json:  # every number of the outcome, raw
        print_json(dataclasses.asdict(outcome))
    else:
        print_outcome(outcome)


def print_outcome(outcome: "ComparedRuns") -> None:
    """For every data set the numbers as tables, then what may be claimed of them; what a reader must know."""
    from bench.cli.console import Strong, say

    if outcome.schedule_differences:
        say(Strong("DIFFERENT SCHEDULES: differences below are not the variants' alone."))
        for line in outcome.schedule_differences:
            say(f"  {line}")
    tested = sum(one.p_adjusted is not None for one in outcome.comparisons)
    for dataset in dict.fromkeys(one.dataset for one in outcome.comparisons):
        here = [one for one in outcome.comparisons if one.dataset == dataset]
        print_numbers(outcome, dataset, here)
        for sentence in [*readings(here, tested), *claims(here)]:
            say(f"- {sentence}")
        print()
    if outcome.relative:
        print_relative(outcome)
    if outcome.control:
        say(outcome.control.sentence)
    for remark in outcome.remarks:
        say(f"note: {remark}")


def print_numbers(outcome: "ComparedRuns", dataset: str, comparisons: "Sequence[Comparison]") -> None:
    """A row for every comparison: the means over seeds; below, where there are several, the seeds' own."""
    from bench.cli.console import Column, print_table
    from bench.names import counted
    from bench.statistics.claims import number

    counts = {(len(one.seeds), one.images) for one in comparisons}
    headings = [
        *("score", outcome.a, outcome.b, "of a copy", "difference", "95% interval", "p (Holm)"),
        *("seeds", "images"),
    ]
    rows = [cells(one) for one in comparisons]
    title = f"{outcome.a} against {outcome.b} on {dataset}"
    if len(counts) == 1:  # said once, above the table
        seeds, images = counts.pop()
        title += f", {counted(seeds, 'seed')}" if seeds else ""
        title += f", {counted(images, 'test image')}" if images else ""
        headings, rows = headings[:-2], [row[:-2] for row in rows]
    if outcome.selection != "last":
        title += ", weights chosen on validation"
    # Columns that say nothing in any row, as interval and p do below 5 seeds, only take room.
    shown = [place for place in range(len(headings)) if any(row[place] != "-" for row in rows)]
    columns = [Column(headings[place], "number" if place else "name") for place in shown]
    print_table(columns, [[row[place] for place in shown] for row in rows], title)
    seeds_of_all = sorted({seed for one in comparisons for seed in one.seeds})
    if len(seeds_of_all) > 1:
        print()
        by_seed = [dict(zip(one.seeds, one.differences, strict=True)) for one in comparisons]
        print_table(
            [Column("difference", "name"), *(Column(f"seed {seed}") for seed in seeds_of_all)],
            [
                [
                    metric_with_arrow(one),
                    *(number(one.factor * each[k]) if k in each else "-" for k in seeds_of_all),
                ]
                for one, each in zip(comparisons, by_seed, strict=True)
            ],
        )


def print_relative(outcome: "ComparedRuns") -> None:
    """What holds of two trainings where nothing can be said of the two variants."""
    from bench.cli.console import Strong, say

    say(Strong("These two trainings"))
    say(
        f"- One run of {outcome.a} against one of {outcome.b}: the relative test of their kernel distances "
        "to the same real images, over the test images (Bounliphone et al. 2016). It may tell which of these "
        "two trainings came nearer; of the two variants it tells nothing: another seed may turn it round."
    )
    for one in outcome.relative:
        say(f"- {one.sentence}")
    print()


def metric_with_arrow(one: "Comparison") -> str:
    """The name of what is compared: metric, factor, direction of better, direction."""
    arrow = {"lower": " ↓", "higher": " ↑", "nearer target": " →target", "none": ""}[one.better]
    factor = "" if one.factor == 1 else f" ×{one.factor}"
    return f"{one.metric}{factor}{arrow} {one.direction}"


def cells(one: "Comparison") -> list[str]:
    """The cells of one comparison; the better side of a supported difference is bold."""
    from bench.cli.console import Strong
    from bench.statistics.claims import number

    means = [number(one.factor * mean, 4) for mean in (one.mean_a, one.mean_b)]
    if one.favours:
        place = "ab".index(one.favours)
        means[place] = Strong(means[place])
    interval = "-"
    if one.interval:
        interval = " to ".join(number(one.factor * bound) for bound in one.interval)
    return [
        metric_with_arrow(one),
        *means,
        " / ".join(number(share, 2) for share in one.shares_of_copy) if one.shares_of_copy else "-",
        number(one.factor * one.mean_difference),
        interval,
        "-" if one.p_adjusted is None else number(one.p_adjusted, 2),
        str(len(one.seeds) or "-"),
        "-" if one.images is None else str(one.images),
    ]


def readings(comparisons: "Sequence[Comparison]", declared: int) -> "Iterator[str]":
    """How the numbers of the tables are to be read."""
    first = comparisons[0]
    yield f"A difference is {first.a} minus {first.b}."
    if any(one.shares_of_copy for one in comparisons):
        yield "Of a copy: both as shares of the distance of the input itself (0 is the target, 1 the input)."
    if any(one.over_images and one.interval is not None for one in comparisons):
        yield (
            "The translations are compared as they are, over the test images: another training, or another "
            "seed, may give another difference."
        )
    nearer = [metric_and_direction(one) for one in comparisons if one.better == "nearer target"]
    if nearer:
        yield f"Of {', '.join(nearer)} the difference is that of the distances from the target."
    if declared > 1 and any(one.p_adjusted is not None for one in comparisons):
        yield f"p values are corrected by Holm over {declared} comparisons."
    tested = [one for one in comparisons if one.interval is not None and one.error is not None]
    fixed = [
        metric_and_direction(one) for one in tested if one.error is not None and one.error.images is None
    ]
    if fixed:
        of_all = "" if len(fixed) == len(tested) else f": {', '.join(fixed)}"
        yield f"Intervals are for these test images, not for others like them{of_all}."


def claims(comparisons: "Sequence[Comparison]") -> "Iterator[str]":
    """What may be claimed, a sentence for every verdict; the numbers stand in the tables."""
    from bench.statistics import Verdict
    from bench.statistics.claims import SEEDS_FOR_CLAIM, SEEDS_FOR_RANGE, number

    groups: dict[str, list[str]] = {}
    for one in comparisons:
        groups.setdefault(finding(one), []).append(metric_and_direction(one))
    for found, names in groups.items():
        yield f"{found}: {', '.join(names)}."
    verdicts = {
        one.verdict for one in comparisons if len(one.seeds) < SEEDS_FOR_CLAIM and not one.over_images
    }
    if any(one.over_images and one.interval is None for one in comparisons):
        yield (
            "Of what has values only, the folders do not keep what a comparison over the images needs, or no "
            "image changes the difference."
        )
    if Verdict.RANGE in verdicts:
        yield f"A range is not a test: a claim needs {SEEDS_FOR_CLAIM} seeds."
    if Verdict.VALUES_ONLY in verdicts:
        yield f"A range needs {SEEDS_FOR_RANGE} seeds, a claim {SEEDS_FOR_CLAIM}."
    missed = [
        f"{number(one.factor * one.smallest_detectable)} ({metric_and_direction(one)})"
        for one in comparisons
        if one.verdict is Verdict.NOT_FOUND and one.smallest_detectable is not None
    ]
    if missed:
        yield (
            "Where none was found, that does not show that they are equal: a true difference under "
            f"{', '.join(missed)} would have been missed more than one time in five."
        )


def finding(one: "Comparison") -> str:
    """The verdict of one comparison in words."""
    from bench.statistics import Verdict
    from bench.statistics.claims import SEEDS_FOR_CLAIM

    if one.verdict is Verdict.SUPPORTED:
        if one.favours is None:
            return "A supported difference of which neither side is better"
        return f"{one.a if one.favours == 'a' else one.b} is better, a supported difference"
    if one.verdict is Verdict.NOT_FOUND:
        return "No difference found"
    if one.verdict is Verdict.RANGE:
        agree = min(one.differences) > 0 or max(one.differences) < 0
        return "A range only, of one sign in every seed" if agree else "A range only, not of one sign"
    if len(one.seeds) >= SEEDS_FOR_CLAIM:
        return "The same difference in every seed, so there is nothing to test"
    return "Values only"


def metric_and_direction(one: "Comparison") -> str:
    """Metric, factor and direction, as a sentence names them."""
    factor = "" if one.factor == 1 else f" ×{one.factor}"
    return f"{one.metric}{factor} {one.direction}"
