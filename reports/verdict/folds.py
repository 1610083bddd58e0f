"""The sentences of the folds: each answers its question while it is shut."""

from collections.abc import Mapping, Sequence

import pandas as pd

from bench.names import counted
from bench.runs.metrics import key_under, network, stem
from bench.statistics.claims import Verdict
from reports import metrics
from reports.comparability import Group
from reports.numbers import fixed, listed
from reports.tables.scores import DIRECTIONS
from reports.verdict.model import NEAR, Answers
from reports.verdict.words import arrow, code, has_head, place_names

QUESTIONS = {
    "nearer": "Is it nearer the target?",
    "kept": "What did it keep?",
    "attend": "Do the masks attend?",
    "cost": "What did it cost?",
    "sure": "How sure is this?",
    "how": "How was it run?",
}


def fold_answers(found: Answers, groups: Sequence[Group]) -> Mapping[str, str]:
    """Question's key -> one sentence, or two."""
    return {
        "nearer": nearer(found, groups),
        "kept": kept(found, groups),
        "attend": attention_fold(found, groups),
        "cost": cost_fold(found, groups),
        "sure": certainty_fold(found),
        "how": how(found, groups),
    }


def _mean(group: Group, variant: str, direction: str, key: str) -> float | None:
    summary = group.summary(key, direction, variant)
    return None if summary is None else summary.mean


def nearer(found: Answers, groups: Sequence[Group]) -> str:
    """What the kernel distance says, and whether the Frechet distance is on the same side."""
    if not found.results:
        return "No trained variant has a distance yet."
    near = sum(share.mark in NEAR for share in found.results)
    each = "" if found.claims or found.seeds[1] < 2 else " in every seed"
    title = stem(metrics.title(found.tasks[0].key))
    text = f"{title} puts {near} of {counted(len(found.results), 'result')} nearer than a copy{each}"
    by_key = {group.key: group for group in groups}
    same = total = 0
    for task in found.tasks:
        group = by_key[task.place]
        key = key_under("fd", network(task.key) or "inception")
        rows = group.study.scores
        ceiling = group.reference(
            rows[(rows["metric"] == key) & (rows["direction"] == task.direction)], "ceiling"
        )
        for name, share in task.shares.items():
            value = _mean(group, name, task.direction, key)
            if share in found.results and ceiling and value is not None and share.mean is not None:
                total += 1
                same += (value < ceiling) == (share.mean < 1)
    other = stem(metrics.title(key)) if total else ""
    return f"{text}; {other} lies on the same side of a copy in {same} of {total}." if total else f"{text}."


def kept(found: Answers, groups: Sequence[Group]) -> str:
    """Where the truth is known, who lands nearer to it than a copy; else how much of the edges is kept."""
    measured, landed = False, []
    names = place_names(found)
    for group in groups:
        rows = group.study.scores[group.study.scores["metric"] == "counterfactual_l1"]
        for direction in DIRECTIONS:
            copy = group.reference(rows[rows["direction"] == direction], "ceiling")
            for name in found.trained if copy else ():
                value = _mean(group, name, direction, "counterfactual_l1")
                if value is None or copy is None:
                    continue
                measured = True
                if value < copy:
                    where = (
                        f"{names.get((group.protocol, group.dataset), group.dataset)} {arrow('', direction)}"
                    )
                    landed.append(
                        (
                            value / copy,
                            f"{code(name)} on {where} ({fixed(value, 1)} against {fixed(copy, 1)} levels)",
                        )
                    )
    if measured and not landed:
        return "Where the true translation is known, nothing trained lands nearer to it than a copy does."
    if measured:
        first = min(landed)[1]
        more = (
            f", and {counted(len(landed) - 1, 'other result')}" if len(landed) > 1 else ", and nothing else"
        )
        return f"Nearer the true translation than a copy, by the mean: {first}{more}."
    edges = {
        name: [
            v
            for group in groups
            for d in DIRECTIONS
            if (v := _mean(group, name, d, "edge_correlation")) is not None
        ]
        for name in found.trained
    }
    means = {name: sum(values) / len(values) for name, values in edges.items() if values}
    if not means:
        return "No trained variant has been measured image by image."
    least, most = min(means, key=lambda n: means[n]), max(means, key=lambda n: means[n])
    if len(means) == 1:
        return f"{code(least)} keeps {fixed(means[least], 2)} of the edges of its input."
    high, low = (fixed(means[name], 2) for name in (most, least))
    return f"Of the edges of their input {code(most)} keeps most ({high}), {code(least)} least ({low})."


