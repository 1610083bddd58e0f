"""The commands as functions, for notebooks and other programs: `import bench`, then `bench.run("slot9")`.

Names, defaults and errors are those of the commands, which call these functions: `--skip-bad-images` is the
argument `skip_bad_images`, an option that may be repeated takes one value or several. What comes back shows
itself as a table in a notebook and holds the numbers as data: `frame()` is a pandas DataFrame. Nothing that
is slow to import, such as torch, is imported before a function needs it.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from bench.api.arguments import Place, Places, Texts, checked
from bench.api.sheets import Compared, ReportPage, ScoreSheet
from bench.errors import BenchError, UsageError, announce
from bench.runs.folder import RunFolder
from bench.runs.records import DIRECTIONS, read_scores

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import pandas as pd

    from bench.progress import ProgressReport

DEFAULT_RUNS = "runs"


@checked
def run(
    variant: str,
    dataset: Place = "toy-stripes",
    protocol: Place = "smoke",
    seed: int = 0,
    *,
    set: Texts = (),
    features: str | None = None,
    weights: Place | None = None,
    device: str = "auto",
    threads: int | None = None,
    runs: Place = DEFAULT_RUNS,
    plugin: Places = (),
    skip_bad_images: bool = False,
    compile: bool = False,
    deterministic: bool = False,
    precision_fallback: bool = False,
    unchecked: bool = False,
    tensorboard: bool = False,
    track: Texts = (),
    dry_run: bool = False,
    progress: "ProgressReport | None" = None,
) -> ScoreSheet:
    """Train a variant under a protocol, score it, and leave everything in a run folder.

    A finished run is left as it is, an interrupted one continues. With `dry_run` nothing is done, and the
    sheet has the record alone. Raises UsageError or VariantError for a wrong request, BenchError where the
    work cannot be done, and `bench.signals.Stopped` where it was asked to stop.
    """
    from bench.cell import HIGHEST_SEED
    from bench.protocol import shipped_namesake
    from bench.runs.atomic import require_writable
    from bench.setup import MOST_THREADS
    from bench.studies.grid import make_cell

    load_plugins(plugin)
    require_whole("seed", seed, 0, HIGHEST_SEED)
    require_whole("threads", threads, 1, MOST_THREADS)
    require_features(features)
    changes = (*several(set), *([f"score.features={features}"] if features else []))
    cell = make_cell(os.fspath(protocol), os.fspath(dataset), variant, seed, changes)
    root = Path(runs)
    announce(f"{cell} -> {cell.folder(root)}")
    if namesake := shipped_namesake(os.fspath(protocol), changes, cell.protocol):
        announce(f"note: {namesake}.")
    if not dry_run:
        require_writable(root, "--runs", locks=True)

    from bench.scoring.summarise import metrics_now
    from bench.setup import Execution, resolve_device, use_threads
    from bench.studies.execute import Machine, environment_of, execute, preview
    from bench.studies.identity import finished_remarks
    from bench.studies.plan import foretold_cost
    from bench.tracking import tracker_names

    execution = Execution(
        compile=compile,
        deterministic=deterministic,
        precision_fallback=precision_fallback,
        unchecked=unchecked,
        trackers=tracker_names(tensorboard, several(track)),
    )
    machine = Machine(
        resolve_device(device), use_threads(threads), maybe_path(weights), skip_bad_images, execution
    )
    folder = cell.folder(root)
    if not RunFolder(folder).is_done() and (cost := foretold_cost(cell, root)):
        announce(f"cost: {cost}")
    if not dry_run and not RunFolder(folder).run_json.exists():  # said once, before the first step
        from bench.profiling.signal_chain import foretold

        chain = foretold(cell.variant, cell.protocol, seed)
        if chain is not None and chain.verdict != "awake":
            announce(f"note: {chain.in_words}")
    with bars_or(progress) as report:
        if dry_run:
            return ScoreSheet(folder, None, preview(cell, machine, report))
        finished_before = RunFolder(folder).is_done()
        record = execute(cell, root, machine, report)
    if finished_before:
        remarks = [*finished_remarks(record, environment_of(cell, machine)), *metrics_now(RunFolder(folder))]
        for remark in remarks:
            announce(remark)
    return sheet_of(folder)


@checked
def score(
    real: Place | None = None,
    fake: Place | None = None,
    *,
    run: Place | None = None,
    source: Place | None = None,
    floor: Place | None = None,
    pattern: str | None = None,
    source_pattern: str | None = None,
    real_pattern: str | None = None,
    recursive: bool = False,
    published: str | None = None,
    checkpoint: Place | None = None,
    direction: str = "A2B",
    features: str | None = None,
    weights: Place | None = None,
    size: int | None = None,
    subset_size: int | None = None,
    name: str | None = None,
    dataset: Place | None = None,
    protocol: Place | None = None,
    out: Place | None = None,
    device: str = "auto",
    threads: int | None = None,
    runs: Place = DEFAULT_RUNS,
    plugin: Places = (),
    progress: "ProgressReport | None" = None,
) -> ScoreSheet:
    """Score folders of images of any origin, a finished run again, or a published checkpoint.

    One of: `real` and `fake`, `run`, `published` with `checkpoint`. Raises UsageError for a wrong request,
    BenchError where images or weights are missing or cannot be read.
    """
    from bench.api.measuring import ScoreOptions, score_checkpoint, score_images
    from bench.scoring.folders import Folders
    from bench.setup import MOST_THREADS, resolve_device, use_threads
    from bench.studies.execute import rescore

    load_plugins(plugin)
    require_features(features)
    require_whole("threads", threads, 1, MOST_THREADS)
    require_whole("size", size, 8, 2**14)
    require_whole("subset_size", subset_size, 2, 10**6)
    given = [run is not None, real is not None or fake is not None, bool(published or checkpoint)]
    if given.count(True) != 1:
        raise UsageError(
            "Give one of: folders of runs; --real DIR with --fake DIR; --published SYSTEM with --checkpoint "
            "FILE."
        )
    if not given[1]:
        refuse_given(
            "is for folders of images: give --real DIR and --fake DIR.",
            source=source,
            floor=floor,
            pattern=pattern,
            source_pattern=source_pattern,
            real_pattern=real_pattern,
            recursive=recursive or None,
            size=size,
        )
    if run is not None:
        refuse_given(
            "is not for finished runs: a run has its data set and protocol, and keeps its scores in its own "
            "folder.",
            name=name,
            out=out,
            dataset=dataset,
            protocol=protocol,
            subset_size=subset_size,
        )
    if source is None:
        refuse_given(
            "chooses among the images of --source DIR: give that, too.", source_pattern=source_pattern
        )
    use_threads(threads)
    where = resolve_device(device)
    if run is not None:
        with bars_or(progress) as report:
            rescore(Path(run), features, maybe_path(weights), device=where, progress=report)
        return sheet_of(Path(run))
    options = ScoreOptions(
        direction,
        features,
        maybe_path(weights),
        subset_size,
        name,
        maybe_text(dataset),
        maybe_text(protocol),
        maybe_path(out),
        Path(runs),
        where,
    )
    if given[1] and (real is None or fake is None):
        raise UsageError("Give both --real DIR and --fake DIR.")
    with bars_or(progress) as report:
        if real is None or fake is None:
            return score_checkpoint(published, maybe_path(checkpoint), options, report)
        images = Folders(
            Path(real),
            Path(fake),
            maybe_path(source),
            maybe_path(floor),
            pattern,
            source_pattern,
            real_pattern,
            recursive,
        )
        return score_images(images, size, options, report)


@checked
def compare(
    a: Place,
    b: Place,
    *,
    runs: Place = DEFAULT_RUNS,
    protocol: str | None = None,
    dataset: str | None = None,
    direction: Literal["A2B", "B2A", "both"] = "both",
    metric: Texts = (),
    selection: Literal["last", "validation"] = "last",
    allow_different_schedules: bool = False,
    plugin: Places = (),
) -> Compared:
    """Compare two variants over the seeds they share, and say what may be claimed.

    `a` and `b` are variants that were run, folders of their runs, or images that were scored. Raises
    UsageError or BenchError where there is nothing to compare, or what may not be compared.
    """
    from bench.comparing import ComparisonRequest, compare_runs
    from bench.names import require_known
    from bench.runs.metrics import described

    load_plugins(plugin)
    require_known("direction", direction, (*DIRECTIONS, "both"), "bench compare --help")
    require_known("selection", selection, ("last", "validation"), "bench compare --help")
    request = ComparisonRequest(
        os.fspath(a),
        os.fspath(b),
        Path(runs),
        protocol=protocol,
        dataset=dataset,
        directions=tuple(one for one in DIRECTIONS if direction in ("both", one)),
        metrics=several(metric),
        selection=selection,
        allow_different_schedules=allow_different_schedules,
    )
    return Compared(**vars(compare_runs(request, described)))


@checked
def load_runs(runs: Places = DEFAULT_RUNS) -> "pd.DataFrame":
    """Every score of every run below `runs` as one tidy frame: a row each, with the facts of its run.

    A run that is unfinished, failed or damaged has one row, with its status and reason and no score. Values
    are raw and missing ones stay missing. Of copies of a run one counts, and it is said. Raises UsageError
    where there is no such folder, BenchError where it holds no run.
    """
    from bench.runs.copies import copies_in, schedule_of
    from reports.frame import read_study, run_folders

    roots = paths(runs)
    folders = run_folders(roots)
    for remark in copies_in(folders, schedule_of).remarks():
        announce(f"note: {remark}")
    table = read_study(folders).without_copies().tidy()
    if table.empty:
        where = ", ".join(map(str, roots))
        raise BenchError(f"There is no run in {where}. Make one with: bench run --variant slot9")
    return table


@checked
def report(
    runs: Places = (),
    *,
    root: Place = DEFAULT_RUNS,
    out: Place = "report",
    format: str = "md,html,latex,csv",
    protocol: Texts = (),
    dataset: Texts = (),
    allow_different_schedules: bool = False,
    pictures: str = "all",
    plugin: Places = (),
) -> ReportPage:
    """Turn run folders, or the runs of one study file, into the report: page, tables, figures, results.json.

    Raises UsageError for runs of different schedules, BenchError where there is nothing to report.
    """
    from bench.api.reporting import report_request
    from reports.write import write_report

    load_plugins(plugin)
    request = report_request(
        paths(runs),
        Path(root),
        Path(out),
        format,
        several(protocol),
        several(dataset),
        allow_different_schedules,
        pictures,
        paths(plugin),
    )
    for remark in request.remarks:
        announce(f"note: {remark}")
    return ReportPage(write_report(request))


def sheet_of(folder: Path) -> ScoreSheet:
    """What a finished run's folder holds."""
    of_run = RunFolder(folder)
    return ScoreSheet(folder, read_scores(of_run.scores_json), of_run.read())


