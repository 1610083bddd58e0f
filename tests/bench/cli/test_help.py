"""Help is part of the product: every command explains itself with whole commands, and they are real ones."""

import shlex
from typing import get_args, get_type_hints

import click
import pytest
import typer
from typer.models import OptionInfo

from bench.cli import app


def commands() -> dict[str, click.Command]:
    """Full name -> command, the commands of groups included."""
    found: dict[str, click.Command] = {}

    def visit(name: str, command: click.Command) -> None:
        inner = getattr(command, "commands", None)
        if inner is None:
            found[name] = command
        for key, value in (inner or {}).items():
            visit(f"{name} {key}", value)

    visit("bench", typer.main.get_command(app))
    return found


def examples(command: click.Command) -> list[str]:
    """The lines of a command's help that are commands themselves."""
    lines = [line.strip().removeprefix("Example: ") for line in (command.help or "").splitlines()]
    return [line for line in lines if line.startswith("bench ")]


@pytest.mark.parametrize("name", commands())
def test_every_command_has_help_with_an_example_of_itself(name: str) -> None:
    command = commands()[name]
    assert command.help
    assert any(example.startswith(name) for example in examples(command)), f"{name} shows no example"


@pytest.mark.parametrize("name", commands())
def test_every_option_explains_itself(name: str) -> None:
    undocumented = [
        parameter.name
        for parameter in commands()[name].params
        if isinstance(parameter, click.Option) and not parameter.help
    ]
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
    words = shlex.split(example)
    group = typer.main.get_command(app)
    name, command = "bench", group
    rest = words[1:]
    while getattr(command, "commands", None):
        command, rest = command.commands[rest[0]], rest[1:]  # type: ignore[attr-defined]
        name = f"{name} {command.name}"
    context = click.Context(command, info_name=name, resilient_parsing=False)
    command.parse_args(context, list(rest))
    assert context.params
