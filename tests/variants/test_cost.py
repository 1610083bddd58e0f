"""What the generators cost, against the table of the published systems."""

import pytest

import variants
from variants.parts.cost import forward_gflop, parameter_count

# GFLOP of one forward pass at 256 and 128 px, as published.
PUBLISHED = {
    "spatial": (113.9, 28.5),
    "light-spatial5": (33.5, 8.4),
    "cyclegan": (99.1, 24.8),
    "attentiongan-v1": (71.6, 17.9),
}
COLOURS = 3


def saved(size: int, slots: int, features: int, slot_size: int) -> float:
    """GFLOP that the published slot module spends on keys, values and colours, and ours does not."""
    pixels = size * size
    keys_and_values = 2 * 2 * pixels * slot_size**2
    colours = 2 * pixels * 9 * features * COLOURS * slots
    return (keys_and_values + colours) / 1e9


@pytest.mark.parametrize("name", PUBLISHED)
def test_operations_are_those_of_the_published_network(name):
    generator = variants.build(name)
    assert [round(forward_gflop(generator, size), 1) for size in (256, 128)] == list(PUBLISHED[name])


@pytest.mark.parametrize(
    ("name", "size", "published", "slots", "features"),
    [("slot9", 256, 2302, 9, 256), ("light-slot5", 128, 97.0, 5, 128)],
)
def test_slot_variants_cost_what_is_published_less_what_is_not_computed(
    name, size, published, slots, features
):
    ours = forward_gflop(variants.build(name), size)
    # Few queries and updates are multiplied in place of many keys and values: a thousandth of what is saved.
    assert ours + saved(size, slots, features, features) == pytest.approx(published, rel=1e-3)
    assert ours < published


def test_counting_leaves_the_generator_on_its_device():
    generator = variants.build("spatial", {"width": 4, "blocks": 1})
    forward_gflop(generator, 64, 32)
    assert {each.device.type for each in generator.parameters()} == {"cpu"}


def test_parameters_that_never_train_are_not_counted():
    learned = parameter_count(variants.build("slot9[learned_init=true]"))
    assert learned - parameter_count(variants.build("slot9")) == 2 * 256
    assert parameter_count(variants.build("copy")) == 0


def test_copying_costs_nothing():
    assert forward_gflop(variants.build("copy"), 64) == 0
