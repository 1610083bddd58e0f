"""Which runs are compared: those of two variants on the same data set, under one protocol, seed by seed.

A side may also be images of another program that were scored into a folder: they have no seeds.

Were both sides trained alike? The schedule hash says so; where it differs, this says in what.
"""

import contextlib
import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import BenchError, UsageError
from bench.names import command, in_part, unknown_name
from bench.runs.copies import copies_among
from bench.runs.folder import RunFolder, find_folders, find_runs, not_yet_translating
from bench.runs.records import RunRecord, Scores, is_there, read_scores

LOOK = "bench list runs; images of another program are kept by: bench score --real DIR --fake DIR --name NAME"
MOST_NAMED = 6
"""Names in one list of an error."""


@dataclass(frozen=True)
class Run:
    """A run folder and its record."""

    folder: RunFolder
    record: RunRecord

    @property
    def dataset(self) -> str:
        """The data set's name; one given by path is named by its folder."""
        return Path(self.record.cell.dataset).name


@dataclass(frozen=True)
class Images:
    """Scored images of another program: a folder with scores.json and without run.json."""

    folder: RunFolder
    scores: Scores

    @property
    def name(self) -> str:
        """The name that the scores were kept under."""
        return str(self.scores.card.get("name") or self.folder.path.name)

    @property
    def dataset(self) -> str:
        return str(self.scores.card.get("dataset", ""))

    @property
    def protocol(self) -> str:
        return str(self.scores.card.get("protocol", ""))


@dataclass(frozen=True)
class Chosen:
    """The finished runs of one side, or the images of another program in their place."""

    label: str
    runs: tuple[Run, ...]
    remarks: tuple[str, ...]
    """Runs that were left out, and why."""
    images: Images | None = None


@dataclass(frozen=True)
class RunsBySeed:
    """The runs of both sides on one data set, by seed; both have the same seeds, in rising order."""

    dataset: str
    protocols: tuple[str, ...]
    """One name, or both sides' where different schedules were allowed."""
    a: Mapping[int, Run]
    b: Mapping[int, Run]
    remarks: tuple[str, ...] = ()
    alone: tuple[int, int] = (0, 0)
    """How many seeds are finished of the first side alone, and of the second."""

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(self.a)


def choose_runs(text: str, root: Path, dataset: str | None, protocol: str | None) -> Chosen:
    """What `text` names: a folder with runs of one variant or with images of another program, else a variant
    below `root`, else the name of such images there.

    A folder that holds neither hides no variant of its name. Raises UsageError for a name that nothing has,
    BenchError where none of its runs is finished.
    """
    folder = Path(text)
    inside = find_runs(folder) if folder.is_dir() else []
    images = find_images(folder) if folder.is_dir() and not inside else []
    if images:
        return _chosen_images(text, images, dataset, protocol)
    runs, unread = _read(folder if inside else root)
    if inside:
        variants = sorted({run.record.cell.variant for run in runs})
        if len(variants) > 1:
            raise UsageError(f"{text} holds runs of several variants ({_names(variants)}). Name one of them.")
    else:
        named = [each for each in find_images(root) if text in (each.name, each.folder.path.name)]
        if named and not any(run.record.cell.variant == text for run in runs):
            return _chosen_images(text, named, dataset, protocol)
        if folder.is_dir() and not any(run.record.cell.variant in (text, _canonical(text)) for run in runs):
            return _chosen_images(text, [], dataset, protocol)
        runs = _of_variant(text, runs, root, {each.name for each in find_images(root)})
    wanted = [
        run
        for run in runs
        if dataset in (None, run.dataset, run.record.cell.dataset)
        and protocol in (None, run.record.cell.protocol)
    ]
    if not wanted:
        there = sorted({f"protocol {run.record.cell.protocol}, dataset {run.dataset}" for run in runs})
        raise UsageError(f"{text} has no runs of that protocol and dataset. It has: {_names(there)}.")
    done = tuple(run for run in wanted if run.record.status == "done")
    if not done:
        states = _names(f"{run.folder.path} ({standing(run)})" for run in wanted)
        raise BenchError(
            f"No run of {text} is finished: {states}. Finish it with: {command('run', '--variant', text)}"
        )
    left_out = [left_out_as(run) for run in wanted if run not in done]
    copies = copies_among((run.folder.path, run.record) for run in done)
    used = tuple(run for run in done if run.folder.path not in copies.used)
    return Chosen(used[0].record.cell.variant, used, (*unread, *left_out, *copies.remarks()))


