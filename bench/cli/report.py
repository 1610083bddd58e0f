"""`bench report`: run folders in, tables, figures, galleries and one page out."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli.options import DEFAULT_RUNS, Plugin
from reports.shown_pictures import ShownPictures

if TYPE_CHECKING:
    from bench.studies.grid import Grid
    from reports.control import DeclaredControl

SECONDS_BETWEEN_LOOKS = 5.0


def report(
    runs: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[RUNS]...",
            help="Run folders, folders that hold some, or one STUDY.toml. Default: --runs.",
        ),
    ] = None,
    root: Annotated[
        Path, typer.Option("--runs", envvar="BENCH_RUNS", metavar="DIR", help="Folder of all runs.")
    ] = DEFAULT_RUNS,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder of the report.")] = Path("report"),
    formats: Annotated[
        str, typer.Option("--format", metavar="md,html,latex,csv", help="What to write, separated by commas.")
    ] = "md,html,latex,csv",
    protocol: Annotated[
        list[str] | None, typer.Option("--protocol", help="Only runs of this protocol; may be repeated.")
    ] = None,
    dataset: Annotated[
        list[str] | None, typer.Option("--dataset", help="Only runs on this data set; may be repeated.")
    ] = None,
    allow_different_schedules: Annotated[
        bool,
        typer.Option(
            "--allow-different-schedules", help="Mark runs of another schedule, do not refuse them."
        ),
    ] = False,
    pictures: Annotated[
        ShownPictures,
        typer.Option(
            "--pictures",
            help="Of which data sets: all, rendered (scenes alone, for a page to be published), or none.",
        ),
    ] = ShownPictures.ALL,
    watch: Annotated[
        bool, typer.Option("--watch", help="Write again whenever a run changes, until Ctrl-C.")
    ] = False,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    plugin: Plugin = None,
) -> None:
    """Turn run folders into the report: a page, tables, figures, results.json.

    Example: bench report

    Example: bench report runs/smoke --out report --format md,html

    Example: bench report smoke.toml --watch --open

    Example: bench report --pictures rendered --out page
    """
    from bench import api
    from bench.cli.console import announce
    from bench.cli.options import load_plugins
    from reports.following import follow
    from reports.write import Request, write_report

    load_plugins(plugin)
    said: set[str] = set()

    def find() -> Request:
        """What to report on now, and, once, what is to be said of it."""
        request = api.report_request(
            runs or (),
            root,
            out,
            formats,
            protocol or (),
            dataset or (),
            allow_different_schedules,
            pictures,
            plugin or (),
        )
        for remark in request.remarks:
            if remark not in said:
                announce(f"note: {remark}")
                said.add(remark)
        return request

    if watch:
        follow(find, SECONDS_BETWEEN_LOOKS, lambda path, first: _tell(path, open_page and first))
    else:
        _tell(write_report(find()), open_page)


def chosen_runs(
    given: list[Path], root: Path, plugins: list[Path]
) -> tuple[tuple[Path, ...], dict[str, Any]]:
    """Run folders to report on, and what was declared for them: of a study exactly its own."""
    from bench.errors import BenchError, UsageError
    from bench.studies.grid import expand, run_folders
    from bench.studies.identity import changed_rules
    from bench.studies.study import load_study
    from bench.studies.summary import study_command

    if not any(path.suffix == ".toml" for path in given):
        return tuple(given), {}
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


def _planned(grid: "Grid") -> dict[tuple[str, str, str], int]:
    """(Protocol, data set, variant) -> seeds that the study declares."""
    cells = [(cell.protocol.name, Path(cell.dataset).name, cell.variant) for cell in grid.compared_cells()]
    return {each: cells.count(each) for each in dict.fromkeys(cells)}


def _declared_control(grid: "Grid", root: Path) -> "DeclaredControl | None":
    from bench.studies.grid import control_folders
    from reports.control import DeclaredControl

    if grid.control is None:
        return None
    folders = tuple(folder.path for folder in control_folders(grid, root))
    return DeclaredControl(grid.control, grid.seeds, grid.further_seeds, folders)


def _tell(path: Path, open_page: bool) -> None:
    print(path.resolve())
    if open_page:
        import webbrowser

        webbrowser.open(path.resolve().as_uri())
