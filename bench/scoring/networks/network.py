"""A feature network: images in, one vector per image out; its entry stands on its class.

    @network("mine", summary="...", dimension=512, resize="antialiased bilinear to 224 x 224",
             weights="https://somewhere/mine-0123abcd.pth")
    class Mine(nn.Module):
        def __init__(self, file: WeightsFile) -> None:     # without `weights`: __init__(self)
            ...
        def forward(self, images: Tensor) -> Tensor:       # uint8 [b, 3, h, w] to float32 [b, dimension]
            ...

Lists, cards, `bench doctor`, remedies and the keys of scores (`fd(mine)`) come from the entry. Libraries that
take seconds to import are imported in `__init__`, not above: every entry is read before one is chosen.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from bench.errors import BenchError, UsageError
from bench.names import key_name
from bench.registry import Registry
from bench.scoring.networks.weights import PublishedWeights, read_weights
from variants.registry.provenance import of_thing

Features = np.ndarray[Any, np.dtype[np.float32]]
BATCH = 16


@dataclass(frozen=True)
class FeatureNetwork:
    """A network that turns images into feature vectors, with everything a metric card says of it.

    `network(images)` takes uint8 [n, h, w, 3] (NumPy array, memory map or tensor; any n, all of one size)
    and gives float32 [n, dimension] on the CPU. Pixels are held for `batch` images at a time.
    """

    name: str
    """`inception`, `squeezenet`, `efficientnet-lite0`, `tiny` or a name of torch-fidelity's."""
    dimension: int
    module: nn.Module
    """Takes uint8 [b, 3, h, w] on `device`, gives float32 [b, dimension]."""
    weights_hash: str
    """SHA-256 of the weights file (of the weights themselves for `tiny`)."""
    weights_source: str
    """Where the weights came from, for the metric card: the published file, a local file, embedded."""
    resize: str
    """How images reach the network's input size, in words."""
    device: torch.device
    batch: int = BATCH
    code: str = ""
    """SHA-256 of the file of a network that is not ours: edited, it gives other features."""

    def __call__(self, images: np.ndarray | Tensor) -> Features:
        """The features [n, dimension] of images [n, h, w, 3]; raises BenchError for anything else."""
        check_images(images)
        starts = range(0, len(images), self.batch)
        parts = [self._features_of_batch(images[start : start + self.batch]) for start in starts]
        return np.concatenate(parts) if parts else np.empty((0, self.dimension), np.float32)

    @torch.inference_mode()
    def _features_of_batch(self, images: np.ndarray | Tensor) -> Features:
        # A memory map may be read-only, which torch warns about: copy it, 16 images are little.
        batch = images if isinstance(images, Tensor) else torch.from_numpy(np.array(images))
        pixels = batch.to(self.device).permute(0, 3, 1, 2).contiguous()
        # Scoring is fp32 whatever the training's precision: no autocast, no TensorFloat-32.
        exact = torch.backends.cudnn.flags(
            enabled=True, benchmark=False, deterministic=True, allow_tf32=False
        )
        with torch.autocast(self.device.type, enabled=False), exact:
            features = self.module(pixels).float().cpu().numpy()
        if not np.isfinite(features).all():
            raise BenchError(
                f"The feature network {self.name} gave values that are not finite. Its weights are damaged "
                f"or not meant for it ({self.weights_source}); name the right file with --weights FILE."
            )
        return features


def check_images(images: np.ndarray | Tensor) -> None:
    """Raise BenchError unless `images` is uint8 [n, h, w, 3]."""
    right_type = images.dtype in (np.uint8, torch.uint8)
    if not right_type or images.ndim != 4 or images.shape[-1] != 3:
        raise BenchError(
            f"Feature networks take uint8 images of shape [n, height, width, 3], not {images.dtype} "
            f"{list(images.shape)}. Turn tensors in [-1, 1] into images with bench.data.tensors.quantise."
        )


@dataclass(frozen=True)
class NetworkEntry:
    """What is known of a feature network before it is loaded."""

    name: str
    summary: str
    dimension: int
    resize: str
    build: Callable[..., nn.Module]
    weights: PublishedWeights | None
    """None: the module brings them."""
    source: str
    """Where weights that it brings come from, for the card."""

    def load(self, chosen: Path | None, device: torch.device) -> FeatureNetwork:
        """The network with weights from `chosen`, else from torch's folder or download.

        Raises BenchError as `read_weights`, UsageError for weights of another network, or any for one that
        brings its own.
        """
        if self.weights is None:
            if chosen is not None:
                raise UsageError(
                    f"The feature network {self.name} brings its weights: {chosen} would not be used. "
                    "Leave out --weights, or name the network whose file it is with --features."
                )
            module, source = self.build(), self.source
            digest = weights_hash(module)
        else:
            file = read_weights(self.weights, chosen)
            module, source, digest = self.build(file), file.source, file.sha256
        return FeatureNetwork(
            name=self.name,
            dimension=self.dimension,
            module=module.requires_grad_(False).eval().to(device),
            weights_hash=digest,
            weights_source=source,
            resize=self.resize,
            device=device,
            code=code_of(self.build),
        )


NETWORKS: Registry[NetworkEntry] = Registry(
    "feature network",
    package="bench.scoring.networks",
    group="bench.networks",
    see="bench list networks",
    first=("tiny", "squeezenet", "efficientnet", "inception"),
    without=("fidelity",),
)
Class = TypeVar("Class", bound=Callable[..., nn.Module])


def network(
    name: str,
    *,
    summary: str,
    dimension: int,
    resize: str,
    weights: str | PublishedWeights | None = None,
    source: str = "embedded",
) -> Callable[[Class], Class]:
    """Decorator that enters a module's class as a feature network.

    `weights` is the address of the file of its weights, which is checked where its name ends in digits of its
    SHA-256, or says how a package brings it. Raises UsageError for a name that is taken or unfit for a key.
    """
    key_name("feature network", name)
    if isinstance(weights, str):
        published: PublishedWeights | None = PublishedWeights(name, weights, weights.rpartition("/")[2])
    else:
        published = weights

    def enter(build: Class) -> Class:
        NETWORKS.add(name, NetworkEntry(name, summary, dimension, resize, build, published, source), build)
        return build

    return enter


def code_of(build: Callable[..., nn.Module]) -> str:
    """The hash of a network's source and of its imports; empty for ours, whose versions are recorded."""
    found = of_thing(build)
    return found.hash if found else ""


def weights_hash(module: nn.Module) -> str:
    """SHA-256 over all weights of a module, in their order."""
    digest = hashlib.sha256()
    for value in module.state_dict().values():
        values = value.detach().cpu().numpy()
        digest.update(values.astype(values.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()
