"""Which runs are compared: those of two variants on the same data set, under one protocol, seed by seed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.errors import BenchError, UsageError
from bench.names import unknown_name
from bench.runs.folder import RunFolder, find_runs
from bench.runs.record import RunRecord


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
class Chosen:
    """The finished runs of one side."""

    label: str
    runs: tuple[Run, ...]
    remarks: tuple[str, ...]
    """Runs that were left out, and why."""


@dataclass(frozen=True)
class Group:
    """The runs of both sides on one data set, by seed; both have the same seeds, in rising order."""

    dataset: str
    protocols: tuple[str, ...]
    """One name, or both sides' where different schedules were allowed."""
    a: Mapping[int, Run]
    b: Mapping[int, Run]
    remarks: tuple[str, ...] = ()

    @property
    def seeds(self) -> tuple[int, ...]:
        return tuple(self.a)


def choose(text: str, root: Path, dataset: str | None, protocol: str | None) -> Chosen:
    """The finished runs that `text` names: a variant below `root`, or a folder that holds runs of one.

    Raises UsageError for a variant without runs, BenchError where none of its runs is finished.
    """
    folder = Path(text)
    runs, unread = _read(folder if folder.is_dir() and find_runs(folder) else root)
    if folder.is_dir() and runs:
        variants = sorted({run.record.cell.variant for run in runs})
        if len(variants) > 1:
            raise UsageError(
                f"{text} holds runs of several variants ({', '.join(variants)}). Name one of them."
            )
    else:
        runs = _of_variant(text, runs, root)
    wanted = [
        run
        for run in runs
        if dataset in (None, run.dataset, run.record.cell.dataset)
        and protocol in (None, run.record.cell.protocol)
    ]
    if not wanted:
        there = sorted({f"protocol {run.record.cell.protocol}, dataset {run.dataset}" for run in runs})
        raise UsageError(f"{text} has no runs of that protocol and dataset. It has: {'; '.join(there)}.")
    done = tuple(run for run in wanted if run.record.status == "done")
    if not done:
        states = ", ".join(f"{run.folder.path} ({run.record.status})" for run in wanted)
        raise BenchError(
            f"No run of {text} is finished: {states}. Finish it with: bench run --variant {text}"
        )
    left_out = [f"{run.folder.path} is {run.record.status}: left out" for run in wanted if run not in done]
    return Chosen(done[0].record.cell.variant, done, (*unread, *left_out))


def group(a: Chosen, b: Chosen, allow_different_protocols: bool) -> list[Group]:
    """The runs of both sides by data set and protocol, paired by seed.

    Raises BenchError where they have no data set, or no seed, in common; UsageError where a side was run
    under several protocols and none is common to both.
    """
    datasets = sorted({run.dataset for run in a.runs} & {run.dataset for run in b.runs})
    if not datasets:
        raise BenchError(
            f"{a.label} was run on {_names(run.dataset for run in a.runs)}, {b.label} on "
            f"{_names(run.dataset for run in b.runs)}: no data set in common. Train both on the same one: "
            f"bench run --variant {b.label} --dataset {a.runs[0].dataset}"
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
            f"Run the missing seeds, for example: bench run --variant {b.label} --seed {_a_seed(a)}"
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


def _of_variant(text: str, runs: list[Run], root: Path) -> list[Run]:
    """The runs whose variant is `text` as written, or what `text` means in canonical spelling."""
    if not runs:
        raise BenchError(
            f"There are no runs below {root}. Make some with: bench run --variant {text}, or name their "
            "folder with --runs DIR"
        )
    present = {run.record.cell.variant for run in runs}
    name = text if text in present else _canonical(text)
    if name not in present:
        raise unknown_name(
            "variant among the runs", text, present, f"bench run --variant {text}, to make one"
        )
    return [run for run in runs if run.record.cell.variant == name]


def _canonical(text: str) -> str:
    import variants

    try:
        return variants.canonical(text)
    except variants.VariantError:  # not a registered one: compared by its spelling alone
        return text


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


def _pair_seeds(dataset: str, a: tuple[str, str, list[Run]], b: tuple[str, str, list[Run]]) -> Group:
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
    return Group(dataset, protocols, *pick, remarks)


def _a_seed(side: Chosen) -> int:
    return min(run.record.cell.seed for run in side.runs)


def _names(values: Iterable[object]) -> str:
    return ", ".join(sorted({str(value) for value in values}))