def bars_or(progress: "ProgressReport | None") -> "AbstractContextManager[ProgressReport]":
    """A context whose progress is shown: the one given, else a bar, or lines where there is no terminal."""
    from contextlib import nullcontext

    from bench.progress import TerminalProgress

    return TerminalProgress() if progress is None else nullcontext(progress)


def load_plugins(files: Places) -> None:
    """Make everything known that plugin files register."""
    from bench import registry

    registry.load_plugins(paths(files))


def several(given: Texts) -> tuple[str, ...]:
    """The texts of an argument that takes one or several."""
    return (given,) if isinstance(given, str) else tuple(given)


def paths(given: Places) -> list[Path]:
    """The files or folders of an argument that takes one or several."""
    several_given = (given,) if isinstance(given, str | os.PathLike) else given
    return [Path(each) for each in several_given]


def maybe_path(given: Place | None) -> Path | None:
    return None if given is None else Path(given)


def maybe_text(given: Place | None) -> str | None:
    return None if given is None else os.fspath(given)


def refuse_given(why: str, **options: object) -> None:
    """Raise UsageError for the first option that was given where it would do nothing."""
    name = next((name for name, value in options.items() if value is not None), None)
    if name is not None:
        raise UsageError(f"--{name.replace('_', '-')} {why}")


def require_features(given: str | None) -> None:
    """Raise UsageError for an empty name, most often a variable of a shell that was never set."""
    if given == "":
        raise UsageError("--features is empty. Leave it out, or name a network: bench list networks")


def require_whole(name: str, value: int | None, least: int, most: int) -> None:
    """Raise UsageError unless a number is in its range; None passes."""
    if value is None:
        return
    if not least <= value <= most:
        raise UsageError(f"{name} is {value!r}; give a whole number from {least} to {most}.")
