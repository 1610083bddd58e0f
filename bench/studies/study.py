"""A study as it is declared: which cells, which comparisons, on which engine. Pydantic-checked and frozen."""

import re
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from bench.cell import HIGHEST_SEED
from bench.protocol import Count, Settings

MOST_SEEDS = 10_000
Seed = Annotated[int, Field(ge=0, le=HIGHEST_SEED)]
Threads = Annotated[int, Field(gt=0, le=2**10)]
Names = Annotated[tuple[str, ...], Field(min_length=1)]


class EngineSettings(Settings):
    """Where the cells of a study are executed; nothing here may change a result."""

    kind: Literal["local", "ray"] = "local"
    workers: Threads | None = None
    """Cells at a time; None: one for each GPU or else one (local), as many as the cluster carries (ray)."""
    threads: Threads | None = None
    """CPU threads of a cell; None: the cores divided by the workers (local), 1 (ray)."""
    address: str | None = None
    """Address of a Ray cluster; None: a cluster on this machine alone."""
    gpus: Annotated[float, Field(ge=0, le=2**10)] | None = None
    """GPUs of a cell under Ray; None: one where the cluster has any and the device is not the CPU."""
    memory_gib: Annotated[float, Field(gt=0, le=2**20)] | None = None
    """Memory that Ray sets aside for a cell."""
    folders: Literal["shared", "returned"] = "shared"
    """`shared`: every node sees the folder of runs; `returned`: run folders travel to the driver and back."""
    node_losses: Count = 3
    """Times that Ray may begin a cell again because its node was lost."""

    @field_validator("gpus")
    @classmethod
    def _many_gpus_are_whole(cls, value: float | None) -> float | None:
        if value is not None and value > 1 and value != int(value):
            raise ValueError("beyond one, GPUs are given whole")
        return value


class Study(Settings):
    """A grid of cells and the comparisons declared before any of them was run."""

    name: str
    summary: str = ""
    protocol: str = "smoke"
    """A protocol's name, or a .toml file."""
    changes: tuple[str, ...] = ()
    """Changes to the protocol, written as `bench run --set` takes them."""
    variants: tuple[str, ...] = ()
    """Names, wildcards (`slot*`) and lists of parameters that span a grid (`slot9[iterations=1|3|5]`)."""
    baselines: tuple[str, ...] = ()
    """The same; wildcards here match baselines."""
    datasets: Names = ("toy-stripes",)
    seeds: Annotated[tuple[Seed, ...], Field(min_length=1, max_length=MOST_SEEDS)] = (0,)
    """`[0, 1, 2]`, or `"0..4"` for 0 to 4."""
    comparisons: tuple[tuple[str, str], ...] = ()
    """Pairs of variants to be compared, declared beforehand."""
    control: str | None = None
    """A variant that is run again with as many further seeds, to be compared with itself: the A/A control."""
    engine: EngineSettings = EngineSettings()

    @model_validator(mode="before")
    @classmethod
    def _lists_are_tuples(cls, values: Any) -> Any:
        return (
            {key: as_tuples(value) for key, value in values.items()} if isinstance(values, dict) else values
        )

    @field_validator("seeds", mode="before")
    @classmethod
    def _ranges_are_seeds(cls, value: Any) -> Any:
        return parse_seeds(value) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _something_to_run(self) -> "Study":
        if not self.variants and not self.baselines:
            raise ValueError('name at least one variant or baseline, for example variants = ["slot9"]')
        return self


def as_tuples(value: Any) -> Any:
    """Lists, however deep, as tuples."""
    return tuple(as_tuples(each) for each in value) if isinstance(value, list) else value


def parse_seeds(text: str) -> tuple[int, ...]:
    """The seeds that `0..4` (0 to 4) or `0,2,7` spells. Raises ValueError for anything else."""
    seeds: list[int] = []
    for part in text.split(","):
        matched = re.fullmatch(r"\s*(\d+)\s*(?:\.\.\s*(\d+)\s*)?", part)
        if matched is None:
            raise ValueError(f"cannot read seeds {text!r}; write 0..4 for the seeds 0 to 4, or 0,2,7")
        first, last = int(matched[1]), int(matched[2] or matched[1])
        if last < first:
            raise ValueError(f"the seeds {part.strip()} run backwards; write {last}..{first}")
        if len(seeds) + last + 1 - first > MOST_SEEDS:
            raise ValueError(f"{text!r} are too many seeds; a study has at most {MOST_SEEDS}")
        seeds.extend(range(first, last + 1))
    return tuple(seeds)
