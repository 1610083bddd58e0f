"""Images to tensors and back; the only place where either happens, so that all scores quantise alike."""

import numpy as np
import torch
from torch import Tensor

from bench.data.dataset import Images, Masks, Split
from bench.errors import BenchError


def to_tensor(images: Images) -> Tensor:
    """uint8 [n, h, w, 3] to float32 [n, 3, h, w] in [-1, 1], contiguous: x / 127.5 - 1."""
    pixels = torch.from_numpy(np.array(images, dtype=np.uint8, order="C"))
    return pixels.permute(0, 3, 1, 2).float().div_(127.5).sub_(1).contiguous()


def mask_tensor(masks: Masks) -> Tensor:
    """Masks [n, h, w] to float32 [n, 1, h, w], 1 inside."""
    return torch.from_numpy(np.array(masks, dtype=np.float32)).unsqueeze(1)


def masks_of(split: Split, rows: slice, wanted: object) -> Tensor | None:
    """The masks of some images of a split, [b, 1, h, w]; None for a generator that wants none, or without."""
    return None if wanted is None or split.masks is None else mask_tensor(split.masks()[rows])


def quantise(images: Tensor) -> Images:
    """Float [n, 3, h, w] in [-1, 1] to uint8 [n, h, w, 3]; values outside are clamped.

    Equal to writing a PNG and reading it back. Raises BenchError when a value is not finite: a broken
    generator must not be scored as one that paints black.
    """
    pixels = images.detach().float()
    broken = int((~torch.isfinite(pixels)).sum())
    if broken:
        raise BenchError(
            f"{broken} of {pixels.numel()} values in a batch of images are not finite (NaN or infinity). "
            "The generator's weights are broken; train again with a smaller learning rate or in fp32."
        )
    scaled = pixels.add(1).mul(127.5).clamp(0, 255).round().to(torch.uint8)
    return scaled.permute(0, 2, 3, 1).contiguous().cpu().numpy()
