"""`bench doctor`: what this machine has and lacks."""

import dataclasses

import typer

from bench.cli.options import DEFAULT_RUNS, AsJson, Runs, print_json


def doctor(runs: Runs = DEFAULT_RUNS, as_json: AsJson = False) -> None:
    """Devices, weights, data, versions: what is here, what is not, and the command that mends each.

    Example:

      bench doctor
    """
    from bench.doctor import examine

    findings = examine(runs)
    if as_json:
        print_json([dataclasses.asdict(finding) for finding in findings])
        return
    for finding in findings:
        mark = typer.style("ok     ", fg="green") if finding.fine else typer.style("missing", fg="yellow")
        typer.echo(f"{mark} {finding.subject}: {finding.detail}")
        if finding.remedy:
            typer.echo(f"        -> {finding.remedy}")
