"""What is read out of a metric's key: its stem, its feature network, and which distance it is."""

import pytest

from bench.runs.metrics import is_distance, is_frechet, is_kernel, is_over_subsets, key_under, network, stem


@pytest.mark.parametrize(
    ("key", "name", "features"),
    [
        ("kid", "kid", None),
        ("kd(tiny)", "kd", "tiny"),
        ("noise_fd_spread(efficientnet-lite0)", "noise_fd_spread", "efficientnet-lite0"),
        ("edge_correlation", "edge_correlation", None),
    ],
)
def test_a_key_is_a_stem_and_a_feature_network(key: str, name: str, features: str | None) -> None:
    assert (stem(key), network(key)) == (name, features)
    assert key_under(name, features) == key


def test_distances_are_told_by_the_stem_alone() -> None:
    keys = ("kid", "kd(tiny)", "fid", "fd(tiny)", "attention_kid", "kid_subsets", "kd_subsets(tiny)", "lpips")
    assert [key for key in keys if is_kernel(key)] == ["kid", "kd(tiny)"]
    assert [key for key in keys if is_frechet(key)] == ["fid", "fd(tiny)"]
    assert [key for key in keys if is_distance(key)] == ["kid", "kd(tiny)", "fid", "fd(tiny)"]
    assert [key for key in keys if is_over_subsets(key)] == ["kid_subsets", "kd_subsets(tiny)"]
