"""What `bench score` prints; imported when it is called."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench import api
from bench.cli.console import Column, feet, heading, headline_keys, lines, print_scores, print_table, say
from bench.cli.options import print_json
from bench.data.files import printable
from bench.errors import announce
from bench.names import command
from bench.runs.records import Score
from bench.sheets import ScoreSheet


def print_runs(folders: list[Path], options: dict[str, Any], as_json: bool) -> None:
    """Score finished runs again and print the scores of each: as JSON, one document for all of them."""
    found = []
    for folder in folders:
        scores = api.score(run=folder, **options).scores
        assert scores is not None  # a run that was scored has some
        found.append({"run": str(folder), **scores.model_dump(mode="json")})
        if not as_json:
            announce(str(folder))
            print_scores(scores, subsets=True)
    if as_json:
        print_json(found if len(found) > 1 else {key: found[0][key] for key in found[0] if key != "run"})


def print_kept(kept: ScoreSheet, as_json: bool) -> None:
    """The scores as a table with one block a direction, or as JSON; where they lie on stderr."""
    assert kept.scores is not None  # what was scored has some
    if as_json:
        print_json(kept.scores.model_dump(mode="json"))
    else:
        for direction, scored in kept.scores.selections["last"].directions.items():
            counts = f"{scored.images_generated} images against {scored.images_real} real ones"
            rows = [line for key, score in scored.metrics.items() for line in lines(key, score)]
            columns = [Column("score", "name"), Column("value"), Column("floor"), Column("copying")]
            print_table(columns, rows, title=f"{direction}: {counts}")
            for sentence in missing(scored.metrics):
                say(sentence)
        for sentence in feet(kept.scores):
            say(sentence)
    if kept.folder is not None:
        look = command("report", kept.folder)
        announce(f"Kept in {printable(kept.folder)}. Look at it with: {look}")


def missing(metrics: Mapping[str, Score]) -> Iterator[str]:
    """Why there is no value, and which option gives an empty floor or copy column."""
    reasons: dict[str, list[str]] = {}
    for key, score in metrics.items():
        if score.value is None:
            reasons.setdefault(str(score.reason), []).append(heading(key))
    yield from (f"No value of {', '.join(names)}: {reason}." for reason, names in reasons.items())
    distances = [metrics[key] for key in headline_keys(metrics)]
    if all(score.floor is None for score in distances):
        yield "The floor is empty: give other real images of the target, best its training split: --floor DIR"
    if all(score.ceiling is None for score in distances):
        yield "Copying is empty: give the images that were translated: --source DIR"
