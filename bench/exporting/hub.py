"""A finished run as a folder for a model hub: weights, configuration, a card; read again before it is
kept.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from bench import __version__
from bench.data.catalogue import licence_note
from bench.errors import BenchError
from bench.exporting import refuse_standing, seeded, smallest, whole_or_nothing
from bench.runs.folder import RunFolder
from bench.runs.metrics import described
from bench.runs.records import DIRECTIONS, Direction, RunRecord, Scores, read_scores, said_of
from bench.training.checkpoint import read_origin
from bench.translating import generator_of_run
from variants.contract import STRIDE, Generator
from variants.pretrained import CARD, CONFIG, SCHEMA_VERSION, WEIGHTS, from_pretrained, sha256_of
from variants.registry.provenance import provenance


def export_hub(folder: RunFolder, out: Path, announce: Callable[[str], None] = lambda text: None) -> Path:
    """Write both directions of a finished run as a folder for a model hub, with a card; returns the folder.

    Raises UsageError where something stands there already, BenchError where the run is not finished or what
    was written does not give the same generators again.
    """
    refuse_standing(out, "folder")
    generators = {direction: generator_of_run(folder, direction, "cpu")[0] for direction in DIRECTIONS}
    record, origin = folder.read(), read_origin(folder.generator)
    scores = read_scores(folder.scores_json) if folder.scores_json.is_file() else None
    if record.status != "done" or scores is None:
        raise BenchError(f"{folder.path} is not finished and scored, so nothing can be said of it in a card.")
    found = provenance(origin.variant)
    if found is not None and record.generator is not None and found.hash != record.generator.hash:
        raise BenchError(
            f"{folder.path} was trained with another source of {origin.variant} than the one loaded here. "
            "Give the one it was trained with: --plugin FILE"
        )
    image = {"trained_at": record.protocol["images"]["size"], "range": [-1, 1], "multiple_of": STRIDE}
    config: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "library_name": "bench",
        "made_by": f"bench {__version__}",
        "variant": origin.variant,
        "parameters": origin.parameters,
        "directions": list(DIRECTIONS),
        "steps": origin.step,
        "image": {**image, "smallest": max(map(smallest, generators.values()))},
        "noise_shape": generators["A2B"].noise_shape,
        "protocol": record.cell.protocol,
        "protocol_hash": record.protocol_hash,
        "dataset": Path(record.cell.dataset).name,
        "data_fingerprint": record.data_fingerprint,
        "seed": record.cell.seed,
        "trace_hash": record.trace_hash,
    }
    sources = {} if found is None or found.origin != "plugin" else dict(plugin_files(found.paths, found.name))
    if found is not None:
        file = {"file": found.name} if sources else {}
        config["plugin"] = {**file, "hash": found.hash}
    with whole_or_nothing(out) as draft:
        draft.mkdir()
        shutil.copyfile(folder.generator, draft / WEIGHTS)
        config["weights_sha256"] = sha256_of(draft / WEIGHTS)
        (draft / CONFIG).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
        for name, path in sources.items():
            (draft / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, draft / name)
        (draft / CARD).write_text(model_card(record, scores, config, bool(sources)), encoding="utf-8")
        refuse_other_results(draft, generators)
    missing = [] if found is None else sorted(found.files.keys() - sources.keys())
    if missing:
        announce(f"note: not in the folder, as it lies elsewhere: {', '.join(missing)}")
    return out


def plugin_files(paths: frozenset[Path], name: str) -> Iterator[tuple[str, Path]]:
    """Name -> file of a plugin and of what lies beside it, as seen from its folder."""
    root = next(path for path in paths if path.name == name).parent
    for path in sorted(paths):
        if path.is_relative_to(root):
            yield path.relative_to(root).as_posix(), path


def refuse_other_results(draft: Path, generators: dict[Direction, Generator]) -> None:
    """Raise BenchError unless the folder gives generators that translate exactly as the run's."""
    for direction, generator in generators.items():
        again = from_pretrained(draft, direction)
        image = torch.rand(1, 3, 2 * STRIDE, 2 * STRIDE, generator=seeded(0)) * 2 - 1
        with torch.no_grad():
            before, after = (each(image, seeded(0)).image for each in (generator, again))
        if not torch.equal(before, after):
            raise BenchError(
                f"What was written for {direction} does not translate as the run does, so it is not kept: "
                "its forward depends on more than its weights."
            )


def model_card(record: RunRecord, scores: Scores, config: dict[str, Any], with_plugin: bool) -> str:
    """The model card: what it is, how to use it, what was measured, what it was trained on, its limits."""
    cell, dataset = record.cell, config["dataset"]
    note = licence_note(cell.dataset)
    front = [
        "---",
        "library_name: bench",
        "pipeline_tag: image-to-image",
        "license: other",
        f"datasets: [{json.dumps(dataset)}]",
        "tags: [unpaired-image-to-image-translation, gan]",
        "---",
    ]
    load = 'variants.load_plugin("FOLDER/' + config["plugin"]["file"] + '")\n' if with_plugin else ""
    size = record.protocol["images"]["size"]
    limits = [
        f"One training. Another seed gives another generator and other scores; of the variant "
        f"`{cell.variant}` nothing is claimed here.",
        f"Scored at {size} x {size} pixels. Other sizes run, and were not measured.",
        *(f"{direction}: {words}." for direction, words in said_of(scores)),
        *record.warnings,
    ]
    parts = [
        "\n".join(front),
        f"# {cell.variant}, {dataset}",
        f"Both generators (A2B, B2A) of one training of `{cell.variant}` on `{dataset}` under the protocol "
        f"`{cell.protocol}`, seed {cell.seed}: {record.images_seen} images of each domain seen, {size} x "
        f"{size} pixels, {config['steps']} steps.",
        "## Use",
        f"```python\nimport variants\n\n{load}"
        'generator = variants.from_pretrained("FOLDER", direction="A2B")\n'
        "translation = generator(images)  # [b, 3, h, w] in [-1, 1], h and w multiples of "
        f"{config['image']['multiple_of']} from {config['image']['smallest']} on\n"
        "translation.image, translation.masks\n```",
        "## Measured",
        *distances_table(scores),
        "## Data and licence",
        f"Trained on `{dataset}` (fingerprint `{record.data_fingerprint[:16]}`). "
        + (note or "Rendered scenes: no photograph was used.")
        + " The licence of these weights is for whoever passes them on to state.",
        "## Limits",
        "\n".join(f"- {limit}" for limit in limits),
    ]
    return "\n\n".join(parts) + "\n"


def distances_table(scores: Scores) -> Iterator[str]:
    """The distances of the last step's weights as a table, and what one must know of them."""
    rows = ["| score | direction | value | real against real | copying the input |", "|---|---|---|---|---|"]
    chosen = scores.selections["last"].directions
    for direction, found in chosen.items():
        for key, score in found.metrics.items():
            known = described(key)
            if known is None or score.value is None:
                continue
            values = (
                None if each is None else known.factor * each
                for each in (score.value, score.floor, score.ceiling)
            )
            cells = ("-" if each is None else f"{each:.4g}" for each in values)
            rows.append(f"| {known.heading} | {direction} | {' | '.join(cells)} |")
    counts = ", ".join(
        f"{direction}: {found.images_generated} images against {found.images_real} real ones"
        for direction, found in chosen.items()
    )
    yield "\n".join(rows)
    yield (
        f"{counts}. Features: {scores.card.get('feature_network')}. Distances depend on the number of images "
        "and hold against others made in the same way only; `bench list metrics` says what each score is."
    )
