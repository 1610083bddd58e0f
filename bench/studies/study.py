"""A study as it is declared, in a TOML file or by options: which cells, which comparisons, on which engine.

Pydantic-checked and frozen; every error names the place: file, line and key.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from bench.cell import HIGHEST_SEED
from bench.errors import UsageError, in_short, in_toml
from bench.names import folder_name, unknown_name
from bench.protocol import Count, Settings, keys_of, read_toml

MOST_SEEDS = 10_000
Seed = Annotated[int, Field(ge=0, le=HIGHEST_SEED)]
Threads = Annotated[int, Field(gt=0, le=2**10)]
Names = Annotated[tuple[str, ...], Field(min_length=1)]


class EngineSettings(Settings):
    """Where the cells of a study are executed; nothing here may change a result."""

    kind: str = "local"
    """Name of an engine: local, ray, or one of your own."""
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
    options: dict[str, Any] = Field(default_factory=dict)
    """What an engine of your own takes beside."""

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


Location = tuple[int | str, ...]


@dataclass(frozen=True)
class StudySource:
    """Where a study was declared: a file with its text, or the command line."""

    name: str
    text: str = ""

    def place(self, *location: int | str) -> str:
        """`nine-slots.toml, line 7, engine.workers`, as far as it can be told."""
        key = ".".join(str(part) for part in location if isinstance(part, str))
        line = line_of(self.text, location)
        return ", ".join(part for part in (self.name, f"line {line}" if line else "", key) if part)


@dataclass(frozen=True)
class Declaration:
    """A study and where it was declared, so that later errors can name the place too."""

    study: Study
    origin: StudySource


def declare(values: dict[str, Any], origin: StudySource) -> Declaration:
    """The study of these values. Raises UsageError that names every wrong key with its line."""
    try:
        study = Study.model_validate(values)
    except ValidationError as error:
        found = error.errors()
        wrong_inside = {each["loc"][:-1] for each in found}  # what is left of a list of wrong values is short
        told = [each for each in found if each["type"] != "too_short" or each["loc"] not in wrong_inside]
        problems = sorted(told, key=lambda each: each["type"] != "extra_forbidden")
        lines = list(dict.fromkeys(explain(each, origin) for each in problems))
        if unlike_a_study(values):
            lines.insert(0, f"{origin.name} is no study: it names neither variants nor baselines.")
        raise UsageError("\n".join(lines)) from None
    folder_name(origin.place("name"), study.name)
    return Declaration(study, origin)


def unlike_a_study(values: Mapping[str, Any]) -> bool:
    """Whether these values are rather those of another kind of file, such as a protocol or an ablation."""
    return not values.keys() & {"variants", "baselines"} and not values.keys() <= Study.model_fields.keys()


def load_study(name_or_file: str | Path) -> Declaration:
    """A shipped study by name (`smoke`, `smoke.toml`) or anybody's by file.

    A file goes before a shipped study of that name. Raises UsageError for an unknown name or key.
    """
    path = Path(name_or_file)
    if path.is_file() or (path.suffix == ".toml" and path.exists()):
        return parse_study(read_toml(path, "study", "Let it be read, or give another file."), path.name)
    name = str(name_or_file).removesuffix(".toml")
    if name in study_names():
        return parse_study((shipped() / f"{name}.toml").read_text(encoding="utf-8"), f"{name}.toml")
    raise unknown_name(
        "study", str(name_or_file), study_names(), "give one of them or an existing .toml file"
    )


def parse_study(text: str, file: str) -> Declaration:
    """The study that a TOML text declares; its name is the file's without .toml."""
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{file} is not readable TOML: {error}") from None
    return declare({"name": Path(file).stem, **values}, StudySource(file, text))


def shipped() -> Any:
    """The folder of the studies that ship with bench."""
    return resources.files("bench") / "studies"


def study_names() -> list[str]:
    """The studies that ship with bench."""
    return sorted(Path(each.name).stem for each in shipped().iterdir() if each.name.endswith(".toml"))


def explain(problem: Any, origin: StudySource) -> str:
    """One line for one problem that pydantic found."""
    location: Location = problem["loc"]
    place = origin.place(*location)
    if problem["type"] == "extra_forbidden":
        model = EngineSettings if location[0] == "engine" and len(location) > 1 else Study
        return f"{place}: there is no such key. {keys_of(model, str(location[-1]))}"
    if problem["type"] == "missing":
        return f"{place}: {in_toml(problem)}"
    return f"{place}: {in_toml(problem)}" + (f" (given: {in_short(problem['input'])})" if location else "")


def line_of(text: str, location: Location) -> int | None:
    """The line, from 1, of a key in a TOML text; of an entry of its list where the entry has its own line.

    None where the key is not written there.
    """
    if not location:
        return None
    lines = text.splitlines()
    *tables, key = [part for part in location if isinstance(part, str)]
    start = 0
    if tables:
        start = next(
            (n for n, line in enumerate(lines) if line.strip() == f"[{'.'.join(tables)}]"), len(lines)
        )
    pattern = re.compile(rf"\s*(?:{re.escape(key)}|\"{re.escape(key)}\")\s*=")
    for number in range(start, len(lines)):
        if pattern.match(lines[number]):
            return number + 1 + lines_to_entry(lines[number:], location)
    return next((n + 1 for n, line in enumerate(lines) if line.strip() == f"[{key}]"), None)


def lines_to_entry(lines: list[str], location: Location) -> int:
    """Lines from a key to the entry of its list that `location` names, where each entry has its own line."""
    index = next((part for part in location if isinstance(part, int)), None)
    if index is None or "]" in lines[0]:
        return 0
    entries = [n for n, line in enumerate(lines) if n and line.strip() and not line.strip().startswith("#")]
    return entries[index] if index < len(entries) else 0
