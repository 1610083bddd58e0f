"""What the measurements share: images in levels, luma, gradients, refusals."""

import torch
import torch.nn.functional as functional
from torch import Tensor

from bench.data.dataset import Images

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in luma (ITU-R BT.601)."""

_SOBEL = ((-1.0, 0.0, 1.0), (-2.0, 0.0, 2.0), (-1.0, 0.0, 1.0))


def levels(images: Images, device: torch.device | str = "cpu") -> Tensor:
    """uint8 [n, h, w, 3] to float32 [n, 3, h, w] in levels, 0 to 255."""
    pixels = torch.from_numpy(images.copy() if not images.flags.writeable else images)
    return pixels.to(device).permute(0, 3, 1, 2).float()


def luma(image: Tensor) -> Tensor:
    """Images [b, 3, h, w] to luma [b, h, w], same range."""
    require_images(image)
    return torch.einsum("bchw,c->bhw", image, image.new_tensor(LUMA))


def sobel_magnitude(plane: Tensor) -> Tensor:
    """Length of the Sobel gradient of planes [b, h, w]: [b, h-2, w-2], borders left out."""
    across = plane.new_tensor(_SOBEL)
    kernels = torch.stack([across, across.T])[:, None]
    gradient = functional.conv2d(plane[:, None], kernels)
    return gradient.square().sum(dim=1).sqrt()


def require_images(*images: Tensor) -> None:
    """Raise ValueError unless all are [b, 3, h, w], of one shape, finite."""
    for image in images:
        if image.ndim != 4 or image.shape[1] != 3:
            raise ValueError(f"images have shape {list(image.shape)}; expected [b, 3, h, w] in levels")
        if image.shape != images[0].shape:
            raise ValueError(f"images differ in shape: {list(images[0].shape)} and {list(image.shape)}")
        if not torch.isfinite(image).all():
            raise ValueError("images hold values that are not finite")
