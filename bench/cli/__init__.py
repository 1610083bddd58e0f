"""The commands: each a few lines over the library, in a file of its own.

These files import typer alone at module level; a command imports what it needs when it is called, so that
`bench --help` and `bench list` answer at once.
"""

import codecs
import contextlib
import os
import sys

import typer

from bench.cli import check, compare, data, doctor, list_, profile, report, run, runs, score, study, translate
from bench.errors import BenchError, explained
from bench.threads import wait_without_stalling

PLAIN = str.maketrans("→↓↑×−–·…±≤≥†‡", ">v^x--..~<>++")
"""One sign for one, so that tables keep their columns."""
STRICT = ("strict", "surrogateescape", "backslashreplace")
"""What Python does by default where a stream cannot encode a sign; whatever else was asked for is kept."""

app = typer.Typer(
    name="bench",
    help="Train, score and compare generators for unpaired image-to-image translation.",
    epilog="Start with: bench run --variant slot9, then bench report. What this machine has: bench doctor",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run.run)
app.command("study")(study.study)
app.command("score")(score.score)
app.command("report")(report.report)
app.command("compare")(compare.compare)
app.command("translate")(translate.translate)
app.add_typer(list_.app, name="list")
app.add_typer(runs.app, name="runs")
app.add_typer(data.app, name="data")
app.command("check")(check.check)
app.command("profile")(profile.profile)
app.command("doctor")(doctor.doctor)


def main() -> None:
    """Run the command line; exit 0 when done, 1 when the work failed, 2 when the request is wrong."""
    wait_without_stalling()
    print_in_any_encoding()
    try:
        try:
            app()
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt as stop:
        print(f"bench: {stop}" if str(stop) else "bench: stopped", file=sys.stderr)
        sys.exit(getattr(stop, "exit_code", 130))
    except OSError as error:
        drop_what_cannot_be_printed()
        with contextlib.suppress(OSError):
            print(f"bench: {explained(error)}", file=sys.stderr)
        sys.exit(1)
    except ValueError as error:
        from variants.errors import VariantError

        if not isinstance(error, VariantError):
            raise
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(2)


def print_in_any_encoding() -> None:
    """Let stdout and stderr print every sign, whatever they can encode: ASCII and Latin-1 have no arrow.

    A sign that cannot be encoded becomes a plain one of the same width, or its JSON escape; a byte of a file
    name that is no text stays that byte.
    """
    codecs.register_error("bench", nearest)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None and stream.errors in STRICT:
            reconfigure(errors="bench")


def nearest(error: UnicodeError) -> tuple[str | bytes, int]:
    """An error handler of codecs: what is printed in place of a sign that cannot be encoded, and the next."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    sign, after = error.object[error.start], error.start + 1
    if "\udc80" <= sign <= "\udcff":
        return bytes([ord(sign) - 0xDC00]), after
    plain = sign.translate(PLAIN)
    return plain if plain.isascii() else escaped(sign), after


def escaped(sign: str) -> str:
    """The sign as JSON writes it in ASCII: `\\u2260`, and two of these beyond the first 65,536 signs."""
    units = sign.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place]:02x}{units[place + 1]:02x}" for place in range(0, len(units), 2))


def drop_what_cannot_be_printed() -> None:
    """Where stdout is full or gone, what waits to be written would fail once more when Python ends."""
    try:
        sys.stdout.flush()
    except OSError:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
