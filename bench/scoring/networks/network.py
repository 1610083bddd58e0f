"""A feature network: images in, one vector per image out."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bench.errors import BenchError

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
