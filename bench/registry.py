"""What can be added by name: one registry for each kind of thing, filled by a decorator on the thing itself.

    SCENES: Registry[Scene] = Registry(
        "data set", package="bench.data.scenes", group="bench.scenes", see="bench list datasets"
    )

Entries come from the modules of one of our own packages, from installed packages (an entry point of the group
names a module), and from plugin files, which register as they are loaded. Modules are imported when a
registry is first asked for an entry. Ours come first, in the order of their modules' names: who imported what
before does not count.
"""

import contextlib
import importlib
import importlib.metadata
import importlib.util
import pkgutil
import sys
import traceback
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar, Generic, TypeVar

import variants
from bench.errors import BenchError, UsageError
from bench.names import command, unknown_name
from variants.registry import is_plugin
from variants.registry.catalogue import plugin_module
from variants.registry.provenance import OURS, top

Entry = TypeVar("Entry")


class Registry(Generic[Entry]):
    """Entries by name."""

    every: ClassVar["list[Registry[object]]"] = []

    def __init__(
        self,
        kind: str,
        *,
        package: str,
        group: str,
        see: str,
        first: tuple[str, ...] = (),
        without: tuple[str, ...] = (),
    ) -> None:
        """`first`: modules of the package whose entries come before the others', in this order.

        `without`: modules of the package that register nothing and take long to import.
        """
        self.kind = kind
        self.group = group
        self._package = package
        self._see = see
        self._first, self._without = first, without
        self._entries: dict[str, Entry] = {}
        self._places: dict[str, str] = {}
        self._modules_of: dict[str, str] = {}
        self._complete = False
        self.every.append(self)  # type: ignore[arg-type]  # of whatever entries

    def add(self, name: str, entry: Entry, thing: object) -> None:
        """Enter `thing`'s entry. Raises UsageError where another thing has the name."""
        module = str(getattr(thing, "__module__", "?"))
        place = f"{module}.{getattr(thing, '__qualname__', '?')}"
        if self._places.setdefault(name, place) != place:
            raise self._taken(name, (place, module), (self._places[name], self._modules_of[name]))
        self._entries[name] = entry
        self._modules_of[name] = module

    def _taken(self, name: str, *claims: tuple[str, str]) -> UsageError:
        """The error for two things of one name, each as (place, module).

        A plugin is read before ours are: which came first says nothing of whose name it is.
        """
        (mine, module), (other, _) = sorted(claims, key=lambda each: top(each[1]) in OURS)
        file = getattr(sys.modules.get(module), "__file__", None)
        told = mine if file is None else f"{mine.removeprefix(f'{module}.')} in {Path(file).name}"
        return UsageError(f"The {self.kind} {name!r} of {told} is taken by {other}. Rename one of them.")

    def find(self, name: str) -> Entry:
        """The entry of a name. Raises UsageError, with close names, where there is none."""
        known = self.entries()
        if name not in known:
            raise unknown_name(self.kind, name, known, self._see)
        return known[name]

    def entries(self) -> dict[str, Entry]:
        """Every entry by its name: ours by module, then others in the order in which they registered."""
        if not self._complete:
            self._complete = True  # before the imports, which may ask
            for module in self._modules():
                importlib.import_module(module)
            for module in self._of_packages():
                self._take_in(module)
        ours = sorted(filter(self._is_ours, self._entries), key=self._place_of_module)
        return {name: self._entries[name] for name in dict.fromkeys((*ours, *self._entries))}

    def forget(self, module: str) -> None:
        """Take out what registered in a module of that name."""
        for name in [name for name, place in self._modules_of.items() if place == module]:
            del self._entries[name], self._places[name], self._modules_of[name]

    def holds_of(self, module: str) -> bool:
        """Whether something in a module of that name registered here."""
        return module in self._modules_of.values()

    def _place_of_module(self, name: str) -> tuple[int, str]:
        module = self._modules_of[name]
        own = module.removeprefix(f"{self._package}.")
        return self._first.index(own) if own in self._first else len(self._first), module

    def _is_ours(self, name: str) -> bool:
        return f"{self._modules_of[name]}.".startswith(f"{self._package}.")

    def _take_in(self, module: str) -> None:
        """Import a module of an installed package; one that fails is left out with a warning, all of it."""
        try:
            with contextlib.redirect_stdout(sys.stderr):  # stdout is for what the command answers
                importlib.import_module(module)
        except BenchError:  # says itself what to do: two things of one name, a section that there is not
            raise
        except (Exception, SystemExit) as error:  # third parties' code may raise anything, or leave
            for each in Registry.every:
                each.forget(module)
            told = f"{self.group}: {module} is left out: {type(error).__name__}: {error}"
            warnings.warn(told, stacklevel=4)

    def _modules(self) -> Iterator[str]:
        """Our own modules."""
        package = importlib.import_module(self._package)
        names = sorted(each.name for each in pkgutil.iter_modules(package.__path__))
        ordered = dict.fromkeys([*self._first, *names])
        yield from (f"{self._package}.{name}" for name in ordered if name not in self._without)

    def _of_packages(self) -> Iterator[str]:
        """The modules that installed packages name; a missing one is left out with a warning."""
        points = importlib.metadata.entry_points(group=self.group)
        for module in sorted({point.value.partition(":")[0] for point in points}):
            if importlib.util.find_spec(module) is None:
                warnings.warn(f"{self.group}: there is no module {module}; it is left out.", stacklevel=3)
                continue
            yield module


def is_ours(thing: object) -> bool:
    """Whether a function or class that was registered is of this project."""
    return top(str(getattr(thing, "__module__", ""))) in OURS


def to_check(kind: str, name: str, thing: object) -> str:
    """The command that tries a thing that was registered, with the file that brings it."""
    module = str(getattr(thing, "__module__", ""))
    file = getattr(sys.modules.get(module), "__file__", None) if is_plugin(module) else None
    return command("check", f"--{kind}", name, *(["--plugin", file] if file else []))


@contextmanager
def blamed(kind: str, name: str, thing: object, remedy: str = "") -> Iterator[None]:
    """Within, what fails in a thing that is not ours becomes a BenchError that names it, its file and line.

    `thing` is the function or class that was registered; `remedy` ends the sentence.
    """
    try:
        yield
    except BenchError:
        raise
    except (Exception, SystemExit) as error:  # third parties' code may raise anything, or leave
        if is_ours(thing):
            raise
        module = str(getattr(thing, "__module__", ""))
        own = str(getattr(sys.modules.get(module), "__file__", module))
        lines = [step for step in traceback.extract_tb(error.__traceback__) if step.filename == own]
        place = Path(own).name + (f", line {lines[-1].lineno}" if lines else "")
        raise BenchError(
            f"The {kind} {name} raised {type(error).__name__}: {error} ({place}). {remedy}".rstrip()
        ) from error


def load_plugins(files: Iterable[Path]) -> None:
    """Make everything known that Python files register: generators, and entries of every registry.

    Raises VariantError as `variants.load_plugin` does; what such a file has registered is forgotten.
    """
    for file in files:
        try:
            variants.load_plugin(file, lambda module: any(each.holds_of(module) for each in Registry.every))
        except variants.VariantError:
            for each in Registry.every:
                each.forget(plugin_module(file))
            raise
