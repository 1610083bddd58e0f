"""Which files of a folder are images: one rule for data sets, for scores and for translations.

An image is a file, or a link to one, whose name ends like an image's, in small letters or capitals, and does
not begin with a dot. A link that leads nowhere counts as an image that cannot be read. Whatever else lies in
the folder is left out, counted and spoken of. Imports no NumPy: what only lists names needs it too.

Where data sets and caches lie on this machine.

Data sets: the folder given with --data, else the environment variable BENCH_DATA, else
~/.local/share/bench/data; each set in a folder of its name. Caches, which may be deleted at any time: the
environment variable BENCH_CACHE, else ~/.cache/bench.
"""

import errno
import os
import shlex
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from bench.errors import BenchError, UsageError
from bench.names import counted, in_part

VARIABLES = {"BENCH_DATA": ".local/share/bench/data", "BENCH_CACHE": ".cache/bench"}
"""Environment variable -> the folder below the home folder that it stands in for."""


def data_root(given: Path | None = None) -> Path:
    """The folder that holds the data sets. Raises UsageError where nothing says which that is."""
    return at_home(given) if given else _from_environment("BENCH_DATA")


def cache_root(given: Path | None = None) -> Path:
    """The folder that holds what can be computed again. Raises UsageError as `data_root`."""
    return given or _from_environment("BENCH_CACHE")


def _from_environment(variable: str) -> Path:
    value = os.environ.get(variable)
    if value:
        return at_home(value)
    try:
        return Path.home() / VARIABLES[variable]
    except RuntimeError:
        raise UsageError(
            "There is no home folder: HOME is not set, and the system knows none of this user. Say where "
            "data sets and caches lie: set BENCH_DATA and BENCH_CACHE to folders that can be written to."
        ) from None


