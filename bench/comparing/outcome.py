"""The whole of `bench compare`: choose runs, prove them comparable, compare, say what was found."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bench.comparing.over_images import compare_over_images
from bench.comparing.pairing import (
    Catalogue,
    ComparisonRequest,
    Scored,
    make_pairs,
    with_scores,
    without_repetition,
)
from bench.comparing.selection import Chosen, check_schedules, check_traces, choose_runs, group
from bench.errors import UsageError
from bench.runs.folder import RunFolder
from bench.runs.metrics import is_kernel
from bench.runs.records import Direction, Scores, said_of
from bench.statistics import Comparison, Control, Pair, compare, evaluate_control


@dataclass(frozen=True)
class ComparedRuns:
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
    relative: tuple[Comparison, ...] = ()
    """Of a single pair of runs: their kernel distances to the same real images, over the test images alone
    (the relative test of Bounliphone et al. 2016, arXiv 1511.04581). It holds for these two trainings, not
    for the two variants."""


@dataclass(frozen=True)
class PairedRuns:
    """The pairs that can be compared, before anything is computed, and the runs that they are of."""

    names: tuple[str, str]
    same_variant: bool
    pairs: tuple[Pair, ...]
    scored: tuple[Scored, ...]
    """Empty where one side is images of another program."""
    schedule_differences: tuple[str, ...]
    remarks: tuple[str, ...]


def pair_runs(request: ComparisonRequest, catalogue: Catalogue) -> PairedRuns:
    """Choose the runs of two variants, prove them comparable, pair them by seed; errors as `compare_runs`."""
    a = choose_runs(request.a, request.runs, request.dataset, request.protocol)
    b = choose_runs(request.b, request.runs, request.dataset, request.protocol)
    if _folders(a) & _folders(b):
        raise UsageError(
            f"{request.a} and {request.b} name the same runs. Name two variants, or two folders."
        )
    same_variant = a.label == b.label
    names = (request.a, request.b) if same_variant else (a.label, b.label)
    if a.images is not None or b.images is not None:
        made, said = compare_over_images(a, b, request, names, catalogue)
        remarks = (*a.remarks, *b.remarks, *said)
        return PairedRuns(names, False, tuple(made), (), (), remarks)
    groups = group(a, b, request.allow_different_schedules)
    differences = tuple(
        f"{one.dataset}: {line}"
        for one in groups
        for line in check_schedules(one, request.allow_different_schedules)
    )
    scored = [with_scores(one) for one in groups]
    pairs, undefined = make_pairs(scored, request, names, catalogue)
    remarks = tuple(without_repetition([*_remarks(a, b, scored, request.directions), *undefined]))
    return PairedRuns(names, same_variant, tuple(pairs), tuple(scored), differences, remarks)


def compare_runs(request: ComparisonRequest, catalogue: Catalogue) -> ComparedRuns:
    """Compare two variants by their run folders, paired by seed.

    `catalogue` tells what is known of a metric key. Raises BenchError or UsageError where there are no
    runs, no common seeds, no scores, an unknown metric, or different schedules that were not allowed.
    """
    paired = pair_runs(request, catalogue)
    comparisons = compare(paired.pairs)
    return ComparedRuns(
        *paired.names,
        selection=request.selection,
        comparisons=comparisons,
        schedule_differences=paired.schedule_differences,
        control=_control(comparisons) if paired.same_variant else None,
        remarks=paired.remarks,
        relative=compare(_of_single_trainings(paired)),
    )


def _of_single_trainings(paired: PairedRuns) -> list[Pair]:
    """The kernel distances of one training against one other, to be compared over the test images alone."""
    if not paired.scored or any(len(one.group.seeds) != 1 for one in paired.scored):
        return []
    return [
        replace(pair, seeds=(), as_they_are=True)
        for pair in paired.pairs
        if is_kernel(pair.metric) and pair.a.leave_one_out and pair.b.leave_one_out
    ]


def _folders(side: Chosen) -> set[RunFolder]:
    return {side.images.folder} if side.images else {run.folder for run in side.runs}


def _control(comparisons: Sequence[Comparison]) -> Control:
    p_values = [one.p_value for one in comparisons if one.p_value is not None]
    return evaluate_control(p_values, min((len(one.seeds) for one in comparisons), default=0))


def _remarks(
    a: Chosen, b: Chosen, scored: Sequence[Scored], directions: Sequence[Direction]
) -> Iterator[str]:
    yield from a.remarks
    yield from b.remarks
    for one in scored:
        yield check_traces(one.group)
        yield from one.group.remarks
        yield from courses(one, (a.label, b.label), directions)
        for seed in one.group.seeds:
            card_a, card_b = one.a[seed].card, one.b[seed].card
            differ = sorted(
                key for key in card_a.keys() | card_b.keys() if card_a.get(key) != card_b.get(key)
            )
            if differ:
                yield f"{one.group.dataset}, seed {seed}: the metric cards differ in {', '.join(differ)}"


def courses(one: Scored, names: tuple[str, str], directions: Sequence[Direction]) -> Iterator[str]:
    """What a value alone does not tell of either side: that it merely copies, when it began to translate."""
    for name, side in zip(names, (one.a, one.b), strict=True):
        said: dict[tuple[Direction, str], list[int]] = {}
        for seed in one.group.seeds:
            for direction, words in said_of(side[seed]):
                if direction in directions:
                    said.setdefault((direction, words.partition(":")[0]), []).append(seed)
        for (direction, words), seeds in said.items():
            yield f"{name} {direction} on {one.group.dataset}: {words} ({of_seeds(seeds)})"
        for direction in directions:
            found = {seed: course_of(side[seed], direction) for seed in one.group.seeds}
            told = [f"{words} ({of_seeds([seed])})" for seed, words in found.items() if words]
            if told:
                yield f"{name} {direction} on {one.group.dataset}: {', '.join(told)}"


def course_of(scores: Scores, direction: Direction) -> str | None:
    """When a training was better than copying for good; None where nothing is known of it."""
    score = scores.selections["last"].directions[direction].metrics.get("images_until_better")
    if score is None:
        return None
    if score.value is not None:
        return f"better than copying from {score.value:.0f} images on"
    return score.reason if score.reason and score.reason.startswith("not better") else None


def of_seeds(seeds: Sequence[int]) -> str:
    """`seed 0`, or `seeds 0, 2`."""
    return f"seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}"
