"""Whose code a generator is, and a hash of it: by that a run is told from the run of an edited generator.

Our own generators are known by the commit of this package. Of anybody else's the file that registers it is
hashed, together with every file of its author's that it imports. Which those are is read from the text, so
nothing is imported: files beside a plugin, modules of the same package, and modules that are neither Python's
nor installed in site-packages. Where only running the plugin can tell, as with a changed `sys.path`, it is
imported. Not seen are names put together while it runs, and data that it reads. Imports no torch.
"""

import ast
import contextlib
import hashlib
import importlib.util
import json
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from variants.registry import Registered
from variants.registry.catalogue import PLUGINS, all_registered, find, import_source, plugin_module
from variants.registry.parameters import VariantError
from variants.registry.spelling import parse

OURS = frozenset({"variants", "baselines", "bench", "reports"})
"""Top-level packages of this project."""
INSTALLED = ("site-packages", "dist-packages")
"""Folders of what is installed: known by its version, not by its text."""
DIGITS = 16


@dataclass(frozen=True)
class Provenance:
    """Where a generator, or an objective, that is not ours comes from."""

    origin: Literal["plugin", "package"]
    name: str
    """File name of the plugin, or module of the package."""
    files: dict[str, str]
    """What was hashed -> 16 hex digits of its text, line ends aside. Files beside the plugin are named as
    seen from there, others by their modules."""
    paths: frozenset[Path] = field(default=frozenset(), compare=False)
    """Where the files are."""

    @property
    def hash(self) -> str:
        """16 hex digits over all files."""
        text = json.dumps(self.files, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:DIGITS]


def provenance(text: str) -> Provenance | None:
    """Where the generator that `text` names comes from; None for one of ours, and where no file tells.

    Raises VariantError for an unknown name.
    """
    return of_source(find(parse(text).name))


def of_source(source: Registered) -> Provenance | None:
    """The same of a source."""
    return of_module(source.module, source.file)


def of_thing(thing: object) -> Provenance | None:
    """The same of a class or function that a plugin or a package brought, whatever it was registered as."""
    module = str(getattr(thing, "__module__", ""))
    return of_module(module, next((file for file in PLUGINS if plugin_module(file) == module), None))


def of_module(module: str, plugin: Path | None) -> Provenance | None:
    """The same of a module; `plugin` is its file, which no import by name would find."""
    ours = plugin is None and top(module) in OURS
    root = None if ours else plugin or file_of(module)
    if root is None:
        return None
    read = Reading(module, plugin, root)
    hashes = read.hashes()
    if plugin is None:
        return Provenance("package", module, hashes, read.paths())
    return Provenance("plugin", root.name, hashes, read.paths())


def place_in(error: BaseException) -> str | None:
    """Where in a plugin, or in a generator that is not ours, an error arose: `plug.py, line 12, in forward`.

    None where it did not come by there.
    """
    paths = set(PLUGINS)
    with contextlib.suppress(VariantError):
        for source in all_registered().values():
            found = of_source(source)
            paths |= found.paths if found else frozenset()
    steps = traceback.extract_tb(error.__traceback__)
    places = [
        f"{Path(step.filename).name}, line {step.lineno}, in {step.name}"
        for step in steps
        if Path(step.filename) in paths
    ]
    return places[-1] if places else None


