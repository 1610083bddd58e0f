"""`bench data`: fetch, verify and locate data sets."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import print_json

if TYPE_CHECKING:
    from bench.data.verify import FolderVerdict

app = typer.Typer(no_args_is_help=True, help="Fetch, verify and locate data sets.")

Name = Annotated[str, typer.Argument(help="A data set of `bench list datasets`.", show_default=False)]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data", help="Folder of all data sets; default: $BENCH_DATA, else ~/.local/share/bench/data."
    ),
]


@app.command()
def get(
    name: Name,
    archive: Annotated[
        Path | None, typer.Option("--archive", help="A zip at hand; nothing is downloaded then.")
    ] = None,
    data: Data = None,
) -> None:
    """Download a data set, check it and unpack it; a broken download is continued.

    Example: bench data get horse2zebra

    Example: bench data get horse2zebra --archive horse2zebra.zip
    """
    from bench.data.catalogue import find_real, lacking
    from bench.data.fetch import get as get_set
    from bench.data.files import data_root
    from bench.progress import TerminalProgress

    if lacking(data_root(data) / find_real(name).name) is None:
        typer.echo(f"{name} is here already; to fetch it anew, delete its folder first.", err=True)
    with TerminalProgress() as progress:
        folder = get_set(name, archive=archive, data=data, progress=progress)
    typer.echo(folder)


@app.command()
def verify(
    name: Name,
    data: Data = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result for a machine.")] = False,
) -> None:
    """Check counts, unreadable files, greyscale, duplicates, leaks and masks.

    Exit 1 where images or masks cannot be used, or are not those of the catalogue. A set may be genuine and
    yet not sound: flaws that its published files have are named.

    NAME may also be the path of a folder of your own.

    Example: bench data verify horse2zebra
    """
    from bench.data.load import locate
    from bench.data.verify import verify_folder
    from bench.progress import TerminalProgress

    shown, folder = locate(name, data)
    with TerminalProgress() as progress:
        verdict = verify_folder(shown, folder, progress)
    print_json(verdict.as_json()) if as_json else typer.echo("\n".join(_lines(verdict)))
    if not verdict.usable:
        raise typer.Exit(1)


@app.command()
def path(name: Name, data: Data = None) -> None:
    """Print the folder of a data set that is here.

    Example: bench data path horse2zebra
    """
    from bench.data.catalogue import SPLITS, lacking
    from bench.data.files import printable
    from bench.data.load import locate
    from bench.errors import BenchError

    folder = locate(name, data)[1]
    problem = lacking(folder)
    if problem is not None:
        raise BenchError(f"{problem}. A data set is a folder that holds {', '.join(SPLITS)}.")
    typer.echo(printable(folder))


def _lines(verdict: "FolderVerdict") -> list[str]:
    """The verdict for a person, one finding a line."""
    lines = [f"{verdict.name} in {verdict.folder}"]
    for split, count in verdict.counts.items():
        wanted = verdict.expected[split] if verdict.expected else None
        remark = "" if wanted in (None, count) else f", {wanted} expected"
        lines.append(f"  {split}: {count} images{remark}")
    genuine = {True: "the genuine files", False: "NOT the genuine files", None: "not pinned in the catalogue"}
    lines.append(f"  content: {verdict.content[:16]}, {genuine[verdict.genuine]}")
    lines += [f"  {note}" for note in verdict.left_out]
    lines.append(f"  unreadable: {_some(verdict.unreadable)}")
    lines.append(f"  greyscale: {_some(verdict.greyscale)}")
    if verdict.masks:
        lines.append(f"  masks: {', '.join(verdict.masks)}")
        lines += [f"  {problem}" for problem in verdict.bad_masks]
    identical = verdict.identical
    lines.append(f"  identical files: {identical['groups']} groups, {identical['files']} files")
    lines += [f"  leak: {count} of {pair}" for pair, count in identical["leaks"].items()]
    lines += [f"  crossing: {' = '.join(group)}" for group in identical["crossing"][:10]]
    lines.append(f"{verdict.in_words}.")
    return lines


def _some(places: list[str], most: int = 10) -> str:
    from bench.names import in_part

    return f"{len(places)}" + (f" ({in_part(places, most)})" if places else "")
