"""The summary in words: what was compared, under which schedule, what was found, what could not be told.

Every sentence about a difference is written by bench.statistics; nothing here claims more.
"""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bench.names import counted
from bench.statistics.claims import SEEDS_FOR_CLAIM, Verdict, number
from bench.statistics.comparison import Comparison, compare
from reports.comparability import OWN, Group
from reports.comparisons import arrow_text, pairs_of
from reports.numbers import grouped, listed
from reports.tables.distances import headline_metric
from reports.tables.measurements import mask_words
from reports.tables.runs import unfinished
from reports.tables.scores import DIRECTIONS

REFERENCE = "spatial"
CONTROL = "uniform"
MOST_VARIANTS = 40
"""Beyond it no differences are put into words."""


@dataclass(frozen=True)
class Finding:
    """One sentence and what kind of sentence it is: a verdict, `dead head`, `alive head` or `missing`."""

    kind: str
    sentence: str


@dataclass(frozen=True)
class GroupSummary:
    """The four parts, sentence by sentence; what was found in short and in full."""

    compared: tuple[str, ...]
    schedule: tuple[str, ...]
    headlines: tuple[Finding, ...]
    found: tuple[Finding, ...]
    not_told: tuple[str, ...]
    comparisons: tuple[Comparison, ...] = ()
    """The declared ones."""


def summarise_group(group: Group) -> GroupSummary:
    """The summary of one protocol and dataset."""
    outcomes = declared_comparisons(group)
    verdicts = [Finding(str(outcome.verdict), outcome.sentence) for outcome in outcomes]
    rank = [Verdict.SUPPORTED, Verdict.NOT_FOUND, Verdict.RANGE, Verdict.VALUES_ONLY]
    verdicts.sort(key=lambda finding: rank.index(Verdict(finding.kind)))
    return GroupSummary(
        tuple(_compared(group)),
        tuple(_schedule(group)),
        (*_headlines(group, outcomes), *_heads(group)),
        tuple(verdicts),
        tuple(_not_told(group, outcomes)),
        outcomes,
    )


def reference(group: Group) -> str | None:
    """What all others are compared with: spatial attention, else the first in the stated order."""
    variants = group.stated
    return REFERENCE if REFERENCE in variants else next(iter(variants), None)


def declared_comparisons(group: Group) -> tuple[Comparison, ...]:
    """The headline in both directions: the pairs that the study declared; without any, every variant against
    the reference and every variant with masks against the control whose masks are fixed. Corrected by Holm
    over all of them."""
    key, first, variants = headline_metric(group), reference(group), group.stated
    if key is None or len(variants) > MOST_VARIANTS:
        return ()
    scores = group.chosen["last"]
    role, declared = group.kinds, [set(pair) for pair in group.study.declared]
    pairs = []
    for direction in DIRECTIONS:
        for pair in pairs_of(scores, variants, key, direction):
            names = {pair.a.name, pair.b.name}
            with_control = CONTROL in names and all(role[name] in ("variant", "control") for name in names)
            wanted = names in declared if declared else first in names or with_control
            if wanted:
                pairs.append(pair)
    return compare(pairs)


def _headlines(group: Group, outcomes: Sequence[Comparison]) -> Iterator[Finding]:
    """The comparisons with the reference, then those with the control, gathered into one sentence each."""
    declared = group.study.declared
    others: list[str | None] = [b for _, b in declared] or [reference(group), CONTROL]
    for other in dict.fromkeys(others):
        for direction in DIRECTIONS:
            here = [one for one in outcomes if one.direction == arrow_text(direction)]
            mine = [one for one in here if other in (one.a, one.b)]
            if declared:  # a pair is told once, under the variant it names second
                under = [{a, b} for a, b in declared if b == other]
                mine = [one for one in mine if {one.a, one.b} in under]
            if other is not None and mine:
                yield from _gathered(other, direction, mine)


