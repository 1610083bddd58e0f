"""Generators that are not ours: what a run records of them, and what is made sure before they are trained."""

import contextlib
import shlex
import sys
from pathlib import Path

import variants
from bench.cell import Cell
from bench.data.places import cache_root
from bench.errors import BenchError
from bench.protocol import content_hash
from bench.runs import atomic
from bench.runs.environment import versions
from bench.runs.record import GeneratorRecord, RunRecord
from variants import conformance
from variants.catalogue import find
from variants.conformance import AS_BEFORE
from variants.provenance import changed_files, digest, provenance


class NotConforming(BenchError):
    """A generator fails the conformance suite."""


def generator_record(cell: Cell) -> GeneratorRecord | None:
    """What is known of a generator before it is built; None for one of ours."""
    found = provenance(cell.variant)
    if found is None:
        return None
    own = variants.describe(cell.variant).parameters
    return GeneratorRecord(
        origin=found.origin,
        name=found.name,
        hash=found.hash,
        files=found.files,
        model_without_effect=[key for key in cell.protocol.model if key not in own],
    )


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


def checked_as(cell: Cell, generator: GeneratorRecord) -> str:
    """16 hex digits over what a check depends on."""
    return content_hash(
        {
            "source": generator.hash,
            "variant": cell.variant,
            "suite": digest(Path(conformance.__file__)),
            "versions": versions(),
        }
    )
