"""Whether scores of two folders were held against the same real images, on the same features.

Distances, floors and ceilings belong to one set of real images: of another set they say nothing. The cards of
the scores tell by fingerprints; of scores of before these were kept, the features of the real images tell.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.runs.scores import DIRECTIONS, real_fingerprint_key

Card = dict[str, Any]
Features = NDArray[np.float64]
FEWEST = 3
"""Images of a set that can be left out one by one."""


def network_name(card: Card) -> str | None:
    """The feature network named by a card."""
    return _first(card, "feature_network", "features", "network")


def weights_of(card: Card) -> str | None:
    """The hash of that network's weights."""
    return _first(card, "weights_sha256", "weights_hash", "weights")


def _first(card: Card, *keys: str) -> str | None:
    return next((str(card[key]) for key in keys if card.get(key)), None)


def weights_by_network(card: Card) -> dict[str, str | None]:
    """Feature network -> hash of its weights, of all that the scores of a card were made with."""
    last, earlier = network_name(card), "weights_sha256("
    before = {key: str(value) for key, value in card.items() if key.startswith(earlier)}
    found = {} if last is None else {last: weights_of(card)}
    return found | {key.removeprefix(earlier).rstrip(")"): value for key, value in before.items()}


def same_weights(a: Card, b: Card) -> bool:
    """Whether no feature network that both were scored with had other weights."""
    mine, theirs = weights_by_network(a), weights_by_network(b)
    return all(mine[network] == theirs[network] for network in mine.keys() & theirs.keys())


def same_real_images(a: tuple[Path, Card], b: tuple[Path, Card]) -> bool | None:
    """Whether two folders' scores were held against the same real images; None where nothing tells.

    In the directions of which both tell something.
    """
    networks = sorted(weights_by_network(a[1]).keys() & weights_by_network(b[1]).keys())
    told: list[bool | None] = []
    for direction in DIRECTIONS:
        prints = [card.get(real_fingerprint_key(direction)) for _, card in (a, b)]
        if all(prints):
            told.append(prints[0] == prints[1])
        else:
            told += [same_real_features(a[0], b[0], direction, network) for network in networks]
    decided = [same for same in told if same is not None]
    return all(decided) if decided else None


def same_real_features(a: Path, b: Path, direction: str, network: str) -> bool | None:
    """Whether two folders keep features of the same real images; None where one keeps none.

    By their number, mean and spread: the order of the images and rounding play no part.
    """
    x, y = (read_features(folder / "features" / f"real-{direction}-{network}.npy") for folder in (a, b))
    if x is None or y is None:
        return None
    if x.shape != y.shape:
        return False
    least = 1e-4 * float(np.abs(x).max())
    return all(
        np.allclose(measure(x, axis=0), measure(y, axis=0), rtol=1e-3, atol=least)
        for measure in (np.mean, np.std)
    )


def read_features(path: Path) -> Features | None:
    """Feature vectors [n, d] of a run folder; None where there are none that could be used."""
    try:
        features = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    usable = features.ndim == 2 and len(features) >= FEWEST and np.isfinite(features).all()
    return features.astype(np.float64) if usable else None