def at_home(path: str | Path) -> Path:
    """A path in which `~` is the home folder. Raises UsageError where there is no such folder."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        raise UsageError(f"{path}: there is no such home folder. Write the whole path.") from None


IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})
ENDINGS = ", ".join(sorted(IMAGE_SUFFIXES))
KINDS = {
    "hidden": ("hidden image", "hidden images"),
    "folder": ("folder", "folders"),
    "special": ("pipe, socket or device", "pipes, sockets or devices"),
    "unmatched": ("image of another name", "images of other names"),
    "other": ("file that does not end like an image", "files that do not end like an image"),
}
"""Why something is left out -> its words in the singular and the plural."""
MOST_NAMED = 5
PathKind = Literal["folder", "file", "special", "link", "nothing"]
KINDS_OF_PATH: dict[PathKind, str] = {
    "folder": "is a folder",
    "file": "is not a folder",
    "special": "is a pipe, socket or device",
    "link": "is a link that leads nowhere",
}
LEADS_NOWHERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)


@dataclass(frozen=True)
class Listing:
    """The images of one folder, and what else lies there."""

    folder: Path
    paths: tuple[Path, ...]
    """The images, in the order of their places below the folder, by code point."""
    left_out: Mapping[str, int] = field(default_factory=dict)
    """How many of each of KINDS were left out; none that is 0."""
    folders: tuple[str, ...] = ()
    """Names of the folders among them."""
    endings: tuple[str, ...] = ()
    """Endings of the `other` files."""

    @property
    def note(self) -> str | None:
        """What was left out, in one sentence; None where nothing was."""
        if not self.left_out:
            return None
        examples = {"folder": self.folders, "other": self.endings}
        said = [
            f"{counted(number, *KINDS[kind])}{_among(examples.get(kind, ()))}"
            for kind, number in self.left_out.items()
        ]
        return f"Left out of {printable(self.folder)}: {', '.join(said)}."

    def require_images(self) -> "Listing":
        """The listing itself. Raises BenchError, saying what lies there instead, where it has no images."""
        if self.paths:
            return self
        said = f"{printable(self.folder)} holds no images. It must hold files ending in {ENDINGS}."
        if self.folders:
            said += f" It holds the folders {_some(self.folders)}: is it one of those?"
        elif self.note:
            said += f" {self.note}"
        raise BenchError(said)


def list_images(folder: Path, pattern: str = "*", recursive: bool = False) -> Listing:
    """The image files in `folder`, and with `recursive` in the folders below it, hidden ones and links apart.

    `pattern` is a wildcard for the names of the images to keep. Raises UsageError where there is no such
    folder and BenchError where it cannot be read.
    """
    require_folder(folder)
    paths: list[Path] = []
    left_out: Counter[str] = Counter()
    folders, endings = set(), set()
    for entry, kind in _entries(folder, pattern, recursive):
        if kind == "image":
            paths.append(Path(entry.path))
            continue
        left_out[kind] += 1
        if kind == "folder":
            folders.add(entry.name)
        elif kind == "other":
            endings.add(Path(entry.name).suffix.lower() or "no ending")
    return Listing(
        folder,
        tuple(sorted(paths, key=lambda path: path.relative_to(folder).as_posix())),
        {kind: left_out[kind] for kind in KINDS if kind in left_out},
        tuple(sorted(folders)),
        tuple(sorted(endings)),
    )


def _entries(folder: Path, pattern: str, recursive: bool) -> Iterator[tuple[os.DirEntry[str], str]]:
    """What lies in a folder, each with `image` or why it is left out; hidden files of other endings are not
    worth a word."""
    try:
        with os.scandir(folder) as found:
            entries = list(found)
    except OSError as error:
        raise cannot_read(folder, error) from None
    for entry in entries:
        kind = _kind(entry, pattern)
        if kind == "folder" and recursive and not entry.is_symlink():
            yield from _entries(Path(entry.path), pattern, recursive)
        elif kind:
            yield entry, kind


def _kind(entry: os.DirEntry[str], pattern: str) -> str:
    """`image`, one of KINDS, or nothing for what nobody would look for."""
    ends_like_an_image = Path(entry.name).suffix.lower() in IMAGE_SUFFIXES
    if entry.name.startswith("."):
        return "hidden" if ends_like_an_image else ""
    try:
        mode = entry.stat().st_mode
    except OSError:  # a link that leads nowhere: reading it says so
        mode = stat.S_IFREG
    if stat.S_ISDIR(mode):
        return "folder"
    if not stat.S_ISREG(mode):
        return "special"
    if not ends_like_an_image:
        return "other"
    return "image" if fnmatchcase(entry.name, pattern) else "unmatched"


def require_folder(folder: Path, wanted: str = "a folder of images") -> None:
    """Raise UsageError for a path that is no folder, BenchError for one that the system does not let see."""
    if kind_of_path(folder) != "folder":
        raise UsageError(f"{what_it_is_instead(folder, 'folder')}. Give {wanted}.")


def what_it_is_instead(path: Path, wanted: str) -> str:
    """What a path is in place of what is wanted, `folder` say, without a full stop."""
    kind = kind_of_path(path)
    if kind == "nothing":
        return f"There is no {wanted} {printable(path)}"
    return f"{printable(path)} {KINDS_OF_PATH[kind]}"


def refuse_output_over_input(out: Path, folders: Iterable[Path], option: str = "--out") -> None:
    """Raise UsageError where `out` is one of the folders that are read, however either is spelled."""
    place = out.resolve()
    for folder in dict.fromkeys(folders):
        if folder.resolve() == place:
            raise UsageError(
                f"{option} {shell_quoted(out)} is the folder that the images are read from: they could be "
                "overwritten. Give another folder."
            )


def kind_of_path(path: Path) -> PathKind:
    """What a path leads to; `link` is one to nowhere. Raises BenchError where that may not be seen."""
    try:
        mode = path.stat().st_mode
        return "folder" if stat.S_ISDIR(mode) else "file" if stat.S_ISREG(mode) else "special"
    except PermissionError as error:
        raise cannot_read(path, error) from None
    except ValueError:  # no path holds a zero byte
        return "nothing"
    except OSError as error:
        return "link" if error.errno in LEADS_NOWHERE and path.is_symlink() else "nothing"


def cannot_read(path: Path, error: OSError) -> BenchError:
    """The error for a file or folder that the system does not give, with what mends it."""
    return BenchError(f"Cannot read {printable(path)}: {why_unreadable(path, error)}.")


def why_unreadable(path: Path, error: OSError) -> str:
    """The system's reason in a few words, with the command that mends it where there is one."""
    if isinstance(error, PermissionError):
        above = reversed(path.absolute().parents)
        barred = next((folder for folder in above if not os.access(folder, os.X_OK)), path)
        rights = "u+r" if barred.is_file() else "u+rx"
        return f"permission denied; let it be read: chmod {rights} {shell_quoted(barred)}"
    if error.errno in LEADS_NOWHERE and path.is_symlink():
        return f"it is a link to {printable(path.readlink())}, which is not there"
    return str(error.strerror or error)


def printable(name: str | Path) -> str:
    r"""A file's name or path as text: bytes that are no UTF-8 are written as `\xe9`."""
    return str(name).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def shell_quoted(path: str | Path) -> str:
    """A path as one word that a shell reads back, whatever its bytes."""
    escaped = printable(str(path).replace("\\", "\\\\"))
    if printable(path) == str(path):
        return shlex.quote(str(path))
    return "$'{}'".format(escaped.replace("'", "\\'"))


def _among(names: tuple[str, ...]) -> str:
    return f" ({_some(names)})" if names else ""


def _some(names: tuple[str, ...]) -> str:
    return in_part([printable(name) for name in names], MOST_NAMED)
