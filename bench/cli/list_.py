"""`bench list`: what there is to choose from."""

from typing import Annotated, Any

import typer

from bench.cli.options import DEFAULT_RUNS, AsJson, Plugin, Runs, load_plugins, print_json

app = typer.Typer(
    help="Show what there is: variants, baselines, datasets, protocols, metrics, runs.",
    epilog="Example: bench list variants",
    no_args_is_help=True,
)


@app.command("variants")
def list_variants(as_json: AsJson = False, plugin: Plugin = None) -> None:
    """Every variant with its parameters and their defaults.

    Example: bench list variants
    """
    load_plugins(plugin)
    show_generators(("variant", "control"), as_json)


@app.command("baselines")
def list_baselines(as_json: AsJson = False, plugin: Plugin = None) -> None:
    """Every baseline: what a variant is compared to.

    Example: bench list baselines
    """
    load_plugins(plugin)
    show_generators(("baseline",), as_json)


def show_generators(kinds: tuple[str, ...], as_json: bool) -> None:
    """Print name, summary and parameters of the registered generators of these kinds."""
    import variants

    rows = []
    for name in variants.names():
        described = variants.describe(name)
        if described.kind in kinds:
            parameters = {key: info.spelled_default for key, info in described.parameters.items()}
            rows.append(
                {
                    "name": name,
                    "summary": described.summary,
                    "parameters": parameters,
                    "own objective": described.objective,
                }
            )
    show(rows, as_json)


@app.command("datasets")
def list_datasets(as_json: AsJson = False) -> None:
    """Every data set of the catalogue: embedded scenes and real images.

    Example: bench list datasets
    """
    from bench.data.catalogue import listing

    show(listing(), as_json)


@app.command("protocols")
def list_protocols(as_json: AsJson = False) -> None:
    """Every protocol that ships with bench.

    Example: bench list protocols
    """
    from bench.protocol import load_protocol, protocol_names

    show([{"name": name, "summary": load_protocol(name).summary} for name in protocol_names()], as_json)


@app.command("metrics")
def list_metrics(as_json: AsJson = False) -> None:
    """Every metric: what it is, its unit, which direction is better, when it is undefined.

    Example: bench list metrics
    """
    import dataclasses

    from bench.scoring.catalogue import METRICS

    show([dataclasses.asdict(metric) for metric in METRICS], as_json)


@app.command("runs")
def list_runs(
    runs: Runs = DEFAULT_RUNS,
    status: Annotated[str | None, typer.Option("--status", help="running, done, failed, damaged.")] = None,
    protocol: Annotated[str | None, typer.Option("--protocol", help="Name or wildcard.")] = None,
    dataset: Annotated[str | None, typer.Option("--dataset", help="Name or wildcard.")] = None,
    variant: Annotated[str | None, typer.Option("--variant", help="Name or wildcard, as 'slot*'.")] = None,
    as_json: AsJson = False,
) -> None:
    """Every run folder below --runs with its status.

    Example: bench list runs --status failed --variant 'slot*'
    """
    from bench.runs.folder import list_folder, matches

    filters = {"status": status, "protocol": protocol, "dataset": dataset, "variant": variant}
    show([row for row in list_folder(runs) if matches(row, filters)], as_json)


def show(rows: list[dict[str, Any]], as_json: bool) -> None:
    """Rows of equal keys as JSON, or as one paragraph a row: its first value, then the others."""
    if as_json:
        print_json(rows)
        return
    for row in rows:
        (_, title), *others = row.items()
        typer.echo(typer.style(str(title), bold=True))
        for key, value in others:
            if value not in ("", None, {}):
                text = " ".join(f"{k}={v}" for k, v in value.items()) if isinstance(value, dict) else value
                typer.echo(f"  {text}" if key == "summary" else f"  {key}: {text}")
