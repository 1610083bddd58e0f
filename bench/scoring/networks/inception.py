"""`inception`: the network of FID and KID, exactly torch-fidelity's `inception-v3-compat`, features 2048."""

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from bench.scoring.networks.network import network
from bench.scoring.networks.weights import WeightsFile, built_from

if TYPE_CHECKING:
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

URL = "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth"


@network(
    "inception",
    summary="torch-fidelity's inception-v3-compat: the only one whose distances are FID and KID",
    dimension=2048,
    resize="TensorFlow 1 bilinear to 299 x 299, as torch-fidelity's inception-v3-compat",
    weights=URL,
)
class InceptionFeatures(nn.Module):
    """uint8 [b, 3, h, w] to float32 [b, 2048], resized inside as TensorFlow 1 did (bilinear, no antialias).

    Batch normalisation is folded into the convolutions and the weights lie channels-last: quicker on a CPU,
    and the features stay within 1e-5 of torch-fidelity's (held by a test).
    """

    def __init__(self, file: WeightsFile) -> None:
        from torch_fidelity.feature_extractor_inceptionv3 import BasicConv2d

        super().__init__()
        self.network = _unfolded(file)
        for block in self.network.modules():
            if isinstance(block, BasicConv2d):
                block.conv = fuse_conv_bn_eval(block.conv, block.bn)
                block.bn = nn.Identity()
        self.network.to(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> Tensor:
        return self.network(images.contiguous(memory_format=torch.channels_last))[0]


def _unfolded(file: WeightsFile) -> "FeatureExtractorInceptionV3":
    """Torch-fidelity's network with these weights. Raises UsageError where names or shapes differ."""
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    return built_from(
        file,
        lambda safe: FeatureExtractorInceptionV3(
            "inception-v3-compat", ["2048"], feature_extractor_weights_path=safe
        ),
    )