def _gathered(first: str, direction: str, outcomes: Sequence[Comparison]) -> Iterator[Finding]:
    """What is supported, what was not found, what is too few seeds: one sentence per verdict."""
    factor = outcomes[0].factor
    scaled = "" if factor == 1 else f" ×{factor}"
    where = f"{outcomes[0].metric}{scaled} {arrow_text(direction)}"
    by_verdict: dict[tuple[Verdict, str], list[str]] = {}
    for one in outcomes:
        other, sign = (one.b, 1.0) if one.a == first else (one.a, -1.0)
        word = "lower" if sign * one.mean_difference < 0 else "higher"
        amount = number(abs(factor * one.mean_difference), 2)
        same = one.verdict is Verdict.NOT_FOUND
        by_verdict.setdefault((one.verdict, "" if same else word), []).append(
            other if same else f"{other} (by {amount})"
        )
    for (verdict, word), others in by_verdict.items():
        seeds = counted(min(len(one.seeds) for one in outcomes if one.verdict is verdict), "seed")
        if verdict is Verdict.SUPPORTED:
            text = f"{where}: {first} is {word} than {listed(others)}; lower is better."
        elif verdict is Verdict.NOT_FOUND:
            text = f"{where}: {first} was not told apart from {listed(others)}."
        else:
            text = f"{where}: {first} came out {word} than {listed(others)}; {seeds}, no claim."
        yield Finding(str(verdict), text)


def _compared(group: Group) -> Iterator[str]:
    every = group.study.runs
    runs = every[every["status"] != "external"]
    theirs = [variant for variant in group.variants if variant in group.external]
    if theirs:
        yield f"{_some(theirs)}: images of {'another program' if len(theirs) == 1 else 'other programs'}."
    if runs.empty:
        return
    variants = [variant for variant in group.variants if variant not in group.external]
    states = runs["status"].value_counts().to_dict()
    finished = runs[runs["status"].eq("done") & runs["scored"].fillna(False).astype(bool)]
    yield f"{counted(len(variants), 'variant')} on {group.dataset}: {_some(variants)}."
    bare = int(states.get("done", 0)) - len(finished)
    others = ", ".join(
        [f"{bare} finished without scores"] * bool(bare)
        + [f"{count} {status}" for status, count in sorted(states.items()) if status != "done"]
    )
    seeds = sorted({int(seed) for seed in runs["seed"].dropna()})
    named = f" ({', '.join(map(str, seeds))})" if len(seeds) <= 10 else ""
    yield (
        f"{counted(len(runs), 'run')} over {counted(len(seeds), 'seed')}{named}; {len(finished)} finished "
        f"and scored{f', {others}' if others else ''}."
    )


def _some(names: list[str]) -> str:
    return listed(names) if len(names) <= 8 else f"{listed(names[:7])} and {len(names) - 7} more"


def _schedule(group: Group) -> Iterator[str]:
    records = group.study.records.values()
    # A baseline that is not trained, such as `copy`, sees nothing: the schedule is that of the trained runs.
    record = max(records, key=lambda each: each.images_to_see or 0, default=None)
    if record is not None:
        images, train, score = (record.protocol.get(part, {}) for part in ("images", "train", "score"))
        yield (
            f"Protocol {group.protocol}: {images.get('size', '?')} px, {grouped(record.images_to_see or 0)} "
            f"images of each domain seen, batch {train.get('batch', '?')}, {train.get('objective', '?')}, "
            f"{train.get('precision', '?')}, features {score.get('features', '?')}."
        )
    if group.differences:
        what = listed(sorted({difference.what for difference in group.differences}))
        yield f"The runs do NOT share one schedule: {what} differ. They are marked and are not comparable."
        return
    hashes = group.study.runs["protocol_hash"].dropna().unique()
    if len(hashes):
        yield f"One schedule for all: protocol hash {hashes[0]}, and one schedule hash for every seed."
    if any(count > 1 for count in group.traces.values()):
        yield (
            "Proven: the trace hashes of what the networks were fed agree between variants in "
            f"{_proven(group.traces)}."
        )
    yield from _own_objectives(group)


