"""What people's choices between two pictures say: shares with intervals, strengths, agreement.

A vote is 1 where the first of two systems was preferred, 0 where the second, 1/2 where no difference was
seen. Votes of one rater belong together, and so do votes on one image: raters and images are resampled at
once, a vote counting as often as its rater times its image was drawn (Owen 2007, "The pigeonhole
bootstrap"; McCullagh 2000 shows that no bootstrap of both ways is exact, and that this one errs towards wide
intervals). With fewer than 6 raters the images alone are resampled, and nothing is said of other people.

The quantiles of such draws are too narrow for few images and nothing at all where every vote is the same. A
share's interval is therefore the exact one of Clopper and Pearson 1934 for as many votes as the variance of
the draws is worth (Korn and Graubard 1998); where all votes are the same it is worth the images, or the
raters where they are sampled and fewer.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import beta, spearmanr
from scipy.stats import t as student

from bench.statistics.paired import ALPHA, Array

DRAWS = 2000
FEWEST_IMAGES = 6
"""Images that a preference needs: with 5, all alike, a sign test at 5 % still tells nothing (2 / 2^5)."""
FEWEST_RATERS = 6
"""Raters, by the same reckoning, from which on they are a sample of people and not these people alone."""
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
    """95 %, over images, and over raters where there are enough of them; None with one image."""
    ties: float
    votes: int
    raters: int
    images: int

    @property
    def enough(self) -> bool:
        """Whether there are images enough to tell anything."""
        return self.images >= FEWEST_IMAGES

    @property
    def of_people(self) -> bool:
        """Whether the interval is over raters too, so that something is said of other people."""
        return self.raters >= FEWEST_RATERS

    @property
    def told_apart(self) -> bool:
        """Whether there are images enough and the interval leaves out 1/2."""
        return self.enough and self.interval is not None and not self.interval[0] <= 0.5 <= self.interval[1]


@dataclass(frozen=True)
class Strength:
    """The Bradley-Terry strength of a system, on the log scale, the mean over systems being 0."""

    system: str
    strength: float
    interval: tuple[float, float] | None
    """None with too few images, and for one that won or lost every vote: its strength has no bound."""


def preferences(votes: Sequence[Vote], seed: int = 0) -> list[Preference]:
    """One for every pair of systems that was compared, in the order of the votes."""
    pairs = dict.fromkeys((vote.first, vote.second) for vote in votes)
    return [_preference([v for v in votes if (v.first, v.second) == pair], pair, seed) for pair in pairs]


def _preference(votes: Sequence[Vote], pair: tuple[str, str], seed: int) -> Preference:
    values = np.array([vote.value for vote in votes])
    draws = [
        float(weights @ values / weights.sum()) for weights in resampled(votes, seed) if weights.sum() > 0
    ]
    raters, images = ({getattr(vote, kind) for vote in votes} for kind in ("rater", "image"))
    clusters = min(len(images), len(raters)) if len(raters) >= FEWEST_RATERS else len(images)
    return Preference(
        *pair,
        share=float(values.mean()),
        interval=share_interval(values, draws, clusters) if draws else None,
        ties=float((values == 0.5).mean()),
        votes=len(votes),
        raters=len(raters),
        images=len(images),
    )


def share_interval(values: Array, draws: Sequence[float], clusters: int) -> tuple[float, float]:
    """Clopper's and Pearson's interval of mean(values) in [0, 1], for the votes that the draws are worth.

    The votes' worth is that of independent ones with the draws' variance, corrected for a variance known from
    `clusters` alone (Korn and Graubard 1998): never more than there are, and `clusters` where all are alike.
    """
    share, votes = float(values.mean()), len(values)
    if np.ptp(values) == 0:
        worth = float(clusters)
    else:
        known = student.ppf(1 - ALPHA / 2, votes - 1) / student.ppf(1 - ALPHA / 2, clusters - 1)
        spread = float(np.var(draws))
        alike = share * (1 - share) / spread if spread > 0 else float(clusters)
        worth = min(float(votes), alike * float(known) ** 2)
    won, lost = share * worth, (1 - share) * worth
    low = float(beta.ppf(ALPHA / 2, won, lost + 1)) if won > 0 else 0.0
    high = float(beta.ppf(1 - ALPHA / 2, won + 1, lost)) if lost > 0 else 1.0
    return low, high


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
    of_one = [np.concatenate([values[first == at], 1 - values[second == at]]) for at in range(len(names))]
    enough = len({vote.image for vote in votes}) >= FEWEST_IMAGES
    each = [
        bounds([float(one[at]) for one in made]) if enough and 0 < of_one[at].mean() < 1 else None
        for at in range(len(names))
    ]
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
