"""Weights in files of other programs: what a file is, which of its tensors are meant; nothing is executed.

A state dict may lie inside a training checkpoint, below names that a wrapper or a trainer put before it, or
beside the state dicts of other networks. It is taken where exactly one choice fits what is wanted; otherwise
the error says what was found and what is wanted.
"""

import argparse
import collections
import io
import json
import pathlib
import pickle
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor

from variants.registry.parameters import VariantError

LFS = re.compile(rb"version https://git-lfs\S*\n(?:.*\n)*?size (\d+)")
SIGNS: tuple[tuple[bytes, str], ...] = (
    (b"\x89HDF", "an HDF5 file, as Keras writes it"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x1f\x8b", "a compressed archive: unpack it"),
    (b"\xfd7zXZ", "a compressed archive: unpack it"),
    (b"BZh", "a compressed archive: unpack it"),
    (b"7z\xbc\xaf", "a compressed archive: unpack it"),
    (b"Rar!", "a compressed archive: unpack it"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)
HARMLESS: list[Any] = [
    argparse.Namespace,
    collections.defaultdict,
    dict,
    list,
    set,
    pathlib.PosixPath,
    (pathlib.PurePosixPath, "pathlib.WindowsPath"),
    np.dtype,
    np.ndarray,
    *[
        type(np.dtype(kind))
        for kind in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?")
    ],
    *[
        (made, f"{package}.multiarray.{name}")
        for package in ("numpy.core", "numpy._core")
        for name, made in (
            ("scalar", np.float64(0).__reduce__()[0]),
            ("_reconstruct", np.zeros(1).__reduce__()[0]),
        )
    ],
]
"""What training scripts keep beside weights, and what runs no code when it is read: options and numbers."""
DEEPEST = 4
"""Mappings within mappings that are looked through."""
AS_MANY = 6
"""Lines of a list that an error shows."""
SAVE = "torch.save(model.state_dict(), 'weights.pth')"


class Misfit(NamedTuple):
    """Why some tensors are not what is wanted."""

    distance: int
    """How far off, for telling the nearest."""
    lines: list[str]


class Candidate(NamedTuple):
    """Tensors of a file that may be meant, and where they are in it."""

    place: tuple[str, ...]
    """Keys that lead to their mapping."""
    prefix: str
    """What stood before every name."""
    tensors: dict[str, Tensor]

    def __str__(self) -> str:
        where = ".".join(self.place) or "the file itself"
        return f"{where}, names after {self.prefix!r}" if self.prefix else where


Judge = Callable[[dict[str, Tensor]], Misfit | None]
"""Says why tensors are not the wanted ones; None where they are."""


def read(content: bytes, name: str) -> Any:
    """What a file of weights holds: tensors and plain values, however nested; nothing in it is executed.

    Raises VariantError, that says what the file is, for anything else.
    """
    what = kind_without_weights(content)
    if what is not None:
        raise VariantError(f"{name} is {what}.")
    if is_safetensors(content):
        try:
            return safetensors.torch.load(content)
        except SafetensorError as error:
            raise VariantError(
                f"{name} is a safetensors file that is cut off or damaged ({error})."
            ) from None
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(HARMLESS):
            warnings.simplefilter("ignore")
            return torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file fails in any way that its readers know of
        if name.endswith(".safetensors") and not zipfile.is_zipfile(io.BytesIO(content)):
            raise VariantError(
                f"{name} is no safetensors file, or damaged ({len(content)} bytes): its header cannot be "
                "read. Download or copy it again."
            ) from None
        raise VariantError(f"{name} {refusal(content, error)}") from None


def read_file(path: Path) -> Any:
    """As `read`, of a file. Raises VariantError where it cannot be read at all."""
    if path.is_dir():
        raise VariantError(f"{path} is a folder. Name the file of weights in it.")
    if path.exists() and not path.is_file():
        raise VariantError(f"{path} is a pipe, socket or device. Name a file of weights.")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise VariantError(f"Cannot read {path}: {error.strerror}. Name the file of weights.") from None
    return read(content, str(path))


def kind_without_weights(content: bytes) -> str | None:
    """What a file is that holds no weights, in words; None where it may hold some."""
    start = content[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not content.strip():
        return "empty: the download or the copy did not succeed"
    if pointer := LFS.match(start):
        size = int(pointer[1])
        return f"a pointer of Git LFS to {size} bytes that are not here: fetch them with git lfs pull"
    if re.match(rb"<(!doctype|html|head|\?xml|!--)", start, re.IGNORECASE):
        return (
            "a web page, as a download leaves that wants a login or a confirmation: download the file itself"
        )
    for sign, what in SIGNS:
        if content.startswith(sign):
            return what
    if content[257:262] == b"ustar":
        return "an archive of other files: unpack it"
    if content.startswith(b"PK"):
        return kind_of_archive(content)
    printable = start.decode("ascii", errors="replace")
    if (
        len(start) > 1
        and all(sign.isprintable() or sign.isspace() for sign in printable)
        and "\ufffd" not in printable
    ):
        return f"text that begins with {printable[:40].splitlines()[0]!r}"
    return None


def kind_of_archive(content: bytes) -> str | None:
    """The same of a zip archive, which is what torch.save writes."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        return f"cut off after {len(content)} bytes: download or copy it again"
    if any(name.endswith("constants.pkl") for name in names):
        return f"a TorchScript program, which is not run here. Where it was made: {SAVE}"
    if any(name.endswith("data.pkl") for name in names):
        return None
    if all(name.endswith(".npy") for name in names):
        return "an archive of NumPy arrays"
    return f"an archive of other files ({', '.join(names[:3])}): unpack it"


def is_safetensors(content: bytes) -> bool:
    """Whether a file begins as safetensors do: the length of a JSON object, and the object."""
    return content[8:9] == b"{" and int.from_bytes(content[:8], "little") < 2**32


def refusal(content: bytes, error: Exception) -> str:
    """Why torch's reader of plain tensors refuses a file, in our words."""
    named = re.findall(r"GLOBAL (\S+)", str(error)) if isinstance(error, pickle.UnpicklingError) else []
    if not named:
        return f"is damaged, or no file of torch.save ({len(content)} bytes)."
    classes = ", ".join(dict.fromkeys(named))
    return (
        f"holds objects of {classes}, as a whole pickled model does: reading them would run code, so nothing "
        f"is read. Where it was made, save the weights alone: {SAVE}."
    )


def choose(loaded: Any, judge: Judge, wanted: str, name: str) -> Candidate:
    """The one choice of tensors in what a file holds with which `judge` finds nothing wrong.

    `wanted` says in words what should be there. Raises VariantError where none or several fit.
    """
    matching: list[Candidate] = []
    misfits: list[Misfit] = []
    for each in mappings(loaded):
        found, misfit = fit(each, judge)
        matching += found
        misfits += [misfit] if misfit else []
    if not matching:
        nearest = min(misfits, key=lambda one: one.distance, default=None) or judge({})
        lines = shortened(nearest.lines) if nearest else []
        raise VariantError("\n".join([*lines, f"{name} holds {contents_of(loaded)}.", f"Wanted: {wanted}."]))
    first, *others = matching
    if any(not equal_states(first.tensors, each.tensors) for each in others):
        listed = "\n".join(f"  {each}" for each in matching)
        raise VariantError(
            f"{name} holds more than one that fits, and which is meant does not show:\n{listed}\n"
            f"Wanted: {wanted}. Save the one that is meant by itself, for example the first:\n  "
            + extraction(name, first)
        )
    return first


def fit(whole: Candidate, judge: Judge) -> tuple[list[Candidate], Misfit | None]:
    """The choices within one mapping that fit, and the nearest misfit where none does.

    Tried are the mapping, the same without what stands before all names, then parts that have a word before
    their names.
    """
    misfits = []
    for each in (whole, *unwrapped(whole)):
        misfit = judge(each.tensors)
        if misfit is None:
            return [each], None
        misfits.append(misfit)
    parts = [fit(part, judge) for part in divided(whole)]
    misfits += [misfit for _, misfit in parts if misfit is not None]
    return [each for found, _ in parts for each in found], min(misfits, key=lambda one: one.distance)


def mappings(loaded: Any, place: tuple[str, ...] = ()) -> Iterator[Candidate]:
    """Every mapping of names to tensors in what a file holds; what optimisers keep is passed over."""
    if not isinstance(loaded, Mapping) or len(place) > DEEPEST or "param_groups" in loaded:
        return
    tensors = {key: each for key, each in loaded.items() if isinstance(key, str) and isinstance(each, Tensor)}
    if tensors:
        yield Candidate(place, "", tensors)
    for key, inner in loaded.items():
        yield from mappings(inner, (*place, str(key)))


def unwrapped(whole: Candidate) -> Iterator[Candidate]:
    """The same tensors without the names that wrappers and trainers put before or between their own."""
    plain = renamed(
        whole, whole.prefix, lambda name: re.sub(r"(^|\.)(_orig_mod|module)(?=\.)", "", name).lstrip(".")
    )
    if plain is not None:
        yield plain
    inner = plain or whole
    while (first := common_part(inner.tensors)) is not None:
        before = f"{first}."
        longer = renamed(inner, inner.prefix + before, without(before))
        if longer is None:
            return
        inner = longer
        yield inner


def divided(whole: Candidate) -> list[Candidate]:
    """The parts of a mapping whose names begin with a word of their own, as `netG_A.` and `netD_A.`."""
    firsts = dict.fromkeys(name.partition(".")[0] for name in whole.tensors if "." in name)
    if len(firsts) < 2:
        return []
    return [
        Candidate(
            whole.place,
            f"{whole.prefix}{first}.",
            {
                name.removeprefix(f"{first}."): each
                for name, each in whole.tensors.items()
                if name.startswith(f"{first}.")
            },
        )
        for first in firsts
    ]


def renamed(whole: Candidate, prefix: str, rename: Callable[[str], str]) -> Candidate | None:
    """The candidate under other names; None where that changes nothing or makes two names one."""
    names = {name: rename(name) for name in whole.tensors}
    if all(name == new for name, new in names.items()) or len(set(names.values())) < len(names):
        return None
    return Candidate(whole.place, prefix, {names[name]: each for name, each in whole.tensors.items()})


def without(before: str) -> Callable[[str], str]:
    """What takes the beginning `before` off a name."""
    return lambda name: name.removeprefix(before)


def common_part(tensors: Mapping[str, Tensor]) -> str | None:
    """The word before the first dot where all names share it."""
    firsts = {name.partition(".")[0] for name in tensors}
    return firsts.pop() if len(firsts) == 1 and all("." in name for name in tensors) else None


def equal_states(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> bool:
    """Whether two state dicts are equal, as where a file names one twice."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def shortened(lines: Sequence[str]) -> list[str]:
    """The first lines of a list, and how many more there are."""
    rest = len(lines) - AS_MANY
    return [*lines[:AS_MANY], f"  and {rest} more"] if rest > 1 else list(lines)


def contents_of(loaded: Any, depth: int = 0) -> str:
    """What a file holds, in words: `state_dict (2 tensors, such as a.weight [8, 3, 7, 7]), epoch`."""
    if isinstance(loaded, Tensor):
        return f"one tensor {list(loaded.shape)}"
    if not isinstance(loaded, Mapping):
        return f"no tensors by name ({type(loaded).__name__})"
    tensors = [(key, each) for key, each in loaded.items() if isinstance(each, Tensor)]
    odd = next((type(key).__name__ for key, _ in tensors if not isinstance(key, str)), None)
    numbered = f" under {'numbers' if odd == 'int' else f'keys of type {odd}'}, not names" if odd else ""
    parts = []
    if tensors:
        key, first = tensors[0]
        count = "one tensor" if len(tensors) == 1 else f"{len(tensors)} tensors"
        such_as = f"{key} {list(first.shape)}"
        parts.append(f"{count}{numbered} ({'' if len(tensors) == 1 else 'such as '}{such_as})")
    arrays = [(key, each) for key, each in loaded.items() if isinstance(each, np.ndarray)]
    if arrays:
        key, array = arrays[0]
        count = "one NumPy array" if len(arrays) == 1 else f"{len(arrays)} NumPy arrays"
        parts.append(
            f"{count}, no tensors (such as {key} {list(array.shape)}); make them with torch.from_numpy"
        )
    others = [(key, each) for key, each in loaded.items() if not isinstance(each, Tensor | np.ndarray)]
    parts += [
        f"{key}: {contents_of(each, depth + 1)}"
        if isinstance(each, Mapping) and depth < DEEPEST
        else str(key)
        for key, each in others[:AS_MANY]
    ]
    return ", ".join(parts) or "nothing"


def extraction(name: str, chosen: Candidate) -> str:
    """The command that saves one choice of tensors by itself."""
    inner = "".join(f"[{json.dumps(key)}]" for key in chosen.place)
    names = f"k.removeprefix({chosen.prefix!r}): v for k, v in s.items() if k.startswith({chosen.prefix!r})"
    picked = f"{{{names}}}" if chosen.prefix else "s"
    load = f"s = torch.load({name!r}, weights_only=True){inner}"
    return f"python -c {json.dumps(f'import torch; {load}; torch.save({picked}, {chr(39)}one.pth{chr(39)})')}"
