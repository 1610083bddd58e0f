"""Is the run in this folder the one that is asked for, and made by the generator that is there now?

Of generators that are not ours: what a run records of them, and what is made sure before they are trained.
"""

import contextlib
import shlex
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import variants
from bench.cell import Cell
from bench.data.files import cache_root
from bench.errors import BenchError
from bench.names import and_more
from bench.protocol import Protocol, content_hash, load_protocol, protocol_names
from bench.runs import atomic
from bench.runs.folder import RunFolder
from bench.runs.records import Environment, FeatureWeights, GeneratorRecord, RunRecord, SourceRecord
from bench.setup import versions
from variants.registry.catalogue import find
from variants.registry.checks import AS_BEFORE
from variants.registry.provenance import Provenance, changed_files, digest, of_thing, provenance

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
    differences = json_difference(identity(existing), identity(asked))
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
    """Raise BenchError where the run was made by another generator, objective or feature weights than now.

    What an older record does not tell cannot be held against anything.
    """
    reasons = [
        *other_source(existing.generator, asked.generator),
        *other_source(existing.trained_by, asked.objective_source),
        *other_weights(folder, existing.feature_weights, asked.feature_weights),
        *other_masks(existing.data.get("masks_fingerprint"), asked.data.get("masks_fingerprint")),
    ]
    if reasons:
        how_far = f"was finished on {existing.finished}" if existing.status == "done" else "is not finished"
        raise BenchError(
            f"{folder.path} {how_far} and belongs to something else than is there now:\n"
            + "\n".join(f"  {reason}" for reason in dict.fromkeys(reasons))  # one file may bring both
            + "\nTo keep it, repeat the command with another folder: --runs DIR. To remove it: "
            f"{shlex.join(['rm', '-r', str(folder.path)])}"
        )


def other_source(before: SourceRecord | None, now: SourceRecord | None) -> list[str]:
    """How the source of what is not ours differs from the recorded one."""
    if before is None or now is None or before.hash == now.hash:
        return []
    changed = ", ".join(changed_files(before.files, now.files))
    had = f"its source had the hash {before.hash}, now {now.hash}"
    return [f"{before.origin} {before.name}: {had} ({changed})"]


def other_masks(before: str | None, now: str | None) -> list[str]:
    """How the foreground masks of the data set differ from the recorded ones."""
    if before is None or before == now:
        return []
    there = f"now it begins with {now[:16]}" if now else "now there are none"
    return [f"masks of the data set: their fingerprint began with {before[:16]}, {there}."]


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


def json_difference(here: Any, asked: Any, name: str = "") -> list[tuple[str, Any, Any]]:
    """(dotted name, value here, value asked) of every leaf in which two JSON values differ."""
    if isinstance(here, dict) and isinstance(asked, dict):
        found = []
        for key in sorted(here.keys() | asked.keys()):
            inner = f"{name}.{key}" if name else key
            found += json_difference(here.get(key), asked.get(key), inner)
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
        f"Made under other rules than the study has now ({changes}): {places[0]}" + and_more(len(places) - 1)
        for changes, places in found.items()
    )


def rule_changes(record: RunRecord, cell: Cell) -> list[tuple[str, Any, Any]]:
    """(rule or parameter, value then, value now) wherever a record's differ from its cell's."""
    rules = {key: value for key, value in record.protocol.items() if key not in NO_RULES}
    asked = cell.protocol.model_dump(mode="json", exclude=set(NO_RULES))
    parameters = variants.recorded_parameters(cell.variant, cell.protocol.model)
    return json_difference(rules, asked) + json_difference(
        record.parameters, as_recorded(parameters), "parameters"
    )


def as_recorded(parameters: dict[str, Any]) -> dict[str, Any]:
    """A variant's parameters as they come back from a record: JSON knows no tuples."""
    return {key: list(value) if isinstance(value, tuple) else value for key, value in parameters.items()}


class NotConforming(BenchError):
    """A generator fails the conformance suite."""


def generator_record(cell: Cell) -> GeneratorRecord | None:
    """What is known of a generator before it is built; None for one of ours."""
    found = provenance(cell.variant)
    if found is None:
        return None
    own = variants.describe(cell.variant).parameters
    return GeneratorRecord(
        **source_record(found).model_dump(),
        model_without_effect=[key for key in cell.protocol.model if key not in own],
    )


