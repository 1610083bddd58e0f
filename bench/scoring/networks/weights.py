"""Weights of feature networks: found, downloaded, checked against the hash in their name, never unpickled."""

import hashlib
import io
import os
import re
import urllib.error
import zipfile
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError

import torch
from torch import Tensor

from bench.errors import BenchError

HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.(?:pth|pt)$")


@dataclass(frozen=True)
class PublishedWeights:
    """A weights file that its authors offer for download."""

    network: str
    address: str
    file: str
    """Name under `TORCH_HOME/hub/checkpoints`; torch's convention puts the first digits of the SHA-256 in."""

    @property
    def hash_prefix(self) -> str:
        """The leading digits of the file's SHA-256 as its name tells them; empty where it does not."""
        return hash_in_name(self.file)

    @property
    def place(self) -> Path:
        """Where the file is looked for and downloaded to: torch's own folder (TORCH_HOME)."""
        return Path(torch.hub.get_dir()) / "checkpoints" / self.file


@dataclass(frozen=True)
class WeightsFile:
    """A weights file that was read and whose hash was checked."""

    content: bytes
    sha256: str
    source: str
    """For the metric card: the published file's name, or `local file NAME, not the published weights`."""


def hash_in_name(name: str) -> str:
    """The hexadecimal digits before the suffix of `weights-6726825d.pth`; empty where there are none."""
    found = HASH_IN_NAME.search(name)
    return found.group(1) if found else ""


def read_weights(published: PublishedWeights, chosen: Path | None) -> WeightsFile:
    """The bytes of `chosen`, else of the published file in torch's folder, downloaded where it is missing.

    Raises BenchError when the file is missing and cannot be downloaded, or when its SHA-256 does not begin
    with the digits in its name.
    """
    path = chosen if chosen is not None else _in_torch_folder(published)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BenchError(f"Cannot read the weights {path}: {error.strerror}. {remedies(published)}") from None
    sha256 = hashlib.sha256(content).hexdigest()
    expected = hash_in_name(path.name)
    if not sha256.startswith(expected):
        raise BenchError(
            f"{path} is not what its name says: its SHA-256 begins with {sha256[:12]}, not with {expected}. "
            f"The file is incomplete or altered; delete it. {remedies(published)}"
        )
    genuine = bool(published.hash_prefix) and sha256.startswith(published.hash_prefix)
    local = f"local file {path.name}, not known to be the published weights"
    return WeightsFile(content, sha256, published.file if genuine or chosen is None else local)


def remedies(published: PublishedWeights) -> str:
    """What to do about missing weights: the file, its address, the option, where it is looked for."""
    return (
        f"The feature network {published.network} needs {published.file}, from {published.address}. "
        f"Give a copy with --weights FILE, or put it at {published.place} (TORCH_HOME moves that folder), "
        "or measure with the embedded network: --features tiny."
    )


def state_dict_of(weights: WeightsFile, published: PublishedWeights) -> dict[str, Tensor]:
    """The tensors of a weights file, read without executing anything in it. Raises BenchError otherwise."""
    try:
        state = torch.load(io.BytesIO(weights.content), map_location="cpu", weights_only=True)
    except (RuntimeError, UnpicklingError, EOFError, ValueError, zipfile.BadZipFile) as error:
        reason = str(error).splitlines()[0]
        raise BenchError(
            f"The weights for {published.network} are not a readable state dict ({reason}). "
            + remedies(published)
        ) from None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise BenchError(
            f"The weights for {published.network} are not a state dict of tensors. {remedies(published)}"
        )
    return state


def load_into(module: torch.nn.Module, state: dict[str, Tensor], published: PublishedWeights) -> None:
    """Put `state` into `module`, every name and shape equal. Raises BenchError naming what differs."""
    expected = {name: tuple(value.shape) for name, value in module.state_dict().items()}
    given = {name: tuple(value.shape) for name, value in state.items()}
    differing = [
        f"{name} is {given.get(name, 'missing')}, not {expected.get(name, 'part of the network')}"
        for name in sorted(expected.keys() | given.keys())
        if expected.get(name) != given.get(name)
    ]
    if differing:
        shown = "; ".join(differing[:3]) + (f"; and {len(differing) - 3} more" if len(differing) > 3 else "")
        raise wrong_weights(published, shown)
    module.load_state_dict(state)


def safe_file(state: dict[str, Tensor]) -> io.BytesIO:
    """A file that may be unpickled: our own serialisation of tensors that were read without executing.

    Torch-fidelity's networks read their weights by unpickling whatever file they are given.
    """
    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    return buffer


def wrong_weights(published: PublishedWeights, difference: str) -> BenchError:
    """The error for weights of other names or shapes; `difference` may be torch's long account of them."""
    lines = [line.strip() for line in difference.splitlines() if line.strip()]
    shown = " ".join(lines[:3])[:300]
    return BenchError(f"These are not the weights of {published.network}: {shown}. {remedies(published)}")


def _in_torch_folder(published: PublishedWeights) -> Path:
    """The published file's path, downloaded first where it is missing."""
    place = published.place
    if place.is_file():
        return place
    if str(place).startswith("~"):  # torch leaves it so where there is no home folder
        raise BenchError(f"There is no home folder to keep weights in: set TORCH_HOME. {remedies(published)}")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(
            published.address, os.fspath(place), hash_prefix=published.hash_prefix or None, progress=True
        )
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", None) or error
        raise BenchError(
            f"The weights are not on this machine and could not be downloaded ({reason}). "
            + remedies(published)
        ) from None
    except RuntimeError as error:  # torch's answer to a wrong hash
        raise BenchError(f"The download is not what its name says ({error}). {remedies(published)}") from None
    return place
