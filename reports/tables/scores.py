"""Columns of scores: what main, faithfulness, mask and ablation tables have in common."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import pandas as pd

from bench.statistics.claims import SEEDS_FOR_CLAIM
from reports import metrics
from reports.comparability import MARK, OWN, Group
from reports.comparisons import MOST_VARIANTS, arrow_text, compare_column, winner
from reports.frame import StudyFrames
from reports.numbers import fixed, listed, readable
from reports.summaries import Summary, spread_rule
from reports.tables.model import Cell, Column, Row, Table, missing

DIRECTIONS = ("A2B", "B2A")
FLOOR = "floor: real against real"
CEILING = "ceiling: copying the input"
NO_SEED = "Images of another program: one value, no seed, so no interval."


@dataclass(frozen=True)
class ScoreColumn:
    """One metric in one direction for some variants: the cells by variant, and the references beneath."""

    column: Column
    cells: dict[str, Cell]
    floor: Cell
    ceiling: Cell


def score_column(group: Group, key: str, direction: str, selection: str, *, bold: bool = True) -> ScoreColumn:
    """The column of `key`, in bold where one variant is better than all others by a supported difference."""
    scores = group.chosen[selection]
    rows = scores[(scores["metric"] == key) & (scores["direction"] == direction)]
    summaries = {name: group.summary(key, direction, name, selection) for name in group.variants}
    scale = metrics.scale(key)
    digits = metrics.decimals_of(key, [scale * found.mean for found in summaries.values() if found])
    measured = [variant for variant in group.variants if summaries[variant]]
    rivals = [variant for variant in measured if variant in group.trained]
    if metrics.of_masks(key):  # masks that are given win nothing, and keep nobody from winning
        rivals = [variant for variant in rivals if variant not in group.given_masks]
    best = winner(compare_column(scores, rivals, key, direction), rivals) if bold else None
    cells = {}
    for variant, found in summaries.items():
        if found is None:
            none = rows[rows["variant"] == variant]
            cells[variant] = missing(_why_missing(group, variant, none, key, direction))
        else:
            own = digits(scale * found.mean)
            cells[variant] = summary_cell(found, own, scale, bold=variant == best)
    column = Column(
        key=f"{direction}-{selection}-{key}",
        title=metrics.heading(key),
        group=arrow_text(direction),
        arrow=metrics.arrow(key),
        help=metrics.help_text(key),
    )
    references = (_reference(group, rows, name, digits, scale) for name in ("floor", "ceiling"))
    return ScoreColumn(column, cells, *references)


def summary_cell(found: Summary, digits: int, scale: float = 1, *, bold: bool = False) -> Cell:
    return Cell(
        text=readable(scale * found.mean, digits),
        value=scale * found.mean,
        bold=bold,
        spread=found.spread(digits, scale),
        points=tuple(scale * value for value in found.by_seed),
    )


def _why_missing(group: Group, variant: str, rows: pd.DataFrame, key: str, direction: str) -> str:
    """The reason of a missing value, from the score itself or from the state of the runs."""
    reasons = rows["reason"].dropna()
    if len(reasons):
        return str(reasons.iloc[0])
    if len(rows):
        return "Not a finite number in any seed."
    if variant in group.external:
        return _why_not_of_images(group, variant, key, direction)
    runs = group.runs_of(variant)
    states = [str(status) for status in runs["status"]]
    if runs["scored"].fillna(False).astype(bool).any():
        return "Not among the scores of this run."
    return f"No scores: {', '.join(sorted(set(states)))}." if states else "No run."


def _why_not_of_images(group: Group, variant: str, key: str, direction: str) -> str:
    """Why images of another program have no value of a metric."""
    scores = group.study.scores
    here = scores[(scores["variant"] == variant) & (scores["direction"] == direction)]
    if here.empty:
        return "Its images of this direction were not scored."
    if metrics.of_source_and_output(key) and "mean_change" not in set(here["metric"]):
        return "It needs the source of every image: bench score with --source DIR."
    return "Not measured of images alone, which have no masks and no generator."


def _reference(
    group: Group, rows: pd.DataFrame, name: str, digits: Callable[[float], int], scale: float
) -> Cell:
    found = group.reference(rows, name)
    return Cell("") if found is None else Cell(fixed(scale * found, digits(scale * found)), scale * found)


def seed_counts(group: Group, selection: str) -> dict[str, int]:
    """Variant -> seeds with a finite value of any set distance or measurement."""
    scores = group.chosen[selection].dropna(subset=["value", "seed"])
    counts = scores.groupby("variant")["seed"].nunique()
    return {variant: int(counts.get(variant, 0)) for variant in group.variants}


def score_table(
    group: Group,
    key: str,
    title: str,
    columns: Sequence[ScoreColumn],
    selection: str,
    caption: str = "",
    floor_title: str | None = None,
) -> Table:
    """Columns side by side: one row per variant, then floor and ceiling where any column has them."""
    counts = seed_counts(group, selection)
    role = group.kinds
    rows = [
        Row(
            row_title(group, name),
            (seeds_cell(group, name, counts), *(one.cells[name] for one in columns)),
            role[name],
        )
        for name in group.variants
    ]
    if any(one.floor.value is not None for one in columns):
        rows.append(Row(floor_title or FLOOR, (Cell(""), *(one.floor for one in columns)), "floor"))
        rows.append(Row(CEILING, (Cell(""), *(one.ceiling for one in columns)), "ceiling"))
    n = [count for count in counts.values() if count]
    seeds = Column("seeds", _n(n), help="Seeds with scores")
    first = "variant"
    said = " ".join(part for part in (caption, reading(group, n)) if part)
    return Table(key, title, first, (seeds, *(one.column for one in columns)), tuple(rows), said, card(group))


def _n(counts: list[int]) -> str:
    return f"n = {counts[0]}" if counts and len(set(counts)) == 1 else "n"


def seeds_cell(group: Group, variant: str, counts: dict[str, int]) -> Cell:
    """The number of seeds; images of other programs have none, and that is no lack of theirs."""
    if variant in group.external:
        return missing(NO_SEED)
    return Cell(str(counts[variant]), float(counts[variant]))


def row_title(group: Group, variant: str) -> str:
    """The variant with the marks that are explained under the table."""
    marks = [(MARK, group.marked(variant)), (OWN, variant in group.own_objectives)]
    return " ".join([variant, *(mark for mark, wanted in marks if wanted)])


def own_objectives(groups: Sequence[Group]) -> str:
    """What the mark of baselines with their own objective says; nothing where there are none."""
    brought = {name: own for group in groups for name, own in group.own_objectives.items()}
    said = listed([f"{own} of {name}" if own != name else own for name, own in brought.items()])
    return f"{OWN} Own objective: {said}, in place of the protocol's." if said else ""


def own_generators(group: Group) -> str:
    """What a reader of costs must know of generators that are not ours; nothing where there is nothing."""
    beyond = listed(
        [
            f"{', '.join(known.model_without_effect)} of {name}"
            for name, known in group.generators.items()
            if known.model_without_effect
        ]
    )
    failing = listed([name for name, known in group.generators.items() if known.failed_checks])
    said = [
        f"The protocol's [model] has no effect on {beyond}: compare parameters and GFLOP." if beyond else "",
        f"Trained although bench check fails: {failing}." if failing else "",
    ]
    return " ".join(part for part in said if part)


def reading(group: Group, counts: list[int], variants: Collection[str] | None = None) -> str:
    """How the cells are to be read: the spread, what bold says, what the marks of `variants`, or all, say."""
    if not counts and group.external & set(group.study.scores["variant"]):
        return "Cells: values of images of other programs; no seed, so no interval, and nothing is bold."
    if not counts:
        return "No run of this group has scores yet."
    parts = [f"Cells: {spread_rule(min(counts), max(counts))}."]
    if max(counts) < SEEDS_FOR_CLAIM:
        parts.append(f"Nothing is bold: a claim needs {SEEDS_FOR_CLAIM} seeds.")
    elif len(group.variants) > MOST_VARIANTS:
        parts.append(f"Nothing is bold: more than {MOST_VARIANTS} variants were not compared pairwise.")
    else:
        parts.append(
            "Bold: better than every other trained row by a supported difference (paired over seeds, Holm "
            "over the pairs of the column); no bold means that the best was not told apart."
        )
    if group.differences:
        parts.append(f"{MARK} Some runs followed another schedule and are not comparable.")
    marked = variants is None or any(name in group.own_objectives for name in variants)
    return " ".join([*parts, own_objectives([group]) if marked else ""]).rstrip()


def card(group: Group) -> tuple[tuple[str, str], ...]:
    """What all cards of the group's runs say; where they differ, every value."""
    cards = group.study.cards
    keys = dict.fromkeys(name for one in cards.values() for name in one)
    facts = [(name, sorted({_short(one[name]) for one in cards.values() if name in one})) for name in keys]
    counts = group.study.scores[["images_generated", "images_real"]].dropna().drop_duplicates()
    images = sorted(
        {f"{int(row[0])} generated, {int(row[1])} real" for row in counts.itertuples(index=False)}
    )
    steps = sorted({int(step) for step in group.study.scores["step"].dropna()})
    seeds = sorted({int(seed) for seed in group.study.runs["seed"].dropna()})
    hashes = sorted({str(value)[:12] for value in group.study.runs["protocol_hash"].dropna()})
    own = [
        ("images", images),
        ("steps of the weights", [str(step) for step in steps]),
        ("seeds", [str(seed) for seed in seeds]),
        ("protocol", [f"{group.protocol} ({value})" for value in hashes]),
    ]
    return tuple((name, " | ".join(values)) for name, values in facts + own if values)


def _short(value: object) -> str:
    text = str(value)
    is_hash = len(text) > 20 and all(sign in "0123456789abcdef" for sign in text)
    return text[:12] if is_hash else text


def present(study: StudyFrames, keys: Sequence[str]) -> list[str]:
    """Those of `keys` that some run was scored for."""
    found = set(study.scores["metric"])
    return [key for key in keys if key in found]
