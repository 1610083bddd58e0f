"""Help is part of the product: every command explains itself with whole commands, and they are real ones."""

import inspect
import shlex
from typing import Any, get_args, get_type_hints

import pytest
import typer
from typer.models import OptionInfo
from typer.testing import CliRunner

from bench.cli import app


def tree() -> dict[str, Any]:
    """Full name -> command or group of commands; click's classes, or those that typer has of its own."""
    found: dict[str, Any] = {}

    def visit(name: str, command: Any) -> None:
        found[name] = command
        for key, value in (getattr(command, "commands", None) or {}).items():
            visit(f"{name} {key}", value)

    visit("bench", typer.main.get_command(app))
    return found


def commands() -> dict[str, Any]:
    """Full name -> command, without the groups."""
    return {name: each for name, each in tree().items() if not getattr(each, "commands", None)}


def examples(command: Any) -> list[str]:
    """The lines of a command's help that are commands themselves."""
    lines = [line.strip().removeprefix("Example: ") for line in (command.help or "").splitlines()]
    return [line for line in lines if line.startswith("bench ")]


def squeezed(text: str) -> str:
    """The text without spaces and line ends: what a printed text must keep whatever its width."""
    return "".join(text.replace("\b", "").split())


def printed(name: str, columns: int, *more: str) -> str:
    """What a command prints in a terminal of so many columns."""
    outcome = CliRunner().invoke(app, [*name.split()[1:], *more], env={"COLUMNS": str(columns)})
    return outcome.output


@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("name", tree())
def test_help_prints_every_sign_that_was_written(name: str, columns: int) -> None:
    command = tree()[name]
    shown = squeezed(printed(name, columns, "--help"))
    documented = command.help if command.callback is None else inspect.getdoc(command.callback)
    written = [documented or "", command.epilog or ""]
    for parameter in command.params:
        written += [parameter.help or "", parameter.metavar or ""]
    for inner in (getattr(command, "commands", None) or {}).values():
        written.append((inner.help or "").split("\n\n")[0].partition(". ")[0])
    lost = [text for text in written if squeezed(text) not in shown]
    assert not lost


def test_help_shows_the_syntax_of_parameters() -> None:
    assert "name[parameter=value,...]" in printed("bench run", 80, "--help")
    assert "bench run --variant 'slot9[iterations=5]' --seed 1" in printed("bench run", 200, "--help")


@pytest.mark.parametrize("name", commands())
def test_an_example_stands_on_one_line_whatever_the_width(name: str) -> None:
    lines = [line.strip().removeprefix("Example: ") for line in printed(name, 40, "--help").splitlines()]
    assert set(examples(commands()[name])) <= set(lines)


@pytest.mark.parametrize("given", ["[bold]", "slot9[iterations=5]", "[/]"])
def test_an_error_repeats_what_was_given_sign_by_sign(given: str) -> None:
    for arguments in (["run", "--variant", "copy", given], ["list", given]):
        outcome = CliRunner().invoke(app, arguments, env={"COLUMNS": "80"})
        assert outcome.exit_code == 2
        assert given in outcome.output


@pytest.mark.parametrize("name", commands())
def test_every_command_has_help_with_an_example_of_itself(name: str) -> None:
    command = commands()[name]
    assert command.help
    assert any(example.startswith(name) for example in examples(command)), f"{name} shows no example"


@pytest.mark.parametrize("name", commands())
def test_every_option_and_argument_explains_itself(name: str) -> None:
    undocumented = [parameter.name for parameter in commands()[name].params if not parameter.help]
    assert not undocumented


def options_that_take_numbers() -> dict[str, OptionInfo]:
    """Function and parameter, as `run.seed` -> what the option was declared with."""
    apps = [app, *(group.typer_instance for group in app.registered_groups)]
    found = {}
    for command in (command for each in apps for command in each.registered_commands):
        assert command.callback is not None
        for name, hint in get_type_hints(command.callback, include_extras=True).items():
            kinds, notes = get_args(hint)[:1], get_args(hint)[1:]
            if {int, float} & {*kinds, *(each for kind in kinds for each in get_args(kind))}:
                found[f"{command.callback.__name__}.{name}"] = next(
                    note for note in notes if isinstance(note, OptionInfo)
                )
    return found


@pytest.mark.parametrize("name", options_that_take_numbers())
def test_every_number_that_can_be_asked_for_has_a_least_and_a_most(name: str) -> None:
    option = options_that_take_numbers()[name]
    assert option.min is not None
    assert option.max is not None


@pytest.mark.parametrize("example", [line for command in commands().values() for line in examples(command)])
def test_every_example_is_a_command_line_that_parses(example: str) -> None:
    _, *rest = shlex.split(example)
    command: Any = typer.main.get_command(app)
    context = command.make_context("bench", rest, resilient_parsing=False)
    while getattr(command, "commands", None):
        _, command, rest = command.resolve_command(context, [*context._protected_args, *context.args])
        context = command.make_context(command.name, list(rest), parent=context)
    assert context.params
