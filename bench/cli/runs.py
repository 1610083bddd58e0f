"""`bench runs`: keeping the folder of runs in order."""

from pathlib import Path
from typing import Annotated

import typer

from bench.cli.options import DEFAULT_RUNS, Runs

app = typer.Typer(
    help="Keep the folder of runs in order.",
    epilog="Example: bench runs rm",
    no_args_is_help=True,
)


@app.callback()
def keep() -> None:
    """Keep the folder of runs in order."""


@app.command("rm")
def remove(
    folders: Annotated[
        list[Path] | None, typer.Argument(metavar="[RUN]...", help="Run folders; default: all failed ones.")
    ] = None,
    runs: Runs = DEFAULT_RUNS,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove failed runs, after asking. Runs that are done or under way are never removed.

    Example: bench runs rm --yes
    """
    from bench.cli.console import announce
    from bench.runs.folder import failed_runs, remove_run

    chosen = failed_runs(folders or [runs], named=bool(folders))
    for folder, reason in chosen:
        print(f"{folder.path}: {reason}")
    if not chosen:
        announce(f"There is no failed run in {runs}.")
        return
    if not yes:
        typer.confirm(f"Remove these {len(chosen)} failed runs?", abort=True, err=True)
    for folder, _ in chosen:
        kept = remove_run(folder)
        if kept is not None:
            announce(f"{folder.path} was a link: {kept} is kept")
    announce(f"removed {len(chosen)}")
