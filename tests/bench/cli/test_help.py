"""Help is part of the product: every command explains itself with whole commands, and they are real ones."""

import shlex

import click
import pytest
import typer

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
