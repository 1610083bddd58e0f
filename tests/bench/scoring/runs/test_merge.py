"""Scores under several feature networks stand beside each other in one scores.json."""

from bench.runs.records import DirectionScores, Score, Scores, Selection
from bench.scoring.summarise import with_earlier_networks


def scores_of(network: str, step: int, **values: float) -> Scores:
    metrics = {key: Score(value=value) for key, value in values.items()}
    direction = DirectionScores(images_generated=2, images_real=2, metrics=metrics)
    selection = Selection(step=step, images_seen=step, directions={"A2B": direction})
    card = {"feature_network": network, "weights_sha256": f"hash of {network}"}
    return Scores(selections={"last": selection}, card=card)


def test_scores_of_an_earlier_network_stay_beside_the_new_ones() -> None:
    both = with_earlier_networks(
        scores_of("tiny", 7, kd_tiny=1.0, noise=2.0), scores_of("inception", 7, kid=3.0, noise=4.0)
    )
    found = both.selections["last"].directions["A2B"].metrics
    assert {key: score.value for key, score in found.items()} == {"kd_tiny": 1, "noise": 2, "kid": 3}
    assert both.card["feature_network"] == "tiny"
    assert both.card["weights_sha256(inception)"] == "hash of inception"


def test_scores_of_other_weights_are_dropped() -> None:
    new = scores_of("tiny", 7, noise=2.0)
    merged = with_earlier_networks(new, scores_of("inception", 5, kid=3.0))
    assert merged.selections == new.selections


def test_a_third_network_keeps_the_first_and_the_second() -> None:
    two = with_earlier_networks(scores_of("tiny", 7, b=1.0), scores_of("inception", 7, a=1.0))
    three = with_earlier_networks(scores_of("squeezenet", 7, c=1.0), two)
    assert set(three.selections["last"].directions["A2B"].metrics) == {"a", "b", "c"}
    assert {"weights_sha256(inception)", "weights_sha256(tiny)"} <= set(three.card)


def test_scoring_again_with_the_first_network_replaces_its_card() -> None:
    two = with_earlier_networks(scores_of("tiny", 7, b=1.0), scores_of("inception", 7, a=1.0))
    back = with_earlier_networks(scores_of("inception", 7, a=2.0), two)
    assert "weights_sha256(inception)" not in back.card
    assert "weights_sha256(tiny)" in back.card