def left_out_as(run: Run) -> str:
    """What is said of a run that is not finished."""
    return f"{run.folder.path} is {standing(run)}: left out"


def standing(run: Run) -> str:
    """The status of a run, and where it stands at copying."""
    return ", ".join(filter(None, (run.record.status, not_yet_translating(run.folder, run.record))))


def find_images(root: Path) -> list[Images]:
    """Every folder of scored images of other programs at or below `root` that can be read."""
    found = []
    for path in find_folders([root], {"run.json", "scores.json"}):
        folder = RunFolder(path)
        if is_there(folder.run_json):
            continue
        with contextlib.suppress(BenchError):
            found.append(Images(folder, read_scores(folder.scores_json)))
    return found


def _chosen_images(text: str, found: list[Images], dataset: str | None, protocol: str | None) -> Chosen:
    """The one folder of images that is meant. Raises UsageError where there is none, or are several."""
    wanted = [one for one in found if dataset in (None, one.dataset) and protocol in (None, one.protocol)]
    if not wanted:
        asked = " of that protocol and dataset" if found else ""
        raise UsageError(
            f"{text} holds no finished run and no scored images{asked}. Score images into a folder with: "
            "bench score --real DIR --fake DIR --name NAME"
        )
    if len(wanted) > 1:
        raise UsageError(
            f"{text} may be {len(wanted)} folders of images: {_names(one.folder.path for one in wanted)}. "
            "Name one of them."
        )
    return Chosen(wanted[0].name, (), (), wanted[0])


def group(a: Chosen, b: Chosen, allow_different_protocols: bool) -> list[RunsBySeed]:
    """The runs of both sides by data set and protocol, paired by seed.

    Raises BenchError where they have no data set, or no seed, in common; UsageError where a side was run
    under several protocols and none is common to both.
    """
    datasets = sorted({run.dataset for run in a.runs} & {run.dataset for run in b.runs})
    if not datasets:
        raise BenchError(
            f"{a.label} was run on {_names(run.dataset for run in a.runs)}, {b.label} on "
            f"{_names(run.dataset for run in b.runs)}: no data set in common. Train both on the same one: "
            + command("run", "--variant", b.label, "--dataset", a.runs[0].record.cell.dataset)
        )
    groups = []
    for dataset in datasets:
        of_a, of_b = _by_protocol(a, dataset), _by_protocol(b, dataset)
        for name_a, name_b in _protocol_pairs(of_a, of_b, dataset, allow_different_protocols):
            groups.append(
                _pair_seeds(dataset, (a.label, name_a, of_a[name_a]), (b.label, name_b, of_b[name_b]))
            )
    paired = [one for one in groups if one.seeds]
    if not paired:
        remarks = " ".join(remark + "." for one in groups for remark in one.remarks)
        raise BenchError(
            f"{a.label} and {b.label} have no seed in common, so nothing can be paired. {remarks} "
            "Run the missing seeds, for example: "
            + command("run", "--variant", b.label, "--seed", _a_seed(a))
        )
    return paired


def _read(root: Path) -> tuple[list[Run], list[str]]:
    runs, unread = [], []
    for folder in find_runs(root):
        try:
            runs.append(Run(folder, folder.read()))
        except BenchError as error:
            unread.append(f"{error} Left out")
    return runs, unread


