"""Looking at what there is (`bench list`, `bench doctor`), and keeping the folder in order (`bench runs`)."""

import dataclasses
import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli.options import DEFAULT_RUNS, AsJson, Plugin, Runs, load_plugins, print_json

if TYPE_CHECKING:
    from bench.protocol import Protocol

list_app = typer.Typer(
    help="Show what there is: variants, baselines, datasets, protocols, metrics, networks, objectives, runs.",
    epilog="Example: bench list variants",
    no_args_is_help=True,
)


@list_app.command("variants")
def list_variants(as_json: AsJson = False, plugin: Plugin = None) -> None:
    """Every variant with its parameters and their defaults.

    Example: bench list variants
    """
    load_plugins(plugin)
    show_generators(("variant", "control"), as_json)


@list_app.command("baselines")
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
    show_rows(rows, as_json)


@list_app.command("datasets")
def list_datasets(as_json: AsJson = False) -> None:
    """Every data set of the catalogue: embedded scenes and real images.

    Example: bench list datasets
    """
    from bench.cli.console import Column, print_table, say
    from bench.data.catalogue import listing

    rows = listing()
    if as_json:
        print_json(rows)
        return
    columns = [Column("data set", "name"), Column("here", "name"), Column("images", "prose")]
    cells = [[row["name"], _whether_here(row), row["images"], row["summary"]] for row in rows]
    print_table([*columns, Column("what it is", "prose")], cells)
    say("Fetch one with: bench data get NAME")


def _whether_here(row: dict[str, Any]) -> str:
    if row["here"]:
        return "yes"
    return "broken" if row["path"] else "no"


@list_app.command("protocols")
def list_protocols(
    name: Annotated[str | None, typer.Argument(help="One of them, or a .toml file: all its rules.")] = None,
    as_json: AsJson = False,
) -> None:
    """Every protocol that ships with bench, or all rules of one.

    Example: bench list protocols

    Example: bench list protocols paper-128
    """
    from bench.cli.console import Column, print_table, say
    from bench.protocol import load_protocol, protocol_names

    if name is not None:
        show_protocol(name, as_json)
        return
    found = [load_protocol(each) for each in protocol_names()]
    if as_json:
        print_json([{"name": each.name, "summary": each.summary} for each in found])
        return
    rows = [[each.name, f"{each.images.size} px", _length(each), each.summary] for each in found]
    columns = [Column("protocol", "name"), Column("images"), Column("length", "name")]
    print_table([*columns, Column("what it is for", "prose")], rows)
    say("All rules of one: bench list protocols NAME")


def _length(protocol: "Protocol") -> str:
    train = protocol.train
    return f"{train.epochs} epochs" if train.images_seen is None else f"{train.images_seen} images"


def show_protocol(name: str, as_json: bool) -> None:
    """Print every rule of a protocol as --set takes it, those that are off left out."""
    from bench.cli.console import Column, print_table, say
    from bench.protocol import TABLES, load_protocol

    protocol = load_protocol(name)
    dumped = protocol.model_dump(mode="json")
    if as_json:
        print_json(dumped)
        return
    rules = [(f"{part}.{key}", value) for part in TABLES for key, value in dumped[part].items()]
    say(f"{protocol.name}: {protocol.summary}")
    rows = [[key, _spelled(value)] for key, value in rules if value is not None]
    print_table([Column("rule", "name"), Column("value", "name")], rows)
    say("A run with another value: bench run --protocol NAME --set RULE=VALUE")


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@list_app.command("metrics")
def list_metrics(
    key: Annotated[str | None, typer.Argument(help="One of them: how it is measured.")] = None,
    as_json: AsJson = False,
    plugin: Plugin = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="As the page docs/metrics.md.")] = False,
) -> None:
    """Every metric with its unit and which direction is better, or all about one.

    Example: bench list metrics

    Example: bench list metrics kid
    """
    load_plugins(plugin)
    from bench.cli.console import Column, print_table, say
    from bench.names import unknown_name
    from bench.runs.metrics import network
    from bench.scoring.metric import listed_metrics, metrics_page

    rows = listed_metrics(("inception", (network(key) if key else None) or "NAME"))
    if key is not None:
        chosen = [row for row in rows if row["key"] == key]
        if not chosen:
            raise unknown_name("metric", key, [row["key"] for row in listed_metrics()], "bench list metrics")
        show_rows(chosen, as_json)
    elif markdown:
        typer.echo(metrics_page(), nl=False)
    elif as_json:
        print_json(rows)
    else:
        columns = [Column("metric", "name"), Column("title", "prose"), Column("unit", "prose")]
        shown = [[row[name] for name in ("key", "title", "unit", "better", "scope")] for row in rows]
        print_table([*columns, Column("better", "name"), Column("of", "name")], shown)
        say("NAME is a feature network other than Inception. How one is measured: bench list metrics METRIC")


