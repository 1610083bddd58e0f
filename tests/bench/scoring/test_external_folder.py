"""The folder of images of other programs: read like a run's, both directions in one, nothing overwritten."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.data.dataset import Dataset, Domain, Split
from bench.errors import BenchError
from bench.runs.records import Direction, read_scores
from bench.scoring.external import (
    Card,
    ExternalScores,
    external_card,
    score_generator,
    score_image_sets,
    write_external,
)
from bench.scoring.networks import FeatureNetwork, load_network
from bench.scoring.references import dataset_reference
from bench.scoring.summarise import FeatureSets, set_scores
from variants.contract import Generator, Translation


class Negative(Generator):
    """A generator whose translation is known: the negative of its input."""

    def forward(self, image, noise=None):  # type: ignore[no-untyped-def]
        return Translation(-image, -image[:, None], None)


class Broken(Generator):
    """A generator that gives NaN."""

    def forward(self, image, noise=None):  # type: ignore[no-untyped-def]
        return Translation(image * float("nan"), image[:, None], None)


@pytest.fixture(scope="module")
def network() -> FeatureNetwork:
    return load_network("tiny")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))


def split(seed: int, n: int, brightness: int) -> Split:
    noise = np.random.default_rng(seed).integers(0, 90, (n, 32, 32, 3))
    return Split((noise + brightness).astype(np.uint8), tuple(f"{place}.jpg" for place in range(n)))


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    dark, bright = (
        Domain(split(seed, 9, level), split(seed, 0, level), split(seed + 1, 7 + seed, level))
        for seed, level in ((0, 30), (2, 140))
    )
    return Dataset("two greys", dark, bright, "f" * 64, {})


def scored(direction: Direction, dataset: Dataset, network: FeatureNetwork) -> tuple[ExternalScores, Card]:
    found = score_generator(Negative(), dataset, direction, network, subset_size=5)
    return found, {**external_card(network, direction, found), "name": "negative", "dataset": "two greys"}


def test_a_generator_is_scored_on_the_test_split_with_floor_and_ceiling(
    dataset: Dataset, network: FeatureNetwork
) -> None:
    found, _ = scored("A2B", dataset, network)
    negative = network(255 - dataset.A.test.images)
    right = dataset_reference(network, dataset, "A2B")
    sets = FeatureSets(negative, right.real, 5, right.ceiling)
    expected = set_scores(sets, "tiny", right.floor, all_metrics=False)
    for key, score in expected.items():
        assert found.scores.metrics[key].value == pytest.approx(score.value, rel=1e-4, abs=1e-7)
        assert found.scores.metrics[key].floor == pytest.approx(score.floor, rel=1e-4, abs=1e-7)
        assert found.scores.metrics[key].ceiling == pytest.approx(score.ceiling, rel=1e-4, abs=1e-7)
    assert found.measured.names == dataset.A.test.names


def test_an_output_that_is_not_finite_is_an_error_that_names_the_file(
    dataset: Dataset, network: FeatureNetwork
) -> None:
    with pytest.raises(BenchError, match=r"The translation A2B of 0\.jpg has 3072 values"):
        score_generator(Broken(), dataset, "A2B", network, subset_size=5)


def test_both_directions_stand_in_one_folder(
    dataset: Dataset, network: FeatureNetwork, tmp_path: Path
) -> None:
    folder = tmp_path / "negative"
    for direction in ("B2A", "A2B"):
        found, card = scored(direction, dataset, network)
        scores = write_external(folder, found, direction, card)
    assert scores == read_scores(folder / "scores.json")
    assert list(scores.selections["last"].directions) == ["A2B", "B2A"]
    assert [scores.card[f"images_generated_{each}"] for each in ("A2B", "B2A")] == [7, 9]
    rows = (folder / "images.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows[1:]] == ["A2B"] * 7 + ["B2A"] * 9
    assert all(row.count(",") == rows[0].count(",") for row in rows)
    features = {path.name: np.load(path).shape for path in (folder / "features").iterdir()}
    assert features["last-A2B-tiny.npy"] == (7, network.dimension)
    assert features["real-A2B-tiny.npy"] == (9, network.dimension)


def read_picture(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path))


def test_pictures_are_kept_for_galleries_in_both_directions(
    dataset: Dataset, network: FeatureNetwork, tmp_path: Path
) -> None:
    folder = tmp_path / "negative"
    for direction in ("B2A", "A2B", "A2B"):
        found, card = scored(direction, dataset, network)
        write_external(folder, found, direction, card)
    entries = json.loads((folder / "samples" / "index.json").read_text())
    final = [entry for entry in entries if entry["kind"] == "final"]
    assert [entry["direction"] for entry in final] == ["B2A"] * 6 + ["A2B"] * 6
    for entry in entries:
        split = (dataset.A if entry["direction"] == "A2B" else dataset.B).test
        source = split.images[split.names.index(entry["file"])]
        assert (read_picture(folder / entry["folder"] / "source.png") == source).all()
        output = read_picture(folder / entry["folder"] / "output.png")
        assert np.abs(output.astype(int) - (255 - source)).max() <= 1
    ranks = {(entry["measure"], entry["rank"]) for entry in entries if entry["kind"] == "extreme"}
    assert ranks == {
        (measure, rank)
        for measure in ("edge_correlation", "realism(tiny)")
        for rank in ("best", "median", "worst")
    }


def test_pictures_are_of_the_test_images_that_the_runs_beside_show(
    dataset: Dataset, network: FeatureNetwork, tmp_path: Path
) -> None:
    entries = [
        {"kind": "final", "direction": "A2B", "file": f"{at}_real.png", "folder": "x"} for at in (5, 2)
    ]
    index = tmp_path / "spatial" / "seed0" / "samples" / "index.json"
    index.parent.mkdir(parents=True)
    index.write_text(json.dumps(entries))
    found, card = scored("A2B", dataset, network)
    write_external(tmp_path / "theirs", found, "A2B", card)
    kept = json.loads((tmp_path / "theirs" / "samples" / "index.json").read_text())
    assert [entry["file"] for entry in kept if entry["kind"] == "final"] == ["2.jpg", "5.jpg"]


def test_a_folder_that_holds_runs_is_left_alone(
    dataset: Dataset, network: FeatureNetwork, tmp_path: Path
) -> None:
    (tmp_path / "spatial" / "seed0").mkdir(parents=True)
    (tmp_path / "spatial" / "seed0" / "run.json").write_text("{}")
    found, card = scored("A2B", dataset, network)
    with pytest.raises(BenchError, match=r"holds runs.*another --name"):
        write_external(tmp_path / "spatial", found, "A2B", card)
    assert not (tmp_path / "spatial" / "scores.json").exists()


def test_scoring_a_direction_again_replaces_it(
    dataset: Dataset, network: FeatureNetwork, tmp_path: Path
) -> None:
    found, card = scored("A2B", dataset, network)
    first = write_external(tmp_path / "x", found, "A2B", card)
    before = (tmp_path / "x" / "images.csv").read_bytes()
    assert write_external(tmp_path / "x", found, "A2B", card) == first
    assert (tmp_path / "x" / "images.csv").read_bytes() == before


def test_scores_of_another_system_are_not_overwritten(
    dataset: Dataset, network: FeatureNetwork, tmp_path: Path
) -> None:
    found, card = scored("A2B", dataset, network)
    write_external(tmp_path / "x", found, "A2B", card)
    with pytest.raises(BenchError, match="holds other scores:\n  name: here negative, now other"):
        write_external(tmp_path / "x", found, "A2B", card | {"name": "other"})


def test_the_folder_of_a_run_is_left_alone(dataset: Dataset, network: FeatureNetwork, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("{}")
    found, card = scored("A2B", dataset, network)
    with pytest.raises(BenchError, match=r"is the folder of a run. Choose another with --out"):
        write_external(tmp_path, found, "A2B", card)
    assert not (tmp_path / "scores.json").exists()


def test_a_direction_is_not_scored_again_with_fewer_values(
    dataset: Dataset, network: FeatureNetwork, tmp_path: Path
) -> None:
    whole, card = scored("A2B", dataset, network)
    write_external(tmp_path / "theirs", whole, "A2B", card)
    before = (tmp_path / "theirs/scores.json").read_bytes()
    alone = replace(whole.sets, source=None, floor=None)
    fewer = score_image_sets(alone, network, 5)
    with pytest.raises(BenchError, match=r"would be lost: .*edge_correlation.*--source and --floor"):
        write_external(tmp_path / "theirs", fewer, "A2B", card)
    assert (tmp_path / "theirs/scores.json").read_bytes() == before
    write_external(tmp_path / "theirs", whole, "A2B", card)


def test_both_directions_have_one_size_and_each_its_own_subsets(
    dataset: Dataset, network: FeatureNetwork, tmp_path: Path
) -> None:
    place = tmp_path / "theirs"
    for direction, size, subsets in (("A2B", 32, 5), ("A2B", 64, 4), ("B2A", 64, 3)):
        found, card = scored(direction, dataset, network)
        of_subsets = external_card(network, direction, replace(found, subset_size=subsets))
        write_external(
            place, found, direction, card | of_subsets | {"image_size": f"as found, {size} x {size}"}
        )
    kept = read_scores(place / "scores.json").card
    assert [kept[f"kd_subsets_{direction}"].split(",")[0] for direction in ("A2B", "B2A")] == [
        "100 subsets of 4",
        "100 subsets of 3",
    ]
    assert "kd_subsets" not in kept
    found, card = scored("B2A", dataset, network)
    with pytest.raises(BenchError, match="image_size: here as found, 64 x 64, now as found, 32 x 32"):
        write_external(place, found, "B2A", card | {"image_size": "as found, 32 x 32"})
