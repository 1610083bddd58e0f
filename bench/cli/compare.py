"""`bench compare`: the paired comparison of two variants, in words and numbers."""

import dataclasses
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import DEFAULT_RUNS, AsJson, Plugin, Runs, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.table import Table

    from bench.comparing import Outcome
    from bench.statistics import Comparison


class Which(StrEnum):
    """Directions to compare."""

    A2B = "A2B"
    B2A = "B2A"
    BOTH = "both"


class Weights(StrEnum):
    """Weights whose scores are compared."""

    LAST = "last"
    VALIDATION = "validation"


def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="A variant that was run, or a folder of its runs.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The one to compare it with.")],
    runs: Runs = DEFAULT_RUNS,
    protocol: Annotated[str | None, typer.Option("--protocol", help="Only runs under this protocol.")] = None,
    dataset: Annotated[str | None, typer.Option("--dataset", help="Only runs on this data set.")] = None,
    direction: Annotated[Which, typer.Option("--direction")] = Which.BOTH,
    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", metavar="KEY", help="A key of bench list metrics; may be repeated."),
    ] = None,
    selection: Annotated[
        Weights, typer.Option("--selection", help="Weights of the last step, or chosen on validation.")
    ] = Weights.LAST,
    allow_different_schedules: Annotated[
        bool,
        typer.Option("--allow-different-schedules", help="Compare runs that were not trained alike, marked."),
    ] = False,
    plugin: Plugin = None,
    as_json: AsJson = False,
) -> None:
    """Compare two variants over the seeds they share, and say what may be claimed.

    One or two seeds give values, three or four a range, five or more an interval and a test, corrected by
    Holm over all comparisons of the command.

    Examples:

      bench compare slot9 uniform

      bench compare slot9 spatial --dataset horse2zebra --metric kid --metric edge_correlation --json

      bench compare runs-1/small/horse2zebra/slot9 runs-2/small/horse2zebra/slot9
    """
    from bench.cli.options import load_plugins
    from bench.comparing import Request, compare_runs
    from bench.runs.scores import DIRECTIONS
    from bench.scoring import catalogue

    load_plugins(plugin)
    request = Request(
        a,
        b,
        runs,
        protocol=protocol,
        dataset=dataset,
        directions=tuple(one for one in DIRECTIONS if direction in (Which.BOTH, one)),
        metrics=tuple(metric or ()),
        selection=selection.value,
        allow_different_schedules=allow_different_schedules,
    )
    outcome = compare_runs(request, catalogue.metric)
    if as_json:  # every number of the outcome, raw
        print_json(dataclasses.asdict(outcome))
    else:
        print_outcome(outcome)


def print_outcome(outcome: "Outcome") -> None:
    """A table of numbers, then a sentence for each row, then what a reader must know."""
    from rich.console import Console

    console = Console()
    if outcome.schedule_differences:
        console.print("DIFFERENT SCHEDULES: differences below are not the variants' alone.", style="bold red")
        for line in outcome.schedule_differences:
            typer.echo(f"  {line}")
    for made in tables(outcome):
        console.print(made)
    for one in outcome.comparisons:
        typer.echo(f"- {one.sentence}\n  differences by seed: {points(one)}")
    if outcome.control:
        typer.echo(f"\n{outcome.control.sentence}")
    typer.echo("")
    for remark in outcome.remarks:
        typer.echo(f"note: {remark}")


def tables(outcome: "Outcome") -> "Iterator[Table]":
    """A table for every data set: one row for every comparison, values as the mean over seeds."""
    from rich.table import Table

    weights = "" if outcome.selection == "last" else ", weights chosen on validation"
    headings = ("score", outcome.a, outcome.b, "difference", "95% interval", "p (Holm)", "seeds", "images")
    for dataset in dict.fromkeys(one.dataset for one in outcome.comparisons):
        rows = [cells(one) for one in outcome.comparisons if one.dataset == dataset]
        # Columns that say nothing in any row, as interval and p do below 5 seeds, only take room.
        shown = [place for place in range(len(headings)) if any(row[place] != "-" for row in rows)]
        title = f"{outcome.a} against {outcome.b} on {dataset}{weights}"
        made = Table(title=escaped(title), title_justify="left")
        for place in shown:
            made.add_column(
                escaped(headings[place]), no_wrap=place == 0, justify="right" if place else "left"
            )
        for row in rows:
            made.add_row(*[row[place] for place in shown])
        yield made


def escaped(text: str) -> str:
    """Text whose brackets are brackets, not markup."""
    from rich.markup import escape

    return escape(text)


def points(one: "Comparison") -> str:
    """The difference of every seed, so that nobody has to trust a mean."""
    from bench.statistics.claims import number

    both = zip(one.seeds, one.differences, strict=True)
    return ", ".join(f"{seed}: {number(one.factor * difference)}" for seed, difference in both)


def cells(one: "Comparison") -> list[str]:
    """The cells of one comparison; the better side of a supported difference is bold."""
    from bench.statistics.claims import number

    arrow = {"lower": "↓", "higher": "↑", "nearer target": "→target", "none": ""}[one.better]
    factor = "" if one.factor == 1 else f" ×{one.factor}"
    means = [number(one.factor * mean, 4) for mean in (one.mean_a, one.mean_b)]
    if one.favours:
        place = "ab".index(one.favours)
        means[place] = f"[bold]{means[place]}[/bold]"
    interval = "-"
    if one.interval:
        interval = " to ".join(number(one.factor * bound) for bound in one.interval)
    return [
        escaped(f"{one.metric}{factor} {arrow} {one.direction}"),
        *means,
        number(one.factor * one.mean_difference),
        interval,
        "-" if one.p_adjusted is None else number(one.p_adjusted, 2),
        str(len(one.seeds)),
        "-" if one.images is None else str(one.images),
    ]
