"""The conformance suite: what any generator must do to be trained and scored like every other.

    for result in variants.check("slot9"):
        print(result.name, result.passed, result.detail)

By default the generator is built narrow where it has the usual parameters, so that the suite takes seconds;
parameters are counted at the size that the name says.
"""

import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import torch
from safetensors.torch import load, save
from torch import Tensor

from variants.contract import Generator, Translation, compose, some_mask
from variants.parts.cost import parameter_count
from variants.parts.exact_gradients import wrong_gradients
from variants.parts.initialisation import initialise
from variants.registry.checks import AS_BEFORE, CheckResult, Failed, run, twice
from variants.registry.spelling import build, canonical

PARAMETER_COUNTS = {
    "spatial": 11_822_949,
    "light-spatial5": 6_206_400,
    "light-slot5": 7_714_436,
    "slot9": 15_538_399,
    "cyclegan": 11_378_179,
    "attentiongan-v1": 7_931_332,
    "slot5": 15_500_755,
    "encoded-slot5": 14_871_696,
    "attentive-slot5": 12_828_431,
    "uniform": 11_453_467,
    "convolution5": 12_160_721,
    "kmeans5": 11_406_412,
    "oracle": 11_378_179,
    "shuffled": 11_378_179,
    "copy": 0,
    "colour": 0,
    "cut": 11_378_179,
}
"""Trained parameters of every shipped variant and baseline at its defaults: a test of faithfulness. The first
six agree with the published networks, less what never reaches the output there."""


NARROW = {"width": 8, "blocks": 2, "slot_size": 16, "encoder": "8-8-8-16"}
SIZES = ((64, 64), (96, 96), (64, 96))
TOLERANCE = 1e-4


@dataclass(frozen=True)
class Subject:
    """The generator under test."""

    text: str
    full_size: bool
    expected_parameters: int | None

    def build(self) -> Generator:
        """The generator with weights drawn by name, as a run draws them."""
        generator = build(self.text, {} if self.full_size else NARROW)
        initialise(generator, draw)
        return generator

    def image(self, batch: int = 1, height: int = 64, width: int = 64) -> Tensor:
        """Images of noise in [-1, 1]."""
        return torch.rand(batch, 3, height, width, generator=draw("image")) * 2 - 1

    def noise(self, generator: Generator, batch: int = 1) -> Tensor | None:
        """The slot noise of a batch, or None."""
        if generator.noise_shape is None:
            return None
        return torch.randn(batch, *generator.noise_shape, generator=draw("noise"))


def translated(generator: Generator, image: Tensor, noise: torch.Generator | Tensor | None) -> Translation:
    """The translation of images, with masks where these are wanted."""
    return generator(image, noise, some_mask(generator, image))


def draw(name: str) -> torch.Generator:
    """The random generator of a name."""
    return torch.Generator().manual_seed(zlib.crc32(name.encode()))


def check(
    text: str, *, full_size: bool = False, expected_parameters: int | None = None, quick: bool = False
) -> list[CheckResult]:
    """Every check on the generator that `text` names; each runs whatever the others say.

    With `quick`, those that a training is not begun without, on a narrow generator a matter of seconds.
    `expected_parameters` pins the number of trained parameters of a generator that this package does not
    know. What several checks find is told once. Raises VariantError for an unknown name or parameter, and
    for a plugin that cannot be loaded.
    """
    subject = Subject(canonical(text), full_size, expected_parameters)
    names = [name for name in CHECKS if not quick or name not in SLOW]
    results: list[CheckResult] = []
    told: dict[str, str] = {}
    for result in (run(name, CHECKS[name], subject) for name in names):
        first = result.name if result.passed else told.setdefault(gist(result.detail), result.name)
        same = first != result.name
        results.append(replace(result, detail=f"{AS_BEFORE}{first}") if same else result)
    return results


def gist(detail: str) -> str:
    """By what two failures are the same one: the place in the code where they arose, if any is told."""
    place = re.search(r"\([^()]+, line \d+, in [^()]+\)$", detail)
    return place[0] if place else detail


def every_size(subject: Subject) -> Iterator[tuple[Generator, Tensor, Translation]]:
    """The generator, a batch of two images and their translation, at every size."""
    generator = subject.build().eval()
    for height, width in SIZES:
        image = subject.image(2, height, width)
        with torch.no_grad():
            yield generator, image, translated(generator, image, subject.noise(generator, 2))


def shapes(subject: Subject) -> str:
    """Image [b, 3, h, w], contents [b, k, 3, h, w], masks [b, k, h, w] or None and k = 1."""
    for generator, image, (output, contents, masks) in every_size(subject):
        batch, _, height, width = image.shape
        count = contents.shape[1]
        wanted = {
            "image": (output, (batch, 3, height, width)),
            "contents": (contents, (batch, count, 3, height, width)),
            "masks": (masks, (batch, count, height, width)),
        }
        if masks is None:
            del wanted["masks"]
            if count != 1:
                raise Failed(f"{count} contents but no masks")
        for name, (tensor, shape) in wanted.items():
            if tensor is None or tuple(tensor.shape) != shape:
                raise Failed(f"{name} is {None if tensor is None else list(tensor.shape)}, not {list(shape)}")
            if tensor.dtype != image.dtype:
                kinds = (str(each).removeprefix("torch.") for each in (tensor.dtype, image.dtype))
                raise Failed("{} is {}, not {} as its input".format(name, *kinds))
        if generator.background is not None and (masks is None or not 0 <= generator.background < count):
            raise Failed(f"background is {generator.background}, but there are {count} contents")
    return f"sizes {', '.join(f'{height}x{width}' for height, width in SIZES)}"


