"""The catalogue: one entry a key, titles that claim no Inception where there was none."""

import pytest

from bench.scoring.catalogue import METRICS, metric, metrics_under
from bench.scoring.catalogue_sets import set_key, stem_and_network, title


def test_every_key_is_listed_once_and_found() -> None:
    keys = [entry.key for entry in METRICS]
    assert len(set(keys)) == len(keys)
    assert [metric(key) for key in keys] == list(METRICS)


@pytest.mark.parametrize("entry", METRICS, ids=lambda entry: entry.key)
def test_every_entry_says_what_it_is(entry) -> None:  # type: ignore[no-untyped-def]
    assert entry.title
    assert entry.unit
    assert entry.formula


@pytest.mark.parametrize(
    ("stem", "network", "key", "words"),
    [
        ("fd", "inception", "fid", "FID"),
        ("kd", "inception", "kid", "KID"),
        ("kd_subsets", "inception", "kid_subsets", "KID over subsets"),
        ("precision", "inception", "precision", "Precision"),
        ("fd", "squeezenet", "fd(squeezenet)", "FD(squeezenet)"),
        ("kd_subsets", "tiny", "kd_subsets(tiny)", "KD(tiny) over subsets"),
        ("coverage", "clip-vit-b-32", "coverage(clip-vit-b-32)", "Coverage(clip-vit-b-32)"),
    ],
)
def test_fid_and_kid_are_names_of_inception_alone(stem: str, network: str, key: str, words: str) -> None:
    assert set_key(stem, network) == key
    assert title(stem, network) == words
    assert stem_and_network(key) == (stem, network)
    entry = metric(key)
    assert entry is not None
    assert (entry.key, entry.title) == (key, words)


def test_no_distance_of_another_network_is_titled_fid_or_kid() -> None:
    titles = [entry.title for entry in metrics_under("tiny")]
    assert not [words for words in titles if "FID" in words or "KID" in words]


def test_keys_of_single_masks_are_known_by_their_pattern() -> None:
    entry = metric("mask_coverage_7")
    assert entry is not None
    assert entry.key == "mask_coverage_<k>"


def test_unknown_keys_have_no_entry() -> None:
    assert metric("inception_score") is None
    assert metric("beauty(tiny)") is None
