"""Miniature studies: run folders written through the real records, with toy pictures, for tests of reports.

Nothing here is trained or measured: every number is a formula of its names, so that a test knows what a
table must say, and the same call always writes the same bytes.
"""

import contextlib
import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from bench.protocol import Protocol, schedule_hash
from bench.runs.records import (
    CellRecord,
    Costs,
    DirectionScores,
    Environment,
    RunRecord,
    Score,
    Scores,
    Selection,
)

HERE = Path(__file__).parent
GOLDEN = ("report.md", "results.json", "index.html", "pictures.html")
SIZE = 32
KINDS = {"copy": "baseline", "cyclegan": "baseline", "uniform": "control"}
MASKS = {"copy": 0, "cyclegan": 0, "spatial": 4, "uniform": 4, "slot5": 5, "slot9": 9}
STRENGTH = {"copy": 0.0, "cyclegan": 0.8, "spatial": 0.9, "uniform": 0.6, "slot5": 0.75, "slot9": 0.7}
"""How far an output goes from the source: 0 copies it, 1 is the true translation."""
FLOOR, CEILING = 0.004, 0.104


@dataclass(frozen=True)
class Mini:
    """One run of a miniature study."""

    protocol: Protocol
    dataset: str
    variant: str
    seed: int

    @property
    def family(self) -> str:
        return self.variant.split("[")[0]

    @property
    def strength(self) -> float:
        return STRENGTH.get(self.family, 0.5)

    def folder(self, root: Path) -> Path:
        return root / self.protocol.name / self.dataset / self.variant / f"seed{self.seed}"

    def draw(self, *names: object) -> np.random.Generator:
        """Numbers that depend on the names alone."""
        text = "/".join(str(name) for name in (self.dataset, self.variant, self.seed, *names))
        return np.random.default_rng(int(hashlib.sha256(text.encode()).hexdigest()[:15], 16))


def protocol(name: str = "smoke", features: str = "tiny") -> Protocol:
    """A protocol of its own: the shipped ones may change without changing what is tested here."""
    return Protocol.model_validate(
        {
            "name": name,
            "summary": "",
            "images": {"size": 64, "load_size": 72},
            "train": {"images_seen": 200},
            "score": {"features": features},
        }
    )


def write_study(
    root: Path,
    variants: Iterable[str] = ("spatial", "slot9", "uniform", "copy"),
    datasets: Iterable[str] = ("toy-stripes",),
    seeds: Iterable[int] = (0, 1, 2),
    pictures: bool = True,
    rules: Protocol | None = None,
    tables: bool = True,
) -> Path:
    """A finished study below `root`; what `pictures` and `tables` leave out takes longest, as it is drawn."""
    rules = rules or protocol()
    for dataset in datasets:
        for variant in variants:
            for seed in seeds:
                run = Mini(rules, dataset, variant, seed)
                write_run(root, run, pictures=pictures and seed == 0, tables=tables)
    return root


def write_run(root: Path, mini: Mini, *, pictures: bool = True, tables: bool = True) -> Path:
    """One finished run with everything that a run folder holds but weights.

    Without `tables` images.csv, losses.csv and validation.csv are missing, and so all figures but distances.
    """
    folder = mini.folder(root)
    write_record(folder, record(mini))
    _write(folder / "scores.json", scores(mini).model_dump_json())
    if tables:
        _write(folder / "images.csv", images_csv(mini))
        _write(folder / "losses.csv", losses_csv(mini))
        _write(folder / "validation.csv", validation_csv(mini))
    if pictures:
        write_features(folder, mini)
        write_samples(folder, mini)
    return folder


def write_record(folder: Path, value: RunRecord) -> None:
    _write(folder / "run.json", value.model_dump_json() + "\n")


