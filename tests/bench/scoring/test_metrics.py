"""The metrics that there are: one entry a key, complete, in one order everywhere, and what is refused."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner

from bench.cli import app
from bench.errors import UsageError
from bench.runs.folder import RunFolder
from bench.runs.metrics import DEAD_DEVIATION, OF_MASKS, described, in_order, key_under
from bench.runs.records import Direction
from bench.scoring.measure import Batch, measure_images
from bench.scoring.metric import HANDED, METRICS, NO_BACKGROUND, NO_MASKS, infos, metric, titled
from bench.scoring.metrics.cost import scores_of_course
from bench.scoring.metrics.masks import mask_head_in_words
from variants.parts import masks as mask_statistics

SINCE_SCHEMA_2 = {
    "foreground_ap",
    "best_mask_ap",
    "best_mask_constancy",
    "kd_foreground",
    "kid_foreground",
    "images_until_better",
}
PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"
OF_A_TEST: dict[str, Any] = {
    "title": "T",
    "unit": "1",
    "better": "none",
    "table": "faithfulness",
    "formula": "f",
}


def listed() -> list[dict[str, Any]]:
    outcome = CliRunner().invoke(app, ["list", "metrics", "--json"])
    assert outcome.exit_code == 0, outcome.output
    return json.loads(outcome.stdout)


@pytest.fixture
def forgotten() -> Iterator[None]:
    """What a test of this module registers is taken out again."""
    METRICS.entries()
    yield
    METRICS.forget(__name__)


def test_every_key_is_listed_once_and_says_what_it_is() -> None:
    rows = listed()
    assert len({row["key"] for row in rows}) == len(rows)
    for row in rows:
        assert all(row[name] for name in ("title", "unit", "formula", "better", "table")), row["key"]


@pytest.mark.parametrize(
    ("name", "network", "key", "title", "words"),
    [
        ("fd", "inception", "fid", "FD", "FID"),
        ("kd", "inception", "kid", "KD", "KID"),
        ("kd_subsets", "inception", "kid_subsets", "KD over subsets", "KID over subsets"),
        ("attention_kd", "inception", "attention_kid", "Change of KD without", "Change of KID without"),
        ("precision", "inception", "precision", "Precision", "Precision"),
        ("fd", "squeezenet", "fd(squeezenet)", "FD", "FD(squeezenet)"),
        ("kd_subsets", "tiny", "kd_subsets(tiny)", "KD over subsets", "KD(tiny) over subsets"),
        ("coverage", "clip-vit-b-32", "coverage(clip-vit-b-32)", "Coverage", "Coverage(clip-vit-b-32)"),
    ],
)
def test_fid_and_kid_are_names_of_inception_alone(
    name: str, network: str, key: str, title: str, words: str
) -> None:
    assert key_under(name, network) == key
    assert titled(title, network) == words


def test_no_distance_of_another_network_is_titled_fid_or_kid() -> None:
    titles = [title for info in infos("tiny").values() for title in (info.title, info.short_title)]
    assert not [words for words in titles if "FID" in words or "KID" in words]


def test_only_kernel_distances_on_inception_s_features_are_printed_times_100() -> None:
    factors = {row["key"]: row["factor"] for row in listed()}
    assert {key for key, factor in factors.items() if factor != 1} == {key for key in factors if "kid" in key}
    assert {factors[key] for key in factors if "kid" in key} == {100}
    for key, info in infos("inception").items():
        assert info.heading.endswith("×100") == (info.factor == 100), key


def test_scores_of_schema_1_are_named_as_those_of_today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.runs.metrics._DESCRIBED", {})
    for network in ("inception", "tiny"):
        for key, info in infos(network).items():
            known = described(key)
            if key.partition("(")[0] in SINCE_SCHEMA_2:
                assert known is None
                continue
            assert known is not None
            assert known.model_copy(update={"formula": ""}) == info.model_copy(update={"formula": ""}), key


def test_keys_that_nobody_described_have_no_meaning() -> None:
    assert described("inception_score") is None
    assert described("beauty(tiny)") is None


def test_keys_stand_in_one_order_those_of_features_last() -> None:
    keys = ["unheard_of", "kd(tiny)", "mask_entropy", "colourfulness_gap", "fd(tiny)", "colourfulness"]
    wanted = ["colourfulness", "colourfulness_gap", "mask_entropy", "fd(tiny)", "kd(tiny)", "unheard_of"]
    assert in_order(keys) == wanted


def test_every_measured_column_has_its_entry() -> None:
    source, output = 255 * torch.rand(2, 1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    masks = torch.rand(1, 3, 64, 64)
    found = measure_images(
        Batch(
            output=output,
            source=source,
            period=16,
            masks=masks,
            background=0,
            counterfactual=output,
            foreground=masks[:, 0].numpy() > 0.5,
            objects=(masks[:, 0].numpy() > 0.5).astype("uint8"),
        )
    )
    columns = [key for entry in METRICS.entries().values() for key in entry.columns(3)]
    assert [key for key in columns if key in found] == list(found), "columns come in the order of tables"
    assert all(values.shape == (1,) for values in found.values())


def test_what_is_measured_of_masks_is_known_to_readers_of_scores() -> None:
    handed = {name for name, each in HANDED.items() if each.absent in (NO_MASKS, NO_BACKGROUND)}
    assert handed == OF_MASKS


def test_a_dead_head_is_called_so_at_the_same_threshold_everywhere() -> None:
    assert DEAD_DEVIATION == mask_statistics.DEAD_DEVIATION
    assert mask_head_in_words(DEAD_DEVIATION) is None
    assert str(mask_head_in_words(0.0)).startswith("dead head")


def test_the_page_of_metrics_is_up_to_date() -> None:
    outcome = CliRunner().invoke(app, ["list", "metrics", "--markdown"])
    assert PAGE.read_text(encoding="utf-8") == outcome.stdout, (
        "docs/metrics.md is older than the entries: bench list metrics --markdown > docs/metrics.md"
    )


def test_a_metric_that_asks_for_what_nobody_has_is_told_what_there_is(forgotten: None) -> None:
    with pytest.raises(UsageError, match=r"asks for picture\. .*can be handed: .*output"):

        @metric("of_a_test", **OF_A_TEST)
        def of_a_test(picture: Tensor) -> Tensor:
            return picture

    assert "of_a_test" not in METRICS.entries()


def test_a_metric_cannot_ask_for_images_and_features_at_once(forgotten: None) -> None:
    with pytest.raises(UsageError, match="Ask for one kind"):

        @metric("of_a_test", **OF_A_TEST)
        def of_a_test(output: Tensor, generated: np.ndarray) -> Tensor:
            return output


@pytest.mark.parametrize(
    ("change", "told"),
    [({"table": "mine"}, "There are: "), ({"better": "more"}, "one of"), ({"title": " "}, "has no title")],
)
def test_a_table_or_direction_that_does_not_exist_is_refused(change: dict[str, str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        metric("of_a_test", **OF_A_TEST | change)


def test_what_is_of_single_images_does_not_go_where_it_would_not_be_shown(forgotten: None) -> None:
    with pytest.raises(
        UsageError, match="of single images, and the table of distances shows what is of whole"
    ):

        @metric("of_a_test", **OF_A_TEST | {"table": "distances"})
        def of_a_test(output: Tensor) -> Tensor:
            return output


def test_a_name_is_given_once() -> None:
    METRICS.entries()
    with pytest.raises(UsageError, match=r"'noise' .* is taken by bench\.scoring\.metrics\.colour"):

        @metric("noise", **OF_A_TEST)
        def noise(output: Tensor) -> Tensor:
            return output


VALIDATIONS = """step,images_seen,kd_from_copy_high_A2B,kd_from_copy_high_B2A
100,200,0.5,
200,400,-0.1,
300,600,0.2,
400,800,-0.1,
500,1000,-0.2,
"""


@pytest.mark.parametrize(
    ("text", "direction", "value", "reason"),
    [
        (VALIDATIONS, "A2B", 800, None),
        (VALIDATIONS.replace("-0.2", "0"), "A2B", None, "not better than copying after 1000 images"),
        (VALIDATIONS, "B2A", None, "no validation was held against a copy"),
        ("step,images_seen,kd_A2B\n100,200,3\n", "A2B", None, "no validation was held against a copy"),
        ("", "A2B", None, "nothing is trained"),
    ],
)
def test_a_training_is_better_than_copying_from_the_validation_on_that_stays_so(
    tmp_path: Path, text: str, direction: Direction, value: int | None, reason: str | None
) -> None:
    folder = RunFolder(tmp_path)
    if text:
        folder.validation_csv.write_text(text)
    score = scores_of_course(folder)[direction]["images_until_better"]
    assert score.value == value
    assert score.reason == reason or (reason and str(score.reason).startswith(reason))
