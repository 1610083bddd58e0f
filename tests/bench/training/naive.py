"""The LSGAN step done naively, as published: what ours must be equal to, and is measured against.

Every generator pass alive at once, one joint backward, torch's plain Adam over both generators and over both
discriminators. The generators compute what the published ones compute: `torch.nn.InstanceNorm2d`, keys and
values for every token, a slot decoder that runs twice and makes colours that nobody uses, convolutions as
torch does them.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bench.training.cycle import LeastSquares
from bench.training.schedule import StepStreams
from variants.contract import Generator, Noise
from variants.parts.slot_attention import EPSILON, SlotAttention
from variants.parts.slot_head import RawSlotHead, SlotDecoder
from variants.parts.trunks import ResnetTrunk
from variants.raw_slots import RawSlots
from variants.spatial import Spatial

norm = F.instance_norm


@dataclass
class NaiveStep:
    """The networks of an objective, trained naively."""

    objective: LeastSquares

    def __post_init__(self) -> None:
        both = self.objective.discriminators.values()
        self.generator_optimiser = self.adam(*self.objective.generators.values())
        self.discriminator_optimiser = self.adam(*both)

    def adam(self, *networks: nn.Module) -> torch.optim.Adam:
        settings = self.objective.settings
        parameters = [parameter for network in networks for parameter in network.parameters()]
        return torch.optim.Adam(parameters, lr=settings.learning_rate, betas=settings.betas)

    def __call__(self, images: dict[str, Tensor], streams: StepStreams) -> None:
        self.generator_optimiser.zero_grad()
        loss, translated = joint_loss(self.objective, images, streams)
        loss.backward()
        self.generator_optimiser.step()
        self.discriminator_optimiser.zero_grad()
        for domain in "AB":
            judge = self.objective.discriminators[domain]
            pool = self.objective.pools[domain]
            shown = pool.exchange(translated[domain].detach(), streams.pool(domain)).images
            real, made = judge(images[domain]), judge(shown)
            (0.5 * (distance_to(real, 1.0) + distance_to(made, 0.0))).backward()
        self.discriminator_optimiser.step()


def joint_loss(
    objective: LeastSquares, images: dict[str, Tensor], streams: StepStreams
) -> tuple[Tensor, dict[str, Tensor]]:
    """The sum of all generator losses, its graph holding six passes, and the translations into A and B."""
    A, B = images["A"], images["B"]
    settings = objective.settings

    def made(direction: str, image: Tensor, role: str) -> Tensor:
        return translate(objective.generators[direction], image, streams.slot_noise(role))

    fake_B, fake_A = made("A2B", A, "fake_B"), made("B2A", B, "fake_A")
    cycle = F.l1_loss(made("B2A", fake_B, "reconstruction_A"), A)
    cycle = cycle + F.l1_loss(made("A2B", fake_A, "reconstruction_B"), B)
    identity = F.l1_loss(made("B2A", A, "identity_A"), A) + F.l1_loss(made("A2B", B, "identity_B"), B)
    judges = objective.discriminators
    gan = distance_to(judges["B"](fake_B), 1.0) + distance_to(judges["A"](fake_A), 1.0)
    loss = gan + settings.cycle_weight * cycle + settings.identity_weight * identity
    return loss, {"A": fake_A, "B": fake_B}


def distance_to(judgement: Tensor, wanted: float) -> Tensor:
    return F.mse_loss(judgement, torch.full_like(judgement, wanted))


def translate(generator: Generator, image: Tensor, noise: Noise) -> Tensor:
    """The translated image by the published arithmetic, where it is written below; else by the generator."""
    if isinstance(generator, Spatial):
        return spatial(generator, image)
    if isinstance(generator, RawSlots):
        return raw_slots(generator, image, generator.draw_noise(len(image), noise))
    return generator(image, noise).image


def spatial(generator: Spatial, image: Tensor) -> Tensor:
    features = encode(generator.trunk, image)
    contents = [*make_contents(generator.trunk, features), image]
    head = F.relu(norm(generator.head.up1(features)))
    head = F.relu(norm(generator.head.up2(head)))
    masks = torch.softmax(generator.head.mask(head), dim=1)
    return sum(content * masks[:, k : k + 1] for k, content in enumerate(contents))


def raw_slots(generator: RawSlots, image: Tensor, noise: Tensor) -> Tensor:
    """With `background=reuse`: the last mask weighs its content and the input."""
    contents = make_contents(generator.trunk, encode(generator.trunk, image))
    masks = slot_masks(generator.head, image, noise)
    output = sum(content * masks[:, k : k + 1] for k, content in enumerate(contents))
    return output + image * masks[:, -1:]


def encode(trunk: ResnetTrunk, image: Tensor) -> Tensor:
    features = F.relu(norm(trunk.stem(F.pad(image, (3, 3, 3, 3), mode="reflect"))))
    features = F.relu(norm(trunk.down1(features)))
    features = F.relu(norm(trunk.down2(features)))
    for block in trunk.blocks:
        changed = F.relu(norm(block.first(F.pad(features, (1, 1, 1, 1), mode="reflect"))))
        changed = norm(block.second(F.pad(changed, (1, 1, 1, 1), mode="reflect")))
        features = features + changed
    return features


def make_contents(trunk: ResnetTrunk, features: Tensor) -> tuple[Tensor, ...]:
    features = F.relu(norm(trunk.up1(features)))
    features = F.relu(norm(trunk.up2(features)))
    return torch.tanh(trunk.content(F.pad(features, (3, 3, 3, 3), mode="reflect"))).split(3, dim=1)


def slot_masks(head: RawSlotHead, image: Tensor, noise: Tensor) -> Tensor:
    height, width = image.shape[2:]
    features = image
    for layer in head.encoder:
        features = F.leaky_relu(layer(features), 0.01)
    tokens = features.flatten(2).transpose(1, 2) + head.tokens.position(height, width)
    tokens = head.tokens.second(F.leaky_relu(head.tokens.first(tokens), 0.01))
    slots = attended(head.attention, tokens, noise)
    decoded(head.decoder, slots, height // 16, width // 16)  # the published module's own, thrown away
    colours_and_alpha = decoded(head.decoder, slots, height // 16, width // 16)
    return torch.softmax(colours_and_alpha[:, :, 3], dim=1)


def attended(attention: SlotAttention, tokens: Tensor, noise: Tensor) -> Tensor:
    """Algorithm 1 of Locatello et al. 2020, line by line."""
    tokens = attention.norm_tokens(tokens)
    slots = attention.mu + attention.log_sigma.exp() * noise
    keys, values = attention.key(tokens), attention.value(tokens)
    for _ in range(attention.iterations):
        queries = attention.query(attention.norm_slots(slots))
        weights = torch.softmax(queries @ keys.transpose(1, 2) * attention.scale, dim=1) + EPSILON
        updates = (weights / weights.sum(dim=2, keepdim=True)) @ values
        size = slots.shape[2]
        slots = attention.gru(updates.reshape(-1, size), slots.reshape(-1, size)).view_as(slots)
        slots = slots + attention.output(F.relu(attention.hidden(attention.norm_mlp(slots))))
    return slots


def decoded(decoder: SlotDecoder, slots: Tensor, height: int, width: int) -> Tensor:
    """Red, green, blue and alpha of every slot, [b, s, 4, 16 height, 16 width]."""
    batch, count, size = slots.shape
    cells = slots.reshape(batch * count, size, 1, 1).expand(-1, -1, height, width)
    cells = cells + decoder.position(height, width).T.view(1, size, height, width)
    for up in decoder.ups:
        cells = F.leaky_relu(up(cells), 0.01)
    cells = F.leaky_relu(decoder.full(cells), 0.01)
    return decoder.colours_and_alpha(cells).unflatten(0, (batch, count))
