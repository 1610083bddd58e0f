"""Which runs may stand in one table: those of one schedule, and the proof that it was one.

Runs are put together by protocol and dataset. Inside such a group every run must have the same protocol
hash and data fingerprint, and the runs of one seed the same schedule hash and the same trace hash (the
rolling hash over what a run was really fed). What differs is refused, or, when that was asked for, marked
wherever the run appears.

Images of other programs join the group whose protocol and data set they were scored for, if they were held
against the same real images, on features of the same weights: floor, ceiling and every distance belong to one
set of real images. Those held against other ones make a group, and tables, of their own.

A baseline that brings its own objective may have no image pool, or another: it is held against the others by
the hash that leaves the pools out, and marked wherever it appears.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from bench.comparing.sides import same_networks, same_real_images
from bench.errors import UsageError
from bench.names import in_part
from bench.runs.records import GeneratorRecord
from reports.frame import StudyFrames, ordered_variants
from reports.summaries import Summary, chosen, summarise_all

if TYPE_CHECKING:
    from bench.ballot.records import BallotCount

GIVEN_BEFORE = frozenset({"uniform", "oracle", "shuffled", "kmeans5"})
"""Our generators whose masks are not learned, for records that do not say so yet."""
MARK = "‡"
"""Stands behind the name of a variant some of whose runs followed another schedule."""
OTHER_IMAGES = "against other real images"
"""Behind the data set's name, of a group of images that were not held against what the runs were."""
PAGE_KEYS = ("gallery", "table", "figure", "more", "overview", "runs", "published", "remarks", "control")
"""What the page's own anchors begin with."""
OWN = "§"
"""Stands behind the name of a baseline that was trained with its own objective, not the protocol's."""


@dataclass(frozen=True)
class Difference:
    """Runs that do not share what they must share. `values` maps each value to the folders that have it."""

    what: str
    seed: int | None
    values: dict[str, list[str]]

    def __str__(self) -> str:
        seed = "" if self.seed is None else f" (seed {self.seed})"
        lines = [f"{self.what}{seed}:"]
        for value, folders in self.values.items():
            shown = in_part(folders, 4)
            lines.append(f"  {value}  {shown}")
        return "\n".join(lines)

    def odd_folders(self) -> list[str]:
        """The folders that do not have the most frequent value (ties: the value that comes first)."""
        usual = max(self.values.values(), key=len)
        return [folder for folders in self.values.values() if folders is not usual for folder in folders]


