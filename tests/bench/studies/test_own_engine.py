"""An engine of one's own comes with a plugin file: the same study, the same scores."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

EXAMPLE = Path(__file__).parents[3] / "docs" / "example_engine.py"


@pytest.fixture
def study_file(workplace: Any, tmp_path: Path) -> Path:
    """A study on the engine of the documentation, whose jobs are processes of this machine."""
    pytest.importorskip("submitit")
    file = tmp_path / "mine.toml"
    file.write_text(
        f'protocol = "{workplace.protocol}"\nvariants = ["spatial"]\nbaselines = ["copy"]\n'
        f'[engine]\nkind = "slurm"\noptions = {{ cluster = "local", folder = "{tmp_path}/jobs" }}\n',
        encoding="utf-8",
    )
    return file


def test_the_engine_of_the_documentation_makes_the_same_runs(
    workplace: Any, study_file: Path, tmp_path: Path, assert_undisturbed: Callable[..., None]
) -> None:
    finished = workplace.bench("study", study_file, "--plugin", EXAMPLE, "--runs", tmp_path / "runs")
    assert finished.returncode == 0, finished.stderr
    assert_undisturbed(tmp_path / "runs", ("spatial", "copy"))


def test_the_engine_of_the_documentation_passes_the_check(workplace: Any, tmp_path: Path) -> None:
    pytest.importorskip("submitit")
    here = f"slurm[cluster=local,folder={tmp_path}/jobs]"
    finished = workplace.bench("check", "--engine", here, "--engine", "local", "--plugin", EXAMPLE)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert finished.stdout.count("passed") == 10


def test_a_study_on_an_engine_that_is_not_loaded_is_refused_before_anything_begins(
    workplace: Any, study_file: Path, tmp_path: Path
) -> None:
    finished = workplace.bench("study", study_file, "--runs", tmp_path / "runs")
    assert finished.returncode == 2
    assert "mine.toml, line 5, engine.kind: Unknown engine 'slurm'. There are: local, ray" in finished.stderr
    assert not list(tmp_path.glob("runs/*"))


def test_there_is_no_slurm_here_and_that_is_said(workplace: Any, study_file: Path, tmp_path: Path) -> None:
    text = study_file.read_text(encoding="utf-8").replace('cluster = "local", ', "")
    study_file.write_text(text, encoding="utf-8")
    finished = workplace.bench("study", study_file, "--plugin", EXAMPLE, "--runs", tmp_path / "runs")
    assert finished.returncode == 2
    assert 'For a try on this machine: options = { cluster = "local" }' in finished.stderr
