"""What comes before slot attention: an image or features become tokens that know where they lie."""

from torch import Tensor, nn

from variants.convolution import apply
from variants.layers import leaky
from variants.position import PositionEmbedding


class RawEncoder(nn.Sequential):
    """Features [b, c, h, w] of an image [b, 3, h, w] at full resolution: 5x5 convolutions and leaky ReLU.

    The published systems call these channels "the hidden dimensions of the MLP".
    """

    def __init__(self, channels: tuple[int, ...]) -> None:
        inputs = (3, *channels[:-1])
        super().__init__(
            *(nn.Conv2d(before, after, 5, padding=2) for before, after in zip(inputs, channels, strict=True))
        )

    def forward(self, image: Tensor) -> Tensor:
        features = image
        for layer in self.children():
            assert isinstance(layer, nn.Conv2d)
            features = leaky(apply(layer, features))
        return features


class Tokens(nn.Module):
    """Tokens [b, n, d] of features [b, c, h, w], n = h * w: position added, then two linear layers."""

    def __init__(self, channels: int, features: int) -> None:
        super().__init__()
        self.position = PositionEmbedding(channels)
        self.first = nn.Linear(channels, features)
        self.second = nn.Linear(features, features)

    def forward(self, features: Tensor) -> Tensor:
        height, width = features.shape[2:]
        tokens = features.flatten(2).transpose(1, 2) + self.position(height, width)
        return self.second(leaky(self.first(tokens)))
