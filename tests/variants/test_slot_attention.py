"""Slot attention by itself: the published numbers, an independent package, and its laws."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from slot_attention import SlotAttention as IndependentSlotAttention

from variants.parts.slot_attention import EPSILON, SlotAttention, averaging

PUBLISHED_NAMES = {
    "mu": "slots_mu",
    "log_sigma": "slots_log_sigma",
    "norm_tokens": "norm_inputs",
    "query": "project_q",
    "key": "project_k",
    "value": "project_v",
    "hidden": "mlp.0",
    "output": "mlp.2",
}
INDEPENDENT_NAMES = {
    "log_sigma": "slots_logsigma",
    "mu": "slots_mu",
    "norm_tokens": "norm_input",
    "norm_mlp": "norm_pre_ff",
    "query": "to_q",
    "key": "to_k",
    "value": "to_v",
    "hidden": "mlp.0",
    "output": "mlp.2",
}


def renamed(key: str, names: dict[str, str]) -> str:
    module, dot, rest = key.partition(".")
    return names.get(module, module) + dot + rest


@pytest.fixture
def golden(reference):
    """The module with the reference weights, and the reference arrays as tensors."""
    state = reference.filled_state(reference.shapes("slot_attention"), reference.overrides("slot_attention"))
    attention = SlotAttention(64)
    attention.load_state_dict({key: state[renamed(key, PUBLISHED_NAMES)] for key in attention.state_dict()})
    arrays = reference.arrays("slot_attention")
    assert int(arrays["iterations"]) == attention.iterations
    return attention, {name: torch.as_tensor(array) for name, array in arrays.items()}


def test_the_published_slots_come_out(golden):
    attention, arrays = golden
    with torch.no_grad():
        slots = attention(arrays["tokens"], arrays["noise"])
    torch.testing.assert_close(slots, arrays["slots"], rtol=0, atol=2e-5)


@pytest.mark.parametrize("iterations", [1, 3, 5])
def test_an_independent_package_gives_the_same_slots_from_the_same_weights(iterations):
    torch.manual_seed(0)
    ours = SlotAttention(16, iterations, mlp_hidden=128)
    theirs = IndependentSlotAttention(num_slots=5, dim=16, iters=iterations, hidden_dim=128)
    state = ours.state_dict()
    biases = {f"to_{each}.bias": torch.zeros(16) for each in "qkv"}
    theirs.load_state_dict({renamed(key, INDEPENDENT_NAMES): state[key] for key in state} | biases)
    tokens = torch.randn(2, 40, 16)
    with torch.random.fork_rng():
        noise = torch.randn(2, 5, 16)
    torch.testing.assert_close(ours(tokens, noise), theirs(tokens), rtol=1e-4, atol=1e-5)


def naive(attention: SlotAttention, tokens: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """Algorithm 1 line by line, keys and values made, in the precision of its arguments."""
    tokens = attention.norm_tokens(tokens)
    keys, values = attention.key(tokens), attention.value(tokens)
    slots = attention.mu + attention.log_sigma.exp() * noise
    for _ in range(attention.iterations):
        queries = attention.query(attention.norm_slots(slots))
        weights = torch.softmax(queries @ keys.transpose(1, 2) * keys.shape[-1] ** -0.5, dim=1) + EPSILON
        updates = weights / weights.sum(2, keepdim=True) @ values
        slots = attention.gru(updates.flatten(0, 1), slots.flatten(0, 1)).view_as(slots)
        slots = slots + attention.output(torch.relu(attention.hidden(attention.norm_mlp(slots))))
    return slots


def test_slots_and_gradients_equal_those_with_keys_and_values_made():
    torch.manual_seed(0)
    attention = SlotAttention(16, learned_init=True).double()
    tokens = torch.randn(2, 50, 16, dtype=torch.float64, requires_grad=True)
    noise = torch.randn(2, 4, 16, dtype=torch.float64)
    inputs = [tokens, *attention.parameters()]
    slots, expected = attention(tokens, noise), naive(attention, tokens, noise)
    torch.testing.assert_close(slots, expected, rtol=1e-10, atol=1e-12)
    ours = torch.autograd.grad(slots.square().sum(), inputs)
    theirs = torch.autograd.grad(expected.square().sum(), inputs)
    torch.testing.assert_close(ours, theirs, rtol=1e-8, atol=1e-10)


def test_slots_compete_for_tokens_and_each_weighs_all_its_tokens_to_one():
    torch.manual_seed(0)
    attention = SlotAttention(16)
    shares = attention.attend(torch.randn(2, 50, 16), torch.randn(2, 4, 16))
    torch.testing.assert_close(shares.sum(1), torch.ones(2, 50))
    weights = averaging(shares)
    torch.testing.assert_close(weights.sum(2), torch.ones(2, 4))
    assert (weights > 0).all()


def test_permuting_the_noise_permutes_the_slots_and_permuting_the_tokens_changes_nothing():
    torch.manual_seed(0)
    attention = SlotAttention(16).double()
    tokens = torch.randn(1, 50, 16, dtype=torch.float64)
    noise = torch.randn(1, 4, 16, dtype=torch.float64)
    order, places = torch.randperm(4), torch.randperm(50)
    slots = attention(tokens, noise)
    torch.testing.assert_close(attention(tokens, noise[:, order]), slots[:, order])
    torch.testing.assert_close(attention(tokens[:, places], noise), slots)


def test_the_start_is_trained_only_when_learned():
    fixed = dict(SlotAttention(8).named_parameters())
    learned = dict(SlotAttention(8, learned_init=True).named_parameters())
    assert set(learned) - set(fixed) == {"mu", "log_sigma"}
    assert set(SlotAttention(8).state_dict()) == set(SlotAttention(8, learned_init=True).state_dict())


def test_under_bf16_autocast_slots_are_bound_in_single_precision():
    torch.manual_seed(0)
    attention, tokens, noise = SlotAttention(16), torch.randn(1, 50, 16), torch.randn(1, 4, 16)
    exact = attention(tokens, noise)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(attention(tokens, noise), exact)


def test_shapes_alone_can_be_had_on_the_meta_device():
    attention = SlotAttention(16).to("meta")
    assert attention(torch.empty(1, 50, 16, device="meta"), torch.empty(1, 4, 16, device="meta")).shape == (
        1,
        4,
        16,
    )


PRINTS_STEPS = """
import torch
from variants.parts.slot_head import evenly
cpu, ends = torch.device("cpu"), ((0, 1), (-0.5, 0.5))
steps = [evenly(count, cpu, *each) for count in range(1, 300) for each in ends]
print(torch.cat(steps).numpy().tobytes().hex())
"""


def test_places_are_the_same_on_processors_that_round_otherwise():
    """In float64 a step of float32 seen otherwise moved losses by 2e-8."""
    printed = {
        subprocess.run(
            [sys.executable, "-c", PRINTS_STEPS],
            env=os.environ | {"ATEN_CPU_CAPABILITY": capability},
            capture_output=True,
            check=True,
        ).stdout
        for capability in ("default", "avx2")
    }
    assert len(printed) == 1
    steps = np.frombuffer(bytes.fromhex(printed.pop().decode()), np.float32)
    for count, ends in ((1, (0, 0)), (2, (0, 1)), (3, (0, 1))):
        before = count * (count - 1)
        np.testing.assert_array_equal(steps[before : before + count], np.linspace(*ends, count))
