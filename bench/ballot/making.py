"""`bench ballot make`: one page on which people compare translations of the same test images by eye.

The page holds everything and asks no network. Nothing on it tells which program made a picture: pictures have
random codes, and the key to them is `ballot.json` beside the page, which stays with whoever made it.
Order and sides are drawn anew for every rater. Some pairs come twice, with sides exchanged, and some show
one picture on both sides: what is answered there says how far the rater can be relied on.
"""

import base64
import csv
import io
import json
import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import combinations
from pathlib import Path
from typing import Any

from PIL import Image

from bench.ballot.records import KEY, BallotItem, BallotKey, BallotSystem
from bench.comparing.selection import Run, choose_runs
from bench.data.catalogue import licence_note
from bench.data.dataset import Dataset, Images, Split
from bench.data.files import kind_of_path, list_images, printable
from bench.data.load import load_dataset
from bench.data.masks import as_wanted
from bench.data.pictures import read_image_at
from bench.data.tensors import quantise
from bench.errors import BenchError, UsageError
from bench.names import counted
from bench.progress import ProgressReport
from bench.protocol import load_protocol
from bench.runs import atomic
from bench.runs.folder import RunFolder, find_runs
from bench.runs.metrics import is_distance
from bench.runs.pictures import sample_indices
from bench.runs.records import Direction, read_scores
from bench.scoring.pairing import matches
from bench.scoring.translate import translate_split
from bench.studies.execute import cell_of_record
from bench.translating import generator_of_run

PAGE = "ballot.html"
TRIALS = 60
"""Pairs that a rater is shown unless asked otherwise, without repeats and copies."""
FEWEST_IMAGES = 4
REPEATS, COPIES = 5, 3
LOOKS_LIKE = {
    "horse2zebra": ("horse", "zebra"),
    "toy-stripes": ("horse", "zebra"),
    "apple2orange": ("apple", "orange"),
    "summer2winter_yosemite": ("summer", "winter"),
    "summer2winter_yosemite_150": ("summer", "winter"),
    "toy-season": ("summer", "winter"),
    "monet2photo": ("painting", "photograph"),
}
"""What the images of either domain show, as a question names it."""
KEPT_STRUCTURE = "Which kept more of the scene?"


@dataclass(frozen=True)
class Contestant:
    """One side before its pictures are made: a run, or a folder of anybody's images."""

    name: str
    run: Run | None
    images: Path | None


@dataclass(frozen=True)
class BallotRequest:
    """What to compare, and how."""

    systems: tuple[str, ...]
    out: Path
    runs: Path
    dataset: str | None = None
    protocol: str | None = None
    direction: Direction = "A2B"
    seed: int | None = None
    images: int | None = None
    questions: tuple[str, ...] = ()
    repeats: int = REPEATS
    copies: int = COPIES
    size: int | None = None


@dataclass(frozen=True)
class PlannedBallot:
    """A ballot before anything is translated or written."""

    request: BallotRequest
    contestants: tuple[Contestant, ...]
    dataset: str
    licence: str | None
    """What to know before the pictures leave the machine; None for rendered scenes."""


def plan_ballot(request: BallotRequest) -> PlannedBallot:
    """Find what is to be compared. Raises UsageError or BenchError, with what to give, where it is not."""
    if len(request.systems) < 2 or len(set(request.systems)) < len(request.systems):
        raise UsageError("Give two or more different variants, run folders or folders of images to compare.")
    if not all(text.strip() for text in request.questions):
        raise UsageError("--question is empty: raters would be asked nothing. Give it the words to ask.")
    for name in (KEY, PAGE):
        if kind_of_path(request.out / name) != "nothing":
            raise UsageError(
                f"{printable(request.out / name)} is there already: answers may have been given to it. Give "
                "another folder to --out."
            )
    atomic.require_writable(request.out, "--out")
    contestants = tuple(contestant(text, request) for text in request.systems)
    runs = [each.run for each in contestants if each.run is not None]
    facts = {(run.record.cell.dataset, run.record.data_fingerprint) for run in runs}
    if len(facts) > 1:
        raise UsageError(
            f"The runs are of different images ({', '.join(sorted(name for name, _ in facts))}), so "
            "nothing can be shown side by side. Choose with --dataset and --protocol."
        )
    dataset = runs[0].record.cell.dataset if runs else request.dataset
    if dataset is None:
        raise UsageError("Folders of images alone do not tell what was translated. Give --dataset NAME.")
    seeds = {run.record.cell.seed for run in runs}
    if len(seeds) > 1:
        raise UsageError(
            f"The runs have different seeds ({', '.join(map(str, sorted(seeds)))}). Give --seed K to take "
            "one of all."
        )
    names = [each.name for each in contestants]
    if len(set(names)) < len(names):
        raise UsageError(f"Two of the compared are called {names[0]!r} alike. Rename a folder.")
    return PlannedBallot(request, contestants, dataset, licence_note(dataset))