def _own_objectives(group: Group) -> Iterator[str]:
    """Who was not trained with the protocol's objective, and what is proven of it all the same."""
    for variant, objective in group.own_objectives.items():
        yield (
            f"{variant} {OWN} was trained with its own objective, {objective}: a difference from it is not "
            "the generator's alone."
        )
    if not group.own_objectives:
        return
    if any(count > 1 for count in group.traces_without_pool.values()):
        yield (
            "Proven for it too: images, crops, flips and learning rates agree with those of the others in "
            f"{_proven(group.traces_without_pool)}; image pools, which belong to the objective, left out."
        )
    else:
        yield "Not proven that it was fed what others were: no two runs recorded a hash without image pools."


def _proven(traces: dict[int, int]) -> str:
    """`every seed (12 trained runs)` of the seeds in which there was more than one run to compare."""
    compared = {seed: count for seed, count in traces.items() if count > 1}
    where = "every seed" if len(compared) > 1 else f"seed {next(iter(compared))}"
    return f"{where} ({counted(sum(compared.values()), 'trained run')})"


def _heads(group: Group) -> Iterator[Finding]:
    """Which mask heads attend to nothing: variants alone, a control is fixed on purpose."""
    for variant in group.variants[:MOST_VARIANTS]:
        words = {direction: mask_words(group, variant, direction) for direction in DIRECTIONS}
        dead = {direction: text for direction, text in words.items() if text.startswith("dead")}
        if not dead:
            continue
        where = listed([f"{arrow_text(name)} ({text})" for name, text in dead.items()])
        yield Finding(
            "dead head",
            f"The mask head of {variant} attends to nothing: {where}. Its masks do not vary over the image, "
            "so its translations owe nothing to attention.",
        )


def _not_told(group: Group, outcomes: Sequence[Comparison]) -> Iterator[str]:
    seeds = min((len(outcome.seeds) for outcome in outcomes), default=None)
    if seeds is not None and seeds < SEEDS_FOR_CLAIM:
        yield (
            f"Whether any difference is more than chance: some comparisons rest on {counted(seeds, 'seed')}, "
            f"a claim needs {SEEDS_FOR_CLAIM}."
        )
    open_ = sum(outcome.verdict is Verdict.NOT_FOUND for outcome in outcomes)
    if open_:
        yield f"In {counted(open_, 'comparison')} no difference was found; that does not show equality."
    left_out = len(unfinished(group.study))
    if left_out:
        verb = "is" if left_out == 1 else "are"
        yield f"{counted(left_out, 'run')} {verb} failed, unfinished or not scored."
    if headline_metric(group) is None:
        yield "How good the translations are: no run of this group has a kernel distance yet."
    elif headline_metric(group) != "kid":
        yield (
            "How the numbers compare with published FID and KID: they were measured on other features than "
            "Inception's and are only comparable with each other."
        )
    yield from _theirs_not_told(group)
    if len(group.variants) < 2:
        yield "Which variant is better: there is only one."


def _theirs_not_told(group: Group) -> Iterator[str]:
    """What images of other programs would have to be compared by."""
    if group.apart:
        yield (
            "How these images compare with the runs: they were held against other real images, or on "
            "features of other weights. Score them against the same to have them in one table."
        )
        return
    runs = group.study.runs
    ours = runs[runs["status"].eq("done") & runs["scored"].fillna(False).astype(bool)]
    for folder in runs.loc[runs["status"] == "external", "folder"] if len(ours) else ():
        command = shlex.join(["bench", "compare", str(ours["folder"].iloc[0]), str(folder)])
        name = runs.loc[runs["folder"] == folder, "variant"].iloc[0]
        yield f"Whether {name} differs from a run: it has no seeds. Over the test images says: {command}"
