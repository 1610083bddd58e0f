"""What a table, figure or gallery must do to stand in any report: `bench check --table` and the like.

    for result in check_table("cost"):
        print(result.name, result.passed, result.detail)

It is handed groups of a few runs with made-up values and pictures: scored ones, one alone, and one that has
no scores yet.
"""

import inspect
import json
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from bench.errors import BenchError
from bench.names import counted
from bench.protocol import load_protocol
from bench.runs import atomic
from bench.runs.folder import RunFolder
from bench.runs.records import (
    DIRECTIONS,
    CellRecord,
    Costs,
    DirectionScores,
    Environment,
    RunRecord,
    Score,
    Scores,
    Selection,
    now,
)
from reports.comparability import Group, groups
from reports.frame import read_study
from reports.galleries.model import Gallery
from reports.galleries.pictures import Pictures
from reports.galleries.sources import shown_runs
from reports.parts import FIGURES, GALLERIES, TABLES, Part, galleries_by, sketches_by, tables_by
from reports.tables.comma_separated import to_csv
from reports.tables.latex import to_latex
from reports.tables.markdown import to_markdown
from variants.registry.checks import CheckResult, Failed, run, twice

IMAGES = 4
SITUATIONS = {
    "scored": (("slot9", 0), ("slot9", 1), ("spatial", 0), ("spatial", 1), ("copy", 0)),
    "one run": (("slot9", 0),),
    "not scored yet": (("slot9", 0), ("spatial", 0)),
}
"""What there is in a group -> its runs, by variant and seed."""
METRICS = ("kid", "fid", "edge_correlation", "colourfulness", "mask_entropy")


def check_table(name: str) -> list[CheckResult]:
    """Every check of a table. Raises UsageError for an unknown name."""
    return _checked(TABLES.find(name), table_is_written, tables_as_text)


def check_figure(name: str) -> list[CheckResult]:
    """Every check of a figure. Raises UsageError for an unknown name."""
    return _checked(FIGURES.find(name), figure_is_drawn, figures_as_svg)


def check_gallery(name: str) -> list[CheckResult]:
    """Every check of a gallery. Raises UsageError for an unknown name."""
    return _checked(GALLERIES.find(name), gallery_is_shown, galleries_as_shown)


def _checked(part: Part, shows: Callable[..., str], made_of: Callable[..., object]) -> list[CheckResult]:
    with made_up_groups() as found:
        checks: dict[str, Callable[[Part], str]] = {"documented": documented}
        checks |= {said: partial(shows, group=group) for said, group in found.items()}
        checks["determinism"] = partial(same_twice, partial(made_of, group=found["scored"]))
        # What is raised as a BenchError names the part, its file and line already.
        return [run(name, check, part, explained=(BenchError,)) for name, check in checks.items()]


def documented(part: Part) -> str:
    """Its function has a docstring."""
    if not inspect.getdoc(part.make):
        raise Failed("its function has no docstring: say there what it shows")
    return f"in section {part.section}" if part.section else ""


def table_is_written(part: Part, group: Group) -> str:
    """Rows as wide as the columns, a title, keys of their own, and writable in every format."""
    made = list(tables_by(part, group))
    for each in made:
        if not each.title.strip() or not each.columns:
            raise Failed("a table has no title, or no columns: return nothing where there is no data")
        for write in (to_markdown, to_latex, to_csv):
            write(each)
    rows = sum(len(each.rows) for each in made)
    return f"{counted(len(made), 'table')}: {counted(rows, 'row')}" if made else "nothing to show"


def tables_as_text(part: Part, group: Group) -> list[str]:
    """The tables of a group, as CSV."""
    return [to_csv(each) for each in tables_by(part, group)]


def figure_is_drawn(part: Part, group: Group) -> str:
    """Titles, captions and keys of their own, and each can be drawn."""
    made = list(sketches_by(part, group))
    if not all(each.title.strip() and each.caption.strip() for each in made):
        raise Failed("a figure has no title, or no caption")
    figures_as_svg(part, group)
    return f"{counted(len(made), 'figure')} drawn" if made else "nothing to show"


def figures_as_svg(part: Part, group: Group) -> list[bytes]:
    """The figures of a group, drawn."""
    from reports.figures.files import render_figure

    return [render_figure(each.key, each.make)[1] for each in sketches_by(part, group)]


def gallery_is_shown(part: Part, group: Group) -> str:
    """Titles, rules and keys of their own, rows as wide as the columns, and pictures that the page has."""
    made, _ = galleries_as_shown(part, group)
    for each in made:
        if not each.title.strip() or not each.rule.strip():
            raise Failed("a gallery has no title, or no rule: say there how its images were chosen")
        for strip in each.strips:
            if each.columns and len(strip.shots) != len(each.columns):
                raise Failed(
                    f"the row {strip.title!r} has {len(strip.shots)} pictures for {len(each.columns)} columns"
                )
    rows = sum(len(each.strips) for each in made)
    return (
        f"{counted(len(made), 'gallery', 'galleries')}: {counted(rows, 'row')}" if made else "nothing to show"
    )