@dataclass(frozen=True)
class Group:
    """Runs of one protocol on one dataset: what one set of tables is made of."""

    protocol: str
    dataset: str
    study: StudyFrames
    differences: tuple[Difference, ...] = ()
    traces: dict[int, int] = field(default_factory=dict)
    """Seed -> number of finished runs of the protocol's objective whose trace hashes were compared."""
    traces_without_pool: dict[int, int] = field(default_factory=dict)
    """The same for the hashes without image pools, where some run has an objective of its own."""
    apart: bool = False
    """Whether these are images of other programs that were not held against what the first group was."""
    mark: str = ""
    """Before its key, where the names alone do not tell it from those of other groups."""
    label: str | None = None
    """What its key says of the protocol: nothing where the report has one alone; None: its whole name."""

    @property
    def key(self) -> str:
        """Begins the names of its files and anchors, and of no other group's in the report."""
        said = self.protocol if self.label is None else self.label
        label = f"{file_name_of(said)}-" if said else ""
        return f"{self.mark}{label}{file_name_of(self.dataset)}"

    @property
    def scored(self) -> bool:
        """Whether anything of it was measured."""
        return bool(self.study.scores["value"].notna().any())

    by_eye: tuple["BallotCount", ...] = ()
    """What people preferred, on any data set of the report."""
    order: tuple[str, ...] = ()
    """The rows of the page, which every table, figure and gallery follows; empty: the stated order."""

    @cached_property
    def stated(self) -> list[str]:
        """Every variant with a run, in the stated order, which no result changes."""
        return ordered_variants(self.study.runs)

    @cached_property
    def variants(self) -> list[str]:
        """Every variant with a run, in the order of the page; one that has no place there comes last."""
        place = {variant: at for at, variant in enumerate(self.order)}
        return sorted(self.stated, key=lambda variant: place.get(variant, len(place)))

    @cached_property
    def kinds(self) -> dict[str, str]:
        """Variant -> `variant`, `control`, `baseline` or `external`."""
        known = self.study.runs.dropna(subset=["kind"]).drop_duplicates("variant")
        found = dict(zip(known["variant"], known["kind"], strict=True))
        return {variant: found.get(variant, "variant") for variant in self.variants}

    @cached_property
    def trained(self) -> set[str]:
        """The variants that may win a column: copying the input keeps every line and is no translation.

        A run that is still training has seen nothing yet by its record, and is to see images.
        """
        runs = self.study.runs
        images = runs["images_seen"].where(
            runs["status"] == "done", runs[["images_seen", "images_to_see"]].max(axis=1)
        )
        most = images.groupby(runs["variant"]).max()
        ours = [variant for variant in self.variants if variant not in self.external]
        return {variant for variant in ours if pd.isna(most[variant]) or most[variant] > 0}

    @cached_property
    def external(self) -> set[str]:
        """The variants that are images of other programs: without seeds, and so without any claim."""
        return {variant for variant, kind in self.kinds.items() if kind == "external"}

    @cached_property
    def chosen(self) -> dict[str, pd.DataFrame]:
        """Selection of weights -> its scores."""
        return {name: chosen(self.study.scores, name) for name in ("last", "validation")}

    @cached_property
    def measured(self) -> set[str]:
        """The variants of which the weights of the last step have any score."""
        return set(self.chosen["last"]["variant"])

    @cached_property
    def _places(self) -> dict[str, Any]:
        """Selection -> (metric, direction, variant) -> places of its rows, found once."""
        names = ["metric", "direction", "variant"]
        return {name: rows.groupby(names, sort=False).indices for name, rows in self.chosen.items()}

    @cached_property
    def _summaries(self) -> dict[str, dict[tuple[str, str, str], Summary]]:
        return {name: summarise_all(rows) for name, rows in self.chosen.items()}

    @cached_property
    def _runs(self) -> dict[str, pd.DataFrame]:
        runs = self.study.runs
        return {str(variant): same for variant, same in runs.groupby("variant", sort=False)}

    def runs_of(self, variant: str) -> pd.DataFrame:
        """The runs of one variant."""
        return self._runs.get(variant, self.study.runs.iloc[:0])

    def rows(self, key: str, direction: str, variant: str, selection: str = "last") -> pd.DataFrame:
        """The scores of one metric, direction and variant, one a run."""
        places = self._places[selection].get((key, direction, variant), [])
        return self.chosen[selection].iloc[places]

    def summary(self, key: str, direction: str, variant: str, selection: str = "last") -> Summary | None:
        """Their summary; None without a finite value."""
        return self._summaries[selection].get((key, direction, variant))

    def reference(self, rows: pd.DataFrame, name: str) -> float | None:
        """The `floor` or `ceiling` of one score: that of the runs of the usual schedule.

        Other programs' images bring theirs only where no run has one: it may be of fewer images, or of
        another folder. `rows` are scores of one metric and direction.
        """
        known = rows[rows[name].notna()]
        external, odd = known["variant"].isin(self.external), known["variant"].isin(self._odd_variants)
        usual = next((some for some in (known[~external & ~odd], known[~external], known) if len(some)), None)
        return None if usual is None else float(usual[name].mean())

    @cached_property
    def own_objectives(self) -> dict[str, str]:
        """Variant -> the objective that it brought, for those that were not trained with the protocol's."""
        known = self.study.runs.dropna(subset=["own_objective"]).drop_duplicates("variant")
        return dict(zip(known["variant"], known["own_objective"], strict=True))

    @cached_property
    def generators(self) -> dict[str, GeneratorRecord]:
        """Variant -> what its first run records of it, for generators that are not ours."""
        found: dict[str, GeneratorRecord] = {}
        for record in self.study.records.values():
            if record.generator is not None:
                found.setdefault(record.cell.variant, record.generator)
        return found

    @cached_property
    def given_masks(self) -> set[str]:
        """The variants whose masks are told, fixed or found without training: what they show is no attention
        of theirs."""
        return {
            record.cell.variant
            for record in self.study.records.values()
            if record.learns_masks is False
            or (record.learns_masks is None and record.cell.variant.partition("[")[0] in GIVEN_BEFORE)
        }

    @cached_property
    def _odd_variants(self) -> set[str]:
        odd = {folder for difference in self.differences for folder in difference.odd_folders()}
        runs = self.study.runs
        return set(runs.loc[runs["folder"].isin(odd), "variant"])

    def marked(self, variant: str) -> bool:
        """Whether some run of the variant followed another schedule than the rest."""
        return variant in self._odd_variants


