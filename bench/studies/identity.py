"""Is the run in this folder the one that is asked for?"""

import shlex
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import variants
from bench.cell import Cell
from bench.errors import BenchError
from bench.runs.folder import RunFolder
from bench.runs.record import Environment, FeatureWeights, GeneratorRecord, RunRecord
from variants.provenance import changed_files

IDENTITY = ("cell", "protocol", "data_fingerprint", "schedule_hash", "parameters")
"""The parts of a record that say which run it is; the others say how it went."""
NO_RULES = ("name", "summary")
"""Parts of the protocol that may change: a folder is found by the name, and the summary is for readers."""
ASPECTS = ("threads", "device", "cpu", "precision", "compiled", "deterministic")
"""Parts of the environment that may change how a result is rounded."""
OTHER_IMAGES = (
    "The images are not those of this run. If they are another data set, give its folder another name. "
)


def refuse_another_cell(folder: RunFolder, existing: RunRecord, asked: RunRecord) -> None:
    """Raise BenchError with a diff of the two when `existing` is the run of another cell than `asked`."""
    differences = difference(identity(existing), identity(asked))
    other_images = existing.data_fingerprint != asked.data_fingerprint
    if not other_images:  # wherever they lie, and however that is spelled
        differences = [each for each in differences if each[0] != "cell.dataset"]
    if differences:
        lines = "\n".join(f"  {name}: here {here!r}, asked {there!r}" for name, here, there in differences)
        raise BenchError(
            f"{folder.path} holds the run of another cell:\n{lines}\n{OTHER_IMAGES if other_images else ''}"
            "Choose another folder with --runs, or remove this one."
        )


def identity(record: RunRecord) -> dict[str, Any]:
    """The identifying parts of a record as plain JSON values."""
    parts = record.model_dump(mode="json", include=set(IDENTITY))
    parts["protocol"] = {key: value for key, value in parts["protocol"].items() if key not in NO_RULES}
    return parts


def refuse_other_makings(folder: RunFolder, existing: RunRecord, asked: RunRecord) -> None:
    """Raise BenchError where the run was made by another generator or feature weights than are there now.

    What an older record does not tell cannot be held against anything.
    """
    reasons = [
        *other_generator(existing.generator, asked.generator),
        *other_weights(folder, existing.feature_weights, asked.feature_weights),
    ]
    if reasons:
        how_far = f"was finished on {existing.finished}" if existing.status == "done" else "is not finished"
        raise BenchError(
            f"{folder.path} {how_far} and belongs to something else than is there now:\n"
            + "\n".join(f"  {reason}" for reason in reasons)
            + "\nTo keep it, repeat the command with another folder: --runs DIR. To remove it: "
            f"{shlex.join(['rm', '-r', str(folder.path)])}"
        )


def other_generator(before: GeneratorRecord | None, now: GeneratorRecord | None) -> list[str]:
    """How the source of a generator that is not ours differs from the recorded one."""
    if before is None or now is None or before.hash == now.hash:
        return []
    changed = ", ".join(changed_files(before.files, now.files))
    had = f"its source had the hash {before.hash}, now {now.hash}"
    return [f"{before.origin} {before.name}: {had} ({changed})"]


def other_weights(folder: RunFolder, before: FeatureWeights | None, now: FeatureWeights | None) -> list[str]:
    """How the feature network's weights differ from the recorded ones."""
    if before is None or now is None or before == now:
        return []
    again = shlex.join(["bench", "score", str(folder.path), "--weights", "FILE"])
    return [
        f"feature weights of {before.network}: their SHA-256 began with {before.sha256[:16]}, now with "
        f"{now.sha256[:16]}. Name the file of then with --weights; a finished run is scored again by: {again}"
    ]


def finished_remarks(record: RunRecord, now: Environment) -> list[str]:
    """What is said of a run that was finished before: that nothing was run, and what is another now."""
    found = [f"This run was finished on {record.finished}: nothing was run, and what follows is of then."]
    if differing := changes(record.environment, now):
        found.append(f"Now there is another {', another '.join(differing)}.")
    return found


def has_begun(folder: RunFolder, record: RunRecord) -> bool:
    """Whether anything is there that a generator has learned: without, a run may begin anew with another."""
    return record.status == "done" or folder.generator.exists() or any(folder.checkpoints.glob("*.pt"))


def changes(before: Environment, now: Environment) -> list[str]:
    """What of the machine and the software is not as it was, each as `torch 2.14.0, then 2.15.0`."""
    found = [
        (aspect, getattr(before, aspect), getattr(now, aspect))
        for aspect in ASPECTS
        if getattr(before, aspect) is not None
    ]
    found.append(("version of bench", before.bench, now.bench))
    if before.git_commit and now.git_commit:
        found.append(("commit of bench", commit(before), commit(now)))
    found += [
        (f"version of {package}", version, now.versions[package])
        for package, version in before.versions.items()
        if package in now.versions
    ]
    return [f"{name} ({one}, then {other})" for name, one, other in found if one != other]


def commit(environment: Environment) -> str:
    """The commit of bench in short, with a word where files differed from it."""
    short = (environment.git_commit or "unknown")[:12]
    return f"{short} with changes" if environment.git_dirty else short


def difference(here: Any, asked: Any, name: str = "") -> list[tuple[str, Any, Any]]:
    """(dotted name, value here, value asked) of every leaf in which two JSON values differ."""
    if isinstance(here, dict) and isinstance(asked, dict):
        found = []
        for key in sorted(here.keys() | asked.keys()):
            inner = f"{name}.{key}" if name else key
            found += difference(here.get(key), asked.get(key), inner)
        return found
    return [] if here == asked else [(name, here, asked)]


def changed_rules(cells: Iterable[Cell], runs: Path) -> tuple[str, ...]:
    """A sentence for every way in which recorded runs of `cells` were made under other rules than theirs."""
    found: dict[str, list[Path]] = defaultdict(list)
    for cell in cells:
        folder = RunFolder(cell.folder(runs))
        try:
            changes = rule_changes(folder.read(), cell)
        except BenchError:
            continue  # not begun, or damaged: the report says which
        if changes:
            found["; ".join(f"{name} was {then!r}, is {now!r}" for name, then, now in changes)].append(
                folder.path
            )
    return tuple(
        f"Made under other rules than the study has now ({changes}): {places[0]}"
        + (f" and {len(places) - 1} more" if places[1:] else "")
        for changes, places in found.items()
    )


def rule_changes(record: RunRecord, cell: Cell) -> list[tuple[str, Any, Any]]:
    """(rule or parameter, value then, value now) wherever a record's differ from its cell's."""
    rules = {key: value for key, value in record.protocol.items() if key not in NO_RULES}
    asked = cell.protocol.model_dump(mode="json", exclude=set(NO_RULES))
    parameters = variants.resolved_parameters(cell.variant, cell.protocol.model)
    return difference(rules, asked) + difference(record.parameters, as_recorded(parameters), "parameters")


def as_recorded(parameters: dict[str, Any]) -> dict[str, Any]:
    """A variant's parameters as they come back from a record: JSON knows no tuples."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in parameters.items()}
