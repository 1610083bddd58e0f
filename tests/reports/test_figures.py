"""Plots are drawn whatever the seeds gave, and whatever matplotlib is told elsewhere."""

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pandas as pd

from reports.figures.distances import against_cost
from reports.write import Request, write_report


def test_a_variant_that_is_the_same_in_every_seed_is_drawn() -> None:
    value = 0.1 + 0.2
    mean = 0.3  # what rounding makes of the mean of equal values: a little below all of them
    rows = [
        {"variant": "copy", "direction": direction, "cost": 0.0, "mean": mean, "low": value, "high": value}
        for direction in ("A2B", "B2A")
    ]
    references = pd.DataFrame(columns=["direction", "name", "value"])
    figure = against_cost(pd.DataFrame(rows), references, ["copy"], "KD", "GFLOP")
    assert [len(axis.containers) for axis in figure.axes[:2]] == [1, 1]


def test_what_a_notebook_or_a_matplotlibrc_asks_of_matplotlib_changes_nothing(
    tmp_path: Path, mini: ModuleType
) -> None:
    mini.write_study(tmp_path / "runs", ("spatial", "copy"), seeds=(0,), pictures=False)
    write_report(Request((tmp_path / "runs",), tmp_path / "plain", ("md",)))
    (tmp_path / "matplotlibrc").write_text(
        "backend: nonsense\ntext.usetex: True\nfont.size: 40\naxes.grid: False\n"
    )
    told = {"MPLBACKEND": "module://matplotlib_inline.backend_inline", "MPLCONFIGDIR": str(tmp_path / "none")}
    words = ["report", "runs", "--out", "told", "--format", "md"]
    command = [sys.executable, "-m", "bench", *words]
    done = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, **told}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    figures = sorted((tmp_path / "plain" / "figures").iterdir())
    assert figures
    for figure in figures:
        assert figure.read_bytes() == (tmp_path / "told" / "figures" / figure.name).read_bytes(), figure.name


def test_a_program_that_draws_reports_keeps_the_backend_it_asked_for() -> None:
    program = "import os, reports.figures.files; print(os.environ['MPLBACKEND'])"
    told = {**os.environ, "MPLBACKEND": "nonsense"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=told, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("nonsense\n", 0)
