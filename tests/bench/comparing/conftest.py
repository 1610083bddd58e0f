"""Small run folders, written through the real records: known differences, no training."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bench.protocol import load_protocol, schedule_hash
from bench.runs import atomic
from bench.runs.folder import RunFolder
from bench.runs.metrics import MetricInfo
from bench.runs.records import (
    DIRECTIONS,
    CellRecord,
    DirectionScores,
    Environment,
    RunRecord,
    Score,
    Scores,
    Selection,
)
from bench.scoring.frechet import frechet_distance
from bench.scoring.kernel import kernel_distance

IMAGES = 30
DIMENSION = 6
MakeRun = Callable[..., RunFolder]

CATALOGUE = {
    key: MetricInfo(title=key, short_title=key, unit="1", better=better, table="faithfulness")
    for key, better in {
        "edge_correlation": "higher",
        "colourfulness": "nearer target",
        "mean_change": "none",
    }.items()
}


@pytest.fixture
def catalogue() -> Callable[[str], MetricInfo | None]:
    return CATALOGUE.get


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """`make_run("slot9", seed=0, offset=0.1)`: a scored run below tmp_path/runs."""

    def make(
        variant: str,
        seed: int,
        offset: float = 0.0,
        *,
        dataset: str = "toy-stripes",
        changes: Sequence[str] = (),
        scored: bool = True,
        root: Path | None = None,
        **record: Any,
    ) -> RunFolder:
        protocol = load_protocol("smoke", tuple(changes))
        parts = (protocol.name, dataset, variant, f"seed{seed}")
        folder = RunFolder((root or tmp_path / "runs").joinpath(*parts))
        cell = CellRecord(protocol=protocol.name, dataset=dataset, variant=variant, seed=seed)
        values: dict[str, Any] = {
            "status": "done",
            "cell": cell,
            "kind": "variant",
            "protocol": protocol.model_dump(mode="json"),
            "protocol_hash": protocol.hash(),
            "data_fingerprint": f"data-{dataset}",
            "schedule_hash": schedule_hash(protocol, f"data-{dataset}", seed),
            "trace_hash": f"trace-{seed}",
            "images_to_see": 10,
            "environment": environment(),
            "started": "2026-01-01T00:00:00Z",
        }
        folder.write(RunRecord(**(values | record)))
        if scored:
            write_scores(folder, seed, offset)
        return folder

    return make


@pytest.fixture
def make_images(tmp_path: Path) -> MakeRun:
    """`make_images("theirs", 0.1)`: scored images of another program below tmp_path/runs."""

    def make(folder: str, offset: float, *, name: str | None = None, **changes: Any) -> RunFolder:
        found = RunFolder(tmp_path / "runs" / "smoke" / "toy-stripes" / folder)
        card = {"name": name or folder, "protocol": "smoke", "dataset": "toy-stripes"}
        real, kept = changes.pop("real", 1), changes.pop("kept", IMAGES)
        write_scores(found, 99, offset, real=real, kept=kept, **card, **changes)
        return found

    return make


def environment() -> Environment:
    return Environment(
        bench="0.1.0",
        git_commit=None,
        git_dirty=None,
        python="3.11",
        versions={},
        system="Linux",
        cpu="some CPU",
        threads=1,
        device="cpu",
        device_name=None,
        driver=None,
    )


def write_scores(
    folder: RunFolder, seed: int, offset: float, *, real: int = 1, kept: int = IMAGES, **card: str
) -> None:
    """Features, per-image values and scores of one run: equal inputs everywhere, `offset` sets runs apart.

    `real` draws the real images; of the test images the first are `kept`; `card` changes the card.
    """
    inputs = np.random.default_rng(0).standard_normal((IMAGES, DIMENSION))[:kept]
    real_images = np.random.default_rng(real).standard_normal((IMAGES + 2, DIMENSION))
    noise = np.random.default_rng([seed, round(abs(offset) * 1e6), offset > 0])
    rows, directions = [], {}
    for direction in DIRECTIONS:
        generated = (inputs + offset + 0.05 * noise.standard_normal(DIMENSION)).astype(np.float32)
        edges = 0.5 + offset / 10 + 0.01 * noise.standard_normal(kept)
        for which, features in ((f"last-{direction}", generated), (f"real-{direction}", real_images)):
            path = folder.features / f"{which}-tiny.npy"
            atomic.write_with(path, lambda file, features=features: np.save(file, features))
        rows += [(direction, f"{i:03}.png", edges[i]) for i in range(kept)]
        directions[direction] = DirectionScores(
            images_generated=kept,
            images_real=len(real_images),
            metrics={
                "kd(tiny)": Score(value=kernel_distance(generated, real_images)),
                "fd(tiny)": Score(value=frechet_distance(generated, real_images)),
                "edge_correlation": Score(value=float(edges.mean())),
                "colourfulness": Score(value=40 + offset + 0.1 * noise.standard_normal(), floor=45.0),
                "mask_entropy": Score(value=None, reason="this generator has no masks"),
            },
        )
    atomic.write_csv(folder.images_csv, ["direction", "file", "edge_correlation"], rows)
    selection = Selection(step=10, images_seen=10, directions=directions)
    scores = Scores(selections={"last": selection}, card={"features": "tiny", **card})
    atomic.write_text(folder.scores_json, scores.model_dump_json(indent=2))


@pytest.fixture
def run_command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """`run_command("slot9", "spatial", "--json")`: what `bench compare` prints on stdout."""
    import typer
    from typer.testing import CliRunner

    from bench.cli.report import compare

    app = typer.Typer()
    app.command()(compare)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: object) -> str:
        outcome = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
        assert outcome.exit_code == 0, outcome.output
        return outcome.stdout

    return run
