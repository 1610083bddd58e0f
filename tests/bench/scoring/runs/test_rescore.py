"""Scoring a finished run again: same weights, same data, other networks beside the first."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.data import load_dataset
from bench.errors import BenchError
from bench.protocol import Protocol, schedule_hash
from bench.runs.folder import RunFolder
from bench.runs.records import CellRecord, RunRecord, read_scores
from bench.setup import describe_environment
from bench.studies.execute import rescore
from bench.training import save_generators
from variants.contract import Generator

VARIANT = "slot9[init=kaiming]"


@pytest.fixture
def run(
    tmp_path: Path,
    protocol: Protocol,
    make_generators: Callable[[str], dict[str, Generator]],
    scored: Callable[[str], RunFolder],
) -> RunFolder:
    """A finished run of which only weights, record and scores are there."""
    dataset = load_dataset("toy-stripes", protocol.images)
    folder = RunFolder(tmp_path / "run")
    for name in (folder.generator, folder.checkpoints / "validation.safetensors"):
        save_generators(name, make_generators(VARIANT), VARIANT, step=7)
    folder.write(
        RunRecord(
            status="done",
            cell=CellRecord(protocol=protocol.name, dataset="toy-stripes", variant=VARIANT, seed=0),
            kind="variant",
            protocol=protocol.model_dump(mode="json"),
            protocol_hash=protocol.hash(),
            data_fingerprint=dataset.fingerprint,
            schedule_hash=schedule_hash(protocol, dataset.fingerprint, 0),
            images_seen=7,
            images_to_see=7,
            environment=describe_environment("cpu", 1),
            started="2024-01-01T00:00:00+00:00",
        )
    )
    shutil.copy(scored(VARIANT).scores_json, folder.scores_json)
    return folder


def test_scoring_again_from_the_weights_gives_what_training_gave(run: RunFolder) -> None:
    before = read_scores(run.scores_json).selections
    run.scores_json.unlink()
    assert rescore(run.path).selections == before
    assert read_scores(run.scores_json).selections == before


def test_a_run_on_other_images_is_refused(run: RunFolder) -> None:
    run.update(data_fingerprint="0" * 64)
    with pytest.raises(BenchError, match=r"is not the one that .* was trained on"):
        rescore(run.path)


def test_an_unfinished_run_is_refused(run: RunFolder) -> None:
    run.update(status="failed", reason="killed")
    with pytest.raises(BenchError, match="is failed, not done"):
        rescore(run.path)


def test_an_unknown_network_is_refused_before_anything_is_touched(run: RunFolder) -> None:
    before = run.scores_json.read_bytes()
    with pytest.raises(BenchError, match="incption"):
        rescore(run.path, "incption")
    assert run.scores_json.read_bytes() == before
