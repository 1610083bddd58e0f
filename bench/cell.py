"""A cell: (protocol, dataset, variant, seed), the unit that becomes a run in a folder of its own."""

from dataclasses import dataclass
from pathlib import Path

from bench.protocol import Protocol
from bench.streams import Streams

HIGHEST_SEED = 2**62
"""Tables hold seeds as 64-bit whole numbers, and the seeds of an A/A control follow the highest."""


def whole_path(dataset: str) -> str:
    """A name of the catalogue as it is; the path of a folder in full, links followed."""
    return str(Path(dataset).resolve()) if "/" in dataset else dataset


def dataset_name(dataset: str) -> str:
    """What a data set is called in tables and folders: one given by path, as its folder is called.

    >>> dataset_name("horse2zebra"), dataset_name("/home/me/photos/")
    ('horse2zebra', 'photos')
    """
    return Path(whole_path(dataset)).name


@dataclass(frozen=True)
class Cell:
    """One point of a grid. `variant` is in canonical spelling: `slot9`, `slot9[iterations=5]`."""

    protocol: Protocol
    dataset: str
    """A name of the catalogue, or the whole path of a folder."""
    variant: str
    seed: int

    def folder(self, runs: Path) -> Path:
        """`runs/<protocol>/<dataset>/<variant>/seed<k>`; a dataset given by path is named by its folder.

        One that is given by a link is named by the folder that the link leads to, but a run that stands
        under the link's own name, as all did once, is found there.
        """
        inner = f"{self.variant}/seed{self.seed}"
        named, spelled = (
            runs / self.protocol.name / name / inner
            for name in (dataset_name(self.dataset), Path(self.dataset).name)
        )
        return spelled if spelled != named and (spelled / "run.json").is_file() else named

    def streams(self) -> Streams:
        """The random streams of this cell: they depend on the seed alone, never on the variant."""
        return Streams(self.seed)

    def __str__(self) -> str:
        return f"{self.variant} on {self.dataset}, protocol {self.protocol.name}, seed {self.seed}"