def galleries_as_shown(part: Part, group: Group) -> tuple[list[Gallery], dict[str, str]]:
    """The galleries of a group, and the page's pictures by name."""
    pictures = Pictures()
    return list(galleries_by(part, group, shown_runs(group), pictures)), pictures.uris


def same_twice(make: Callable[[Part], object], part: Part) -> str:
    """The same group is shown in the same way, whatever the global random generators say."""
    first, second = twice(lambda: make(part))
    if first != second:
        raise Failed("the same group is shown in two ways")
    return "the same twice"


@contextmanager
def made_up_groups() -> Iterator[dict[str, Group]]:
    """What there is in a group -> a group of that kind; its run folders are removed afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-check-") as place:
        found = {}
        for number, (said, cells) in enumerate(SITUATIONS.items()):
            runs = Path(place) / str(number)
            folders = [write_run(runs, *cell, scored=said != "not scored yet").path for cell in cells]
            [found[said]] = groups(read_study(folders))
        yield found


def write_run(runs: Path, variant: str, seed: int, *, scored: bool) -> RunFolder:
    """A run with values that follow from its name: finished, or under way where it is not scored."""
    protocol = load_protocol("smoke")
    folder = RunFolder(runs / protocol.name / "toy-stripes" / variant / f"seed{seed}")
    steps = 0 if variant == "copy" else 10
    folder.write(
        RunRecord(
            status="done" if scored else "running",
            cell=CellRecord(protocol=protocol.name, dataset="toy-stripes", variant=variant, seed=seed),
            kind="variant" if steps else "baseline",
            protocol=protocol.model_dump(mode="json"),
            protocol_hash=protocol.hash(),
            data_fingerprint="made-up",
            schedule_hash=f"schedule-{seed}",
            trace_hash=f"trace-{seed}" if steps else None,
            images_seen=steps,
            images_to_see=steps,
            steps=steps,
            costs=Costs(parameters=100 * steps, gflop=1.0, seconds_training=2.0, seconds_per_step=0.1),
            environment=no_machine(),
            started=now(),
        )
    )
    if scored:
        rng = np.random.default_rng([seed, *variant.encode()])
        write_scores(folder, rng, masks="slot" in variant)
        draw_pictures(folder, rng, masks=2 if "slot" in variant else 0)
    return folder


def no_machine() -> Environment:
    """The environment of a run that was never made."""
    nothing = dict.fromkeys(("git_commit", "git_dirty", "device_name", "driver"))
    said = dict.fromkeys(("bench", "python", "system", "cpu"), "none")
    return Environment.model_validate({**nothing, **said, "versions": {}, "threads": 1, "device": "cpu"})


def write_scores(folder: RunFolder, rng: np.random.Generator, *, masks: bool) -> None:
    """scores.json, images.csv and losses.csv of a run."""
    edges = rng.random((len(DIRECTIONS), IMAGES))
    directions = {}
    for number, direction in enumerate(DIRECTIONS):
        values = dict(zip(METRICS, rng.random(len(METRICS)), strict=True))
        values["edge_correlation"] = float(edges[number].mean())
        scores = {key: Score(value=value, floor=0.1, ceiling=0.9) for key, value in values.items()}
        if not masks:
            scores["mask_entropy"] = Score(value=None, reason="this generator has no masks")
        directions[direction] = DirectionScores(images_generated=IMAGES, images_real=IMAGES, metrics=scores)
    rows = [
        (direction, f"{place}.png", edges[number][place])
        for number, direction in enumerate(DIRECTIONS)
        for place in range(IMAGES)
    ]
    atomic.write_csv(folder.images_csv, ["direction", "file", "edge_correlation"], rows)
    losses = [(step, step, rng.random()) for step in (1, 5, 10)]
    atomic.write_csv(folder.path / "losses.csv", ["step", "images_seen", "cycle_A"], losses)
    made = Scores(
        selections={"last": Selection(step=10, images_seen=10, directions=directions)},
        card={"feature_network": "inception"},
    )
    atomic.write_text(folder.scores_json, made.model_dump_json())


def draw_pictures(folder: RunFolder, rng: np.random.Generator, *, masks: int) -> None:
    """samples/ of a run: the first test image of either direction, its translation and its masks."""
    entries = []
    for direction in DIRECTIONS:
        place = f"samples/final/{direction}/00"
        (folder.path / place).mkdir(parents=True)
        shapes: dict[str, tuple[int, ...]] = {"source": (16, 16, 3), "output": (16, 16, 3)}
        shapes |= {f"mask-{number}": (16, 16) for number in range(masks)}
        for name, shape in shapes.items():
            pixels = rng.integers(0, 256, shape, dtype=np.uint8)
            Image.fromarray(pixels).save(folder.path / place / f"{name}.png")
        entry = {"kind": "final", "direction": direction, "file": "0.png", "step": 10, "folder": place}
        entries.append(entry | ({"masks": masks, "background": 0} if masks else {}))
    atomic.write_text(folder.path / "samples" / "index.json", json.dumps(entries))
