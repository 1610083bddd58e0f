"""Which image belongs to which, by their names alone: a translation to its source, a test image to itself.

Names are places below a folder, `sub/x.png`. Two belong together where one of these is equal, the first that
pairs the most is used:

1. the name without its ending: `x.png` and `x.jpg`;
2. that without what programs add to say what it is: `x_fake.png` and `x_real.png`, `x_fake_B.png` and
   `x_real_A.png` as CycleGAN's and CUT's programs write them, `fake_x.png`, `x_synthesized_image.jpg`;
3. that without what all translations begin or end with: `x-epoch200.png` and `x.jpg`; what all sources share
   is kept, or horses would be taken for zebras of the same number;

each with the folders and, where no two images of a side share a name, without them. Imports no torch.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from functools import partial
from pathlib import PurePosixPath

from bench.errors import BenchError

TRANSLATED = ("fake", "output", "translated", "translation", "generated", "synthesized", "result")
UNTRANSLATED = ("real", "input", "source", "src", "original")
_ROLE = rf"(?i:({'|'.join((*TRANSLATED, *UNTRANSLATED))})(?:_image)?)(?:[_-]?([AB]))?"
_BEHIND = re.compile(rf"^(.+?)[ _.\-]+{_ROLE}$")
_BEFORE = re.compile(rf"^{_ROLE}[ _.\-]+(.+)$")
_SEPARATOR = re.compile(r"[ _.\-]")
Keys = list[str]
Reading = Callable[[Keys], Keys]


def pair(fakes: Sequence[str], sources: Sequence[str], folders: tuple[str, str]) -> list[int]:
    """The place of every fake's source. `folders` is how errors call the folders of fakes and sources.

    Raises BenchError, naming the first, where a fake has no source, several that are equally near, or shares
    its source with another fake.
    """
    best: dict[int, list[int]] = {}
    for mine, theirs in _readings(fakes, sources, PAIRING):
        places = _places(theirs)
        found = {at: places[key] for at, key in enumerate(mine) if key in places}
        if len(found) > len(best):
            best = found
    chosen = {at: _nearest(fakes[at], found, sources, folders[1]) for at, found in best.items()}
    sharing = _places([str(source) for source in chosen.values()]).values()
    several = next((places for places in sharing if len(places) > 1), None)
    if several:
        raise _several([fakes[list(chosen)[place]] for place in several], folders[0], "--pattern")
    alone = [name for at, name in enumerate(fakes) if at not in chosen]
    if alone:
        raise BenchError(
            f"{len(alone)} of {len(fakes)} images in {folders[0]} have no source of the same name in "
            f"{folders[1]}, the first is {alone[0]}. Rename them, choose the files by --pattern and "
            "--source-pattern, or leave --source out."
        )
    return [chosen[at] for at in range(len(fakes))]


def matches(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int]]:
    """The places of the images that both sides have, in the order of the first side; each stands once."""
    best: list[tuple[int, int]] = []
    for mine, theirs in _readings(a, b, MATCHING):
        places, others = _places(mine), _places(theirs)
        both = [(places[key], others[key]) for key in places.keys() & others.keys()]
        found = sorted((one[0], other[0]) for one, other in both if len(one) == len(other) == 1)
        if len(found) > len(best):
            best = found
    return best


def role(name: str) -> tuple[str, str, str]:
    """(name without its role, role, domain) of a file's name without ending; empty where it says none.

    >>> role("x_fake_B"), role("real_x"), role("x")
    (('x', 'fake', 'B'), ('x', 'real', ''), ('x', '', ''))
    """
    if found := _BEHIND.match(name):
        return found[1], found[2].lower(), found[3] or ""
    if found := _BEFORE.match(name):
        return found[3], found[1].lower(), found[2] or ""
    return name, "", ""


def mixed(names: Sequence[str]) -> tuple[str, str] | None:
    """A translation and its source that stand among the same names, such as `x_fake.png` and `x_real.png`."""
    translated: dict[tuple[PurePosixPath, str], str] = {}
    untranslated: dict[tuple[PurePosixPath, str], str] = {}
    for name in names:
        place = PurePosixPath(name)
        stem, what, _ = role(unicodedata.normalize("NFC", place.stem))
        kept = translated if what in TRANSLATED else untranslated if what in UNTRANSLATED else {}
        kept.setdefault((place.parent, stem), name)
    both = sorted(translated.keys() & untranslated.keys())
    return (translated[both[0]], untranslated[both[0]]) if both else None


def _readings(
    a: Sequence[str], b: Sequence[str], readings: Sequence[tuple[Reading, Reading]]
) -> Iterator[tuple[Keys, Keys]]:
    """The keys of both sides, reading after reading, each with folders first."""
    for readers in readings:
        for with_folders in (True, False):
            mine, theirs = (
                read(_composed(_stems(names, with_folders)))
                for read, names in zip(readers, (a, b), strict=True)
            )
            if with_folders or (len(set(mine)), len(set(theirs))) == (len(mine), len(theirs)):
                yield mine, theirs


def _stems(names: Sequence[str], with_folders: bool) -> Keys:
    places = [PurePosixPath(name) for name in names]
    return [str(place.with_suffix("")) if with_folders else place.stem for place in places]


def _composed(stems: Keys) -> Keys:
    """Letters with marks as one sign each, which some systems write as two, unless two names become one."""
    found = [unicodedata.normalize("NFC", stem) for stem in stems]
    return found if len(set(found)) == len(set(stems)) else stems


def _without_roles(stems: Keys) -> Keys:
    return [_renamed(stem, role(PurePosixPath(stem).name)[0]) for stem in stems]


def _renamed(stem: str, name: str) -> str:
    """A stem under another name in its folder; also under one that no file may have, such as a point."""
    folder = str(PurePosixPath(stem).parent)
    return name if folder == "." else f"{folder}/{name}"


def _without_common(stems: Keys, kept: int = 0, *, beginning: bool = True) -> Keys:
    """Without the beginning and the end, up to a separator, that all names of the side share.

    Of the end's parts `kept` stay, and the `beginning` if told: names may happen to begin or end alike.
    """
    if len(stems) < 2:
        return stems
    names = [PurePosixPath(stem).name for stem in stems]
    before, after = _shared(names) if beginning else 0, _shared([name[::-1] for name in names], kept)
    if any(len(name) <= before + after for name in names):
        return stems
    bare = [name[before : len(name) - after] for name in names]
    return [_renamed(stem, name) for stem, name in zip(stems, bare, strict=True)]


def _shared(names: Keys, kept: int = 0) -> int:
    """Length of what all names begin with, up to its last separator: a common digit is a coincidence.

    With `kept`, up to so many separators before the last one.
    """
    first, last = min(names), max(names)
    pairs = enumerate(zip(first, last, strict=False))
    length = next((at for at, (one, other) in pairs if one != other), min(len(first), len(last)))
    ends = [found.end() for found in _SEPARATOR.finditer(first[:length])]
    return ends[-1 - kept] if len(ends) > kept else 0


def _places(keys: Keys) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for at, key in enumerate(keys):
        found[key].append(at)
    return found


def _nearest(fake: str, candidates: list[int], sources: Sequence[str], folder: str) -> int:
    """The one candidate, or the one of the other domain: the source of `x_fake_B` is `x_real_A`."""
    domain = role(PurePosixPath(fake).stem)[2]
    roles = {at: role(PurePosixPath(sources[at]).stem) for at in candidates}
    left = [at for at in candidates if roles[at][1] not in TRANSLATED] or candidates
    left = [at for at in left if not domain or roles[at][2] != domain] or left
    if len(left) > 1:
        raise _several([sources[at] for at in left], folder, "--source-pattern")
    return left[0]


def _several(names: list[str], folder: str, option: str) -> BenchError:
    """The error for names of one folder that cannot be told apart."""
    stems = {PurePosixPath(name).stem for name in names}
    if len(stems) == 1:
        return BenchError(
            f"{folder} holds several images called {stems.pop()} that differ in their suffix alone. Pairs "
            "are found by name: keep one of them."
        )
    wanted = TRANSLATED if option == "--pattern" else UNTRANSLATED
    pattern = telling_pattern(names, wanted)
    remedy = f"Say which files to take: {option} '{pattern}'" if pattern else "Keep one of them"
    return BenchError(
        f"{' and '.join(names[:2])} in {folder} may both be meant: pairs are found by name. {remedy}"
    )


def telling_pattern(names: Sequence[str], wanted: Sequence[str]) -> str | None:
    """A wildcard that takes some of these files and leaves others, best those of a role that is `wanted`.

    >>> telling_pattern(["x_fake.png", "x.png"], TRANSLATED), telling_pattern(["fake_1.png", "a"], TRANSLATED)
    ('*_fake.png', 'fake_*')
    """
    places = [PurePosixPath(name) for name in names]
    for place in sorted(places, key=lambda each: role(each.stem)[1] not in wanted):
        bare = role(place.stem)[0]
        behind = place.stem.startswith(bare)
        pattern = f"*{place.name.removeprefix(bare)}" if behind else f"{place.stem.removesuffix(bare)}*"
        if bare != place.stem and not all(fnmatchcase(each.name, pattern) for each in places):
            return pattern
    return None


MOST_KEPT = 8
"""Parts that names may happen to share at their end and yet have for their own."""
PAIRING: tuple[tuple[Reading, Reading], ...] = (
    (list, list),
    (_without_roles, _without_roles),
    *(
        (partial(_without_common, kept=kept, beginning=beginning), _without_roles)
        for beginning in (True, False)
        for kept in range(MOST_KEPT)
    ),
)
MATCHING = (*PAIRING, (_without_roles, _without_common))
