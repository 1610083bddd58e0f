"""`bench power`: how many seeds and test images would find a difference of a given size."""

import dataclasses
from typing import Annotated

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


def power(
    a: FirstSide,
    b: SecondSide,
    detect: Annotated[
        str, typer.Option("--detect", metavar="SIZE", help="Share of B's value, as 10%, or a value.")
    ] = "10%",
    runs: Runs = DEFAULT_RUNS,
    protocol: UnderProtocol = None,
    dataset: OnDataset = None,
    direction: InDirection = Directions.BOTH,
    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", metavar="KEY", help="Default: the kernel distance; may be repeated."),
    ] = None,
    selection: Selection = Selections.LAST,
    comparisons: Annotated[
        int,
        typer.Option("--comparisons", min=1, max=10**4, help="Tested together, as Holm's correction counts."),
    ] = 1,
    chance: Annotated[
        float, typer.Option("--power", min=0.05, max=0.999, help="Probability of finding the difference.")
    ] = 0.8,
    plugin: Plugin = None,
    as_json: AsJson = False,
) -> None:
    """Forecast from finished runs how many seeds and test images would find a difference, and what they cost.

    It says what the training seed, the slots' noise and the test images contribute to the variance. Two
    seeds are enough for a first guess; the range beside the answer says how rough it is.

    Examples:

      bench power slot9 spatial --detect 10%

      bench power slot9 uniform --dataset horse2zebra --metric kd --detect 25 --comparisons 8
    """
    from bench.cli.console import Strong, say
    from bench.comparing import ComparisonRequest
    from bench.comparing.power import forecast, in_words, parse_effect
    from bench.runs.metrics import described
    from bench.runs.records import DIRECTIONS

    load_plugins(plugin)
    effect = parse_effect(detect)
    request = ComparisonRequest(
        a,
        b,
        runs,
        protocol=protocol,
        dataset=dataset,
        directions=tuple(one for one in DIRECTIONS if direction in (Directions.BOTH, one)),
        metrics=tuple(metric or ()),
        selection=selection.value,
    )
    made, remarks = forecast(request, described, effect, comparisons=comparisons, power=chance)
    if as_json:
        print_json({"forecasts": [dataclasses.asdict(one) for one in made], "remarks": remarks})
        return
    for one in made:
        factor = "" if one.factor == 1 else f" ×{one.factor}"
        say(Strong(f"{one.metric}{factor} {one.direction} on {one.dataset}, {one.a} against {one.b}"))
        for sentence in in_words(one):
            say(f"- {sentence}")
        print()
    for remark in remarks:
        say(f"note: {remark}")