def changed_files(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The files whose text differs between two hashings, those among them that only one of the two has."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def file_of(module: str) -> Path | None:
    """The file of a module by its name; None where there is none, as in an interpreter."""
    named = getattr(sys.modules.get(module), "__file__", None) or origin_of(module)
    return Path(named) if named and Path(named).is_file() else None


class Reading:
    """Follows the imports of one file as far as they stay with its author."""

    def __init__(self, module: str, plugin: Path | None, root: Path) -> None:
        self._module, self._plugin, self._root = module, plugin, root
        self._beside = root.parent if plugin is not None else None
        """The folder of a plugin, where its author's other files are looked for first."""
        self._found: dict[Path, str] = {}
        """File -> its module, empty for a plugin itself."""
        self._was_imported = False

    def hashes(self) -> dict[str, str]:
        """Name -> hash of every file, the generator's own among them."""
        waiting = [(self._root, "" if self._beside else self._module)]
        while waiting:
            file, module = waiting.pop()
            if file not in self._found:
                self._found[file] = module
                waiting += self._imported_by(file, module)
        return {self._label(file, module): digest(file) for file, module in self._found.items()}

    def paths(self) -> frozenset[Path]:
        """The files that were hashed."""
        return frozenset(self._found)

    def _label(self, file: Path, module: str) -> str:
        if self._beside is not None and file.is_relative_to(self._beside):
            return file.relative_to(self._beside).as_posix()
        return module

    def _imported_by(self, file: Path, module: str) -> list[tuple[Path, str]]:
        """The author's files that a file imports, packages around a module included."""
        package = module if file.name == "__init__.py" else module.rpartition(".")[0]
        found = []
        for name in imported_names(file, package):
            parts = name.split(".")
            for length in range(1, len(parts) + 1):
                inner = ".".join(parts[:length])
                place = self._place(inner)
                if place is not None:
                    found.append((place, inner))
        return found

    def _place(self, module: str) -> Path | None:
        """The file of a module of the author's; None for any other."""
        first = top(module)
        if first in OURS or first in sys.stdlib_module_names:
            return None
        if self._beside is None:
            own = first == top(self._module)
            return self._elsewhere(module, installed_too=True) if own else None
        if within(self._beside, first) or (self._beside / first).is_dir():
            return within(self._beside, module)
        return self._elsewhere(module) if search_folders(first) else self._as_imported(module)

    def _elsewhere(self, module: str, installed_too: bool = False) -> Path | None:
        """The file of a module as Python's path has it, unless it is installed."""
        for folder in search_folders(top(module)):
            file = within(folder, module)
            if file is not None and (installed_too or not set(file.parts) & set(INSTALLED)):
                return file
        return None

    def _as_imported(self, module: str) -> Path | None:
        """The file of a module that is on no path before the plugin itself has changed it."""
        if not self._was_imported:
            self._was_imported = True
            with contextlib.suppress(Exception):  # what is wrong with it is said where it is built
                import_source(self._module, self._plugin)
        named = getattr(sys.modules.get(module), "__file__", None)
        return Path(named) if named and not set(Path(named).parts) & set(INSTALLED) else None


def imported_names(file: Path, package: str) -> Iterator[str]:
    """Dotted names that a file imports anywhere; of `from a import b` both `a` and `a.b`, perhaps a module.

    A file that is no Python imports nothing.
    """
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(node.module or "", node.level, package)
            if base:
                yield base
                yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in {"import_module", "__import__"} and isinstance(node.args[0].value, str):
                yield node.args[0].value


def absolute(module: str, level: int, package: str) -> str:
    """The full name of what `from ..module import` means inside a package; empty where it means nothing."""
    if not level:
        return module
    parts = package.split(".") if package else []
    around = parts[: len(parts) - level + 1]
    return ".".join([*around, module] if module else around) if around else ""


def within(folder: Path, module: str) -> Path | None:
    """The file of a module below a folder: `blocks.py`, or `blocks/__init__.py` of a package."""
    place = folder.joinpath(*module.split("."))
    for file in (place / "__init__.py", place.with_name(f"{place.name}.py")):
        if file.is_file():
            return file.resolve()
    return None


def search_folders(name: str) -> list[Path]:
    """The folders in which Python would find a top-level module, without importing it; none if nowhere."""
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return []
    if spec is None:
        return []
    if spec.submodule_search_locations:
        return [Path(place).parent for place in spec.submodule_search_locations]
    return [Path(spec.origin).parent] if spec.origin else []


def origin_of(module: str) -> str | None:
    """The source file of a module that may not be imported yet."""
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError, AttributeError):
        return None
    return spec.origin if spec else None


def digest(file: Path) -> str:
    """16 hex digits of a file's text, however its lines end."""
    return hashlib.sha256(file.read_bytes().replace(b"\r\n", b"\n")).hexdigest()[:DIGITS]


def top(module: str) -> str:
    """The top-level package of a module."""
    return module.partition(".")[0]
