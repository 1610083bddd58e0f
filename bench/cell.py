"""A cell: (protocol, dataset, variant, seed), the unit that becomes a run in a folder of its own."""

from dataclasses import dataclass
from pathlib import Path

from bench.protocol import Protocol
from bench.streams import Streams

HIGHEST_SEED = 2**62
"""Tables hold seeds as 64-bit whole numbers, and the seeds of an A/A control follow the highest."""


@dataclass(frozen=True)
class Cell:
    """One point of a grid. `variant` is in canonical spelling: `slot9`, `slot9[iterations=5]`."""

    protocol: Protocol
    dataset: str
    """A name of the catalogue, or the path of a folder."""
    variant: str
    seed: int

    def folder(self, runs: Path) -> Path:
        """`runs/<protocol>/<dataset>/<variant>/seed<k>`; a dataset given by path is named by its folder."""
        dataset = Path(self.dataset).name
        return runs / self.protocol.name / dataset / self.variant / f"seed{self.seed}"

    def streams(self) -> Streams:
        """The random streams of this cell: they depend on the seed alone, never on the variant."""
        return Streams(self.seed)

    def __str__(self) -> str:
        return f"{self.variant} on {self.dataset}, protocol {self.protocol.name}, seed {self.seed}"
