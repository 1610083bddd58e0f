"""What variants there are: ours, those of installed packages, and those of plugin files.

Three sources, read without importing torch wherever their text can be read:
this package; the entry-point group `bench.variants`, whose values name a module or a package; files given
to `load_plugin`. The order of names depends on the names alone.
"""

import contextlib
import importlib
import importlib.metadata
import importlib.util
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from variants.errors import VariantError, unknown
from variants.registry import KINDS, PLUGIN_PREFIX, REGISTRY, Entry, Kind, Registered
from variants.static import Unreadable, registrations

GROUP = "bench.variants"
OF_YOUR_OWN = "One of your own comes with --plugin FILE.py."


@dataclass(frozen=True)
class Source:
    """A name that can be had, and the module whose import registers it."""

    entry: Entry
    module: str
    file: Path | None = None
    """The plugin file, which no import by name would find."""


PLUGINS: dict[Path, tuple[Source, ...]] = {}
PUBLIC = {"AtLeast", "Generator", "Length", "Translation", "compose", "register"}
"""What a plugin takes from `variants`."""


def names(kind: Kind | None = None) -> tuple[str, ...]:
    """Every registered name, or those of one kind: variants first, then controls, then baselines."""
    chosen = [source.entry for source in sources().values() if kind in (None, source.entry.kind)]
    return tuple(entry.name for entry in sorted(chosen, key=lambda each: (KINDS.index(each.kind), each.name)))


def find(name: str) -> Source:
    """The source of a name. Raises VariantError, with close names, where there is none."""
    known = sources()
    if name not in known:
        raise VariantError(f"{unknown('variant', name, names())} {of_plugins() or OF_YOUR_OWN}")
    return known[name]


def of_plugins() -> str:
    """What every plugin that was given registers; nothing where there is none."""
    own = {file.name: ", ".join(source.entry.name for source in found) for file, found in PLUGINS.items()}
    return " ".join(f"{file} registers {found}." for file, found in own.items())


def registered(name: str) -> Registered:
    """The class of a name, imported now if it was not before."""
    source = find(name)
    if name not in REGISTRY:
        import_source(source.module, source.file)
    if name not in REGISTRY:
        raise VariantError(f"Importing {source.module} did not register {name!r}.")
    return REGISTRY[name]


def sources() -> dict[str, Source]:
    """Every source by name. Raises VariantError where two claim one name."""
    found: dict[str, Source] = {}
    everywhere = [*shipped(), *installed()]
    for plugin in PLUGINS.values():
        everywhere.extend(plugin)
    for source in everywhere:
        name = source.entry.name
        if name in found:
            raise VariantError(
                f"The name {name!r} is claimed by {found[name].module} and by {source.module}. "
                "Rename one, or uninstall its package."
            )
        found[name] = source
    for name, each in REGISTRY.items():  # registered by hand, in an interpreter or a test
        found.setdefault(name, Source(each.entry, each.generator.__module__))
    return found


@cache
def shipped() -> tuple[Source, ...]:
    """The variants of this package."""
    return tuple(of_package(__package__ or "variants"))


@cache
def installed() -> tuple[Source, ...]:
    """The variants of installed packages; one that cannot be read is left out with a warning."""
    found: list[Source] = []
    points = importlib.metadata.entry_points(group=GROUP)
    for module in sorted({point.value.partition(":")[0] for point in points}):
        try:
            found.extend(of_package(module))
        except Exception as error:
            warnings.warn(f"The variants of package {module!r} are left out: {error}", stacklevel=2)
    return tuple(found)


def load_plugin(
    path: str | Path, registers_more: Callable[[str], bool] = lambda module: False
) -> tuple[str, ...]:
    """Make the variants of a Python file known; returns their names. The same file twice is no error.

    `registers_more` tells of a module that was run whether it registered anything beside variants. Raises
    VariantError where the file is missing, cannot be run, or registers nothing.
    """
    file = Path(path).resolve()
    if file in PLUGINS:
        return tuple(source.entry.name for source in PLUGINS[file])
    if file.suffix != ".py" or not file.is_file():
        raise VariantError(f"{no_plugin(path)}. Give a Python file, NAME.py, that registers a variant.")
    module = plugin_module(file)
    if module in map(plugin_module, PLUGINS):
        raise VariantError(f"Another plugin is called {file.name}. Rename one of the two files.")
    try:
        PLUGINS[file] = tuple(by_import(module, file))
        sources()
    except Exception as error:
        PLUGINS.pop(file, None)
        for name in [name for name, each in REGISTRY.items() if each.generator.__module__ == module]:
            del REGISTRY[name]
        if isinstance(error, VariantError):
            raise
        raise VariantError(f"Plugin {path} cannot be loaded: {type(error).__name__}: {error}") from error
    if not PLUGINS[file] and not registers_more(module):
        del PLUGINS[file], sys.modules[module]
        raise VariantError(
            f"Plugin {path} registers nothing. Put @register(...) before the class of a variant, or the "
            "decorator of what else it adds (docs/extending.md)."
        )
    return tuple(source.entry.name for source in PLUGINS[file])


