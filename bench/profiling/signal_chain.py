"""Is a mask head awake before it is trained? What is left of a picture after each of its stages.

A head whose masks say the same everywhere divides nothing, and no gradient tells its slots apart. How much
they vary over space is decided by the scale at which the head's weights are drawn: tokens smaller than the
eps of the norm that follows (3e-3 for LayerNorm's 1e-5) are not brought back by it. So death is foretold.

The bounds: under 0.001 a trained head is called dead everywhere here, and the 120 published slot heads of the
committed study, which begin there, ended there. From 0.01 on masks move an output by more than a level of 255
where contents differ by half the range, so that losses can feel where they lie. Between the two it is open:
`spatial` begins at 0.006 and woke in all 30, of two attentive probes that began there one faded.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Literal

import torch
from torch import Tensor, nn

import variants
from bench.data.load import scene_images
from bench.data.scenes import SCENES
from bench.data.tensors import to_tensor
from bench.protocol import Protocol, load_protocol
from bench.streams import Streams
from variants.contract import Generator, some_mask
from variants.parts.masks import AWAKE_DEVIATION, DEAD_DEVIATION, mask_spatial_deviation

SCENES_SHOWN = 2
MOST_PIXELS = 64
"""A side of the images: deviations hardly depend on it."""
Verdict = Literal["dead", "weak", "awake"]
KNOWN = {
    "dead": "all 120 published slot heads that began so stayed so over 1,000 images; init=kaiming wakes them",
    "weak": "spatial begins so and woke in 30 of 30, attentive slots in 1 of 2; init=kaiming begins higher",
    "awake": "no promise: with background=own heads that began at 0.015 faded to a copy in 250 images",
}
"""What was seen of heads that began so."""


@dataclass(frozen=True)
class Stage:
    """What a part of the head leaves of the picture."""

    name: str
    deviation: float
    """Standard deviation over space, mean over channels and images."""
    under_eps: float | None = None
    """Where the part normalises: the share of places whose variance is under the eps added to it."""


@dataclass(frozen=True)
class SignalChain:
    """The stages of a mask head in order, the masks last."""

    stages: tuple[Stage, ...]
    verdict: Verdict

    @property
    def deviation(self) -> float:
        """Of the masks."""
        return self.stages[-1].deviation

    @property
    def in_words(self) -> str:
        """The verdict in a sentence."""
        lost = next((each.name for each in self.stages if (each.under_eps or 0) > 0.5), None)
        cause = f"; the signal falls under the norm's eps before {lost}" if lost else ""
        return (
            f"mask head {self.verdict} at initialisation: deviation over space {self.deviation:.2g}{cause} "
            f"({KNOWN[self.verdict]})"
        )

    @property
    def lines(self) -> list[str]:
        """A line for every stage, then the verdict."""
        return [
            *(
                f"{each.name:<26} {each.deviation:<9.2g}"
                + ("" if each.under_eps is None else f" {each.under_eps:.0%} of places under the norm's eps")
                for each in self.stages
            ),
            self.in_words,
        ]

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def verdict_on(deviation: float) -> Verdict:
    """What a head is whose untrained masks deviate so much over space.

    >>> verdict_on(5e-5), verdict_on(0.006), verdict_on(0.1)
    ('dead', 'weak', 'awake')
    """
    if deviation < DEAD_DEVIATION:
        return "dead"
    return "weak" if deviation < AWAKE_DEVIATION else "awake"


def foretell(variant: str, protocol: Protocol | None = None, seed: int = 0) -> SignalChain | None:
    """The chain of a variant's head as a run begins it, on rendered scenes; None without learned masks.

    Widths are those of the protocol, by default of `small`. Raises VariantError for an unknown name.
    """
    protocol = protocol or load_protocol("small")
    generator = variants.build(variant, protocol.model)
    variants.initialise(generator, partial(Streams(seed).torch, "initial-weights", "A2B"))
    size = min(protocol.images.size, MOST_PIXELS)
    entry = SCENES.find("toy-stripes")
    scenes = [to_tensor(each) for each in scene_images(entry, "validation", "A", SCENES_SHOWN, size)]
    return signal_chain(generator, torch.cat(scenes))


def foretold(variant: str, protocol: Protocol, seed: int = 0) -> SignalChain | None:
    """As `foretell`, and None too for anybody's generator that cannot be built or does not translate yet.

    What is wrong with it is said where it is used.
    """
    try:
        return foretell(variant, protocol, seed)
    except Exception:  # anybody's code may raise anything
        return None


def signal_chain(generator: Generator, image: Tensor) -> SignalChain | None:
    """What is left of images [b, 3, h, w] after every stage of the head, by watching one pass.

    The head is the module `head` of the generator; of one that calls it otherwise the masks alone are seen.
    """
    stages: list[Stage] = []
    with watched(getattr(generator, "head", None), stages.append):
        translation = generator.eval()(image, torch.Generator().manual_seed(0), some_mask(generator, image))
    masks = translation.masks
    if masks is None or not masks.requires_grad:
        return None
    deviation = float(mask_spatial_deviation(masks.detach().float()).mean())
    return SignalChain((*stages, Stage("masks", deviation)), verdict_on(deviation))


@contextmanager
def watched(head: nn.Module | None, note: Callable[[Stage], None]) -> Iterator[None]:
    """Within, every part of a head that gives maps or tokens is noted the first time it is called."""
    places: set[int] = set()
    noted: set[str] = set()

    def look(name: str, part: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        if inputs and isinstance(inputs[0], Tensor) and inputs[0].ndim == 4:
            places.add(inputs[0][0, 0].numel())
        if not isinstance(output, Tensor) or name in noted:
            return
        output = output.detach()
        if output.ndim == 4 and output[0, 0].numel() > 1:
            noted.add(name)
            note(Stage(name, float(output.float().std(dim=(2, 3)).mean())))
        elif output.ndim == 3 and output.shape[1] in places:
            noted.add(name)
            under = None
            if isinstance(part, nn.LayerNorm):
                variance = inputs[0].detach().float().var(dim=2, correction=0)
                under = float((variance < part.eps).float().mean())
            note(Stage(name, float(output.float().std(dim=1).mean()), under))

    named = [] if head is None else [(name, part) for name, part in head.named_modules() if name]
    hooks = [part.register_forward_hook(partial(look, name)) for name, part in named]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
