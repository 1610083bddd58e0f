"""The catalogue of this half: complete, unique, free of torch; its page is up to date."""

import subprocess
import sys
from pathlib import Path

import torch

from bench.scoring import per_image
from bench.scoring.catalogue import METRICS, metric
from bench.scoring.catalogue_masks import DEAD_DEVIATION, mask_head_in_words
from bench.scoring.catalogue_networks import network_key, network_metric, network_metrics
from bench.scoring.metrics_page import metrics_page
from variants.parts import masks as mask_statistics

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"


def test_keys_are_unique() -> None:
    keys = [entry.key for entry in METRICS]
    assert len(keys) == len(set(keys))


def test_every_entry_says_what_it_is() -> None:
    for entry in METRICS:
        assert entry.title, entry.key
        assert entry.unit, entry.key
        assert entry.formula, entry.key


def test_every_measured_column_has_its_entry() -> None:
    source, output = 255 * torch.rand(2, 1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    masks = torch.rand(1, 3, 64, 64)
    right = per_image.TruthBatch(
        counterfactual=output.permute(0, 2, 3, 1).byte().numpy(),
        foreground=masks[:, 0].numpy() > 0.5,
        objects=(masks[:, 0].numpy() > 0.5).astype("uint8"),
    )
    columns = {
        **per_image.measure_pairs(source, output, 16),
        **per_image.measure_masks(masks, 0, 16),
        **per_image.measure_truth(source, output, right),
        **per_image.measure_segmentation(masks, 0, right),
    }
    for key, values in columns.items():
        assert metric(key) is not None, key
        assert values.shape == (1,), key


def test_keys_of_a_feature_network_are_found_again() -> None:
    for network in ("inception", "tiny", "squeezenet"):
        for entry in network_metrics(network):
            assert network_metric(entry.key) == entry
    assert network_key("attention_kd", "inception") == "attention_kid"
    assert network_metric("colourfulness") is None


def test_only_inception_s_distances_are_called_fid_and_kid() -> None:
    assert not any("ID" in entry.title for entry in network_metrics("squeezenet"))
    assert any("KID" in entry.title for entry in network_metrics("inception"))


def test_only_kernel_distances_on_inception_s_features_are_printed_times_100() -> None:
    factors = {entry.key: entry.factor for entry in METRICS}
    assert {key for key, factor in factors.items() if factor != 1} == {key for key in factors if "kid" in key}
    assert {factors[key] for key in factors if "kid" in key} == {100}
    for entry in METRICS:
        assert entry.heading.endswith("×100") == (entry.factor == 100), entry.key


def test_a_dead_head_is_called_so_at_the_same_threshold_everywhere() -> None:
    assert DEAD_DEVIATION == mask_statistics.DEAD_DEVIATION
    assert mask_head_in_words(DEAD_DEVIATION) is None
    assert str(mask_head_in_words(0.0)).startswith("dead head")


def test_the_page_of_metrics_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == metrics_page(), (
        "docs/metrics.md is older than the catalogue; make it again: "
        "python -m bench.scoring.metrics_page > docs/metrics.md"
    )


def test_the_catalogue_is_listed_without_torch() -> None:
    code = "import sys, bench.scoring.metrics_page; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
