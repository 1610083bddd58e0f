"""`bench check`: whether what can be added keeps its contract, each kind by its own conformance suite."""

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli.options import AsJson, Plugin, Weights, load_plugins, print_json
from bench.errors import UsageError

if TYPE_CHECKING:
    from variants.registry.checks import CheckResult


def _named(option: str, what: str, more: str = "") -> Any:
    return typer.Option(f"--{option}", metavar="NAME", help=f"{what}; may be repeated.{more}")


def check(
    variant: Annotated[
        list[str] | None, typer.Argument(help="Names, parameters in brackets allowed.")
    ] = None,
    metric: Annotated[list[str] | None, _named("metric", "A metric")] = None,
    network: Annotated[list[str] | None, _named("network", "A feature network")] = None,
    objective: Annotated[list[str] | None, _named("objective", "An objective")] = None,
    engine: Annotated[
        list[str] | None, _named("engine", "An engine", " Its options in brackets: 'slurm[cluster=local]'.")
    ] = None,
    table: Annotated[list[str] | None, _named("table", "A table of the report")] = None,
    figure: Annotated[list[str] | None, _named("figure", "A figure of the report")] = None,
    gallery: Annotated[list[str] | None, _named("gallery", "A gallery of the report")] = None,
    weights: Weights = None,
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
    """Check that variants, metrics and whatever else can be added keep their contracts; exit 1 if not.

    Of a variant then what is left of a picture after each stage of the mask head, untrained and as narrow as
    in protocol small: dead, weak or awake at initialisation. That is no check, and fails nothing.

    Examples:

      bench check slot9 'spatial[width=16]'

      bench check one-mask --plugin docs/example_variant.py

      bench check --metric brightness --plugin docs/example_metric.py

      bench check --objective hinge --plugin docs/example_objective.py

      bench check --table lost-lines --figure kept-lines --plugin docs/example_table.py
    """
    load_plugins(plugin)
    import variants

    asked = {"metric": metric, "network": network, "objective": objective}
    asked |= {"engine": engine, "table": table, "figure": figure, "gallery": gallery}
    if not variant and not any(asked.values()):
        options = ", ".join(f"--{kind} NAME" for kind in asked)
        raise UsageError(f"Nothing to check. Name variants, or give one of {options}.")
    results: dict[str, list[CheckResult]] = {}
    for name in [variants.canonical(each) for each in variant or ()]:
        results[name] = variants.check(name, full_size=full_size, expected_parameters=expected)
        if not as_json:
            show_checks(name, results[name])
            show_signal_chain(name)
    for kind, names in asked.items():
        for name in names or ():
            told = name if name not in results else f"{kind} {name}"
            results[told] = run_checks(kind, name, weights)
            if not as_json:
                show_checks(told, results[told])
    if as_json:
        rows = {name: [dataclasses.asdict(each) for each in found] for name, found in results.items()}
        print_json(rows)
    if not all(each.passed for found in results.values() for each in found):
        raise typer.Exit(1)


def run_checks(kind: str, name: str, weights: Path | None) -> "list[CheckResult]":
    """Every check of one thing that is no variant. Raises UsageError for an unknown name."""
    if kind in ("metric", "network"):
        from bench.scoring.conformance import check_metric, check_network

        return check_metric(name) if kind == "metric" else check_network(name, weights)
    if kind == "objective":
        from bench.training.conformance import check_objective

        return check_objective(name)
    if kind == "engine":
        from bench.studies.conformance import check_engine

        return check_engine(*engine_with_options(name))
    from reports.conformance import check_figure, check_gallery, check_table

    return {"table": check_table, "figure": check_figure, "gallery": check_gallery}[kind](name)


def engine_with_options(text: str) -> tuple[str, dict[str, Any]]:
    """The name of an engine, and the options in its brackets: values as TOML has them, or bare words.

    >>> engine_with_options("slurm[cluster=local,minutes=5]")
    ('slurm', {'cluster': 'local', 'minutes': 5})
    """
    from bench.protocol import value_in_toml

    name, _, inside = text.strip().removesuffix("]").partition("[")
    options: dict[str, Any] = {}
    for part in filter(None, inside.split(",")):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not key or not value:
            raise UsageError(f"Cannot read {part.strip()!r} in {text!r}. Write engine[option=value,...].")
        options[key] = value_in_toml(value)
    return name, options


def show_signal_chain(name: str) -> None:
    """Print what is left of a picture after each stage of a mask head, and what follows from that."""
    from bench.profiling.signal_chain import foretold
    from bench.protocol import load_protocol

    chain = foretold(name, load_protocol("small"))
    if chain is not None:
        typer.echo("\n".join(f"  {line}" for line in chain.lines))


def show_checks(name: str, results: "list[CheckResult]") -> None:
    """Print the outcome of every check of one variant."""
    typer.echo(typer.style(name, bold=True))
    for each in results:
        mark = typer.style("passed", fg="green") if each.passed else typer.style("FAILED", fg="red")
        typer.echo(f"  {mark}  {each.name:<26} {each.detail}")
