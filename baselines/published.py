"""Numbers that others have published, as data with their sources. Imports no torch.

They are shown beside a study, never mixed with what it measured: libraries, test protocols and the choice of
the epoch differ, and most figures after 2020 are those of the best epoch on the test set.
"""

import tomllib
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict


class PublishedResult(BaseModel):
    """One number of somebody else's."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    task: str
    """Direction of a data set in the field's spelling: `horse2zebra`, `zebra2horse`."""
    method: str
    metric: Literal["FID", "KID"]
    value: float
    """Kernel distances raw, as everywhere here."""
    spread: float | None = None
    n: int | None = None
    """Runs that the number is the mean of, where the source says so."""
    protocol: str
    """Library and test protocol."""
    rule: str
    """How the weights were chosen."""
    source: str


def published_results() -> tuple[PublishedResult, ...]:
    """All of published.toml, in its order."""
    text = (resources.files("baselines") / "published.toml").read_text(encoding="utf-8")
    return tuple(PublishedResult.model_validate(entry) for entry in tomllib.loads(text)["result"])


# The field names some data sets by more than the task.
_TASKS = {
    "horse2zebra": ("horse2zebra", "zebra2horse"),
    "summer2winter_yosemite": ("summer2winter", "winter2summer"),
    "summer2winter_yosemite_150": ("summer2winter", "winter2summer"),
    "apple2orange": ("apple2orange", "orange2apple"),
}


def tasks_of(dataset: str) -> tuple[str, ...]:
    """The published tasks that a data set belongs to: both directions, none where nothing is known."""
    return _TASKS.get(dataset, ())
