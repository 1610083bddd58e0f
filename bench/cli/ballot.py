"""`bench ballot`: translations compared by eye, on a page that people answer."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import DEFAULT_RUNS, HIGHEST_SEED, AsJson, Plugin, Runs, load_plugins, print_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.ballot.records import BallotCount, QuestionCount

app = typer.Typer(
    help="Have people compare translations by eye, and count their answers.",
    epilog="Example: bench ballot make slot9 spatial --out ballot",
    no_args_is_help=True,
)


@app.command("make")
def make(
    systems: Annotated[
        list[str],
        typer.Argument(metavar="A B [C]...", help="Variants that were run, run folders, folders of images."),
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for the page and its key.")],
    dataset: Annotated[
        str | None, typer.Option("--dataset", help="Only runs on it; what folders of images translate.")
    ] = None,
    protocol: Annotated[str | None, typer.Option("--protocol", help="Only runs under this protocol.")] = None,
    direction: Annotated[str, typer.Option("--direction", help="A2B or B2A.")] = "A2B",
    seed: Annotated[
        int | None,
        typer.Option("--seed", min=0, max=HIGHEST_SEED, help="Seed of the runs; default: the lowest."),
    ] = None,
    images: Annotated[
        int | None,
        typer.Option("--images", min=4, max=1000, metavar="N", help="Test images; default: about 60 pairs."),
    ] = None,
    question: Annotated[
        list[str] | None,
        typer.Option("--question", metavar="TEXT", help="Asked of every pair; may be repeated."),
    ] = None,
    repeats: Annotated[
        int, typer.Option("--repeats", min=0, max=100, help="Pairs that are shown twice.")
    ] = 5,
    copies: Annotated[
        int, typer.Option("--copies", min=0, max=100, help="Pairs of one picture with itself.")
    ] = 3,
    size: Annotated[
        int | None,
        typer.Option(
            "--size", min=8, max=2**12, metavar="N", help="Pixels, where all are folders of images."
        ),
    ] = None,
    runs: Runs = DEFAULT_RUNS,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask about the licence of the pictures.")] = False,
    plugin: Plugin = None,
) -> None:
    """Write one page on which people compare translations of the same test images, under no name.

    The page needs no network. It shows source and two translations, in an order drawn for every rater, and
    saves the answers as a small file. Keep ballot.json: it says which program made which picture.

    Examples:

      bench ballot make slot9 spatial --dataset horse2zebra --out ballot

      bench ballot make slot9 spatial results/theirs --images 30 --question 'Which is sharper?' --out ballot
    """
    from bench.ballot.making import BallotRequest, make_ballot, plan_ballot
    from bench.errors import UsageError, announce
    from bench.progress import TerminalProgress
    from bench.runs.records import DIRECTIONS

    load_plugins(plugin)
    wanted = next((known for known in DIRECTIONS if known == direction), None)
    if wanted is None:
        raise UsageError(f"--direction {direction!r} is not a direction. Give A2B or B2A.")
    request = BallotRequest(
        tuple(systems),
        out,
        runs,
        dataset,
        protocol,
        wanted,
        seed,
        images,
        tuple(question or ()),
        repeats,
        copies,
        size,
    )
    planned = plan_ballot(request)
    if planned.licence is not None:
        announce(f"note: {planned.licence} The page holds such pictures, and whoever gets it has them.")
        if not yes:
            typer.confirm("Write the page?", abort=True, err=True)
    notes: list[str] = []
    with TerminalProgress() as progress:
        page = make_ballot(planned, progress, notes.append)
    for note in notes:
        announce(note)
    print(page.resolve())
    announce(f"Have it answered in a browser; then: bench ballot count ANSWERS.json... --ballot {out}")


@app.command("count")
def count(
    answers: Annotated[
        list[Path], typer.Argument(metavar="ANSWERS...", help="Files that raters saved, or their folder.")
    ],
    ballot: Annotated[
        Path | None,
        typer.Option("--ballot", metavar="DIR", help="Folder of the ballot; default: that of the answers."),
    ] = None,
    keep_all: Annotated[
        bool, typer.Option("--keep-all", help="Count raters who fail the attention checks, too.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Count the answers to a ballot: preference with intervals over raters and images, strengths, agreement.

    The count is kept beside the ballot, and a report of runs shows it where it lies among them.

    Examples:

      bench ballot count answers --ballot ballot

      bench ballot count answers-1.json answers-2.json --ballot ballot --json
    """
    from bench.ballot.counting import count_ballot
    from bench.ballot.records import read_answers, read_key, write_count
    from bench.errors import announce

    first = answers[0]
    folder = ballot or (first if first.is_dir() else first.parent)
    key = read_key(folder)
    found = count_ballot(key, read_answers(answers, key), keep_all=keep_all)
    kept = write_count(folder, found)
    if as_json:
        print_json(found.model_dump(mode="json"))
    else:
        print_count(found)
    announce(f"Kept in {kept}.")


def print_count(count: "BallotCount") -> None:
    """Tables of the raters and of every question, then what may be said."""
    from bench.ballot.counting import sentences
    from bench.cli.console import Column, print_table, say

    columns = [
        Column("rater", "name"),
        *map(Column, ("answers", "repeats alike", "copies alike", "s an answer")),
    ]
    rows = [
        [
            rater.rater + ("" if rater.counted else " (left out)"),
            str(rater.answers) + ("" if rater.complete else ", unfinished"),
            f"{rater.repeats_alike} of {rater.repeats}",
            f"{rater.copies_alike} of {rater.copies}",
            "-" if rater.seconds_an_answer is None else f"{rater.seconds_an_answer:.1f}",
        ]
        for rater in count.raters
    ]
    print_table(columns, rows, f"{', '.join(count.systems)} on {count.dataset}, {count.direction}")
    print()
    for question in count.questions:
        print_question(question)
    for sentence in sentences(count):
        say(f"- {sentence}")


def print_question(question: "QuestionCount") -> None:
    """Shares, strengths, and the measures that agree most with what was preferred."""
    from bench.cli.console import Column, print_table

    columns = [
        Column("preferred", "name"),
        Column("to", "name"),
        *map(Column, ("share", "95% interval", "ties", "votes")),
    ]
    rows = [
        [
            one.first,
            one.second,
            percent(one.share),
            between(one.interval, percent),
            percent(one.ties),
            str(one.votes),
        ]
        for one in question.preferences
    ]
    print_table(columns, rows, question.question)
    print()
    if question.strengths:
        rows = [
            [one.system, signed(one.strength), between(one.interval, signed)] for one in question.strengths
        ]
        print_table(
            [Column("system", "name"), Column("strength"), Column("95% interval")], rows, "Bradley-Terry"
        )
        print()
    agreeing = sorted(question.measures_agree.items(), key=lambda each: -abs(each[1][0]))[:8]
    if agreeing:
        rows = [[name, signed(value), str(images)] for name, (value, images) in agreeing]
        columns = [Column("measure of an image", "name"), Column("with preference"), Column("pairs")]
        print_table(columns, rows, "Rank correlation, the eight strongest")
        print()


def percent(value: float) -> str:
    """A share in percent."""
    return f"{value:.0%}"


def signed(value: float) -> str:
    """A number with its sign and two digits behind the point."""
    return f"{value:+.2f}"


def between(interval: tuple[float, float] | None, spelled: "Callable[[float], str]") -> str:
    """An interval, or a dash."""
    return "-" if interval is None else " to ".join(map(spelled, interval))