def file_name_of(name: str) -> str:
    """`name` for files and anchors; one that had to be changed gets a short hash, so that none fall together.

    >>> file_name_of("smoke"), file_name_of("a<b")
    ('smoke', 'a-b-4a826a')
    """
    kept = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "_-") else "-" for sign in name)[:60]
    return kept if kept == name else f"{kept}-{short_hash(name)}"


def short_hash(*names: str) -> str:
    """Six signs that stand for names."""
    return hashlib.sha256("\0".join(names).encode(errors="surrogatepass")).hexdigest()[:6]


def groups(study: StudyFrames, *, allow_different_schedules: bool = False) -> list[Group]:
    """The comparison groups of a study by protocol and dataset names, those without scores last.

    Raises UsageError naming the runs and what differs, unless `allow_different_schedules`.
    """
    named = study.runs[study.runs["protocol"].notna() & study.runs["dataset"].notna()]
    made = []
    for (protocol, dataset), every in named.groupby(["protocol", "dataset"], sort=True):
        for number, folders in enumerate(same_references(study, every)):
            runs = every[every["folder"].isin(folders)]
            found = tuple(_differences(runs))
            chosen = study.select(folders)
            traces, without_pool = _traces(runs, _of_the_protocol), _traces(runs, _comparable_without_pool)
            name = _named(str(dataset), number)
            made.append(Group(str(protocol), name, chosen, found, traces, without_pool, apart=number > 0))
    refused = [group for group in made if group.differences]
    if refused and not allow_different_schedules:
        raise UsageError(_refusal(refused))
    labels = protocol_labels(group.protocol for group in made)
    labelled = [replace(group, label=labels[group.protocol]) for group in made]
    return sorted(with_keys_of_their_own(labelled), key=lambda group: not group.scored)


def protocol_labels(names: Iterable[str]) -> dict[str, str]:
    """What tells protocols apart: nothing for one alone, their names without changes where these differ.

    >>> protocol_labels(["small[a=1]", "smoke"])
    {'small[a=1]': 'small', 'smoke': 'smoke'}
    """
    every = list(dict.fromkeys(names))
    if len(every) == 1:
        return {every[0]: ""}
    bases = [name.partition("[")[0] for name in every]
    return {name: base if bases.count(base) == 1 else name for name, base in zip(every, bases, strict=True)}


def with_keys_of_their_own(found: Sequence[Group]) -> list[Group]:
    """The groups, marked where their keys do not tell them apart: `a-b` on `c` and `a` on `b-c`, `a` and `A`
    on a file system that takes them for one, and `toy-cost`, which begins like a table of `toy`.
    """

    def belongs(key: str, other: str) -> bool:
        return f"{key}-".casefold().startswith(f"{other}-".casefold())

    keys = [group.key for group in found]
    unclear = [
        any(belongs(key, other) for place, other in enumerate([*keys, *PAGE_KEYS]) if place != at)
        for at, key in enumerate(keys)
    ]
    return [
        replace(group, mark=f"{short_hash(group.protocol, group.dataset)}-") if odd else group
        for group, odd in zip(found, unclear, strict=True)
    ]


def _named(dataset: str, part: int) -> str:
    """The data set as its groups are called: the first like itself."""
    return f"{dataset}, {OTHER_IMAGES}{f' {part}' if part > 1 else ''}" if part else dataset


