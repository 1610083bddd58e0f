"""`bench check`: the conformance suite."""

import dataclasses
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli.options import AsJson, Plugin, load_plugins, print_json

if TYPE_CHECKING:
    from variants.conformance import CheckResult


def check(
    variant: Annotated[list[str], typer.Argument(help="Names, parameters in brackets allowed.")],
    plugin: Plugin = None,
    full_size: Annotated[
        bool, typer.Option("--full-size", help="At the published width, not narrow: minutes, not seconds.")
    ] = False,
    expected: Annotated[
        int | None,
        typer.Option("--parameters", min=0, max=10**15, help="Number of trained parameters to insist on."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check that variants keep the generator contract; exit 1 where one does not.

    Then what is left of a picture after each stage of the mask head, untrained and as narrow as in protocol
    small: dead, weak or awake at initialisation. That is no check, and fails nothing.

    Examples:

      bench check slot9 'spatial[width=16]'

      bench check one-mask --plugin docs/example_variant.py
    """
    load_plugins(plugin)
    import variants

    names = [variants.canonical(name) for name in variant]
    results = {}
    for name in names:
        results[name] = variants.check(name, full_size=full_size, expected_parameters=expected)
        if not as_json:
            show(name, results[name])
            show_signal_chain(name)
    if as_json:
        rows = {name: [dataclasses.asdict(each) for each in found] for name, found in results.items()}
        print_json(rows)
    if not all(each.passed for found in results.values() for each in found):
        raise typer.Exit(1)


def show_signal_chain(name: str) -> None:
    """Print what is left of a picture after each stage of a mask head, and what follows from that."""
    from bench.profiling.signal_chain import foretold
    from bench.protocol import load_protocol

    chain = foretold(name, load_protocol("small"))
    if chain is not None:
        typer.echo("\n".join(f"  {line}" for line in chain.lines))


def show(name: str, results: "list[CheckResult]") -> None:
    """Print the outcome of every check of one variant."""
    typer.echo(typer.style(name, bold=True))
    for each in results:
        mark = typer.style("passed", fg="green") if each.passed else typer.style("FAILED", fg="red")
        typer.echo(f"  {mark}  {each.name:<26} {each.detail}")
