"""What can be added by name: one registry for each kind of thing, filled by a decorator on the thing itself.

    SCENES: Registry[Scene] = Registry(
        "data set", package="bench.data.scenes", group="bench.scenes", see="bench list datasets"
    )

Entries come from the modules of one of our own packages, from installed packages (an entry point of the group
names a module), and from plugin files, which register as they are loaded. Modules are imported when a
registry is first asked for an entry, in the order of their names: who imported what before does not count.
"""

import importlib
import importlib.metadata
import importlib.util
import pkgutil
import warnings
from collections.abc import Iterator
from typing import Generic, TypeVar

from bench.errors import UsageError
from bench.names import unknown_name

Entry = TypeVar("Entry")


class Registry(Generic[Entry]):
    """Entries by name, in the order in which they registered."""

    def __init__(self, kind: str, *, package: str, group: str, see: str) -> None:
        self.kind = kind
        self.group = group
        self._package = package
        self._see = see
        self._entries: dict[str, Entry] = {}
        self._places: dict[str, str] = {}
        self._complete = False

    def add(self, name: str, entry: Entry, thing: object) -> None:
        """Enter `thing`'s entry. Raises UsageError where another thing has the name."""
        place = f"{getattr(thing, '__module__', '?')}.{getattr(thing, '__qualname__', '?')}"
        if self._places.setdefault(name, place) != place:
            raise UsageError(
                f"The {self.kind} {name!r} of {place} is taken by {self._places[name]}. Rename one of them."
            )
        self._entries[name] = entry

    def find(self, name: str) -> Entry:
        """The entry of a name. Raises UsageError, with close names, where there is none."""
        known = self.entries()
        if name not in known:
            raise unknown_name(self.kind, name, known, self._see)
        return known[name]

    def entries(self) -> dict[str, Entry]:
        """Every entry by its name."""
        if not self._complete:
            self._complete = True  # before the imports, which may ask
            for module in self._modules():
                importlib.import_module(module)
        return dict(self._entries)

    def _modules(self) -> Iterator[str]:
        """Our own modules, then those of installed packages; a missing one is left out with a warning."""
        package = importlib.import_module(self._package)
        yield from sorted(f"{self._package}.{each.name}" for each in pkgutil.iter_modules(package.__path__))
        points = importlib.metadata.entry_points(group=self.group)
        for module in sorted({point.value.partition(":")[0] for point in points}):
            if importlib.util.find_spec(module) is None:
                warnings.warn(f"{self.group}: there is no module {module}; it is left out.", stacklevel=3)
                continue
            yield module