@list_app.command("networks")
def list_networks(as_json: AsJson = False, plugin: Plugin = None) -> None:
    """Every feature network: what distances between sets of images can be measured with.

    Example: bench list networks
    """
    load_plugins(plugin)
    from bench.scoring.networks import listed_networks

    show_rows(listed_networks(), as_json)


@list_app.command("objectives")
def list_objectives(as_json: AsJson = False, plugin: Plugin = None) -> None:
    """Every objective: the losses and the training step that a protocol or a baseline can ask for.

    Example: bench list objectives
    """
    load_plugins(plugin)
    from bench.training.conformance import listed_objectives

    show_rows(listed_objectives(), as_json)


@list_app.command("runs")
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
    from bench.cli.console import Column, print_table
    from bench.errors import announce
    from bench.names import unknown_name
    from bench.runs.copies import copies_in
    from bench.runs.folder import STATUSES, find_runs, list_folder, passes

    if status is not None and not fnmatch.filter(STATUSES, status):
        raise unknown_name("status", status, STATUSES, "bench list runs --help")
    filters = {"status": status, "protocol": protocol, "dataset": dataset, "variant": variant}
    every = list_folder(runs)
    for remark in copies_in(folder.path for folder in find_runs(runs)).remarks():
        announce(f"note: {remark}")
    rows = [row for row in every if passes(row, filters)]
    if as_json:
        print_json(rows)
    elif rows:
        cells = [[str(row[key] or "") for key in ("run", "status", "images_seen", "reason")] for row in rows]
        columns = [Column("run", "name"), Column("status", "name"), Column("images seen")]
        print_table([*columns, Column("reason", "prose")], cells)
    elif every:
        most = f"None of the {len(every)} runs" if len(every) > 1 else "The one run"
        announce(f"{most} in {runs} is {'' if len(every) > 1 else 'not '}of that kind.")
    else:
        announce(f"There are no runs in {runs}. Make one with: bench run --variant slot9")


def show_rows(rows: list[dict[str, Any]], as_json: bool) -> None:
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


def doctor(runs: Runs = DEFAULT_RUNS, as_json: AsJson = False) -> None:
    """Devices, weights, data, versions: what is here, absent or broken, and the command that mends each.

    Example:

      bench doctor
    """
    from bench.doctor import diagnose

    findings = diagnose(runs)
    if as_json:
        print_json([dataclasses.asdict(finding) for finding in findings])
        return
    marks = {"ok": "green", "absent": "yellow", "broken": "red"}
    for finding in findings:
        state = "ok" if finding.fine else "broken" if finding.broken else "absent"
        typer.echo(f"{typer.style(f'{state:<6}', fg=marks[state])} {finding.subject}: {finding.detail}")
        if finding.remedy:
            typer.echo(f"       -> {finding.remedy}")


runs_app = typer.Typer(
    help="Keep the folder of runs in order.",
    epilog="Example: bench runs rm",
    no_args_is_help=True,
)


@runs_app.callback()
def keep() -> None:
    """Keep the folder of runs in order."""


@runs_app.command("rm")
def remove(
    folders: Annotated[
        list[Path] | None, typer.Argument(metavar="[RUN]...", help="Run folders; default: all failed ones.")
    ] = None,
    runs: Runs = DEFAULT_RUNS,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Remove failed runs, after asking. Runs that are done or under way are never removed.

    Example: bench runs rm --yes
    """
    from bench.errors import announce
    from bench.runs.folder import failed_runs, remove_run

    chosen = failed_runs(folders or [runs], named=bool(folders))
    for folder, reason in chosen:
        print(f"{folder.path}: {reason}")
    if not chosen:
        announce(f"There is no failed run in {runs}.")
        return
    if not yes:
        typer.confirm(f"Remove these {len(chosen)} failed runs?", abort=True, err=True)
    for folder, _ in chosen:
        kept = remove_run(folder)
        if kept is not None:
            announce(f"{folder.path} was a link: {kept} is kept")
    announce(f"removed {len(chosen)}")
