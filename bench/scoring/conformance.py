"""What a metric or a feature network must do to be measured and shown like every other: `bench check`.

    for result in check_metric("noise"):
        print(result.name, result.passed, result.detail)

Metrics are handed random images, masks, ground truth and features: everything that there is to ask for.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.errors import BenchError, UsageError
from bench.runs.records import Score
from bench.scoring.measure import Batch, by_column, handed
from bench.scoring.metric import METRICS, Metric
from bench.scoring.metrics.attention import with_other_masks, without_space
from bench.scoring.networks import load_network
from bench.scoring.networks.network import FeatureNetwork
from bench.scoring.summarise import FeatureSets
from variants.contract import compose
from variants.registry.checks import CheckResult, Failed, run, twice

SIDE, MASKS, IMAGES, DIMENSION = 64, 4, 8, 6
TOLERANCE = 1e-4
"""Relative, of values that have to agree."""


def check_metric(name: str) -> list[CheckResult]:
    """Every check of a metric. Raises UsageError for an unknown name, and for one that only describes."""
    entry = METRICS.find(name)
    if entry.measure is None:
        what = f"the gap of {entry.gap_of}" if entry.gap_of else "read from run.json"
        raise UsageError(f"{name} is {what}: there is no function to check.")
    return [run(title, check, entry) for title, check in METRIC_CHECKS.items()]


def check_network(name: str, weights: Path | None = None) -> list[CheckResult]:
    """Every check of a feature network. Raises what `load_network` raises."""
    network = load_network(name, weights)
    return [run(title, check, network) for title, check in NETWORK_CHECKS.items()]


def random_images(count: int, seed: int = 0) -> Batch:
    """Images, masks and ground truth that follow from a seed, with all that can be asked for."""
    rng = torch.Generator().manual_seed(seed)
    original = torch.rand(count, 3, SIDE, SIDE, generator=rng) * 2 - 1
    masks = torch.rand(count, MASKS, SIDE, SIDE, generator=rng).softmax(dim=1)
    contents = torch.rand(count, MASKS, 3, SIDE, SIDE, generator=rng) * 2 - 1
    contents[:, 0] = original
    translated = compose(contents, masks)
    output, source = (((image + 1) * 127.5).round() for image in (translated, original))
    objects = torch.zeros(count, SIDE, SIDE, dtype=torch.uint8)
    objects[:, 8:24, 8:24], objects[:, 36:52, 36:52] = 1, 2
    return Batch(
        output=output,
        source=source,
        period=4,
        translated=translated,
        original=original,
        cycle=original.flip(3),
        identity=original.flip(2),
        draws=torch.stack([output, output.flip(3)]),
        masks=masks,
        contents=contents,
        background=0,
        without_space=without_space(contents, masks),
        other_masks=with_other_masks(contents, masks.roll(1, dims=0)),
        counterfactual=source.flip(1),
        foreground=objects.numpy() > 0,
        objects=objects.numpy(),
    )


def random_features(count: int = IMAGES, seed: int = 0) -> FeatureSets:
    """Two sets of features that follow from a seed, with all that can be asked for."""
    rng = np.random.default_rng(seed)
    sets = [rng.standard_normal((count, DIMENSION)).astype(np.float32) for _ in range(6)]
    return FeatureSets(
        generated=sets[0],
        real=sets[1],
        subset_size=max(2, count // 2),
        copied=sets[2],
        generated_without_space=sets[3],
        generated_other_masks=sets[4],
        generated_draws=[sets[0], sets[5]],
        columns={each: rng.random(count) for each in METRICS.entries()},
    )


def values_of(entry: Metric, count: int, seed: int = 0) -> dict[str, Any]:
    """What a metric gives for so many random images: its name, or columns, -> value."""
    assert entry.measure is not None
    of_features = entry.kind == "features"
    given = random_features(count, seed) if of_features else random_images(count, seed)
    arguments = handed(given, entry, given.present())
    if entry.kind == "split":
        state = entry.measure()
        state.add(**arguments)
        return {entry.name: state.value()}
    found = entry.measure(**arguments)
    if isinstance(found, Mapping) and entry.name not in found:
        raise Failed(f"it gives {', '.join(map(str, found))}, but not {entry.name}")
    return {name: value for name, value in by_column([entry], found).items() if value is not None}


def numbers_of(entry: Metric, count: int, seed: int = 0) -> np.ndarray:
    """All values of `values_of` as one array."""
    found = values_of(entry, count, seed).values()
    plain = [each.value if isinstance(each, Score) else each for each in found]
    parts = [
        torch.as_tensor(np.asarray(each, np.float64) if not isinstance(each, torch.Tensor) else each)
        for each in plain
    ]
    return np.concatenate([part.double().flatten().numpy() for part in parts]) if parts else np.empty(0)


def documented(entry: Metric) -> str:
    """It says in words what it is, and its function has a docstring."""
    missing = [name for name in ("title", "unit", "formula") if not getattr(entry, name).strip()]
    if missing:
        raise Failed(f"it has no {', '.join(missing)}")
    if not inspect.getdoc(entry.measure):
        raise Failed("its function has no docstring: say shapes, range and source there")
    return f"{entry.title} [{entry.unit}], {entry.better}"


def right_shape(entry: Metric) -> str:
    """One number an image, a mask of an image, or a set."""
    found = values_of(entry, IMAGES)
    if entry.kind == "image" or entry.column:
        for name, value in found.items():
            shape = tuple(value.shape) if hasattr(value, "shape") else type(value).__name__
            if shape != (IMAGES,):
                raise Failed(f"{name} of {IMAGES} images is {shape}, not ({IMAGES},)")
        return f"{len(found)} x [{IMAGES}]" if len(found) != 1 else f"[{IMAGES}]"
    for value in found.values():
        float(
            value.value
            if isinstance(value, Score) and value.value is not None
            else 0.0
            if isinstance(value, Score)
            else value
        )
    return "one number"


def finite(entry: Metric) -> str:
    """A number where all that it needs is there."""
    values = numbers_of(entry, IMAGES)
    if not len(values):
        raise Failed("it gives no value of images where all that it needs is there")
    if not np.isfinite(values).all():
        raise Failed(f"{int((~np.isfinite(values)).sum())} of {len(values)} values are not finite")
    return f"{values.min():.4g} to {values.max():.4g}"


def within_bounds(entry: Metric) -> str:
    """Values lie within the bounds that the entry tells."""
    low, high = entry.bounds
    values = np.concatenate([numbers_of(entry, IMAGES, seed) for seed in range(3)])
    slack = TOLERANCE * max(1.0, float(np.abs(values).max(initial=0)))
    if len(values) and not (values.min() >= low - slack and values.max() <= high + slack):
        raise Failed(
            f"values from {values.min():.4g} to {values.max():.4g} leave the bounds {low:g} to {high:g}"
        )
    return f"{low:g} to {high:g}" if (low, high) != Metric.bounds else "no bounds told"


def same_again(entry: Metric) -> str:
    """The same images give the same bits, whatever the global random generators say."""
    first, second = twice(lambda: numbers_of(entry, IMAGES))
    if not np.array_equal(first, second, equal_nan=True):
        raise Failed("measured twice, values differ: draw from a generator with a seed of its own")
    return "same bits"


def works_on_one_image(entry: Metric) -> str:
    """One image is measured as among others; sets of one give a reason, not a crash."""
    if entry.kind != "image":
        try:
            numbers_of(entry, 1)
        except BenchError as error:
            return f"refused: {str(error).partition('.')[0]}"
        return "measured"
    among, alone = values_of(entry, IMAGES), _first_alone(entry)
    for name, value in among.items():
        if not np.allclose(float(value[0]), float(alone[name][0]), rtol=TOLERANCE, atol=TOLERANCE):
            raise Failed(f"{name} is {float(alone[name][0]):.4g} alone, {float(value[0]):.4g} among others")
    return "as among others"


def _first_alone(entry: Metric) -> dict[str, Any]:
    """Measured of the first random image, in a batch of its own."""
    assert entry.measure is not None
    batch = random_images(IMAGES)
    arguments = {}
    for name, value in handed(batch, entry, batch.present()).items():
        several = isinstance(value, torch.Tensor | np.ndarray)
        arguments[name] = (value[:, :1] if name == "draws" else value[:1]) if several else value
    return by_column([entry], entry.measure(**arguments))


def keeps_what_it_is_handed(entry: Metric) -> str:
    """It writes into nothing that it is handed: the metrics after it are handed the same."""
    assert entry.measure is not None
    given = random_features() if entry.kind == "features" else random_images(IMAGES)
    arguments = handed(given, entry, given.present())
    arrays = {
        name: value for name, value in arguments.items() if isinstance(value, torch.Tensor | np.ndarray)
    }
    before = {name: np.array(value) for name, value in arrays.items()}
    measure = entry.measure().add if entry.kind == "split" else entry.measure
    measure(**arguments)
    changed = [name for name, value in arrays.items() if not np.array_equal(before[name], np.asarray(value))]
    if changed:
        raise Failed(f"it writes into {', '.join(changed)}: have it work on a copy")
    return "as they were"


METRIC_CHECKS: dict[str, Callable[[Metric], str]] = {
    "documented": documented,
    "shape": right_shape,
    "finite": finite,
    "bounds": within_bounds,
    "determinism": same_again,
    "one image": works_on_one_image,
    "inputs kept": keeps_what_it_is_handed,
}


@dataclass(frozen=True)
class _Pictures:
    """Random images of several sizes, uint8 [n, h, w, 3]."""

    sizes: tuple[tuple[int, int], ...] = ((32, 32), (64, 64), (48, 64))

    def of(self, size: tuple[int, int], count: int = 3) -> np.ndarray:
        return np.random.default_rng(0).integers(0, 256, (count, *size, 3), dtype=np.uint8)


PICTURES = _Pictures()


def features_have_the_shape(network: FeatureNetwork) -> str:
    """Images of any size give float32 [n, dimension]."""
    for size in PICTURES.sizes:
        found = network(PICTURES.of(size))
        if found.shape != (3, network.dimension) or found.dtype != np.float32:
            raise Failed(
                f"3 images of {size} give {found.dtype} {list(found.shape)}, not [3, {network.dimension}]"
            )
    return f"float32 [n, {network.dimension}]"


def features_are_finite_and_differ(network: FeatureNetwork) -> str:
    """Other images have other features, of finite numbers."""
    black_and_white = np.stack([np.zeros((64, 64, 3), np.uint8), np.full((64, 64, 3), 255, np.uint8)])
    different = network(PICTURES.of((64, 64)))
    features = np.concatenate([network(black_and_white), different])
    if len(np.unique(different, axis=0)) < len(different):
        raise Failed("different images have the same features")
    return f"{features.min():.4g} to {features.max():.4g}"


def features_come_again(network: FeatureNetwork) -> str:
    """The same images give the same bits, and each alone what it gives among others."""
    images = PICTURES.of((64, 64))
    first, second = network(images), network(images)
    if not np.array_equal(first, second):
        raise Failed("the same images give other features the second time: is it in eval mode?")
    alone = np.concatenate([network(images[place : place + 1]) for place in range(len(images))])
    reach = float(np.abs(first).max())
    if float(np.abs(first - alone).max()) > TOLERANCE * max(reach, 1e-12):
        raise Failed("an image alone has other features than among others")
    return "same bits, in any batch"


def says_where_from(network: FeatureNetwork) -> str:
    """The card can say which weights and which resize."""
    if not network.resize.strip() or not network.weights_source.strip() or len(network.weights_hash) != 64:
        raise Failed("resize, source of the weights or their SHA-256 is missing")
    return f"{network.weights_source}, {network.weights_hash[:8]}"


NETWORK_CHECKS: dict[str, Callable[[FeatureNetwork], str]] = {
    "documented": says_where_from,
    "shape": features_have_the_shape,
    "finite": features_are_finite_and_differ,
    "determinism": features_come_again,
}
