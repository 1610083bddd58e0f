"""The published numbers: those that were seen in a source, each with it, and no others."""

import pytest
from pydantic import ValidationError

from baselines.published import PublishedResult, published_results, tasks_of

SEEN = {
    ("horse2zebra", "CycleGAN, official weights, identity 0.5", "FID"): [62.111],
    ("horse2zebra", "CycleGAN, official weights, identity 0", "FID"): [77.202],
    ("zebra2horse", "CycleGAN, official weights, identity 0.5", "FID"): [138.646],
    ("zebra2horse", "CycleGAN, official weights, identity 0", "FID"): [137.050],
    ("summer2winter", "CycleGAN, official weights, identity 0.5", "FID"): [77.342],
    ("summer2winter", "CycleGAN, official weights, identity 0", "FID"): [76.773],
    ("winter2summer", "CycleGAN, official weights, identity 0.5", "FID"): [72.631],
    ("winter2summer", "CycleGAN, official weights, identity 0", "FID"): [74.239],
    ("horse2zebra", "CUT, as reported by its authors", "FID"): [45.5],
    ("horse2zebra", "CUT, reproduced", "FID"): [45.51, 43.71],
    ("horse2zebra", "FastCUT, as reported by its authors", "FID"): [73.4],
    ("horse2zebra", "FastCUT, reproduced", "FID"): [73.38, 72.53],
    ("horse2zebra", "AttentionGAN", "KID"): [0.0203],
    ("zebra2horse", "AttentionGAN", "KID"): [0.0648],
    ("apple2orange", "AttentionGAN", "KID"): [0.1003],
    ("orange2apple", "AttentionGAN", "KID"): [0.0438],
    ("horse2zebra", "CUT, re-run by a user", "FID"): [68, 61.68],
    ("horse2zebra", "CUT, another implementation, run by a user (about)", "FID"): [65],
    ("horse2zebra", "UNSB, its paper", "FID"): [35.7],
    ("horse2zebra", "UNSB, re-run by a user", "FID"): [66.99],
}


def test_exactly_the_numbers_that_were_seen_are_there():
    found: dict[tuple[str, str, str], list[float]] = {}
    for result in published_results():
        found.setdefault((result.task, result.method, result.metric), []).append(result.value)
    assert found == SEEN


def test_every_number_names_source_test_protocol_and_rule():
    for result in published_results():
        assert result.source
        assert result.protocol
        assert result.rule


def test_a_number_without_a_source_is_refused():
    values = published_results()[0].model_dump()
    del values["source"]
    with pytest.raises(ValidationError, match="source"):
        PublishedResult.model_validate(values)


def test_every_number_belongs_to_a_data_set_of_the_catalogue():
    datasets = ("horse2zebra", "summer2winter_yosemite", "apple2orange")
    tasks = {task for dataset in datasets for task in tasks_of(dataset)}
    assert {result.task for result in published_results()} <= tasks
    assert tasks_of("toy-stripes") == ()
