"""`bench score --published SYSTEM --checkpoint FILE`: a published generator on a data set's test split."""

from collections.abc import Iterator, Sequence

from bench.data.dataset import Dataset, Images, Split
from bench.data.tensors import quantise
from bench.progress import ProgressReport
from bench.runs.records import Direction
from bench.scoring.external_scores import ExternalScores, ImageSets, score_image_sets
from bench.scoring.floors import floor_images
from bench.scoring.image_set import ImageSet, of_split
from bench.scoring.networks.network import FeatureNetwork
from bench.scoring.translate import translate_split
from bench.streams import Streams
from variants.contract import Generator


def score_generator(
    generator: Generator,
    dataset: Dataset,
    direction: Direction,
    network: FeatureNetwork,
    *,
    subset_size: int,
    seed: int = 0,
    progress: ProgressReport | None = None,
) -> ExternalScores:
    """The scores of a generator's translations of the test split, with floor and ceiling of the data set.

    Slot noise follows from `seed` and the file's name, as for our own runs. Measurements that need masks or
    the generator of the other direction are left out. Raises BenchError for an output that is not finite.
    """
    source, target = (dataset.A, dataset.B) if direction == "A2B" else (dataset.B, dataset.A)
    streams = Streams(seed)

    def translations(split: Split = source.test) -> Iterator[Images]:
        for batch in translate_split(generator, split, streams, direction):
            yield from quantise(batch.translation.image)

    def picked(places: Sequence[int]) -> Iterator[Images]:
        names = tuple(source.test.names[place] for place in places)
        return translations(Split(source.test.images[list(places)], names))

    real = of_split(target.test)
    others = floor_images(target.train.images, len(source.test), target.test.images.shape[1])
    floor = Split(others, tuple(f"floor {place}" for place in range(len(others))))
    sets = ImageSets(
        generated=ImageSet(source.test.names, "", translations, picked),
        real=real,
        source=of_split(source.test),
        floor=of_split(floor) if len(others) > 1 else None,
    )
    return score_image_sets(sets, network, subset_size, progress)
