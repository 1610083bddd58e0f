"""Every metric of the project: what it is, its unit, its direction of better, when it is undefined.

Keys are those of scores.json and images.csv. Distances between sets are listed for Inception and for
any other feature network, written NAME: `fid`, but `fd(squeezenet)`. Imports no torch.
"""

from bench.scoring.catalogue_costs import COST_METRICS
from bench.scoring.catalogue_images import IMAGE_METRICS
from bench.scoring.catalogue_networks import network_metric, network_metrics
from bench.scoring.catalogue_sets import set_metric, set_metrics, stem_and_network
from bench.scoring.metric import Metric


def metrics_under(network: str) -> tuple[Metric, ...]:
    """Everything that is measured with one feature network, in the order of tables."""
    return (*set_metrics(network), *network_metrics(network), *IMAGE_METRICS, *COST_METRICS)


METRICS: tuple[Metric, ...] = (
    *set_metrics("inception"),
    *network_metrics("inception"),
    *set_metrics("NAME"),
    *network_metrics("NAME"),
    *IMAGE_METRICS,
    *COST_METRICS,
)
"""What `bench list metrics` prints."""


def metric(key: str) -> Metric | None:
    """The entry of a key under whatever feature network; None for a key that this version does not know.

    >>> metric("kd(squeezenet)").title, metric("kid").title
    ('KD(squeezenet)', 'KID')
    """
    of_set = stem_and_network(key)
    if of_set is not None:
        return set_metric(*of_set)
    stem, _, number = key.rpartition("_")
    listed = {f"{stem}_<k>", key} if number.isdigit() else {key}
    others = (entry for entry in (*IMAGE_METRICS, *COST_METRICS) if entry.key in listed)
    return next(others, None) or network_metric(key)