def _of_variant(text: str, runs: list[Run], root: Path, images: Collection[str]) -> list[Run]:
    """The runs whose variant is `text` as written, or what `text` means in canonical spelling.

    Where there are none, the error names the variants and the `images` of other programs that there are.
    """
    if not runs:
        raise BenchError(
            f"There are no runs below {root}. Name their folder with --runs DIR, or make some with: "
            + command("run", "--variant", text if _is_variant(text) else "slot9")
        )
    present = {run.record.cell.variant for run in runs}
    name = text if text in present else _canonical(text)
    if name not in present:
        there = present | set(images)
        near = difflib.get_close_matches(text, there, n=MOST_NAMED, cutoff=0.0)
        shown = near if len(there) > MOST_NAMED else there
        rest = f"; {len(there) - len(shown)} more by: bench list runs" if len(shown) < len(there) else ""
        remedy = (
            f"{command('run', '--variant', text)}, to make one{rest}" if _is_variant(text) else LOOK + rest
        )
        raise unknown_name("name among the runs", text, shown, remedy)
    return [run for run in runs if run.record.cell.variant == name]


def _canonical(text: str) -> str:
    import variants

    try:
        return variants.canonical(text)
    except variants.VariantError:  # not a registered one: compared by its spelling alone
        return text


def _is_variant(text: str) -> bool:
    import variants

    try:
        variants.canonical(text)
    except variants.VariantError:
        return False
    return True


def _by_protocol(side: Chosen, dataset: str) -> dict[str, list[Run]]:
    protocols: dict[str, list[Run]] = {}
    for run in side.runs:
        if run.dataset == dataset:
            protocols.setdefault(run.record.cell.protocol, []).append(run)
    return protocols


def _protocol_pairs(
    a: Mapping[str, object], b: Mapping[str, object], dataset: str, allow_different: bool
) -> list[tuple[str, str]]:
    common = sorted(a.keys() & b.keys())
    if common:
        return [(name, name) for name in common]
    if not allow_different:
        raise BenchError(
            f"On {dataset} one side was run under protocol {_names(a)}, the other under {_names(b)}: their "
            "difference would be the protocols' as well. Run both under one protocol, or add "
            "--allow-different-schedules to compare them all the same, marked."
        )
    if len(a) > 1 or len(b) > 1:
        raise UsageError(
            f"On {dataset} there are runs under {_names(a)} and under {_names(b)}. Give folders of single "
            "protocols in place of variant names."
        )
    return [(next(iter(a)), next(iter(b)))]


def _pair_seeds(dataset: str, a: tuple[str, str, list[Run]], b: tuple[str, str, list[Run]]) -> RunsBySeed:
    (label_a, protocol_a, runs_a), (label_b, protocol_b, runs_b) = a, b
    by_seed_a = {run.record.cell.seed: run for run in runs_a}
    by_seed_b = {run.record.cell.seed: run for run in runs_b}
    common = sorted(by_seed_a.keys() & by_seed_b.keys())
    remarks = tuple(
        f"on {dataset} only {label} has {'seed' if len(only) == 1 else 'seeds'} {_names(only)}"
        for label, only in (
            (label_a, sorted(by_seed_a.keys() - by_seed_b.keys())),
            (label_b, sorted(by_seed_b.keys() - by_seed_a.keys())),
        )
        if only
    )
    protocols = (protocol_a,) if protocol_a == protocol_b else (protocol_a, protocol_b)
    pick = ({seed: by_seed_a[seed] for seed in common}, {seed: by_seed_b[seed] for seed in common})
    alone = (len(by_seed_a) - len(common), len(by_seed_b) - len(common))
    return RunsBySeed(dataset, protocols, *pick, remarks, alone)


def _a_seed(side: Chosen) -> int:
    return min(run.record.cell.seed for run in side.runs)


def _names(values: Iterable[object]) -> str:
    """The first names, and how many more there are: an error is read on one screen."""
    return in_part(sorted({str(value) for value in values}), MOST_NAMED)


def check_schedules(group: RunsBySeed, allow_different: bool) -> tuple[str, ...]:
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


def check_traces(group: RunsBySeed) -> str:
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
    one, other = a.trained_by, b.trained_by
    if a.own_objective == b.own_objective and one and other and one.hash != other.hash:
        yield f"source of the objective: {one.hash} against {other.hash} ({one.name} was edited)"
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
