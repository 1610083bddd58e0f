"""Folders of images of any origin: the same scores as a run, clear refusals, honest remarks."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bench.errors import BenchError, UsageError
from bench.scoring.external import external_card
from bench.scoring.folders import Folders, ImageSelection, read_folder_images, read_image_sets, score_folders
from bench.scoring.frechet import frechet_distance
from bench.scoring.kernel import kernel_distance
from bench.scoring.networks import FeatureNetwork, load_network

SIZE = 32


@pytest.fixture(scope="module")
def network() -> FeatureNetwork:
    return load_network("tiny")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path / "cache"))


def pictures(seed: int, n: int, brightness: int = 60, size: int = SIZE) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 90, (n, size, size, 3))
    return (noise + brightness).astype(np.uint8)


def folder(path: Path, images: np.ndarray, names: str = "{:03}.png") -> Path:
    path.mkdir(parents=True)
    for place, image in enumerate(images):
        Image.fromarray(image).save(path / names.format(place))
    return path


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """Translations between dark sources and bright real images."""
    return Folders(
        real=folder(tmp_path / "real", pictures(0, 10, 150)),
        fake=folder(tmp_path / "fake", pictures(1, 8, 110)),
        source=folder(tmp_path / "source", pictures(2, 9)),
        floor=folder(tmp_path / "floor", pictures(3, 30, 150)),
    )


def test_scores_are_those_of_the_images_in_the_folders(folders: Folders, network: FeatureNetwork) -> None:
    found, _ = score_folders(folders, network)
    fake, real, source = network(pictures(1, 8, 110)), network(pictures(0, 10, 150)), network(pictures(2, 9))
    metrics = found.scores.metrics
    assert metrics["fd(tiny)"].value == pytest.approx(frechet_distance(fake, real), rel=1e-6)
    assert metrics["kd(tiny)"].value == pytest.approx(kernel_distance(fake, real), rel=1e-4)
    ceiling = kernel_distance(source[:8], real)
    assert metrics["kd(tiny)"].ceiling == pytest.approx(ceiling, rel=1e-4), "sources of the fakes alone"
    assert metrics["kd(tiny)"].floor is not None
    assert metrics["kd(tiny)"].floor < metrics["kd(tiny)"].value < ceiling
    assert (found.scores.images_generated, found.scores.images_real) == (8, 10)


def test_with_sources_every_image_is_measured_against_its_own(
    folders: Folders, network: FeatureNetwork
) -> None:
    found, _ = score_folders(folders, network)
    change = np.abs(pictures(1, 8, 110).astype(float) - pictures(2, 9)[:8]).mean(axis=(1, 2, 3))
    assert found.measured.names == tuple(f"{place:03}.png" for place in range(8))
    assert found.measured.columns["mean_change"] == pytest.approx(change, rel=1e-5)
    assert found.scores.metrics["mean_change"].value == pytest.approx(change.mean(), rel=1e-5)
    assert not [key for key in found.scores.metrics if key.startswith("mask_")]


def test_without_sources_there_are_distances_alone(folders: Folders, network: FeatureNetwork) -> None:
    found, _ = score_folders(Folders(folders.real, folders.fake), network)
    assert set(found.measured.columns) == {"realism(tiny)"}
    assert all(key.endswith("(tiny)") for key in found.scores.metrics)


@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_what_images_are_too_small_for_has_no_value_and_a_reason(
    tmp_path: Path, network: FeatureNetwork, size: int
) -> None:
    paths = [folder(tmp_path / name, pictures(seed, 5, size=size)) for seed, name in enumerate("abc")]
    found, _ = score_folders(Folders(*paths), network)
    metrics = found.scores.metrics
    for score in metrics.values():
        numbers = (score.value, score.spread, score.floor, score.ceiling)
        assert all(number is None or np.isfinite(number) for number in numbers)
        assert score.value is not None or score.reason
    for key in ("noise", "noise_gap"):
        assert metrics[key].reason == (None if size >= 3 else "the image is smaller than 3 pixels")
    assert metrics["structure"].reason == "the image is smaller than 11 pixels"


def test_pairs_are_found_by_name_whatever_the_suffix(tmp_path: Path) -> None:
    fake = folder(tmp_path / "fake", pictures(0, 3), "{}.png")
    real = folder(tmp_path / "real", pictures(1, 3))
    source = folder(tmp_path / "source", pictures(2, 5), "{}.bmp")
    sets, _ = read_image_sets(Folders(real, fake, source), None)
    assert sets.source is not None
    assert sets.source.names == ("0.bmp", "1.bmp", "2.bmp")
    (fake / "lonely.png").write_bytes((fake / "0.png").read_bytes())
    with pytest.raises(BenchError, match=r"1 of 4 images in .* no source of the same name.*lonely\.png"):
        read_image_sets(Folders(real, fake, source), None)
    (source / "0.png").write_bytes((fake / "0.png").read_bytes())
    with pytest.raises(BenchError, match="several images called 0 that differ in their suffix alone"):
        read_image_sets(Folders(real, fake, source), None)


def beside(path: Path, seed: int, n: int = 3) -> Path:
    """A folder of translations beside their sources, as other programs write them."""
    folder(path, pictures(seed, n), "{}_fake.png")
    for place, image in enumerate(pictures(seed + 1, n)):
        Image.fromarray(image).save(path / f"{place}_real.png")
    return path


def test_a_pattern_tells_translations_from_their_sources_in_one_folder(tmp_path: Path) -> None:
    real, results = folder(tmp_path / "real", pictures(9, 4)), beside(tmp_path / "results", 0)
    sets, said = read_image_sets(Folders(real, results, results, pattern="*_fake.png"), None)
    assert sets.source is not None
    assert sets.generated.names == ("0_fake.png", "1_fake.png", "2_fake.png")
    assert sets.source.names == ("0_real.png", "1_real.png", "2_real.png")
    assert any("3 images of other names" in remark for remark in said)
    for read, image in zip(sets.source.read(), pictures(1, 3), strict=True):
        assert (read == image).all()


def test_translations_beside_their_sources_are_not_scored_as_one_set(tmp_path: Path) -> None:
    real, results = folder(tmp_path / "real", pictures(9, 4)), beside(tmp_path / "results", 0)
    for source in (None, results):
        with pytest.raises(UsageError, match=r"0_fake\.png and 0_real\.png.*--pattern '\*_fake\.png'"):
            read_image_sets(Folders(real, results, source), None)
    sets, _ = read_image_sets(Folders(real, results, pattern="*"), None)
    assert len(sets.generated) == 6, "who says so has them all"


def test_images_of_folders_below_are_counted_aloud_and_taken_when_asked(tmp_path: Path) -> None:
    real = folder(tmp_path / "real", pictures(9, 4))
    fake, source = folder(tmp_path / "fake", pictures(0, 3)), folder(tmp_path / "source", pictures(2, 3))
    folder(fake / "more", pictures(1, 2))
    folder(source / "more", pictures(3, 2))
    sets, said = read_image_sets(Folders(real, fake, source), None)
    assert len(sets.generated) == 3
    (remark,) = [remark for remark in said if "fake: 2 images in the folders below" in remark]
    assert remark.endswith("Take them too by: --recursive")
    sets, said = read_image_sets(Folders(real, fake, source, recursive=True), None)
    assert sets.source is not None
    assert sets.generated.names[3:] == sets.source.names[3:] == ("more/000.png", "more/001.png")
    assert not any("left out" in remark for remark in said)


def test_a_folder_whose_images_all_lie_below_names_the_option(tmp_path: Path) -> None:
    real = folder(tmp_path / "real", pictures(9, 4))
    folder(tmp_path / "fake" / "epoch200", pictures(1, 2))
    with pytest.raises(BenchError, match=r"It holds the folders epoch200.* --recursive"):
        read_image_sets(Folders(real, tmp_path / "fake"), None)


def test_a_pattern_that_nothing_matches_says_so(tmp_path: Path) -> None:
    real, results = folder(tmp_path / "real", pictures(9, 4)), beside(tmp_path / "results", 0)
    with pytest.raises(BenchError, match=r"no image whose name matches '\*_fale\.png'.*6 images of other"):
        read_image_sets(Folders(real, results, pattern="*_fale.png"), None)
    with pytest.raises(UsageError, match="no images beside the translations"):
        read_image_sets(Folders(real, results, results, pattern="*"), None)


def test_images_of_different_sizes_are_refused_unless_resized(
    tmp_path: Path, network: FeatureNetwork
) -> None:
    real = folder(tmp_path / "real", pictures(0, 4))
    fake = folder(tmp_path / "fake", pictures(1, 4, size=48))
    with pytest.raises(BenchError, match=r"different sizes: .*real 32 x 32, .*fake 48 x 48.*--size 256"):
        score_folders(Folders(real, fake), network)
    found, _ = score_folders(Folders(real, fake), network, size=32)
    assert found.scores.images_generated == 4
    Image.fromarray(pictures(5, 1, size=16)[0]).save(fake / "small.png")
    with pytest.raises(
        BenchError,
        match=r"fake are not all of one size: 4 of 5 are 48 x 48, small\.png is 16 x 16 .*--size 48",
    ):
        score_folders(Folders(real, fake), network)


@pytest.mark.parametrize("few", ["real", "fake"])
def test_fewer_than_two_images_are_refused(tmp_path: Path, few: str, network: FeatureNetwork) -> None:
    paths = {name: folder(tmp_path / name, pictures(0, 1 if name == few else 4)) for name in ("real", "fake")}
    with pytest.raises(BenchError, match=f"{few} holds 1 image. A distance between sets needs at least 2"):
        score_folders(Folders(**paths), network)


def test_a_subset_size_that_does_not_fit_is_refused_before_anything_is_computed(folders: Folders) -> None:
    with pytest.raises(UsageError, match="A subset size of 9 does not fit 8 generated and 10 real images"):
        score_folders(folders, None, subset_size=9)  # type: ignore[arg-type]


def test_a_folder_that_is_missing_or_empty_or_holds_folders_says_so(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"There is no folder .*nowhere\. Give a folder of images"):
        read_folder_images(ImageSelection(tmp_path / "nowhere"))
    folder(tmp_path / "outer" / "testB", pictures(0, 2))
    with pytest.raises(BenchError, match=r"outer holds no images\. .* It holds the folders testB: is it one"):
        read_folder_images(ImageSelection(tmp_path / "outer"))


@pytest.mark.parametrize("content", [b"", b"not an image"])
def test_an_unreadable_image_is_named(folders: Folders, network: FeatureNetwork, content: bytes) -> None:
    (folders.fake / "bad.png").write_bytes(content)
    with pytest.raises(BenchError, match=r"bad\.png is not a readable image: .* remove it, then repeat"):
        score_folders(folders, network)


def test_a_truncated_image_is_named(folders: Folders, network: FeatureNetwork) -> None:
    path = folders.fake / "003.png"
    path.write_bytes(path.read_bytes()[:-400])
    with pytest.raises(BenchError, match=r"003\.png is not a readable image"):
        score_folders(folders, network)


def test_few_images_duplicates_and_leaks_are_said(tmp_path: Path) -> None:
    real, fake, source = pictures(0, 6), pictures(1, 5), pictures(2, 5)
    fake[1], fake[2], source[4], fake[3] = fake[0], real[0], real[5], source[3]
    folders = Folders(
        real=folder(tmp_path / "real", real),
        fake=folder(tmp_path / "fake", fake),
        source=folder(tmp_path / "source", source),
        floor=folder(tmp_path / "floor", real),
    )
    said = "\n".join(read_image_sets(folders, None)[1])
    for remark in (
        "fake holds 5 images; below 50 distances between sets say little",
        "real holds 6 images; below 50",
        "{}/fake: 1 of 5 images are byte-identical copies of others there",
        "{}/fake: 1 of 5 images are byte-identical to real ones: the scores are better than deserved",
        "{}/fake: 1 of 5 images are byte-identical to source images: nothing was translated there",
        "{}/source: 1 of 5 source images are byte-identical to real ones: the domains leak",
        "{}/floor: 5 of 5 images of the floor are byte-identical to real ones: the floor is too low",
    ):
        assert remark.format(tmp_path) in said


def test_comparing_a_set_with_itself_is_said(folders: Folders) -> None:
    _, said = read_image_sets(Folders(folders.real, folders.real), None)
    assert any("hold identical images: this compares a set with itself" in remark for remark in said)


def test_fifty_images_of_either_kind_need_no_remark(tmp_path: Path) -> None:
    folders = Folders(
        real=folder(tmp_path / "real", pictures(0, 50, size=8)),
        fake=folder(tmp_path / "fake", pictures(1, 50, size=8)),
    )
    assert read_image_sets(folders, None)[1] == []


def test_features_of_real_images_are_kept_for_the_next_system(
    folders: Folders, network: FeatureNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = score_folders(folders, network)
    extracted: list[str] = []
    monkeypatch.setattr(
        "bench.scoring.features.extract_features", lambda *arguments: extracted.append(arguments[-1])
    )
    second, _ = score_folders(folders, network)
    assert not extracted
    assert second.scores == first.scores


def test_the_card_counts_the_images_and_names_the_subset_size(
    folders: Folders, network: FeatureNetwork
) -> None:
    found, _ = score_folders(folders, network)
    card = external_card(network, "B2A", found)
    counts = [card[f"images_{kind}_B2A"] for kind in ("generated", "real", "floor")]
    assert counts == [8, 10, 8]
    assert "subsets of 8" in str(card["kd_subsets"])
