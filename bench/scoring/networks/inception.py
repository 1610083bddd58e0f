"""`inception`: the network of FID and KID, exactly torch-fidelity's `inception-v3-compat`, features 2048."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch_fidelity.feature_extractor_inceptionv3 import (
    URL_INCEPTION_V3,
    BasicConv2d,
    FeatureExtractorInceptionV3,
)

from bench.scoring.networks.network import FeatureNetwork
from bench.scoring.networks.weights import PublishedWeights, WeightsFile, built_from, read_weights

DIMENSION = 2048
PUBLISHED = PublishedWeights("inception", URL_INCEPTION_V3, URL_INCEPTION_V3.rpartition("/")[2])


class InceptionFeatures(nn.Module):
    """uint8 [b, 3, h, w] to float32 [b, 2048], resized inside as TensorFlow 1 did (bilinear, no antialias).

    Batch normalisation is folded into the convolutions and the weights lie channels-last: quicker on a CPU,
    and the features stay within 1e-5 of torch-fidelity's (held by a test).
    """

    def __init__(self, file: WeightsFile) -> None:
        super().__init__()
        self.network = _unfolded(file)
        for block in self.network.modules():
            if isinstance(block, BasicConv2d):
                block.conv = fuse_conv_bn_eval(block.conv, block.bn)
                block.bn = nn.Identity()
        self.network.to(memory_format=torch.channels_last)
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor) -> Tensor:
        return self.network(images.contiguous(memory_format=torch.channels_last))[0]


def _unfolded(file: WeightsFile) -> FeatureExtractorInceptionV3:
    """Torch-fidelity's network with these weights. Raises UsageError where names or shapes differ."""
    return built_from(
        file,
        PUBLISHED,
        lambda safe: FeatureExtractorInceptionV3(
            "inception-v3-compat", ["2048"], feature_extractor_weights_path=safe
        ),
    )


def load_inception(weights: Path | None, device: torch.device) -> FeatureNetwork:
    """The network of FID and KID. Raises BenchError as `read_weights` and for weights of other shapes."""
    file = read_weights(PUBLISHED, weights)
    module = InceptionFeatures(file)
    return FeatureNetwork(
        name="inception",
        dimension=DIMENSION,
        module=module.to(device),
        weights_hash=file.sha256,
        weights_source=file.source,
        resize="TensorFlow 1 bilinear to 299 x 299, as torch-fidelity's inception-v3-compat",
        device=device,
    )
