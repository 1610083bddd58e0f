"""Feature networks that torch-fidelity has registered: CLIP, DINOv2, VGG16 and those of its plugins."""

import io
from pathlib import Path

import torch
import torch_fidelity.registry as registry
from torch import Tensor, nn
from torch_fidelity.feature_extractor_base import FeatureExtractorBase
from torch_fidelity.feature_extractor_clip import MODEL_METADATA as CLIP_FILES
from torch_fidelity.feature_extractor_clip import MODEL_URLS as CLIP_ADDRESSES
from torch_fidelity.feature_extractor_dinov2 import MODEL_METADATA as DINO_NAMES
from torch_fidelity.feature_extractor_dinov2 import FeatureExtractorDinoV2

from bench.errors import BenchError
from bench.scoring.networks.network import FeatureNetwork
from bench.scoring.networks.weights import (
    PublishedWeights,
    WeightsFile,
    built_from,
    how_to_get_weights,
    judged_by_names,
    load_weights_file,
    matching_state,
    read_weights,
)

DINO_CODE = "facebookresearch/dinov2:main"


class FidelityFeatures(nn.Module):
    """uint8 [b, 3, h, w] to float32 [b, d]: the layer that torch-fidelity takes for FID of this network."""

    def __init__(self, extractor: FeatureExtractorBase) -> None:
        super().__init__()
        self.extractor = extractor
        self.requires_grad_(False).eval()

    def forward(self, images: Tensor) -> Tensor:
        return self.extractor(images)[0].flatten(1)


class DinoFeatures(FeatureExtractorDinoV2):
    """Torch-fidelity's DINOv2 with weights from a file; the architecture's code comes from torch hub."""

    def __init__(self, name: str, file: WeightsFile) -> None:
        FeatureExtractorBase.__init__(self, name, ["dinov2"])
        self.feature_extractor_internal_dtype = torch.float32
        load_weights_file(file)  # before anything is downloaded
        try:
            self.model = torch.hub.load(DINO_CODE, DINO_NAMES[name], pretrained=False, trust_repo=True)
        except (OSError, ImportError) as error:
            raise BenchError(
                f"{name} also needs the code of {DINO_CODE}, which torch hub could not download ({error}). "
                f"Unpack that repository to {Path(torch.hub.get_dir()) / 'facebookresearch_dinov2_main'}, "
                "or use another network."
            ) from None
        self.model.load_state_dict(matching_state(file, judged_by_names(self.model)))


def registered_networks() -> list[str]:
    """Names of torch-fidelity's networks; its Inception goes by the name `inception` here."""
    return sorted(set(registry.FEATURE_EXTRACTORS_REGISTRY) - {"inception-v3-compat"})


def published_weights(name: str) -> PublishedWeights:
    """The weights file of a network of torch-fidelity; raises BenchError for one whose file is not known."""
    if name in CLIP_FILES:
        file = f"{name}-{CLIP_FILES[name]['hash']}.pt"
        return PublishedWeights(name, CLIP_ADDRESSES[name], file)
    if name in DINO_NAMES:
        file = f"{DINO_NAMES[name]}_pretrain.pth"
        return PublishedWeights(
            name, f"https://dl.fbaipublicfiles.com/dinov2/{DINO_NAMES[name]}/{file}", file
        )
    if name == "vgg16":
        file = "vgg16-397923af.pth"
        return PublishedWeights(name, f"https://download.pytorch.org/models/{file}", file)
    raise BenchError(
        f"bench does not know where the weights of {name!r} come from, so it could not record them. "
        "Use one of: inception, squeezenet, efficientnet-lite0, tiny, "
        f"{', '.join(sorted([*CLIP_FILES, *DINO_NAMES, 'vgg16']))}."
    )


def load_fidelity(name: str, weights: Path | None, device: torch.device) -> FeatureNetwork:
    """A network of torch-fidelity by its registered name. Raises BenchError as `read_weights`."""
    published = published_weights(name)
    file = read_weights(published, weights)
    module = FidelityFeatures(_extractor(name, file)).to(device)
    with torch.inference_mode():
        probe = module(torch.zeros(1, 3, 32, 32, dtype=torch.uint8, device=device))
    side = getattr(module.extractor, "resolution", getattr(module.extractor, "INPUT_IMAGE_SIZE", None))
    return FeatureNetwork(
        name=name,
        dimension=probe.shape[1],
        module=module,
        weights_hash=file.sha256,
        weights_source=file.source,
        resize=f"TensorFlow 1 bilinear to {side} x {side}, as torch-fidelity's {name}",
        device=device,
    )


def _extractor(name: str, file: WeightsFile) -> FeatureExtractorBase:
    layer = registry.FEATURE_EXTRACTORS_REGISTRY[name].get_default_feature_layer_for_metric("fid")
    if name in CLIP_FILES:
        return _clip(name, layer, file)
    if name in DINO_NAMES:
        return DinoFeatures(name, file)
    network = registry.FEATURE_EXTRACTORS_REGISTRY[name]
    made: FeatureExtractorBase = built_from(
        file, lambda safe: network(name, [layer], feature_extractor_weights_path=safe)
    )
    return made


def _clip(name: str, layer: str, file: WeightsFile) -> FeatureExtractorBase:
    """CLIP's weights are a TorchScript archive, hence a program: only the published file is opened."""
    published = file.published
    if file.sha256 != published.hash_prefix:
        raise BenchError(
            f"The weights given for {name} have the SHA-256 {file.sha256[:12]}..., not the published "
            f"{published.hash_prefix[:12]}...; CLIP's file is a program, so no other is opened. "
            + how_to_get_weights(published)
        )
    network = registry.FEATURE_EXTRACTORS_REGISTRY[name]
    return network(name, [layer], feature_extractor_weights_path=io.BytesIO(file.content))