def no_plugin(path: str | Path) -> str:
    """What a path is in place of a plugin file."""
    place = Path(path)
    if place.is_dir():
        return f"{path} is a folder, not a plugin file"
    if place.is_file():
        return f"{path} is no plugin file: its name does not end in .py"
    if place.exists():
        return f"{path} is a pipe, socket or device, not a plugin file"
    return f"There is no plugin file {path}"


def plugin_module(file: Path) -> str:
    """What the module of a plugin file is called."""
    return f"{PLUGIN_PREFIX}{file.stem}"


def of_package(module: str) -> Iterator[Source]:
    """The sources of a module, or of every module of a package; in the order of their names."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise VariantError(f"there is no module {module}")
    found = False
    for name, file in files_of(module, Path(spec.origin)):
        for source in of_file(name, file):
            found = True
            yield source
    if not found:
        yield from by_import(module)


def files_of(module: str, origin: Path) -> list[tuple[str, Path]]:
    """Module name and file of a module, or of every module of a package."""
    if origin.name != "__init__.py":
        return [(module, origin)] if origin.suffix == ".py" else []
    root = origin.parent
    modules = {}
    for file in root.rglob("*.py"):
        parts = file.relative_to(root).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        modules[".".join((module, *parts))] = file
    return sorted(modules.items())


def of_file(module: str, file: Path) -> list[Source]:
    """The sources of one file, read from its text, or by importing it where its text does not tell."""
    try:
        return [Source(entry, module) for entry in registrations(file)]
    except Unreadable:
        return by_import(module)


def by_import(module: str, file: Path | None = None) -> list[Source]:
    """The sources that importing a module registers."""
    import_source(module, file)
    inside = (module, f"{module}.")
    return [
        Source(each.entry, module, file)
        for each in REGISTRY.values()
        if each.generator.__module__ == inside[0] or each.generator.__module__.startswith(inside[1])
    ]


def import_source(module: str, file: Path | None) -> None:
    """Import a module by its name, or a plugin from its file."""
    if file is None:
        with contextlib.redirect_stdout(sys.stderr):
            importlib.import_module(module)
        return
    if module in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(module, file)
    assert spec is not None
    assert spec.loader is not None  # a .py file has both
    loaded = importlib.util.module_from_spec(spec)
    sys.modules[module] = loaded
    # The last to be asked, and for now alone: what stands beside a plugin hides nothing that is installed.
    beside = Beside(file.parent)
    sys.meta_path.append(beside)
    try:
        with contextlib.redirect_stdout(sys.stderr):  # stdout is for what the command answers
            spec.loader.exec_module(loaded)
    except BaseException as error:
        del sys.modules[module]
        if isinstance(error, VariantError) or not isinstance(error, Exception | SystemExit):
            raise
        raise VariantError(cannot_be_loaded(file, error)) from error
    finally:
        sys.meta_path.remove(beside)


class Beside(MetaPathFinder):
    """Finds modules in a plugin's folder, for a plugin that imports what stands beside it."""

    def __init__(self, folder: Path) -> None:
        self._folders = [str(folder)]

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """The module of that name in the folder; of what is inside a package Python itself finds it."""
        return PathFinder.find_spec(name, self._folders) if path is None else None


def cannot_be_loaded(file: Path, error: Exception | SystemExit) -> str:
    """Why running a plugin file failed, in which of its lines, and what to write."""
    lines = [step.lineno for step in traceback.extract_tb(error.__traceback__) if step.filename == str(file)]
    line = f" (line {lines[-1]})" if lines else ""
    said = f"Plugin {file.name} cannot be loaded: {type(error).__name__}: {error}{line}."
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        return (
            f"{said} Install it beside bench ({sys.executable} -m pip install {package}), or put "
            f"{package}.py into the folder of the plugin."
        )
    if isinstance(error, NameError) and error.name in PUBLIC:
        return f"{said} Write at its top: from variants import {error.name}"
    if isinstance(error, SystemExit):
        return f"{said} What it does as a program belongs below: if __name__ == '__main__':"
    return said