def record(mini: Mini, **changes: object) -> RunRecord:
    """The record of a finished run; `changes` replace fields."""
    trained = mini.family != "copy"
    schedule = schedule_hash(mini.protocol, f"data-of-{mini.dataset}", mini.seed)
    finished = RunRecord(
        status="done",
        cell=CellRecord(
            protocol=mini.protocol.name, dataset=mini.dataset, variant=mini.variant, seed=mini.seed
        ),
        kind=KINDS.get(mini.family, "variant"),
        protocol=mini.protocol.model_dump(mode="json"),
        protocol_hash=mini.protocol.hash(),
        data_fingerprint=f"data-of-{mini.dataset}",
        schedule_hash=schedule,
        trace_hash=f"trace-{schedule}" if trained else None,
        parameters=_parameters(mini.variant),
        images_seen=200 if trained else 0,
        images_to_see=200,
        steps=200 if trained else 0,
        data={"trainA": 64, "trainB": 64, "testA": 8, "testB": 8},
        costs=Costs(
            parameters=1000 * (1 + MASKS.get(mini.family, 3)) if trained else 0,
            gflop=0.5 + MASKS.get(mini.family, 3) if trained else 0.0,
            seconds_training=60.0 + 10 * MASKS.get(mini.family, 3) + mini.seed if trained else 0.0,
            seconds_data=2.0,
            seconds_scoring=5.0,
            seconds_per_step=0.1 + 0.05 * MASKS.get(mini.family, 3) if trained else None,
            peak_memory_bytes=(300 + 50 * MASKS.get(mini.family, 3)) * 2**20 if trained else None,
        ),
        environment=Environment(
            bench="0.1.0",
            git_commit="0123456789abcdef",
            git_dirty=False,
            python="3.11.9",
            versions={"torch": "2.15.0"},
            system="Linux",
            cpu="a CPU",
            threads=2,
            device="cpu",
            device_name=None,
            driver=None,
        ),
        started="2024-01-02T03:04:05Z",
        finished="2024-01-02T03:05:05Z",
    )
    return RunRecord.model_validate(finished.model_dump() | changes)


def _parameters(variant: str) -> dict[str, object]:
    defaults: dict[str, object] = {"width": 16, "iterations": 3}
    _, _, inside = variant.rstrip("]").partition("[")
    chosen = dict(part.split("=", 1) for part in inside.split(",") if "=" in part)
    return defaults | {key: int(text) if text.isdigit() else text for key, text in chosen.items()}


def kernel_value(mini: Mini, direction: str) -> float:
    """The kernel distance of a run: less for a stronger translation, a little different for every seed."""
    if mini.family == "copy":
        return CEILING
    noise = mini.draw(direction, "kd").normal(0, 0.002)
    return FLOOR + 0.1 * (1 - mini.strength) * (1.2 if direction == "B2A" else 1.0) + float(noise)


def scores(mini: Mini) -> Scores:
    directions = {name: _direction(mini, name) for name in ("A2B", "B2A")}
    last = Selection(step=200, images_seen=200, directions=directions)
    best = Selection(step=150, images_seen=150, directions=directions)
    selections = {"last": last} if mini.family == "copy" else {"last": last, "validation": best}
    return Scores(selections=selections, card=card(mini))


def card(mini: Mini) -> dict[str, object]:
    return {
        "feature_network": mini.protocol.score.features,
        "weights_sha256": "0011223344556677",
        "resize": "none",
        "covariance": "unbiased",
        "precision": "fp32",
        "threads": 2,
        "torch": "2.15.0",
        **{f"real_fingerprint_{each}": f"{each}-of-{mini.dataset}" for each in ("A2B", "B2A")},
    }


def write_external(
    root: Path,
    name: str,
    *,
    folder: str | None = None,
    value: float = 0.05,
    reference: float = 1.0,
    directions: tuple[str, ...] = ("A2B", "B2A"),
    sources: bool = True,
    **card_changes: object,
) -> Path:
    """Images of another program, scored for the miniature study: all values are `value`, its floor and
    ceiling those of the runs times `reference`."""
    mini = Mini(protocol(), "toy-stripes", "spatial", 0)
    path = root / mini.protocol.name / mini.dataset / (folder or name)
    metrics = {
        "kd(tiny)": Score(value=value, floor=FLOOR * reference, ceiling=CEILING * reference),
        "fd(tiny)": Score(
            value=900 * value, floor=900 * FLOOR * reference, ceiling=900 * CEILING * reference
        ),
    }
    if sources:
        metrics |= {
            key: Score(value=value, spread=0.1) for key in ("edge_correlation", "noise", "mean_change")
        }
    each = DirectionScores(images_generated=8, images_real=8, metrics=metrics)
    selection = Selection(step=0, images_seen=0, directions=dict.fromkeys(directions, each))
    names = {"name": name, "protocol": mini.protocol.name, "dataset": mini.dataset}
    scores = Scores(selections={"last": selection}, card={**card(mini), **names, **card_changes})
    _write(path / "scores.json", scores.model_dump_json())
    return path


