"""TensorBoard: losses, learning rates, validation, pictures, parameters and final scores of a run.

`RUN/tensorboard/` holds the events of one session; every session writes them anew from the run's files, so a
run that was continued is one curve. `tensorboard --logdir runs` names every run by its path. The x axis is
the training step; times are those of training, counted from the run's start.
"""

import shutil
from collections.abc import Iterator, Mapping
from datetime import datetime
from importlib.util import find_spec
from typing import Any

from bench.errors import UsageError
from bench.runs.folder import RunFolder
from bench.runs.pictures import read_entries
from bench.runs.records import read_scores, read_table
from bench.tracking import Tracker, tracker

FOLDER = "tensorboard"
COUNTS = ("step", "images_seen", "seconds")
"""Columns of losses.csv that are no curves."""
RATES = ("learning_rate", "learning_rate_discriminators", "identity_weight")


@tracker("tensorboard", summary="Curves, pictures and parameters for TensorBoard, in RUN/tensorboard.")
class TensorBoard(Tracker):
    """Writes events with torch's SummaryWriter."""

    def __init__(self, folder: RunFolder) -> None:
        super().__init__(folder)
        if find_spec("tensorboard") is None:
            raise UsageError(
                "--tensorboard needs the package tensorboard. Install it: pip install "
                "'bench-unpaired[tensorboard]'"
            )
        from torch.utils.tensorboard import SummaryWriter

        place = folder.path / FOLDER
        shutil.rmtree(place, ignore_errors=True)
        self._writer = SummaryWriter(str(place))
        self._began = datetime.fromisoformat(folder.read().started).timestamp()
        self._shown: set[str] = set()
        self._described = False

    def update(self) -> None:
        """Add what the files hold and the events do not."""
        self._curves("losses", read_table(self.folder.losses_csv))
        self._curves("validation", read_table(self.folder.validation_csv))
        self._pictures()
        if self.folder.scores_json.is_file() and not self._described:
            self._described = True
            self._parameters()
        self._writer.flush()

    def close(self) -> None:
        """Flush and close the file of events."""
        self._writer.close()

    def _curves(self, kind: str, rows: list[dict[str, str]]) -> None:
        for row in rows:
            if f"{kind} {row['step']}" in self._shown:
                continue
            self._shown.add(f"{kind} {row['step']}")
            when = self._began + float(row["seconds"]) if row.get("seconds") else None
            for name, value in numbers_of(row):
                group = "schedule" if name in RATES else kind
                self._scalar(f"{group}/{name}", value, int(row["step"]), when)

    def _pictures(self) -> None:
        """Source and translation of every sample image side by side, at every step that was kept."""
        import numpy as np
        from PIL import Image

        entries = read_entries(self.folder)
        sources = {
            (each["direction"], each["file"]): self.folder.path / each["folder"] / "source.png"
            for each in entries
            if each["kind"] == "final"
        }
        for each in entries:
            output = self.folder.path / each["folder"] / "output.png"
            if (
                each["kind"] not in ("progress", "final")
                or each["folder"] in self._shown
                or not output.is_file()
            ):
                continue
            self._shown.add(each["folder"])
            source = sources.get((each["direction"], each["file"]))
            beside = [source] if each["kind"] == "final" and source is not None and source.is_file() else []
            pixels = [np.asarray(Image.open(path).convert("RGB")) for path in (*beside, output)]
            tag = f"{each['kind']}/{each['direction']}/{each['file']}"
            self._writer.add_image(tag, np.concatenate(pixels, axis=1), each["step"], dataformats="HWC")

    def _parameters(self) -> None:
        """The cell's parameters and rules beside its final scores, for the tab HPARAMS."""
        from torch.utils.tensorboard.summary import hparams

        record, scores = self.folder.read(), read_scores(self.folder.scores_json)
        given = dict(flat(record.cell.model_dump() | {"variant_": record.parameters} | record.protocol))
        last = scores.selections["last"]
        found = {
            f"score/{direction}/{key}": score.value
            for direction, measured in last.directions.items()
            for key, score in measured.metrics.items()
            if score.value is not None
        }
        events = self._writer._get_file_writer()
        for part in hparams(given, found):
            events.add_summary(part)
        for tag, value in found.items():
            self._scalar(tag, value, last.step, None)

    def _scalar(self, tag: str, value: float, step: int, when: float | None) -> None:
        self._writer.add_scalar(tag, value, step, walltime=when)


def numbers_of(row: Mapping[str, str]) -> Iterator[tuple[str, float]]:
    """(column, value) of what a row holds: empty cells are left out, `true` is 1."""
    for name, cell in row.items():
        if name not in COUNTS and cell:
            yield name, float({"true": "1", "false": "0"}.get(cell, cell))


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, bool | int | float | str]]:
    """(`train.batch`, 1) and so on: every value by its path, what is no number as text."""
    for name, value in values.items():
        path = f"{prefix}{name}"
        if isinstance(value, Mapping):
            yield from flat(value, f"{path}.".replace("_.", "."))
        elif value is not None:
            yield path, value if isinstance(value, bool | int | float | str) else str(value)
