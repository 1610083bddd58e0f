"""Hold one checkout against another on one machine: do the same commands leave the same numbers?

    python tests/soak/freeze.py BEFORE AFTER --work DIR [--quick]

BEFORE and AFTER are checkouts with an environment in `.venv`, as `make` leaves it. Each trains the study
`smoke`, every variant and baseline shortly, every protocol shortly, and writes the report of the miniature
runs that BEFORE keeps for its tests. What DIR already holds of a checkout is not made again.

Compared are records, scores, losses, per-image tables, validation, weights (bit for bit) and both reports.
Left out are dates, durations, memory, versions and processor. A key that AFTER adds to a JSON file is named
and allowed; all else that differs is printed, and the exit code is then 1. Not part of `make test`.
"""

import argparse
import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SHORT = ("train.images_seen=8", "images.per_domain=12", "images.test=6", "images.validation=4",
         "score.kid_subset_size=4", "score.samples=2")  # fmt: skip
NARROW = ("model.width=8", "model.blocks=1", "model.slot_size=8", 'model.encoder="4-4-4-8"', "images.size=32",
          "images.load_size=36", "train.discriminator_width=8", "train.validations=2")  # fmt: skip
LEFT_OUT = {"seconds", "started", "finished", "environment", "sessions", "git_commit", "git_dirty", "cpu",
            "versions", "threads", "bench", "written", "peak_memory_bytes", "commit", "commits"}  # fmt: skip
"""Keys of JSON files and columns of CSV files that no two runs have in common."""
COMPARED = ("run.json", "scores.json", "losses.csv", "images.csv", "validation.csv", "generator.safetensors")


def main() -> int:
    """Make what is missing in both checkouts, compare, and print what differs."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("--work", type=Path, required=True, help="where the runs of both are kept")
    parser.add_argument("--quick", action="store_true", help="leave the study `smoke` out")
    options = parser.parse_args()
    before, after = options.before.resolve(), options.after.resolve()
    work = options.work.resolve()
    asked = list(commands(before, quick=options.quick))
    for side, checkout in (("before", before), ("after", after)):
        for name, words in asked:
            make(checkout, work / side / name, words)
    found = [line for name, _ in asked for line in differences(work / "before" / name, work / "after" / name)]
    for line in found:
        print(line)
    differing = [line for line in found if not line.startswith("added")]
    print(f"{len(asked)} commands, {len(differing)} differences", file=sys.stderr)
    return 1 if differing else 0


def commands(before: Path, *, quick: bool) -> Iterator[tuple[str, list[str]]]:
    """A name and the words of every command; `OUT` stands for the folder of its results."""
    data, features = ["--dataset", "toy-stripes"], ["--features", "tiny"]
    if not quick:
        yield "study", ["study", "smoke", "--runs", "OUT"]
    for variant in listed(before, "variants") + listed(before, "baselines"):
        protocol = ["--protocol", "smoke", *changes(SHORT)]
        yield f"variant-{variant}", ["run", "--variant", variant, *data, *protocol, "--runs", "OUT"]
    for protocol in listed(before, "protocols"):
        words = ["run", "--variant", "slot5", *data, "--protocol", protocol, *changes(SHORT + NARROW)]
        yield f"protocol-{protocol}", [*words, *features, "--runs", "OUT"]
    miniature = str(before / "tests" / "reports" / "golden" / "runs")
    yield "miniature", ["report", miniature, "--out", "OUT"]


def changes(rules: tuple[str, ...]) -> list[str]:
    """The options that set rules of a protocol."""
    return [word for rule in rules for word in ("--set", rule)]


def listed(checkout: Path, kind: str) -> list[str]:
    """What `bench list` names."""
    words = [checkout / ".venv/bin/bench", "list", kind, "--json"]
    rows = json.loads(subprocess.run(words, check=True, capture_output=True, text=True).stdout)
    return [row["name"] if isinstance(row, dict) else row for row in rows]


def make(checkout: Path, out: Path, words: list[str]) -> None:
    """Run a command of a checkout unless its results are there; a command that fails ends all."""
    done = out.with_name(f"{out.name}.done")
    if done.exists():
        return
    out.mkdir(parents=True, exist_ok=True)
    print(f"{checkout.name}: bench {' '.join(words)}", file=sys.stderr, flush=True)
    filled = [str(out) if word == "OUT" else word for word in words]
    subprocess.run(
        [checkout / ".venv/bin/bench", *filled], check=True, stdout=subprocess.DEVNULL, cwd=out.parent
    )
    done.touch()


def differences(before: Path, after: Path) -> Iterator[str]:
    """What differs between two folders of results, a line each."""
    kept = {path.relative_to(before) for name in COMPARED for path in before.rglob(name)}
    kept |= {
        path.relative_to(before) for name in ("report.md", "results.json") for path in before.rglob(name)
    }
    if not kept:
        yield f"{before.name}: nothing to compare"
    for path in sorted(kept):
        where = f"{before.name}/{path}"
        if not (after / path).is_file():
            yield f"{where}: missing"
        elif path.suffix == ".json":
            pair = [json.loads((side / path).read_text(encoding="utf-8")) for side in (before, after)]
            yield from json_differences(where, *pair)
        elif path.suffix == ".csv":
            pair = [table(side / path) for side in (before, after)]
            yield from json_differences(where, *pair)
        elif (before / path).read_bytes() != (after / path).read_bytes():
            yield f"{where}: other content"


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def json_differences(where: str, before: Any, after: Any) -> Iterator[str]:
    """What differs between two JSON values; keys that were added are allowed."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in before.keys() - LEFT_OUT:
            if key.startswith("seconds"):
                continue
            if key not in after:
                yield f"{where}: {key} is gone"
            else:
                yield from json_differences(f"{where}: {key}", before[key], after[key])
        for key in sorted(after.keys() - before.keys()):
            yield f"added {where}: {key}"
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from json_differences(f"{where}[{number}]", one, other)
    elif before != after:
        yield f"{where}: {shortened(before)} became {shortened(after)}"


def shortened(value: Any) -> str:
    """A value in at most 60 characters."""
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


if __name__ == "__main__":
    sys.exit(main())