def write_golden(root: Path) -> None:
    """The committed study: five seeds of three variants, a failed run, one that is running, one damaged."""
    write_study(root, ("spatial", "slot9", "uniform", "copy"), ("toy-stripes",), range(5), pictures=False)
    rules = protocol()
    failed = Mini(rules, "toy-stripes", "slot5", 0)
    reason = "The loss cycle_A is not finite at step 31."
    write_record(
        failed.folder(root), record(failed, status="failed", reason=reason, images_seen=31, steps=31)
    )
    running = Mini(rules, "toy-stripes", "slot5", 1)
    write_record(running.folder(root), record(running, status="running", images_seen=90, trace_hash="t"))
    damaged = Mini(rules, "toy-stripes", "slot5", 2).folder(root)
    _write(damaged / "run.json", '{"schema_version": 1, "status": "do')


def _direction(mini: Mini, direction: str) -> DirectionScores:
    network = mini.protocol.score.features
    kernel = kernel_value(mini, direction)
    pair = ("kid", "fid") if network == "inception" else (f"kd({network})", f"fd({network})")
    metrics = {
        pair[0]: Score(value=kernel, floor=FLOOR, ceiling=CEILING),
        pair[1]: Score(value=900 * kernel, floor=900 * FLOOR, ceiling=900 * CEILING),
    }
    table = measurements(mini, direction)
    for name, values in table.items():
        metrics[name] = Score(value=float(values.mean()), spread=float(values.std()))
    if not MASKS.get(mini.family, 4):
        metrics |= {name: Score(value=None, reason="The generator has no masks.") for name in _MASKED}
    return DirectionScores(images_generated=8, images_real=8, metrics=metrics)


_MASKED = (
    "mask_entropy",
    "mask_effective_number",
    "mask_background",
    "mask_spatial_deviation",
    "attention_effect",
)


def measurements(mini: Mini, direction: str, images: int = 8) -> dict[str, np.ndarray]:
    """Per-image measurements [images] by name."""
    draw = mini.draw(direction, "images")
    weak = 1 - mini.strength
    found = {
        "colourfulness": 30 + 10 * mini.strength + draw.normal(0, 2, images),
        "edge_correlation": 0.5 + 0.5 * weak + draw.normal(0, 0.02, images) * mini.strength,
        "ms_ssim": 0.6 + 0.4 * weak + draw.normal(0, 0.02, images) * mini.strength,
        "noise": 2 + 3 * mini.strength + draw.normal(0, 0.2, images),
        "mean_change": 40 * mini.strength + draw.normal(0, 2, images) * mini.strength,
    }
    if MASKS.get(mini.family, 4):
        dead = mini.family in {"uniform", "slot9"}
        found["mask_entropy"] = np.full(images, 1.0) if dead else 0.4 + draw.normal(0, 0.02, images)
        found["mask_effective_number"] = np.full(images, float(MASKS.get(mini.family, 4)))
        found["mask_background"] = 0.3 + draw.normal(0, 0.02, images)
        found["mask_spatial_deviation"] = np.full(images, 2e-6 if dead else 0.2)
        found["attention_effect"] = np.full(images, 0.0 if dead else 12.0)
    return found


def images_csv(mini: Mini) -> str:
    names = list(measurements(mini, "A2B"))
    lines = [",".join(["direction", "file", *names])]
    for direction in ("A2B", "B2A"):
        found = measurements(mini, direction)
        for image in range(8):
            values = [f"{found[name][image]:.6g}" for name in names]
            lines.append(",".join([direction, f"{image:03}.png", *values]))
    return "\n".join(lines) + "\n"


LOSSES = (
    "gan_A2B",
    "gan_B2A",
    "cycle_A",
    "cycle_B",
    "identity_A",
    "identity_B",
    "discriminator_A",
    "discriminator_B",
)


