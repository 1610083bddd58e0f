"""What people's choices between two pictures say: shares with intervals, strengths, agreement.

A vote is 1 where the first of two systems was preferred, 0 where the second, 1/2 where no difference was
seen. Votes of one rater belong together, and so do votes on one image: intervals resample raters and
images at once, a vote counting as often as its rater times its image was drawn (Owen 2007, "The
pigeonhole bootstrap"; McCullagh 2000 shows that no bootstrap of both ways is exact, and that this one
errs towards wide intervals). With a single rater the images alone are resampled, and nothing is said of
other people.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import spearmanr

from bench.statistics.paired import ALPHA, Array

DRAWS = 2000
FEWEST_RATERS = 2
ITERATIONS = 500


@dataclass(frozen=True)
class Vote:
    """One answer of one rater on one image."""

    rater: str
    image: str
    first: str
    second: str
    value: float
    """1: `first`; 0: `second`; 0.5: no difference."""


@dataclass(frozen=True)
class Preference:
    """How often the first of two systems is preferred to the second."""

    first: str
    second: str
    share: float
    """Ties count half."""
    interval: tuple[float, float] | None
    """95 %; None with one image."""
    ties: float
    votes: int
    raters: int
    images: int

    @property
    def told_apart(self) -> bool:
        """Whether the interval leaves out 1/2."""
        return self.interval is not None and not self.interval[0] <= 0.5 <= self.interval[1]


@dataclass(frozen=True)
class Strength:
    """The Bradley-Terry strength of a system, on the log scale, the mean over systems being 0."""

    system: str
    strength: float
    interval: tuple[float, float] | None


def preferences(votes: Sequence[Vote], seed: int = 0) -> list[Preference]:
    """One for every pair of systems that was compared, in the order of the votes."""
    pairs = dict.fromkeys((vote.first, vote.second) for vote in votes)
    return [_preference([v for v in votes if (v.first, v.second) == pair], pair, seed) for pair in pairs]


def _preference(votes: Sequence[Vote], pair: tuple[str, str], seed: int) -> Preference:
    values = np.array([vote.value for vote in votes])
    draws = [
        float(weights @ values / weights.sum()) for weights in resampled(votes, seed) if weights.sum() > 0
    ]
    return Preference(
        *pair,
        share=float(values.mean()),
        interval=bounds(draws),
        ties=float((values == 0.5).mean()),
        votes=len(votes),
        raters=len({vote.rater for vote in votes}),
        images=len({vote.image for vote in votes}),
    )


def bounds(draws: Sequence[float]) -> tuple[float, float] | None:
    """The middle 95 % of the draws; None where there are none."""
    if not draws:
        return None
    low, high = np.quantile(draws, [ALPHA / 2, 1 - ALPHA / 2])
    return float(low), float(high)


def resampled(votes: Sequence[Vote], seed: int, draws: int = DRAWS) -> Iterator[Array]:
    """How often each vote counts in a draw of raters and images, [votes]; nothing with one image."""
    raters, of_rater = np.unique([vote.rater for vote in votes], return_inverse=True)
    images, of_image = np.unique([vote.image for vote in votes], return_inverse=True)
    if len(images) < 2:
        return
    rng = np.random.default_rng(seed)
    for _ in range(draws):
        weights = np.bincount(rng.integers(len(images), size=len(images)), minlength=len(images))[of_image]
        if len(raters) >= FEWEST_RATERS:
            chosen = rng.integers(len(raters), size=len(raters))
            weights = weights * np.bincount(chosen, minlength=len(raters))[of_rater]
        yield weights.astype(np.float64)


def strengths(votes: Sequence[Vote], seed: int = 0, draws: int = DRAWS // 4) -> list[Strength]:
    """The strength of every system, strongest first: the odds that one is preferred are exp(their
    difference).

    Bradley and Terry 1952, ties as half a win, by Hunter's (2004) MM iterations. Half a win either way is
    added to every compared pair, so that a system that always wins keeps a finite strength.
    """
    names = list(dict.fromkeys(name for vote in votes for name in (vote.first, vote.second)))
    places = {name: place for place, name in enumerate(names)}
    first = np.array([places[vote.first] for vote in votes])
    second = np.array([places[vote.second] for vote in votes])
    values = np.array([vote.value for vote in votes])

    def fitted(weights: Array) -> Array:
        wins = np.zeros((len(names), len(names)))
        np.add.at(wins, (first, second), weights * values)
        np.add.at(wins, (second, first), weights * (1 - values))
        return bradley_terry(wins)

    found = fitted(np.ones(len(votes)))
    made = [fitted(weights) for weights in resampled(votes, seed, draws) if weights.sum() > 0]
    each = [bounds([float(one[place]) for one in made]) for place in range(len(names))]
    rows = [Strength(name, float(found[places[name]]), each[places[name]]) for name in names]
    return sorted(rows, key=lambda row: -row.strength)


def bradley_terry(wins: Array) -> Array:
    """Log strengths [k], mean 0, from wins[i, j]: how often i was preferred to j."""
    compared = (wins + wins.T) > 0
    wins = wins + 0.5 * compared
    played, won = wins + wins.T, wins.sum(axis=1)
    strength = np.ones(len(wins))
    for _ in range(ITERATIONS):
        updated = won / (played / (strength[:, None] + strength[None, :])).sum(axis=1)
        updated /= np.exp(np.log(updated).mean())
        if np.abs(updated - strength).max() < 1e-10:
            break
        strength = updated
    return np.asarray(np.log(strength) - np.log(strength).mean())


def agreement(votes: Sequence[Vote]) -> float | None:
    """Krippendorff's alpha of raters on the same pictures: 1 is full agreement, 0 what chance gives.

    Nominal: first, second, no difference (Krippendorff 2011, "Computing Krippendorff's alpha-reliability").
    None where no two raters answered the same, or where all answers are one.
    """
    units: dict[tuple[str, str, str], list[float]] = {}
    for vote in votes:
        units.setdefault((vote.image, vote.first, vote.second), []).append(vote.value)
    shared = [values for values in units.values() if len(values) >= 2]
    if not shared:
        return None
    kinds = (0.0, 0.5, 1.0)
    counts = np.array([[values.count(kind) for kind in kinds] for values in shared], dtype=np.float64)
    answers = counts.sum(axis=1)
    pairs = (counts * (answers[:, None] - counts)).sum(axis=1) / (answers - 1)
    totals, number = counts.sum(axis=0), counts.sum()
    expected = (totals * (number - totals)).sum() / (number - 1)
    return None if expected == 0 else float(1 - pairs.sum() / expected)


def rank_agreement(
    votes: Sequence[Vote], measure: Mapping[str, Mapping[str, float]]
) -> tuple[float, int] | None:
    """(Spearman's correlation, pictures) of what raters prefer with which has the higher value of a measure.

    `measure`: system -> image -> value. Over all images and pairs of systems where both have a value, of the
    share of votes for the first with the difference of the values. None for fewer than 4, or where
    nothing varies.
    """
    units: dict[tuple[str, str, str], list[float]] = {}
    for vote in votes:
        units.setdefault((vote.image, vote.first, vote.second), []).append(vote.value)
    shares, differences = [], []
    for (image, first, second), values in units.items():
        of_first, of_second = (measure.get(name, {}).get(image) for name in (first, second))
        if of_first is not None and of_second is not None:
            shares.append(float(np.mean(values)))
            differences.append(of_first - of_second)
    if len(shares) < 4 or len(set(shares)) < 2 or len(set(differences)) < 2:
        return None
    return float(spearmanr(shares, differences).statistic), len(shares)