def weighted_sum(subject: Subject) -> str:
    """The image is the sum of contents by masks, and the background content is the input itself."""
    worst = 0.0
    for generator, image, (output, contents, masks) in every_size(subject):
        total = contents[:, 0] if masks is None else compose(contents, masks)
        worst = max(worst, float((output - total).abs().max()))
        if generator.background is not None and not torch.equal(contents[:, generator.background], image):
            raise Failed(f"content {generator.background} is declared the background but is not the input")
    if not worst <= TOLERANCE:
        raise Failed(f"the image differs from the weighted sum of its contents by {worst:.2g}")
    return f"differs by {worst:.1g}"


def convexity(subject: Subject) -> str:
    """Where the generator claims it, masks are at least 0 and sum to 1 at every pixel."""
    for generator, _, (_, _, masks) in every_size(subject):
        if not generator.convex:
            return "not claimed"
        if masks is None:
            raise Failed("claimed, but there are no masks")
        error = float((masks.sum(1) - 1).abs().max())
        if not (float(masks.min()) >= 0 and error <= TOLERANCE):
            raise Failed(
                f"claimed, but the least mask is {float(masks.min()):.3g}, sums are off by {error:.2g}"
            )
    return "masks sum to 1"


def finite_gradients(subject: Subject) -> str:
    """The loss is finite and reaches every parameter with a finite gradient."""
    generator = subject.build().train()
    image = subject.image()
    masks = generator.masks_taken(image, some_mask(generator, image))
    translation, own = generator.with_losses(image, subject.noise(generator), *masks)
    if not generator.trainable:
        return "nothing to train"
    loss = (translation.image - 0.3).abs().mean() + sum(own.values())
    loss.backward()
    if not torch.isfinite(loss):
        raise Failed(f"the loss is {loss.item()}")
    for name, parameter in generator.named_parameters():
        if parameter.grad is None:
            raise Failed(f"{name} gets no gradient: it does not reach the output")
        if not torch.isfinite(parameter.grad).all():
            raise Failed(f"{name} gets a gradient that is not finite")
    return f"{len(list(generator.parameters()))} parameter tensors"


def right_gradients(subject: Subject) -> str:
    """Gradients agree with float64 in contiguous and in channels_last layout, at batch 1."""
    generator = subject.build().train()
    if not generator.trainable:
        return "nothing to train"
    # A head drawn as published can be so small that its gradients drown in rounding.
    generator.head_initialisation = "kaiming"
    initialise(generator, draw)
    wrong = wrong_gradients(generator, subject.image(), subject.noise(generator))
    if wrong:
        raise Failed(
            f"{len(wrong)} wrong, such as {wrong[0]}. Where it uses nn.InstanceNorm2d, use "
            "variants.parts.layers.instance_norm: torch computes its backward wrongly in some layouts"
        )
    return "as in float64, both layouts"


def batches(subject: Subject) -> str:
    """Two images in one batch are translated as each by itself (in evaluation mode)."""
    generator = subject.build().eval()
    image, noise = subject.image(2), subject.noise(generator, 2)
    with torch.no_grad():
        together = translated(generator, image, noise).image
        apart = [
            translated(generator, image[one], None if noise is None else noise[one]).image
            for one in (slice(0, 1), slice(1, 2))
        ]
    error = float((together - torch.cat(apart)).abs().max())
    if not error <= TOLERANCE:
        raise Failed(f"a batch of 2 differs from two batches of 1 by {error:.2g}")
    return f"differ by {error:.1g}"


def determinism(subject: Subject) -> str:
    """The same image and noise give the same bits, whatever the global generators say."""
    generator = subject.build().eval()
    image = subject.image()
    with torch.no_grad():
        outputs = twice(lambda: translated(generator, image, draw("slot noise")).image)
    if not torch.equal(*outputs):
        raise Failed("two passes with the same noise seed differ: draw only from the `noise` argument")
    return "noise seed fixed" if generator.noise_shape else "no noise"


def initial_weights(subject: Subject) -> str:
    """Weights depend on parameter names alone: built and drawn twice, they are the same bits."""
    first, second = twice(lambda: subject.build().state_dict())
    for name, tensor in first.items():
        if not torch.equal(tensor, second[name]):
            raise Failed(f"{name} is not drawn by variants.initialise")
    return f"{len(first)} tensors"


def parameter_counts(subject: Subject) -> str:
    """The number of trained parameters is the pinned one, where there is one."""
    count = parameter_count(build(subject.text))
    expected = subject.expected_parameters or PARAMETER_COUNTS.get(subject.text)
    if expected is not None and count != expected:
        raise Failed(f"{count:,}, but {expected:,} are pinned")
    return f"{count:,}" + ("" if expected is not None else ", not pinned")


def save_and_load(subject: Subject) -> str:
    """Weights written as safetensors and read into a new generator translate to the same bits."""
    first, second = subject.build().eval(), subject.build().eval()
    with torch.no_grad():
        for tensor in second.state_dict().values():
            tensor.zero_()
    second.load_state_dict(load(save(first.state_dict())))
    image, noise = subject.image(), subject.noise(first)
    with torch.no_grad():
        if not torch.equal(*(translated(each, image, noise).image for each in (first, second))):
            raise Failed("the translation changes: something that matters is no parameter or buffer")
    return "same bits"


CHECKS: dict[str, Callable[[Subject], str]] = {
    "shapes": shapes,
    "weighted sum": weighted_sum,
    "convexity": convexity,
    "finite loss and gradients": finite_gradients,
    "gradients in every layout": right_gradients,
    "batch of 2": batches,
    "determinism": determinism,
    "initial weights": initial_weights,
    "parameter count": parameter_counts,
    "save and load": save_and_load,
}
SLOW = {"gradients in every layout", "parameter count"}
"""Checks that are no part of the quick ones: in float64, or at the size that the name says."""
