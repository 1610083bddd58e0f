"""Reading a study from a TOML file or from options; every error names the place: file, line and key."""

import re
import tomllib
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bench.errors import UsageError
from bench.names import folder_name, unknown_name
from bench.protocol import read_toml
from bench.studies.study import EngineSettings, Study

Location = tuple[int | str, ...]


@dataclass(frozen=True)
class Origin:
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
    origin: Origin


def declare(values: dict[str, Any], origin: Origin) -> Declaration:
    """The study of these values. Raises UsageError that names every wrong key with its line."""
    try:
        study = Study.model_validate(values)
    except ValidationError as error:
        raise UsageError("\n".join(explain(problem, origin) for problem in error.errors())) from None
    folder_name(origin.place("name"), study.name)
    return Declaration(study, origin)


def load_study(name_or_file: str | Path) -> Declaration:
    """A shipped study by name (`smoke`, `smoke.toml`) or anybody's by file.

    A file goes before a shipped study of that name. Raises UsageError for an unknown name or key.
    """
    path = Path(name_or_file)
    if path.is_file():
        return parse(read_toml(path, "study", "Let it be read, or give another file."), path.name)
    name = str(name_or_file).removesuffix(".toml")
    if name in study_names():
        return parse((shipped() / f"{name}.toml").read_text(encoding="utf-8"), f"{name}.toml")
    raise unknown_name(
        "study", str(name_or_file), study_names(), "give one of them or an existing .toml file"
    )


def parse(text: str, file: str) -> Declaration:
    """The study that a TOML text declares; its name is the file's without .toml."""
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{file} is not readable TOML: {error}") from None
    return declare({"name": Path(file).stem, **values}, Origin(file, text))


def shipped() -> Any:
    """The folder of the studies that ship with bench."""
    return resources.files("bench") / "studies"


def study_names() -> list[str]:
    """The studies that ship with bench."""
    return sorted(Path(each.name).stem for each in shipped().iterdir() if each.name.endswith(".toml"))


def explain(problem: Any, origin: Origin) -> str:
    """One line for one problem that pydantic found."""
    location: Location = problem["loc"]
    place = origin.place(*location)
    if problem["type"] == "extra_forbidden":
        model = EngineSettings if location[0] == "engine" and len(location) > 1 else Study
        return f"{place}: there is no such key. Keys: {', '.join(model.model_fields)}"
    message = problem["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" + (f" (given: {problem['input']!r})" if location else "")


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