def losses_csv(mini: Mini) -> str:
    if mini.family == "copy":
        return ",".join(["step", "images_seen", *LOSSES, "learning_rate", "seconds"]) + "\n"
    draw = mini.draw("losses")
    lines = [",".join(["step", "images_seen", *LOSSES, "learning_rate", "seconds"])]
    for step in [1, *range(10, 201, 10)]:
        falling = np.exp(-step / 60) * (2 - mini.strength) + 0.3 + draw.uniform(0, 0.15, len(LOSSES))
        values = [f"{value:.5g}" for value in falling]
        lines.append(",".join([str(step), str(step), *values, "0.0002", f"{step / 5:.5g}"]))
    return "\n".join(lines) + "\n"


def validation_csv(mini: Mini) -> str:
    names = ["mask_entropy", "mask_effective_number", "mask_background", "mask_spatial_deviation"]
    lines = [",".join(["step", "images_seen", "kd_A2B", "kd_B2A", *names])]
    masked = bool(MASKS.get(mini.family, 4))
    for step in (50, 100, 150, 200) if mini.family != "copy" else ():
        kernel = [f"{kernel_value(mini, name) + 1 / step:.5g}" for name in ("A2B", "B2A")]
        found = measurements(mini, "A2B") if masked else {}
        masks = [f"{found[name].mean() * step / 200:.5g}" if masked else "" for name in names]
        lines.append(",".join([str(step), str(step), *kernel, *masks]))
    return "\n".join(lines) + "\n"


def write_features(folder: Path, mini: Mini) -> None:
    """Feature vectors [8, 4] of either direction; the distance of their mean from 0 follows the strength."""
    network = mini.protocol.score.features
    (folder / "features").mkdir(parents=True, exist_ok=True)
    for direction in ("A2B", "B2A"):
        found = mini.draw(direction, "features").normal(1 - mini.strength, 0.3, (8, 4)).astype(np.float32)
        np.save(folder / "features" / f"last-{direction}-{network}.npy", found)


def write_samples(folder: Path, mini: Mini, images: int = 3) -> None:
    """Toy pictures: an ellipse on a meadow, striped by translation, with the ellipse as foreground mask."""
    entries = []
    for direction in ("A2B", "B2A"):
        for image in range(images):
            name = f"{image:03}.png"
            for step in (100, 200) if mini.family != "copy" else ():
                place = f"samples/progress/{direction}/{image:03}/step{step}"
                _picture(folder / place / "output.png", _output(mini, direction, image, step / 200))
                entries.append(_entry("progress", direction, name, step, place))
            place = f"samples/final/{direction}/{image:03}"
            entries.append(_final(folder, place, mini, direction, image))
        for rank, value in (("best", 0.9), ("median", 0.6), ("worst", 0.2)):
            place = f"samples/extreme/{direction}/{rank}"
            image = {"best": 5, "median": 6, "worst": 7}[rank]
            _picture(folder / place / "source.png", _scene(direction, image)[0])
            _picture(folder / place / "output.png", _output(mini, direction, image, 1.0))
            extra = {"measure": "edge_correlation", "rank": rank, "value": value}
            entries.append(_entry("extreme", direction, f"{image:03}.png", 200, place) | extra)
    _write(folder / "samples" / "index.json", json.dumps(entries, indent=1))


def _entry(kind: str, direction: str, file: str, step: int, place: str) -> dict[str, object]:
    return {"kind": kind, "direction": direction, "file": file, "step": step, "folder": place}


def _final(folder: Path, place: str, mini: Mini, direction: str, image: int) -> dict[str, object]:
    source, inside = _scene(direction, image)
    output = _output(mini, direction, image, 1.0)
    pictures = {"source": source, "output": output, "reconstruction": source}
    count = MASKS.get(mini.family, 4)
    constant = mini.family in {"uniform", "slot9"}
    for mask in range(count):
        share = np.full_like(inside, 1 / count) if constant else _mask(inside, mask, count)
        pictures[f"mask-{mask}"] = share
        pictures[f"content-{mask}"] = output if mask < count - 1 else source
    for name, pixels in pictures.items():
        _picture(folder / place / f"{name}.png", pixels)
    extra = {"masks": count, "mask_scale": 1.0, "background": count - 1 if count else None}
    return _entry("final", direction, f"{image:03}.png", 200, place) | extra