def same_references(study: StudyFrames, runs: pd.DataFrame) -> list[list[str]]:
    """The folders of one protocol and data set, parted by what their scores were held against.

    The first part holds all runs, and the images of other programs that were held against the same. Scores
    that cannot be read belong to it too: they have nothing that could be mistaken.
    """
    external = runs["status"] == "external"
    ours = [str(folder) for folder in runs.loc[~external, "folder"]]
    parts = [ours] if ours else []
    for folder in map(str, runs.loc[external, "folder"]):
        same = (part for part in parts if folder not in study.cards or same_reference(study, folder, part))
        part = next(same, None)
        if part is None:
            parts.append([folder])
        else:
            part.append(folder)
    return parts


def same_reference(study: StudyFrames, folder: str, others: Sequence[str]) -> bool:
    """Whether a folder's scores were held against the same real images as the others', with the same weights
    of the feature network; also where the others have no scores yet."""
    mine = Path(folder), study.cards[folder]
    scored = [(Path(other), study.cards[other]) for other in others if other in study.cards]
    if not all(same_networks(mine[1], card) for _, card in scored):
        return False
    known = (same_real_images(mine, other) for other in scored)
    return not scored or next((same for same in known if same is not None), False)


def _differences(runs: pd.DataFrame) -> Iterator[Difference]:
    known = runs[runs["status"].isin(["done", "running", "failed"])]
    for column, what in (
        ("protocol_hash", "protocol hash"),
        ("data_fingerprint", "data fingerprint"),
        ("masks_fingerprint", "fingerprint of the data set's masks"),
    ):
        yield from _difference(known, column, what, None)
    yield from _difference(_of_the_protocol(known), "objective_hash", "source of the objective", None)
    for seed, same_seed in known.groupby("seed", sort=True):
        yield from _difference(same_seed, "schedule_hash", "schedule hash", int(str(seed)))
        trained, number = _trained(same_seed), int(str(seed))
        yield from _difference(_of_the_protocol(trained), "trace_hash", "trace hash", number)
        without_pool = _comparable_without_pool(trained)
        yield from _difference(
            without_pool, "trace_hash_without_pool", "trace hash without image pools", number
        )


def _difference(runs: pd.DataFrame, column: str, what: str, seed: int | None) -> Iterator[Difference]:
    values = {str(value): list(same["folder"]) for value, same in runs.groupby(column, sort=True)}
    if len(values) > 1:
        yield Difference(what, seed, values)


def _trained(runs: pd.DataFrame) -> pd.DataFrame:
    """Runs that were trained to the end: a trace hash is comparable after equal numbers of images alone."""
    return runs[(runs["status"] == "done") & runs["trace_hash"].notna()]


def _of_the_protocol(runs: pd.DataFrame) -> pd.DataFrame:
    """Those trained with the protocol's objective."""
    return runs[runs["own_objective"].isna()]


def _comparable_without_pool(runs: pd.DataFrame) -> pd.DataFrame:
    """Those with a hash that leaves image pools out; none where no run has an objective of its own.

    Runs made before that hash was recorded have none and cannot be held against the others.
    """
    if runs["own_objective"].isna().all():
        return runs.iloc[:0]
    return runs[runs["trace_hash_without_pool"].notna()]


def _traces(runs: pd.DataFrame, compared: Callable[[pd.DataFrame], pd.DataFrame]) -> dict[int, int]:
    """Seed -> number of runs of which `compared` leaves any."""
    by_seed = _trained(runs).groupby("seed", sort=True)
    counts = {int(str(seed)): len(compared(same)) for seed, same in by_seed}
    return {seed: count for seed, count in counts.items() if count}


def _refusal(refused: list[Group]) -> str:
    lines = ["These runs were not made under one schedule, so they do not go into one table:"]
    for group in refused:
        lines.append(f"protocol {group.protocol}, dataset {group.dataset}")
        for difference in group.differences:
            lines.extend(f"  {line}" for line in str(difference).splitlines())
    lines.append("Name the runs that belong together, or mark the others in the tables with:")
    lines.append("  bench report --allow-different-schedules")
    return "\n".join(lines)
