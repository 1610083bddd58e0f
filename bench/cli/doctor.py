"""`bench doctor`: what this machine has and lacks."""

import dataclasses

import typer

from bench.cli.options import DEFAULT_RUNS, AsJson, Runs, print_json


def doctor(runs: Runs = DEFAULT_RUNS, as_json: AsJson = False) -> None:
    """Devices, weights, data, versions: what is here, absent or broken, and the command that mends each.

    Example:

      bench doctor
    """
    from bench.doctor import examine

    findings = examine(runs)
    if as_json:
        print_json([dataclasses.asdict(finding) for finding in findings])
        return
    marks = {"ok": "green", "absent": "yellow", "broken": "red"}
    for finding in findings:
        state = "ok" if finding.fine else "broken" if finding.broken else "absent"
        typer.echo(f"{typer.style(f'{state:<6}', fg=marks[state])} {finding.subject}: {finding.detail}")
        if finding.remedy:
            typer.echo(f"       -> {finding.remedy}")