def attention_fold(found: Answers, groups: Sequence[Group]) -> str:
    """Which heads do, and how their masks compare with the true foreground."""
    headed = [name for name in found.trained if has_head(found, name)]
    if not headed:
        return "No trained variant has masks that it learned."
    do = [code(name) for name in headed if found.attention[name].attends]
    not_ = [code(name) for name in headed if not found.attention[name].attends]
    parts = [f"{listed(do)} {'does' if len(do) == 1 else 'do'}"] if do else []
    parts += [f"{listed(not_)} {'does' if len(not_) == 1 else 'do'} not"] if not_ else []
    text = "; ".join(parts) + "."
    best = None
    for group in groups:
        for name in headed:
            for direction in DIRECTIONS:
                value = _mean(group, name, direction, "foreground_iou")
                if value is not None and found.attention[name].attends and (best is None or value > best[0]):
                    best = (value, name, direction)
    if best is None:
        return text
    value, name, direction = best
    where = f"{code(name)} {arrow('', direction)}"
    return f"{text} Against the true foreground the best is {where}: IoU {fixed(value, 2)}."


def cost_fold(found: Answers, groups: Sequence[Group]) -> str:
    """How much arithmetic each needs against the cheapest."""
    runs = pd.concat([group.study.runs for group in groups]) if groups else pd.DataFrame()
    if runs.empty or not found.trained:
        return "Nothing was trained."
    flops = runs.dropna(subset=["gflop"]).groupby("variant")["gflop"].mean()
    known = {name: float(flops[name]) for name in found.trained if name in flops.index and flops[name] > 0}
    if not known:
        return "The arithmetic was not counted."
    if len(known) == 1:
        name = next(iter(known))
        return f"{code(name)} needs {fixed(known[name], 2)} GFLOP an image."
    cheapest = min(known, key=lambda name: known[name])
    dearest = sorted((name for name in known if name != cheapest), key=lambda name: -known[name])
    times = {name: f"{fixed(known[name] / known[cheapest], 1)} times" for name in dearest}
    first, *rest = dearest[:3]
    told = [f"{code(first)} needs {times[first]} the arithmetic of {code(cheapest)}"]
    told += [f"{code(name)} {times[name]}" for name in rest]
    return "; ".join(told) + "."


def certainty_fold(found: Answers) -> str:
    """How many declared differences are supported."""
    if not found.claims:
        return (
            f"{counted(found.seeds[1], 'seed')}: no difference is claimed."
            if found.results
            else "Nothing to compare yet."
        )
    tested = [one for one in found.declared if one.verdict in (Verdict.SUPPORTED, Verdict.NOT_FOUND)]
    supported = sum(one.verdict is Verdict.SUPPORTED for one in tested)
    if not tested:
        return "No difference between two variants was declared that could be tested."
    open_ = " Where none was found, equality is not shown either." if supported < len(tested) else ""
    return f"{supported} of {len(tested)} declared differences are supported.{open_}"


def how(found: Answers, groups: Sequence[Group]) -> str:
    """How many runs finished, and whether they were fed the same."""
    if not found.runs_planned:
        return "No run is among these, only images of other programs."
    text = f"{found.runs_done} of {counted(found.runs_planned, 'run')} finished"
    if any(group.differences for group in groups):
        return f"{text}; the runs do not share one schedule, and are marked."
    proven = [group for group in groups if any(count > 1 for count in group.traces.values())]
    if proven and len(proven) == len(groups):
        return f"{text}; every variant was fed the same images in the same order, proven by hash."
    return f"{text}."
