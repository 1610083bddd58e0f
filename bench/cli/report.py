"""`bench report`: run folders in, tables, figures, galleries and one page out."""

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import DEFAULT_RUNS, Plugin
from reports.shown_pictures import ShownPictures

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
    from bench.cli.options import load_plugins
    from bench.errors import announce
    from bench.reporting import report_request
    from reports.following import follow
    from reports.write import Request, write_report

    load_plugins(plugin)
    said: set[str] = set()

    def find() -> Request:
        """What to report on now, and, once, what is to be said of it."""
        request = report_request(
            runs or [],
            root,
            out,
            formats,
            tuple(protocol or ()),
            tuple(dataset or ()),
            allow_different_schedules,
            pictures,
            plugin or [],
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


def _tell(path: Path, open_page: bool) -> None:
    print(path.resolve())
    if open_page:
        import webbrowser

        webbrowser.open(path.resolve().as_uri())
