"""What `bench report` reports on: run folders as they are named, or exactly the runs of a study's file, with
the comparisons, the control and the number of seeds that it declared."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.errors import BenchError, UsageError
from bench.names import require_known
from bench.runs.copies import copies_in, schedule_of
from bench.runs.folder import find_folders
from bench.studies.grid import Grid, control_folders, expand, run_folders
from bench.studies.identity import changed_rules
from bench.studies.study import load_study
from bench.studies.summary import study_command
from reports.control import DeclaredControl
from reports.galleries.model import ShownPictures
from reports.write import Request, parse_formats


def report_request(
    runs: Sequence[Path],
    root: Path,
    out: Path,
    formats: str,
    protocols: tuple[str, ...],
    datasets: tuple[str, ...],
    allow_different_schedules: bool,
    pictures: str,
    plugins: Sequence[Path],
) -> Request:
    """What to report on now: `runs` are folders or one study's file, none of them: all below `root`.

    Raises UsageError for a wrong request, BenchError where a study has no run yet.
    """
    require_known("pictures", pictures, tuple(ShownPictures), "bench report --help")
    roots, declared = chosen_runs(runs or [root], root, plugins)
    return Request(
        roots=roots,
        **declared,
        out=out,
        formats=parse_formats(formats),
        protocols=protocols,
        datasets=datasets,
        allow_different_schedules=allow_different_schedules,
        pictures=ShownPictures(pictures),
    )


def chosen_runs(
    given: Sequence[Path], root: Path, plugins: Sequence[Path]
) -> tuple[tuple[Path, ...], dict[str, Any]]:
    """Run folders to report on, and what was declared for them: of a study exactly its own."""
    if not any(path.suffix == ".toml" for path in given):
        found = [folder for root in given if root.exists() for folder in find_folders([root], {"run.json"})]
        return tuple(given), {"remarks": tuple(copies_in(found, schedule_of).remarks())}
    if len(given) > 1:
        raise UsageError("A report is of one study, or of run folders: give one .toml file, or folders.")
    grid = expand(load_study(given[0]))
    folders = run_folders(grid, root)
    if not folders:
        command = study_command("study", str(given[0]), root, plugins)
        raise BenchError(f"No run of this study is in {root}. Execute it with: {command}")
    declared = {
        "comparisons": grid.comparisons,
        "control": _declared_control(grid, root),
        "planned": _planned(grid),
        "name": given[0].stem,
        "remarks": changed_rules(grid.cells(), root),
    }
    return tuple(folder.path for folder in folders), declared


def _planned(grid: Grid) -> dict[tuple[str, str, str], int]:
    """(Protocol, data set, variant) -> seeds that the study declares."""
    cells = [(cell.protocol.name, Path(cell.dataset).name, cell.variant) for cell in grid.compared_cells()]
    return {each: cells.count(each) for each in dict.fromkeys(cells)}


def _declared_control(grid: Grid, root: Path) -> DeclaredControl | None:
    if grid.control is None:
        return None
    folders = tuple(folder.path for folder in control_folders(grid, root))
    return DeclaredControl(grid.control, grid.seeds, grid.further_seeds, folders)