def contestant(text: str, request: BallotRequest) -> Contestant:
    """What a text names: a folder of images, or a variant's run of the wanted seed."""
    folder = Path(text)
    if folder.is_dir() and not find_runs(folder) and list_images(folder).paths:
        return Contestant(folder.resolve().name, None, folder)
    chosen = choose_runs(text, request.runs, request.dataset, request.protocol)
    if chosen.images is not None:
        raise UsageError(
            f"{text} holds scores of images, not the images. Give the folder of the images themselves."
        )
    wanted = [run for run in chosen.runs if request.seed in (None, run.record.cell.seed)]
    places = sorted({f"{run.record.cell.protocol} on {run.dataset}" for run in wanted})
    if len(places) > 1:
        raise UsageError(f"{text} was run under {', '.join(places)}. Choose with --dataset and --protocol.")
    if not wanted:
        raise UsageError(f"{text} has no finished run with seed {request.seed}. Give another --seed.")
    run = min(wanted, key=lambda each: each.record.cell.seed)
    return Contestant(chosen.label, run, None)


def make_ballot(
    planned: PlannedBallot, progress: ProgressReport, announce: Callable[[str], None] = lambda text: None
) -> Path:
    """Translate, draw lots, and write page and key; returns the page. Raises BenchError where that fails.

    Where there are fewer images, pairs or pictures than were asked for, all are taken and it is said.
    """
    request = planned.request
    dataset, protocol, size = shown_images(planned, progress)
    split = source_of(dataset, request)
    translated = {
        each.name: translations_of(each, dataset, request, size, progress) for each in planned.contestants
    }
    shared = sorted(set.intersection(*(set(found) for found in translated.values())))
    pairs = list(combinations(translated, 2))
    wanted = request.images or max(FEWEST_IMAGES, TRIALS // len(pairs))
    if len(shared) < min(FEWEST_IMAGES, wanted):
        raise BenchError(
            f"Only {len(shared)} test images have a translation by all. Name translations as the test "
            "images are (x.png or x_fake.png of x.jpg)."
        )
    places = [shared[at] for at in sample_indices(len(shared), wanted)]
    lots = random.Random(secrets.randbits(64))
    codes = {(name, place): secrets.token_hex(6) for name in ("", *translated) for place in places}
    # Order in the page's source says nothing: everything there lies as the random codes do, in a pair too.
    items = [
        (place, *min((codes[a, place], codes[b, place]), (codes[b, place], codes[a, place])), False)
        for place in places
        for a, b in pairs
    ]
    copies = [(place, name) for place in places for name in translated]
    items += [
        (place, codes[name, place], codes[name, place], True)
        for place, name in lots.sample(copies, min(request.copies, len(copies)))
    ]
    lots.shuffle(items)
    numbered = [
        BallotItem(number=number, image=split.names[place], a=a, b=b, copied=copied)
        for number, (place, a, b, copied) in enumerate(items)
    ]
    usual = [item.number for item in numbered if not item.copied]
    for option, asked, there, noun in (
        ("--images", request.images or 0, len(shared), "test image"),
        ("--repeats", request.repeats, len(usual), "pair"),
        ("--copies", request.copies, len(copies), "picture"),
    ):
        if asked > there:
            announce(f"note: {option} {asked} is more than there are: all {counted(there, noun)} taken")
    key = BallotKey(
        id=secrets.token_hex(6),
        dataset=Path(planned.dataset).name,
        direction=request.direction,
        protocol=protocol,
        questions=questions_of(planned),
        systems=[
            kept_measurements(each, request, [split.names[at] for at in places])
            for each in planned.contestants
        ],
        pictures={code: (name, split.names[at]) for (name, at), code in codes.items() if name},
        items=numbered,
        repeats=sorted(lots.sample(usual, min(request.repeats, len(usual)))),
    )
    sources = {split.names[place]: codes["", place] for place in places}
    shown = {codes["", place]: data_address(split.images[place]) for place in places}
    shown |= {codes[name, at]: data_address(translated[name][at]) for name in translated for at in places}
    request.out.mkdir(parents=True, exist_ok=True)
    atomic.write_text(request.out / KEY, key.model_dump_json(indent=1) + "\n")
    atomic.write_text(request.out / PAGE, ballot_page(key, sources, shown))
    return request.out / PAGE


def shown_images(planned: PlannedBallot, progress: ProgressReport) -> tuple[Dataset, str | None, int]:
    """The data set whose test images are translated, the runs' protocol, and their size in pixels."""
    run = next((each.run for each in planned.contestants if each.run is not None), None)
    rules = (
        load_protocol(planned.request.protocol or "paper-256")
        if run is None
        else cell_of_record(run.record).protocol
    )
    images = rules.images
    if planned.request.size is not None and run is None:
        images = images.model_copy(update={"size": planned.request.size, "load_size": planned.request.size})
    dataset = load_dataset(planned.dataset, images, progress=progress)
    return dataset, None if run is None else rules.name, images.size


def source_of(dataset: Dataset, request: BallotRequest) -> Split:
    """The test images of the domain that is translated."""
    return (dataset.A if request.direction == "A2B" else dataset.B).test


def translations_of(
    one: Contestant, dataset: Dataset, request: BallotRequest, size: int, progress: ProgressReport
) -> Mapping[int, Images]:
    """Place in the split -> translation uint8 [h, w, 3]: of a run as it was scored, else of the folder."""
    split = source_of(dataset, request)
    if one.run is not None:
        generator, _ = generator_of_run(one.run.folder, request.direction, "cpu", with_masks=True)
        cell = cell_of_record(one.run.record)
        streams = cell.streams()
        split = source_of(as_wanted(dataset, generator.wants_masks, cell.variant, streams), request)
        made: dict[int, Images] = {}
        progress.start(f"translating {one.name}", len(split))
        for batch in translate_split(generator, split, streams, request.direction):
            pixels = quantise(batch.translation.image)
            made |= {batch.rows.start + row: pixels[row] for row in range(len(pixels))}
            progress.advance(len(pixels))
        return made
    assert one.images is not None  # a contestant is one or the other
    files = list_images(one.images).require_images().paths
    both = matches(list(split.names), [file.name for file in files])
    return {mine: read_image_at(files[theirs], size, size) for mine, theirs in both}


def kept_measurements(one: Contestant, request: BallotRequest, names: Sequence[str]) -> BallotSystem:
    """What the run's folder keeps of the images shown; nothing of a folder of images."""
    if one.run is None:
        return BallotSystem(name=one.name, origin="images", distances={}, measures={})
    folder = one.run.folder
    distances: dict[str, float] = {}
    if folder.scores_json.is_file():
        found = read_scores(folder.scores_json).selections["last"].directions[request.direction].metrics
        distances = {
            key: score.value for key, score in found.items() if is_distance(key) and score.value is not None
        }
    cell = one.run.record.cell
    origin = f"{cell.protocol}/{one.run.dataset}/{cell.variant}/seed{cell.seed}"
    return BallotSystem(
        name=one.name,
        origin=origin,
        distances=distances,
        measures=measures_of(folder, request.direction, names),
    )


def measures_of(folder: RunFolder, direction: Direction, names: Sequence[str]) -> dict[str, dict[str, float]]:
    """Measure -> image -> value, from images.csv; undefined ones are left out."""
    found: dict[str, dict[str, float]] = {}
    if not folder.images_csv.is_file():
        return found
    with folder.images_csv.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["direction"] == direction and row["file"] in names:
                for key, cell in row.items():
                    if key not in ("direction", "file") and cell:
                        found.setdefault(key, {})[row["file"]] = float(cell)
    return found


def questions_of(planned: PlannedBallot) -> dict[str, str]:
    """The questions by key: those that were given, else which is the better one, and which kept the scene."""
    if planned.request.questions:
        return {f"q{number}": text for number, text in enumerate(planned.request.questions, 1)}
    shown = LOOKS_LIKE.get(Path(planned.dataset).name)
    target = shown[planned.request.direction == "A2B"] if shown else None
    better = f"Which is the better {target}?" if target else "Which is the better translation?"
    return {"better": better, "kept": KEPT_STRUCTURE}


def ballot_page(key: BallotKey, sources: Mapping[str, str], pictures: Mapping[str, str]) -> str:
    """The page: the template with what it shows, and no word of what made which picture."""
    told: dict[str, Any] = {
        "id": key.id,
        "title": next(iter(key.questions.values())),
        "questions": [{"key": name, "text": text} for name, text in key.questions.items()],
        "items": [
            {"number": item.number, "source": sources[item.image], "a": item.a, "b": item.b}
            for item in key.items
        ],
        "repeats": key.repeats,
        "pictures": dict(sorted(pictures.items())),
    }
    template = (resources.files("bench.ballot") / "page.html").read_text(encoding="utf-8")
    # As JSON within a script element: no sign of it may end that element.
    text = json.dumps(told).replace("<", "\\u003c")
    return template.replace("/*BALLOT*/", text)


def data_address(pixels: Images) -> str:
    """A picture as an address that holds it, without loss."""
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, format="PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"