def objective_source(variant: str, protocol: Protocol) -> SourceRecord | None:
    """Where the code of the objective comes from that a variant is trained with; None for one of ours.

    Those that shipped protocols name, and those of our own baselines, are known to be ours without torch.
    """
    own = variants.describe(variant).objective
    if own is not None and provenance(variant) is None:
        return None
    name = own or protocol.train.objective
    if any(load_protocol(each).train.objective == name for each in protocol_names()):
        return None
    from bench.training.objective import OBJECTIVES

    found = of_thing(OBJECTIVES.find(name).make)
    return None if found is None else source_record(found)


def source_record(found: Provenance) -> SourceRecord:
    """What a run keeps of where code comes from."""
    return SourceRecord(origin=found.origin, name=found.name, hash=found.hash, files=found.files)


def remarks_on(cell: Cell, generator: GeneratorRecord | None) -> list[str]:
    """What a reader of the results should know of a generator that is not ours."""
    if generator is None or not generator.model_without_effect:
        return []
    rules = ", ".join(f"{key}={cell.protocol.model[key]}" for key in generator.model_without_effect)
    return [
        f"{cell.variant} has no parameter of these names, so what the protocol's [model] sets for all others "
        f"does not hold for it: {rules}. Compare its parameters and GFLOP with theirs."
    ]


def changed_since(record: RunRecord) -> str | None:
    """How the generator of a run differs from that of now, in a sentence; None where it does not.

    Our own are known by their commit, and what an older record does not tell cannot differ.
    """
    now = provenance(record.cell.variant)
    before = record.generator
    if before is None or now is None or before.hash == now.hash:
        return None
    changed = ", ".join(changed_files(before.files, now.files))
    return (
        f"{before.origin} {before.name} has changed since the run was begun on {record.started}: its source "
        f"had the hash {before.hash}, now {now.hash} ({changed})"
    )


def conforming(cell: Cell, generator: GeneratorRecord, unchecked: bool) -> GeneratorRecord:
    """Make the quick part of the conformance suite, once for one source; returns the record with its outcome.

    Raises NotConforming where a check fails, unless `unchecked`: what failed is then printed and recorded.
    """
    if generator.checks is not None:
        return generator
    failed = {} if passed_before(cell, generator) else failures(cell)
    if not failed:
        remember_passed(cell, generator)
        return generator.model_copy(update={"checks": "passed"})
    told = "\n".join(f"  {name}: {detail}" for name, detail in failed.items())
    if not unchecked:
        raise NotConforming(
            f"{cell.variant} of {generator.name} does not keep the contract of generators:\n{told}\n"
            f"Mend it, with the help of: {check_command(cell)}\n"
            "Or train it as it is, which the run records: --unchecked"
        )
    print(f"{cell.variant} is trained although it fails:\n{told}", file=sys.stderr, flush=True)
    return generator.model_copy(update={"checks": "unchecked", "failed_checks": failed})


def failures(cell: Cell) -> dict[str, str]:
    """Check -> what it found, of the quick checks that a generator fails."""
    found = variants.check(cell.variant, quick=True)
    named = {each.name: each.detail for each in found if not each.passed}
    return {name: detail for name, detail in named.items() if not told_before(detail, named)}


def told_before(detail: str, failed: dict[str, str]) -> bool:
    """Whether the detail of a failed check only points to that of another one."""
    return detail.startswith(AS_BEFORE) and detail.removeprefix(AS_BEFORE) in failed


def check_command(cell: Cell) -> str:
    """The command that shows every check."""
    plugin = find(variants.parse(cell.variant).name).file
    return shlex.join(["bench", "check", cell.variant, *(["--plugin", str(plugin)] if plugin else [])])


def passed_before(cell: Cell, generator: GeneratorRecord) -> bool:
    """Whether this very source has passed on this machine, for example in another cell of the study."""
    return (cache_root() / "conformance" / checked_as(cell, generator)).is_file()


def remember_passed(cell: Cell, generator: GeneratorRecord) -> None:
    """Keep that a source has passed; where that cannot be written, it is checked again another time."""
    with contextlib.suppress(BenchError, OSError):
        atomic.write_text(cache_root() / "conformance" / checked_as(cell, generator), "passed\n")


SUITE = ("conformance.py", "registry/checks.py")
"""The files of `variants` that say what a generator has to pass."""


def checked_as(cell: Cell, generator: GeneratorRecord) -> str:
    """16 hex digits over what a check depends on."""
    return content_hash(
        {
            "source": generator.hash,
            "variant": cell.variant,
            "suite": [digest(Path(variants.__file__).parent / each) for each in SUITE],
            "versions": versions(),
        }
    )
