"""What the measurements share: images in levels, luma, gradients, refusals."""

import torch
from torch import Tensor

from bench.data.dataset import Images

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in luma (ITU-R BT.601)."""


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
    smooth_down = plane[:, :-2] + 2 * plane[:, 1:-1] + plane[:, 2:]
    smooth_across = plane[:, :, :-2] + 2 * plane[:, :, 1:-1] + plane[:, :, 2:]
    across = smooth_down[:, :, 2:] - smooth_down[:, :, :-2]
    down = smooth_across[:, 2:] - smooth_across[:, :-2]
    return torch.hypot(across, down)


def require_images(*images: Tensor) -> None:
    """Raise ValueError unless all are [b, 3, h, w], of one shape, finite."""
    for image in images:
        if image.ndim != 4 or image.shape[1] != 3:
            raise ValueError(f"images have shape {list(image.shape)}; expected [b, 3, h, w] in levels")
        if image.shape != images[0].shape:
            raise ValueError(f"images differ in shape: {list(images[0].shape)} and {list(image.shape)}")
        if not torch.isfinite(image).all():
            raise ValueError("images hold values that are not finite")
