"""The commands: each a few lines over the library, in a file of its own.

These files import typer alone at module level; a command imports what it needs when it is called, so that
`bench --help` and `bench list` answer at once.
"""

import sys

import typer

from bench.cli import check, compare, data, doctor, list_, profile, report, run, runs, score, study, translate
from bench.errors import BenchError
from bench.threads import wait_without_stalling

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
    try:
        app()
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt as stop:
        print(f"bench: {stop}" if str(stop) else "bench: stopped", file=sys.stderr)
        sys.exit(getattr(stop, "exit_code", 130))
    except ValueError as error:
        from variants.errors import VariantError

        if not isinstance(error, VariantError):
            raise
        print(f"bench: {error}", file=sys.stderr)
        sys.exit(2)
