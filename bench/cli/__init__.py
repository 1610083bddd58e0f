"""The commands: each a few lines over the library, in a file of its own.

These files import typer alone at module level; a command imports what it needs when it is called, so that
`bench --help` and `bench list` answer at once.
"""

import codecs
import contextlib
import os
import sys
from inspect import signature
from pathlib import Path
from typing import Any, get_args

import typer
from typer.core import TyperCommand, TyperGroup

from bench.cli import ballot, check, data, export, inspect, power, profile, report, run, score
from bench.errors import BenchError, explained
from bench.signals import end_when_asked, wait_without_stalling

PLAIN = str.maketrans("→↓↑×−–·…±≤≥†‡", ">v^x--..~<>++")
"""One sign for one, so that tables keep their columns."""
STRICT = ("strict", "surrogateescape", "backslashreplace")
"""What Python does by default where a stream cannot encode a sign; whatever else was asked for is kept."""


class Command(TyperCommand):
    """A command whose help prints each example on a line of its own, as it is to be typed."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.help = "\n\n".join(as_typed(part) for part in (self.help or "").split("\n\n"))

    def get_params(self, ctx: Any) -> list[Any]:
        return [quick_to_leave_out(each) for each in super().get_params(ctx)]


class CommandGroup(TyperGroup):
    """A group of commands whose help says of each the whole first sentence."""

    def get_params(self, ctx: Any) -> list[Any]:
        return [quick_to_leave_out(each) for each in super().get_params(ctx)]

    def invoke(self, ctx: Any) -> Any:
        """As usual; typer would say nothing of a command that is stopped, and exit with 130 in any case."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as stop:
            raise typer.Exit(report_interrupt(stop)) from None

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        rows = [
            (name, command.get_short_help_str(limit=sys.maxsize)) for name, command in self.commands.items()
        ]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def quick_to_leave_out(parameter: Any) -> Any:
    """The parameter of a command, quick where it was not given; a path that is empty is refused.

    To say of no value that it stays none typer imports pydantic: a third of the time of `bench list`. An
    empty path, as of a variable that is not set, would become the current folder.
    """
    if "process_value" in vars(parameter):
        return parameter
    process = parameter.process_value

    def process_value(context: Any, value: Any) -> Any:
        given = value if isinstance(value, tuple | list) else (value,)
        if "" in given and takes_a_path(context.command.callback, parameter.name):
            raise typer.BadParameter("It is empty; the current folder is '.'.", ctx=context, param=parameter)
        if value is not None or parameter.required:
            return process(context, value)
        nothing = () if parameter.multiple or parameter.nargs == -1 else None
        return nothing if parameter.callback is None else parameter.callback(context, parameter, nothing)

    parameter.process_value = process_value
    return parameter


def takes_a_path(function: Any, name: str) -> bool:
    """Whether an argument of the function behind a command is a path, or several."""

    def is_path(annotation: Any) -> bool:
        return annotation is Path or any(map(is_path, get_args(annotation)))

    return is_path(signature(function).parameters[name].annotation)


def report_interrupt(stop: KeyboardInterrupt) -> int:
    """Say that a command was stopped; returns its exit code."""
    print(f"bench: {stop}" if str(stop) else "bench: stopped", file=sys.stderr)
    return getattr(stop, "exit_code", 130)


def as_typed(paragraph: str) -> str:
    """A paragraph of help; one that is a command is marked as not to be broken."""
    typed = paragraph.strip().removeprefix("Example: ").startswith("bench ")
    return f"\b\n{paragraph}" if typed else paragraph


def plainly(commands: typer.Typer) -> typer.Typer:
    """The commands with help as it is written: no markup in which `[iterations=5]` would be lost."""
    for command in commands.registered_commands:
        command.cls = Command
    for group in commands.registered_groups:
        group.cls = CommandGroup
        if group.typer_instance is not None:
            plainly(group.typer_instance)
    return commands


app = typer.Typer(
    cls=CommandGroup,
    name="bench",
    help="Train, score and compare generators for unpaired image-to-image translation.",
    epilog="Start with: bench run --variant slot9, then bench report. What this machine has: bench doctor",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command("run")(run.run)
app.command("study")(run.study)
app.command("score")(score.score)
app.command("report")(report.report)
app.command("compare")(report.compare)
app.command("power")(power.power)
app.command("translate")(score.translate)
app.command("export")(export.export)
app.add_typer(ballot.app, name="ballot")
app.add_typer(inspect.list_app, name="list")
app.add_typer(inspect.runs_app, name="runs")
app.add_typer(data.app, name="data")
app.command("check")(check.check)
app.command("profile")(profile.profile)
app.command("doctor")(inspect.doctor)
plainly(app)


def main() -> None:
    """Run the command line; exit 0 when done, 1 when the work failed, 2 when the request is wrong."""
    wait_without_stalling()
    print_in_any_encoding()
    end_when_asked()
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
        sys.exit(report_interrupt(stop))
    except OSError as error:
        drop_what_cannot_be_printed()
        with contextlib.suppress(OSError):
            print(f"bench: {explained(error)}", file=sys.stderr)
        sys.exit(1)
    except Exception as error:
        from variants import VariantError
        from variants.registry.provenance import place_in

        if isinstance(error, VariantError):
            print(f"bench: {error}", file=sys.stderr)
            sys.exit(2)
        place = place_in(error)
        if place is None:
            raise
        print(f"bench: A plugin raised {type(error).__name__}: {error} ({place}).", file=sys.stderr)
        sys.exit(1)


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
