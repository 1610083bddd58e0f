"""Scores of one run under several feature networks, in one scores.json."""

from typing import Any

from bench.runs.records import Scores

OF_THE_NETWORK = ("feature_dimension", "weights_source", "weights_sha256", "resize")
"""Keys of the card that belong to a feature network; of an earlier one they are kept as `key(network)`."""


def with_earlier_networks(new: Scores, earlier: Scores | None) -> Scores:
    """The new scores, and those of `earlier` that another feature network gave.

    A key that both have keeps its new value. Earlier scores of a choice of weights of another step, or of one
    that is no longer there, are dropped: they describe other weights.
    """
    if earlier is None:
        return new
    selections = {}
    for name, selection in new.selections.items():
        before = earlier.selections.get(name)
        if before is None or before.step != selection.step:
            selections[name] = selection
            continue
        directions = {
            direction: scores.model_copy(
                update={
                    "metrics": scores.metrics | _others(before.directions[direction].metrics, scores.metrics)
                }
            )
            for direction, scores in selection.directions.items()
        }
        selections[name] = selection.model_copy(update={"directions": directions})
    card = _earlier_card(earlier.card, new.card) | new.card
    return new.model_copy(update={"selections": selections, "card": card})


def _others(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    return {key: score for key, score in before.items() if key not in now}


def _earlier_card(before: dict[str, Any], now: dict[str, Any]) -> dict[str, Any]:
    """What the earlier card says of networks other than the new one."""
    network = before.get("feature_network")
    own = f"({now.get('feature_network')})"
    kept = {key: value for key, value in before.items() if key.endswith(")") and not key.endswith(own)}
    if network == now.get("feature_network"):
        return kept
    return kept | {f"{key}({network})": before[key] for key in OF_THE_NETWORK if key in before}
