"""Translating a test split: noise belongs to the image, batches change nothing, broken weights are told."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from bench.data.dataset import Dataset, Split
from bench.data.tensors import to_tensor
from bench.errors import BenchError
from bench.scoring.measure import decoder_period
from bench.scoring.translate import translate, translate_split
from bench.streams import Streams
from variants.contract import Generator

MakeGenerators = Callable[[str], dict[str, Generator]]


def outputs(generator: Generator, split: Split, images_at_once: int | None = None) -> Tensor:
    batches = translate_split(generator, split, Streams(0), "A2B", images_at_once=images_at_once)
    return torch.cat([batch.translation.image for batch in batches])


@pytest.mark.parametrize("variant", ["spatial", "slot9[init=kaiming]"])
def test_the_size_of_batches_changes_nothing(
    variant: str, make_generators: MakeGenerators, dataset: Dataset
) -> None:
    generator = make_generators(variant)["A2B"]
    one_by_one = outputs(generator, dataset.A.test, 1)
    assert torch.allclose(one_by_one, outputs(generator, dataset.A.test, 4), atol=1e-5)
    assert torch.allclose(one_by_one, outputs(generator, dataset.A.test), atol=1e-5)


def test_the_order_of_images_changes_nothing(make_generators: MakeGenerators, dataset: Dataset) -> None:
    generator = make_generators("slot9[init=kaiming]")["A2B"]
    split = dataset.A.test
    backwards = Split(split.images[::-1], split.names[::-1])
    assert torch.allclose(outputs(generator, split), outputs(generator, backwards).flip(0), atol=1e-5)


def test_another_draw_is_another_translation(make_generators: MakeGenerators, dataset: Dataset) -> None:
    generator = make_generators("slot9[init=kaiming]")["A2B"]
    source, names = to_tensor(dataset.A.test.images), dataset.A.test.names
    first, again, other = (
        translate(generator, source, names, Streams(0), "A2B", draw).image for draw in (0, 0, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_training_generator_translates_in_eval_mode_without_gradients(
    make_generators: MakeGenerators, dataset: Dataset
) -> None:
    generator = make_generators("spatial")["A2B"].train()
    batch = next(iter(translate_split(generator, dataset.A.test, Streams(0), "A2B")))
    assert not generator.training
    assert not batch.translation.image.requires_grad


def test_outputs_that_are_not_finite_name_the_file_and_the_count(
    make_generators: MakeGenerators, dataset: Dataset
) -> None:
    generator = make_generators("spatial")["A2B"]
    with torch.no_grad():
        next(generator.parameters()).fill_(torch.nan)
    first = dataset.A.test.names[0]
    with pytest.raises(BenchError, match=rf"A2B of {first} has 3072 values of 3072 that are not finite"):
        outputs(generator, dataset.A.test)


@pytest.mark.parametrize(
    ("variant", "period"), [("spatial", 4), ("slot9", 16), ("light-spatial5", 8), ("copy", None)]
)
def test_the_decoder_s_own_period_is_found_by_watching_it(
    variant: str, period: int | None, make_generators: MakeGenerators, dataset: Dataset
) -> None:
    generator = make_generators(variant)["A2B"]
    image = to_tensor(dataset.A.test.images[:1])
    noise = None if generator.noise_shape is None else torch.zeros(1, *generator.noise_shape)
    assert decoder_period(generator, image, noise) == period