def _mask(inside: np.ndarray, mask: int, count: int) -> np.ndarray:
    """The last mask is the background, the others share the foreground in bands."""
    if mask == count - 1:
        return 1 - inside
    bands = (np.arange(SIZE)[None, :] * (count - 1) // SIZE) == mask
    return inside * bands


def _scene(direction: str, image: int) -> tuple[np.ndarray, np.ndarray]:
    """Source [h, w, 3] in [0, 1] and foreground [h, w] in [0, 1]."""
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    centre = 0.35 + 0.05 * image
    inside = ((x - centre) ** 2 / 0.09 + (y - 0.6) ** 2 / 0.04 < 1).astype(float)
    meadow = np.stack([0.35 + 0.3 * (1 - y), 0.55 + 0.1 * (1 - y), 0.25 + 0.6 * (1 - y)], axis=2)
    plain = np.array([0.55, 0.33, 0.16]) * (0.8 + 0.4 * (1 - y))[..., None]
    fur = _stripes(x) if direction == "B2A" else plain
    return meadow * (1 - inside[..., None]) + fur * inside[..., None], inside


def _stripes(x: np.ndarray) -> np.ndarray:
    return np.repeat(((np.sin(x * 50) > 0) * 0.8 + 0.1)[..., None], 3, axis=2)


def _output(mini: Mini, direction: str, image: int, progress: float) -> np.ndarray:
    source, inside = _scene(direction, image)
    target, _ = _scene("A2B" if direction == "B2A" else "B2A", image)
    weight = mini.strength * progress
    noise = mini.draw("output", direction, image).normal(0, 0.03 * weight, source.shape)
    return source * (1 - weight) + target * weight + noise * inside[..., None]


def _picture(path: Path, pixels: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray((np.clip(pixels, 0, 1) * 255).round().astype(np.uint8)).save(path)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def enlarge_pictures(root: Path, side: int) -> None:
    """Make every picture as large and as hard to compress as a photograph: noise over the scene."""
    for path in sorted(root.rglob("*.png")):
        picture = Image.open(path).resize((side, side))
        draw = np.random.default_rng(
            int(hashlib.sha256(str(path.relative_to(root)).encode()).hexdigest()[:8], 16)
        )
        pixels = np.asarray(picture) + draw.normal(0, 12, (side, side, *np.asarray(picture).shape[2:]))
        Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8)).save(path)


def plain_page(html: str) -> str:
    """A page without what is not its own: assets, pictures' bytes, drawings of matplotlib; a line a tag."""
    html = re.sub(r"<(style|script)>.*?</\1>", r"<\1></\1>", html, flags=re.DOTALL)
    html = re.sub(r'"data:image/[^"]*"', '"data:image"', html)
    html = re.sub(r'<svg role="img" aria-label="([^"]*)".*?</svg>', r"[\1]", html, flags=re.DOTALL)
    return re.sub(r">\s*<", ">\n<", html).strip() + "\n"


def write_golden_reports(out: Path) -> None:
    """report.md, results.json and index.html of the committed study, and the page of runs with pictures."""
    from reports.write import Request, write_report

    with contextlib.chdir(HERE / "golden"):
        write_report(Request((Path("runs"),), out, ("md", "html")))
    (out / "index.html").write_text(plain_page((out / "index.html").read_text(encoding="utf-8")), "utf-8")
    write_study(out / "pictured", ("spatial", "slot9", "copy"), seeds=range(3))
    with contextlib.chdir(out):
        page = write_report(Request((Path("pictured"),), Path("page"), ("html",)))
        (out / "pictures.html").write_text(plain_page(page.read_text(encoding="utf-8")), "utf-8")


if __name__ == "__main__":
    # The golden files anew: python tests/reports/miniature.py
    with tempfile.TemporaryDirectory() as made:
        write_golden_reports(Path(made))
        for name in GOLDEN:
            shutil.copyfile(Path(made) / name, HERE / "golden" / name)
