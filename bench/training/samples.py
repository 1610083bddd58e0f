"""Progress pictures: what the generators made of fixed test images, over training."""

from collections.abc import Iterable, Mapping

import torch

from bench.data.dataset import Images, Split
from bench.data.tensors import quantise
from bench.runs.folder import RunFolder
from bench.runs.pictures import add_entries, sample_indices, write_pictures
from bench.runs.records import DIRECTIONS
from bench.streams import Streams
from bench.training.translating import translations
from variants.contract import Generator


def sample_split(split: Split, samples: int) -> Split:
    """The images of a test split that are kept as pictures, the same for every variant."""
    places, masks = sample_indices(len(split), samples), split.masks
    names = tuple(split.names[place] for place in places)
    return Split(split.images[places], names, None if masks is None else lambda: masks()[places])


def write_progress(
    folder: RunFolder,
    generators: Mapping[str, Generator],
    sources: Mapping[str, Split],
    streams: Streams,
    step: int,
) -> None:
    """Translate the sample images and keep the outputs as pictures of kind `progress`, the masks beside them.

    `sources` are the sample images of the domains `A` and `B`; the generators are in eval mode.
    """
    entries = []
    for direction in DIRECTIONS:
        source = sources[direction[0]]
        outputs = _outputs(generators[direction], source, streams, direction)
        for place, (name, pictures) in enumerate(zip(source.names, outputs, strict=True)):
            within = f"samples/progress/{direction}/{place:02d}/step-{step}"
            write_pictures(folder, within, pictures)
            entry = {"kind": "progress", "direction": direction, "file": name, "step": step, "folder": within}
            entries.append(entry)
    add_entries(folder, entries)


def _outputs(
    generator: Generator, source: Split, streams: Streams, direction: str
) -> Iterable[dict[str, Images]]:
    """The pictures of every image: `output`, and `masks` side by side where there are some."""
    for translation in translations(generator, source, streams, direction):
        outputs = quantise(translation.image)
        if translation.masks is None:
            yield from ({"output": output} for output in outputs)
            continue
        shown = translation.masks.float().clamp(0, 1).mul(255).round().to(torch.uint8)
        strips = shown.permute(0, 2, 1, 3).flatten(2).cpu().numpy()  # [b, h, k * w]
        yield from ({"output": output, "masks": strip} for output, strip in zip(outputs, strips, strict=True))
