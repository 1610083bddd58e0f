"""Scoring a finished run again: same weights, same data, other networks beside the first."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.data import load_dataset
from bench.errors import BenchError
from bench.protocol import Protocol, schedule_hash
from bench.runs.environment import describe_environment
from bench.runs.folder import RunFolder
from bench.runs.record import CellRecord, RunRecord
from bench.runs.scores import DirectionScores, Score, Scores, Selection, read_scores
from bench.scoring.merge import with_earlier_networks
from bench.scoring.rescore import rescore
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


def scores_of(network: str, step: int, **values: float) -> Scores:
    metrics = {key: Score(value=value) for key, value in values.items()}
    direction = DirectionScores(images_generated=2, images_real=2, metrics=metrics)
    selection = Selection(step=step, images_seen=step, directions={"A2B": direction})
    card = {"feature_network": network, "weights_sha256": f"hash of {network}"}
    return Scores(selections={"last": selection}, card=card)


def test_scores_of_an_earlier_network_stay_beside_the_new_ones() -> None:
    both = with_earlier_networks(
        scores_of("tiny", 7, kd_tiny=1.0, noise=2.0), scores_of("inception", 7, kid=3.0, noise=4.0)
    )
    found = both.selections["last"].directions["A2B"].metrics
    assert {key: score.value for key, score in found.items()} == {"kd_tiny": 1, "noise": 2, "kid": 3}
    assert both.card["feature_network"] == "tiny"
    assert both.card["weights_sha256(inception)"] == "hash of inception"


def test_scores_of_other_weights_are_dropped() -> None:
    new = scores_of("tiny", 7, noise=2.0)
    merged = with_earlier_networks(new, scores_of("inception", 5, kid=3.0))
    assert merged.selections == new.selections


def test_a_third_network_keeps_the_first_and_the_second() -> None:
    two = with_earlier_networks(scores_of("tiny", 7, b=1.0), scores_of("inception", 7, a=1.0))
    three = with_earlier_networks(scores_of("squeezenet", 7, c=1.0), two)
    assert set(three.selections["last"].directions["A2B"].metrics) == {"a", "b", "c"}
    assert {"weights_sha256(inception)", "weights_sha256(tiny)"} <= set(three.card)


def test_scoring_again_with_the_first_network_replaces_its_card() -> None:
    two = with_earlier_networks(scores_of("tiny", 7, b=1.0), scores_of("inception", 7, a=1.0))
    back = with_earlier_networks(scores_of("inception", 7, a=2.0), two)
    assert "weights_sha256(inception)" not in back.card
    assert "weights_sha256(tiny)" in back.card
