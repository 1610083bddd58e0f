"""The whole of `bench compare`: choose runs, prove them comparable, compare, say what was found."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.comparing.over_images import compare_over_images
from bench.comparing.pairing import Catalogue, Request, Scored, make_pairs, ordered, with_scores
from bench.comparing.selection import Chosen, check_schedules, check_traces, choose, group
from bench.errors import UsageError
from bench.runs.folder import RunFolder
from bench.statistics import Comparison, Control, compare, evaluate_control


@dataclass(frozen=True)
class Outcome:
    """The comparisons, and everything a reader must know beside them."""

    a: str
    b: str
    selection: str
    comparisons: tuple[Comparison, ...]
    schedule_differences: tuple[str, ...]
    """In what the schedules differ, where that was allowed; whatever is shown must be marked with it."""
    control: Control | None
    """The A/A control, where both sides are the same variant."""
    remarks: tuple[str, ...]


def compare_runs(request: Request, catalogue: Catalogue) -> Outcome:
    """Compare two variants by their run folders, paired by seed.

    `catalogue` tells what is known of a metric key. Raises BenchError or UsageError where there are no
    runs, no common seeds, no scores, an unknown metric, or different schedules that were not allowed.
    """
    a = choose(request.a, request.runs, request.dataset, request.protocol)
    b = choose(request.b, request.runs, request.dataset, request.protocol)
    if _folders(a) & _folders(b):
        raise UsageError(
            f"{request.a} and {request.b} name the same runs. Name two variants, or two folders."
        )
    same_variant = a.label == b.label
    names = (request.a, request.b) if same_variant else (a.label, b.label)
    if a.images is not None or b.images is not None:
        pairs, remarks = compare_over_images(a, b, request, names, catalogue)
        return Outcome(
            *names,
            selection=request.selection,
            comparisons=compare(pairs),
            schedule_differences=(),
            control=None,
            remarks=(*a.remarks, *b.remarks, *remarks),
        )
    groups = group(a, b, request.allow_different_schedules)
    differences = tuple(
        f"{one.dataset}: {line}"
        for one in groups
        for line in check_schedules(one, request.allow_different_schedules)
    )
    scored = [with_scores(one) for one in groups]
    pairs, undefined = make_pairs(scored, request, names, catalogue)
    comparisons = compare(pairs)
    return Outcome(
        *names,
        selection=request.selection,
        comparisons=comparisons,
        schedule_differences=differences,
        control=_control(comparisons) if same_variant else None,
        remarks=tuple(ordered([*_remarks(a, b, scored), *undefined])),
    )


def _folders(side: Chosen) -> set[RunFolder]:
    return {side.images.folder} if side.images else {run.folder for run in side.runs}


def _control(comparisons: Sequence[Comparison]) -> Control:
    p_values = [one.p_value for one in comparisons if one.p_value is not None]
    return evaluate_control(p_values, min((len(one.seeds) for one in comparisons), default=0))


def _remarks(a: Chosen, b: Chosen, scored: Sequence[Scored]) -> Iterator[str]:
    yield from a.remarks
    yield from b.remarks
    for one in scored:
        yield check_traces(one.group)
        yield from one.group.remarks
        for seed in one.group.seeds:
            card_a, card_b = one.a[seed].card, one.b[seed].card
            differ = sorted(
                key for key in card_a.keys() | card_b.keys() if card_a.get(key) != card_b.get(key)
            )
            if differ:
                yield f"{one.group.dataset}, seed {seed}: the metric cards differ in {', '.join(differ)}"
