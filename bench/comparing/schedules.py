"""Were both sides trained alike? The schedule hash says so; where it differs, this says in what."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.comparing.selection import Group
from bench.errors import BenchError
from bench.runs.record import RunRecord


def check_schedules(group: Group, allow_different: bool) -> tuple[str, ...]:
    """What differs between the paired runs' schedules, a line each; empty where nothing does.

    Raises BenchError with those lines unless `allow_different`.
    """
    lines: dict[str, None] = {}
    for seed in group.seeds:
        lines |= dict.fromkeys(_differences(group.a[seed].record, group.b[seed].record))
    if lines and not allow_different:
        told = "".join(f"\n  {line}" for line in lines)
        raise BenchError(
            f"The runs on {group.dataset} followed different schedules, so a difference of their scores is "
            f"not the variants' alone:{told}\nRun both under one schedule, or add "
            "--allow-different-schedules to compare them all the same, marked."
        )
    return tuple(lines)


def check_traces(group: Group) -> str:
    """Whether the paired runs were really fed the same: their trace hashes, in words."""
    pairs = [(group.a[seed].record, group.b[seed].record) for seed in group.seeds]
    hashes = {a.cell.seed: _comparable_hashes(a, b) for a, b in pairs}
    traced = {seed: both for seed, both in hashes.items() if None not in both}
    own = _own_objectives(pairs)
    if not traced:
        return f"{group.dataset}: nothing to prove by trace hashes, at most one side has one{own}"
    differ = [str(seed) for seed, (a, b) in traced.items() if a != b]
    if differ:
        return f"{group.dataset}: the trace hashes DIFFER in seed {', '.join(differ)}: not fed the same{own}"
    agree = f"trace hashes agree, {len(traced)} of {len(pairs)}"
    return f"{group.dataset}: fed the same in every seed ({agree}){own}"


def _comparable_hashes(a: RunRecord, b: RunRecord) -> tuple[str | None, str | None]:
    """The trace hashes of both; without image pools where the two objectives are not one."""
    if a.own_objective == b.own_objective:
        return a.trace_hash, b.trace_hash
    return a.trace_hash_without_pool, b.trace_hash_without_pool


def _own_objectives(pairs: Sequence[tuple[RunRecord, RunRecord]]) -> str:
    """Which side brought its own objective, if the two differ in it: then the pools were not compared."""
    differing = [pair for pair in pairs if pair[0].own_objective != pair[1].own_objective]
    brought = {
        f"{each.cell.variant} has its own objective, {each.own_objective}"
        for pair in differing
        for each in pair
        if each.own_objective is not None
    }
    if not brought:
        return ""
    said = ", ".join(sorted(brought))
    return f"; {said}: image pools are left out, and a difference is not the generator's alone"


def _differences(a: RunRecord, b: RunRecord) -> Iterator[str]:
    if a.schedule_hash == b.schedule_hash:
        return
    if a.data_fingerprint != b.data_fingerprint:
        yield f"data: {a.data_fingerprint} against {b.data_fingerprint} (other images, or other sizes)"
    rules_a, rules_b = _flat(a.protocol), _flat(b.protocol)
    for key in sorted(rules_a.keys() | rules_b.keys()):
        if key not in ("name", "summary") and rules_a.get(key) != rules_b.get(key):
            yield f"{key}: {rules_a.get(key, 'not set')} against {rules_b.get(key, 'not set')}"
    if a.data_fingerprint == b.data_fingerprint and rules_a == rules_b:
        yield f"schedule hash: {a.schedule_hash} against {b.schedule_hash} (made by other versions of bench)"


def _flat(rules: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """{"images": {"size": 64}} as {"images.size": 64}."""
    flat: dict[str, Any] = {}
    for key, value in rules.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {f"{prefix}{key}": value}
    return flat
