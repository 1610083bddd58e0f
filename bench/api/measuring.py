"""What `bench score` measures beside runs of ours: images of any origin, and published checkpoints.

Their scores are kept where a name or a folder was given, and stand in the report beside those of runs.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from bench.api.sheets import ScoreSheet
from bench.cell import dataset_name
from bench.data import load_dataset
from bench.data.pictures import RESIZE
from bench.errors import UsageError, announce
from bench.names import folder_name
from bench.progress import ProgressReport
from bench.protocol import load_protocol
from bench.runs.atomic import require_writable
from bench.runs.records import DIRECTIONS, Direction
from bench.scoring.external import (
    Card,
    ExternalScores,
    external_card,
    external_scores,
    score_generator,
    write_external,
)
from bench.scoring.folders import Folders, score_folders
from bench.scoring.networks import FeatureNetwork, load_network
from bench.translating import generator_of_checkpoint

NO_PROTOCOL = "external"
"""The protocol's name in tables where none is given: images that another program made."""


@dataclass(frozen=True)
class ScoreOptions:
    """What requests of either kind say."""

    given_direction: str
    features: str | None
    weights: Path | None
    subset_size: int | None
    name: str | None
    dataset: str | None
    protocol: str | None
    out: Path | None
    runs: Path
    device: str

    @property
    def direction(self) -> Direction:
        """Raises UsageError for what is no direction."""
        if self.given_direction not in DIRECTIONS:
            raise UsageError(f"--direction {self.given_direction!r} is not a direction. Give A2B or B2A.")
        return cast(Direction, self.given_direction)

    def network(self, default: str) -> FeatureNetwork:
        return load_network(self.features or default, self.weights, self.device)

    def place(self, protocol: str, dataset: str) -> Path | None:
        """The folder that keeps the scores: --out, or by --name beside the runs; None: nowhere.

        Raises UsageError for names that no folder of the runs can have, CannotWrite where nothing can be
        written there.
        """
        if self.name is not None:
            folder_name("--name", self.name)
        if self.out is None and self.name is None:
            return None
        if self.out is not None:
            require_writable(self.out, "--out", locks=True)
            return self.out
        parts = (folder_name("--protocol", protocol), folder_name("--dataset", dataset), str(self.name))
        folder = self.runs.joinpath(*parts)
        require_writable(folder, "--runs", locks=True)
        return folder

    @property
    def table(self) -> str:
        """The protocol in whose table images of another program stand: that of a file is called as in it."""
        if self.protocol and self.protocol.endswith(".toml"):
            return load_protocol(self.protocol).name
        return self.protocol or NO_PROTOCOL


def score_images(
    folders: Folders, size: int | None, options: ScoreOptions, progress: ProgressReport
) -> ScoreSheet:
    """Score a folder of translations, and keep the scores where a name or a folder was given."""
    direction, table = options.direction, options.table
    dataset = dataset_name(options.dataset or str(folders.real.resolve().parent)) or NO_PROTOCOL
    place = options.place(table, dataset)
    refuse_among_images(place, folders)
    network = options.network("inception")
    found, remarks = score_folders(
        folders, network, size=size, subset_size=options.subset_size, progress=progress
    )
    for remark in remarks:
        announce(f"note: {remark}")
    height, width = found.image_shape
    card: Card = {
        **external_card(network, direction, found),
        "name": options.name or folders.fake.resolve().name,
        "protocol": table,
        "dataset": dataset,
        "image_size": f"resized to {size} x {size} ({RESIZE})" if size else f"as found, {height} x {width}",
        **({f"remarks_{direction}": " ".join(remarks)} if remarks else {}),
    }
    return score_sheet(found, direction, card, place)


def refuse_among_images(place: Path | None, folders: Folders) -> None:
    """Raise UsageError where scores and samples would lie among the images that are measured.

    A folder below theirs is among them where folders below count, too.
    """
    given = {"--real": folders.real, "--fake": folders.fake, "--source": folders.source}
    for option, folder in (given | {"--floor": folders.floor}).items():
        if place is None or folder is None:
            continue
        kept, images = place.resolve(), folder.resolve()
        if kept == images or (folders.recursive and kept.is_relative_to(images)):
            raise UsageError(
                f"{place} is in the folder of {option}: scores and samples would lie among its images. Give "
                "another folder to --out."
            )


def score_checkpoint(
    system: str | None, checkpoint: Path | None, options: ScoreOptions, progress: ProgressReport
) -> ScoreSheet:
    """Score a published generator on the test split of a data set."""
    if system is None or checkpoint is None or options.dataset is None:
        raise UsageError("Give all of --published SYSTEM, --checkpoint FILE and --dataset NAME.")
    direction = options.direction
    protocol = load_protocol(options.protocol or "paper-256")
    place = options.place(protocol.name, dataset_name(options.dataset))
    generator = generator_of_checkpoint(system, checkpoint, options.device)
    network = options.network(protocol.score.features)
    dataset = load_dataset(options.dataset, protocol.images, progress=progress)
    found = score_generator(
        generator,
        dataset,
        direction,
        network,
        subset_size=protocol.score.kid_subset_size,
        progress=progress,
    )
    card: Card = {
        **external_card(network, direction, found),
        "name": options.name or system,
        "protocol": protocol.name,
        "dataset": dataset.name,
        "published_system": system,
        "data_fingerprint": dataset.fingerprint,
        f"checkpoint_{direction}": checkpoint.name,
    }
    return score_sheet(found, direction, card, place)


def score_sheet(found: ExternalScores, direction: Direction, card: Card, folder: Path | None) -> ScoreSheet:
    """Write the scores to `folder`, if there is one."""
    if folder is None:
        return ScoreSheet(None, external_scores(found, direction, card))
    return ScoreSheet(folder, write_external(folder, found, direction, card))
