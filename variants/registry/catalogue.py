"""What variants there are: ours, those of installed packages, and those of plugin files.

Ours are declared in `variants.shipped`. The entry-point group `bench.variants` names modules and packages:
they are imported, and of a package every module that calls `register`. Plugin files are given to
`load_plugin`. The order of names depends on the names alone.
"""

import contextlib
import importlib
import importlib.metadata
import importlib.util
import re
import sys
import traceback
import warnings
from collections.abc import Callable
from functools import cache
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path

from variants.registry import KINDS, PLUGIN_PREFIX, REGISTRY, Kind, NameTaken, Registered
from variants.registry.parameters import VariantError, unknown

GROUP = "bench.variants"
OF_YOUR_OWN = "One of your own comes with --plugin FILE.py."


CALLS_REGISTER = re.compile(rb"\bregister\(")
PLUGINS: dict[Path, tuple[str, ...]] = {}
"""The names that each file registers."""
PUBLIC = {"AtLeast", "Generator", "Length", "Translation", "compose", "register"}
"""What a plugin takes from `variants`."""


def names(kind: Kind | None = None) -> tuple[str, ...]:
    """Every registered name, or those of one kind: variants first, then controls, then baselines."""
    chosen = [each.entry for each in all_registered().values() if kind in (None, each.entry.kind)]
    return tuple(entry.name for entry in sorted(chosen, key=lambda each: (KINDS.index(each.kind), each.name)))


def find(name: str) -> Registered:
    """What has a name. Raises VariantError, with close names, where nothing has."""
    known = all_registered()
    if name not in known:
        raise VariantError(f"{unknown('variant', name, names())} {of_plugins() or OF_YOUR_OWN}")
    return known[name]


def of_plugins() -> str:
    """What every plugin that was given registers; nothing where there is none."""
    return " ".join(f"{file.name} registers {', '.join(found)}." for file, found in PLUGINS.items())


def all_registered() -> dict[str, Registered]:
    """All that is registered, by name. Raises VariantError where two installed packages claim one name."""
    installed()
    return dict(REGISTRY)


@cache
def installed() -> tuple[str, ...]:
    """The names of installed packages' variants; a package that cannot be used is left out with a warning."""
    found: list[str] = []
    points = importlib.metadata.entry_points(group=GROUP)
    for module in sorted({point.value.partition(":")[0] for point in points}):
        try:
            import_package(module)
            found.extend(registered_by(module))
        except NameTaken as error:
            raise VariantError(f"{module}: {error} Rename one, or uninstall its package.") from error
        except (Exception, SystemExit) as error:  # third parties' code may raise anything, or leave
            warnings.warn(f"The variants of package {module!r} are left out: {error}", stacklevel=2)
    return tuple(found)


def import_package(module: str) -> None:
    """Import a module, and where it is a package those of its modules that call `register`."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise VariantError(f"there is no module {module}")
    import_source(module, None)
    for place in spec.submodule_search_locations or ():
        for file in sorted(Path(place).rglob("*.py")):
            if CALLS_REGISTER.search(file.read_bytes()):
                parts = file.relative_to(place).with_suffix("").parts
                inner = parts[:-1] if parts[-1] == "__init__" else parts
                import_source(".".join((module, *inner)), None)


def registered_by(module: str) -> tuple[str, ...]:
    """The names that a module, or a module inside it, has registered."""
    return tuple(name for name, each in REGISTRY.items() if f"{each.module}.".startswith(f"{module}."))


def load_plugin(
    path: str | Path, registers_more: Callable[[str], bool] = lambda module: False
) -> tuple[str, ...]:
    """Make the variants of a Python file known; returns their names. The same file twice is no error.

    `registers_more` tells of a module that was run whether it registered anything beside variants. Raises
    VariantError where the file is missing, cannot be run, or registers nothing.
    """
    file = Path(path).resolve()
    if file in PLUGINS:
        return PLUGINS[file]
    if file.suffix != ".py" or not file.is_file():
        raise VariantError(f"{no_plugin(path)}. Give a Python file, NAME.py, that registers a variant.")
    module = plugin_module(file)
    if module in map(plugin_module, PLUGINS):
        raise VariantError(f"Another plugin is called {file.name}. Rename one of the two files.")
    all_registered()  # whose names it cannot have
    try:
        import_source(module, file)
    except Exception as error:
        for name in registered_by(module):
            del REGISTRY[name]
        if isinstance(error, VariantError):
            raise
        raise VariantError(f"Plugin {path} cannot be loaded: {type(error).__name__}: {error}") from error
    found = registered_by(module)
    if not found and not registers_more(module):
        del sys.modules[module]
        raise VariantError(
            f"Plugin {path} registers nothing. Put @register(...) before the class of a variant, or the "
            "decorator of what else it adds (docs/extending.md)."
        )
    PLUGINS[file] = found
    return found


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
