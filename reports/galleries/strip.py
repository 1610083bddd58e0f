"""The pictures of the first screen: one test image by every variant, beside it the mask that varies most."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from reports.comparability import Group
from reports.galleries.masks import Weights, on_absolute_scale, planes_of
from reports.galleries.pictures import Pictures, Pixels
from reports.galleries.sources import Shown, seeds_shown
from reports.verdict.model import Answers, Attention, Head
from reports.verdict.words import arrow, head_words, share_number

WIDTH = 1320
"""Pixels of a line of pictures on a wide screen."""
LARGEST, SMALLEST, GAP = 112, 84, 8


@dataclass(frozen=True)
class StripEntry:
    """One variant: names in `Pictures`, what stands beneath."""

    variant: str
    picture: str | None
    mask: str | None
    numbers: str
    head: str
    """The state of its attention in words, and its class."""
    state: str
    effect: str = ""


@dataclass(frozen=True)
class FirstLook:
    """The strip: where it is from, and its pictures."""

    title: str
    source: str | None
    copy: str
    looks: tuple[StripEntry, ...]
    truth: str | None
    floor: str
    side: int
    """Pixels of a picture on a wide screen."""


def first_look(
    found: Answers,
    groups: Mapping[str, tuple[Group, list[Shown]]],
    variants: Sequence[str],
    pictures: Pictures,
) -> FirstLook | None:
    """The first test image of the first data set with pictures, one with the true translation preferred."""
    best = None
    for key, (group, shown) in groups.items():
        direction = next((d for d in ("A2B", "B2A") if any(run.final(d) for run in shown)), None)
        if direction is None:
            continue
        rank = (not _has_truth(group), key)
        if best is None or rank < best[0]:
            best = (rank, group, shown, direction)
    if best is None:
        return None
    _, group, shown, direction = best
    runs = [run for run in shown if run.variant in variants]
    file = min((file for run in shown for file in run.final(direction)), default=None)
    if file is None or not runs:
        return None
    looks = [_look(found, group, run, direction, file, pictures) for run in runs]
    place = [run.final(direction).get(file) for run in shown]
    folders = [(run, str(entry.get("folder"))) for run, entry in zip(shown, place, strict=True) if entry]
    source = _first(pictures, folders, "source")
    truth = _first(pictures, folders, "counterfactual")
    looks, side = _fitting(looks, 1 + (truth is not None))
    where = f"{group.dataset}, {arrow(group.dataset, direction)}, first test image, {seeds_shown(shown)}."
    tasks = [task for task in found.tasks if task.place == group.key]
    floors = [share_number(max(0.0, task.floor_share)) for task in tasks if task.floor_share is not None]
    return FirstLook(
        where, source, " / ".join("1" for _ in tasks), tuple(looks), truth, " / ".join(floors), side
    )


def _has_truth(group: Group) -> bool:
    scores = group.study.scores
    return bool(scores.loc[scores["metric"] == "counterfactual_l1", "value"].notna().any())


def _first(pictures: Pictures, folders: Sequence[tuple[Shown, str]], name: str) -> str | None:
    for run, folder in folders:
        found = pictures.add_file(run.folder, f"{folder}/{name}.png")
        if found:
            return found
    return None


def _look(
    found: Answers, group: Group, run: Shown, direction: str, file: str, pictures: Pictures
) -> StripEntry:
    entry = run.final(direction).get(file)
    picture = None if entry is None else pictures.add_file(run.folder, f"{entry.get('folder')}/output.png")
    tasks = [task for task in found.tasks if task.place == group.key]
    shares = [task.shares[run.variant].mean for task in tasks if run.variant in task.shares]
    numbers = " / ".join(share_number(share) for share in shares if share is not None)
    known = found.attention.get(run.variant, Attention(Head.NONE))
    if run.variant not in (*found.trained, *found.systems) or known.head in (Head.NONE, Head.UNKNOWN):
        return StripEntry(run.variant, picture, None, numbers, "", "")
    planes = [plane for plane in planes_of(run, entry or {}) if plane is not None]
    most = most_varying(planes)
    mask = None if most is None else pictures.add(most)
    effect = known.effects.get((group.key, direction))
    by = "" if effect is None or not known.attends else f"by {share_effect(effect)} levels"
    return StripEntry(run.variant, picture, mask, numbers, head_words(known), known.head.name.lower(), by)


def most_varying(planes: Sequence[Weights]) -> Pixels | None:
    """Of masks [h, w] the one that varies most on the scale of the page, as it is shown; None without any.

    The mask of the input often lies above twice an equal share everywhere: shown it is a white square,
    while the others lie on what is changed.
    """
    shown = [on_absolute_scale(plane, len(planes)) for plane in planes]
    return max(shown, key=lambda pixels: float(np.std(pixels)), default=None)


def share_effect(value: float) -> str:
    """Levels as text: whole from 10 on."""
    return f"{value:.0f}" if value >= 9.95 else f"{value:.1f}"


def _fitting(looks: list[StripEntry], others: int) -> tuple[list[StripEntry], int]:
    """The strip in one line: pictures get smaller, then masks that say no more than their word go."""

    def side(chosen: Sequence[StripEntry]) -> int:
        units = others + len(chosen) + sum(look.mask is not None for look in chosen)
        return (WIDTH - GAP * (others + len(chosen))) // units

    for state in ("", "given", "dead"):
        if state and side(looks) < SMALLEST:
            looks = [
                StripEntry(each.variant, each.picture, None, each.numbers, each.head, each.state, each.effect)
                if each.state == state
                else each
                for each in looks
            ]
    return looks, max(SMALLEST, min(LARGEST, side(looks)))
