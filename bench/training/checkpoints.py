"""Checkpoints: everything needed to continue a run exactly, in a file that needs no trust to be read."""

import zipfile
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import torch

from bench.errors import BenchError
from bench.runs import atomic

SCHEMA_VERSION = 1


class Loaded(NamedTuple):
    """A checkpoint, and what should be said about how it was found."""

    state: dict[str, Any]
    warnings: tuple[str, ...]


def save_checkpoint(folder: Path, state: dict[str, Any]) -> None:
    """Write `state` (tensors and plain values) as `last.pt`; the one before becomes `previous.pt`.

    At every instant one of the two is whole. Raises BenchError when the disk is full.
    """
    last, coming = folder / "last.pt", folder / "next.pt"

    def write(file: BinaryIO) -> None:
        try:
            torch.save({"schema_version": SCHEMA_VERSION, **state}, file)
        except RuntimeError as error:
            # On a full disk torch's archive writer covers the system's refusal with an error of its own.
            if isinstance(error.__context__, OSError):
                raise error.__context__ from error
            raise

    atomic.write_with(coming, write)
    if last.exists():
        last.replace(folder / "previous.pt")
    coming.replace(last)


def load_checkpoint(folder: Path, device: torch.device) -> Loaded | None:
    """The newest whole checkpoint, its tensors on `device`; None where there is none.

    A damaged `last.pt` is passed over for `previous.pt` with a warning; with both damaged the run starts
    anew. Raises BenchError for a checkpoint of a newer schema.
    """
    warnings: list[str] = []
    for name in ("last.pt", "previous.pt"):
        path = folder / name
        if not path.exists():
            continue
        state = _read(path, device)
        if state is not None:
            return Loaded(state, tuple(warnings))
        warnings.append(f"Checkpoint {name} was damaged and could not be used.")
    return Loaded({}, tuple(warnings)) if warnings else None


def _read(path: Path, device: torch.device) -> dict[str, Any] | None:
    """The content of a checkpoint; None where it is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:
                return None
        state = torch.load(path, map_location=device, weights_only=True)
    except OSError as error:
        raise BenchError(f"Cannot read {path}: {error.strerror or error}.") from error
    except Exception:
        # A damaged archive can fail in any way the archive's and the tensors' readers know of.
        return None
    version = state.get("schema_version") if isinstance(state, dict) else None
    if not isinstance(version, int):
        return None
    if version > SCHEMA_VERSION:
        raise BenchError(
            f"{path} has schema version {version}; this bench reads up to {SCHEMA_VERSION}. "
            "Install the newer bench that wrote it, or remove the folder to start anew."
        )
    return state
