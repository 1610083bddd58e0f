"""What can be measured: one decorator, and the entry stands on the function that measures.

    @metric("brightness", title="Brightness", unit=LEVELS, better="nearer target", table="faithfulness",
            formula="mean of the luma", gap=True)
    def brightness(output: Tensor) -> Tensor:
        return luma(output).mean(dim=(1, 2))

The names of a function's parameters say what it is handed (`HANDED`); a parameter with a default is optional.
From them follows of what the metric is one number: of every image, of two sets of features, or, where a class
with `add` and `value` stands in place of the function, of the whole split. Columns, scores, lists, pages and
reports come from the entries, in the order in which they registered. Imports no torch; the entries do.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

from bench.errors import UsageError
from bench.names import key_name
from bench.registry import Registry
from bench.runs.metrics import Better, MetricInfo, key_under
from variants.registry.provenance import of_thing

LEVELS = "levels of 255"
KERNEL_UNITS = "squared kernel units"
TABLES = ("distances", "sets", "faithfulness", "artefacts", "masks", "mask-grids", "truth", "cost")
"""Where a report shows a metric."""
NO_TRUTH = "the data set has no ground truth"
NO_MASKS = "the generator has no masks"
NO_BACKGROUND = "no mask weighs the input image"
NO_GENERATOR = "the images are another program's"
NO_DRAWS = "the protocol asks for fewer than 2 draws"

Kind = Literal["image", "split", "features", "gap", "cost", "course"]
"""`image`: one number an image; `split`: one of all images, taken in batch by batch; `features`: of two sets
of feature vectors; `gap`: between means of another metric; `cost`: of the run, read from run.json;
`course`: of the training, read from validation.csv."""


@dataclass(frozen=True)
class Handed:
    """One thing that a metric may be handed, by the name of a parameter."""

    what: str
    absent: str = ""
    """Why a run has none; empty where that says nothing of a run."""


OF_TRUTH = {
    "counterfactual": Handed("the right translation, [b, 3, h, w] in levels", NO_TRUTH),
    "foreground": Handed("bool array [b, h, w]: where the right translation changes the image", NO_TRUTH),
    "surroundings": Handed("bool [b, h, w]: what is over 3 pixels away from the foreground", NO_TRUTH),
    "objects": Handed("uint8 array [b, h, w]: 0 background, 1, 2, ... the source's objects", NO_TRUTH),
}
OF_MASKS = {
    "masks": Handed("[b, k, h, w], weights of the k contents", NO_MASKS),
    "contents": Handed("[b, k, 3, h, w] in [-1, 1], what the masks weigh", NO_MASKS),
    "regions": Handed("uint8 array [b, h, w]: index of the largest mask", NO_MASKS),
    "background": Handed("int: index of the mask that weighs the input image", NO_BACKGROUND),
    "without_space": Handed("[b, 3, h, w] in [-1, 1]: output with every mask replaced by its mean", NO_MASKS),
    "other_masks": Handed("[b, 3, h, w] in [-1, 1]: output with the previous test image's masks", NO_MASKS),
}
OF_IMAGES = {
    "output": Handed("the translation as an 8-bit image, [b, 3, h, w] in levels, 0 to 255"),
    "source": Handed("the image that was translated, likewise"),
    "period": Handed("int: pixels of the output from one place of the generator's smallest decoded map"),
    "translated": Handed("the translation before it was rounded, [b, 3, h, w] in [-1, 1]"),
    "original": Handed("the source in [-1, 1]"),
    "cycle": Handed("[b, 3, h, w] in [-1, 1]: the translation, translated back", NO_GENERATOR),
    "identity": Handed("[b, 3, h, w] in [-1, 1]: the source through the other generator", NO_GENERATOR),
    "draws": Handed(
        "[r, b, 3, h, w] in levels: outputs over r draws of noise; r = 1 without noise", NO_DRAWS
    ),
}
OF_FEATURES = {
    "generated": Handed("features of the translations, array [n, d]"),
    "real": Handed("features of the target domain's test images, array [m, d]"),
    "copied": Handed("features of the sources as they are, array [n, d]"),
    "generated_without_space": Handed("features of the outputs `without_space`", NO_MASKS),
    "generated_other_masks": Handed("features of the outputs `other_masks`", NO_MASKS),
    "generated_pasted": Handed("features of the outputs with the right background pasted in", NO_TRUTH),
    "generated_draws": Handed("features of each of the `draws`, a list of arrays", NO_DRAWS),
    "columns": Handed("what was measured of single images: name -> array [n]"),
    "subset_size": Handed("int: the protocol's score.kid_subset_size"),
}
HANDED = {**OF_TRUTH, **OF_MASKS, **OF_IMAGES, **OF_FEATURES}
"""Everything that a metric may ask for; of several that a run has not, the first one is the reason."""


@dataclass(frozen=True)
class Metric:
    """One entry: what is measured, of what, and how its values are to be read."""

    name: str
    """The key in scores.json and images.csv; with features, `key` adds the feature network to it."""
    title: str
    unit: str
    better: Better
    table: str
    formula: str
    kind: Kind
    measure: Callable[..., Any] | None
    """None: of a cost, and of a gap."""
    needs: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    """What it is handed where there is any."""
    short_title: str = ""
    source: str = ""
    when: str = ""
    """When it has no value although all that it needs is there; empty: never."""
    bounds: tuple[float, float] = (float("-inf"), float("inf"))
    per_mask: bool = False
    """Whether it is one number of each mask, [b, k]: a column for every mask, and no score."""
    column: bool = False
    """Whether a metric of features is one number an image, [n]: a column, and no score."""
    extremes: bool = False
    """Whether pictures of its best, median and worst test image are kept."""
    says: Callable[[float], str | None] | None = None
    """What a value means in words, where it has to be said."""
    gap_of: str = ""

    @property
    def scope(self) -> str:
        """`set`, `image`, `mask`, `truth` or `cost`: under which heading pages list it."""
        if self.kind == "image" or self.column:
            if self.needs_any(OF_TRUTH):
                return "truth"
            return "mask" if self.needs_any(OF_MASKS) else "image"
        return "cost" if self.kind in ("cost", "course") else "set"

    @property
    def undefined_when(self) -> str:
        """When there is no value; empty where there always is one."""
        absent = [handed.absent for name, handed in HANDED.items() if name in self.needs and handed.absent]
        return ", or ".join(dict.fromkeys([*absent, *([self.when] if self.when else [])]))

    def needs_any(self, names: Mapping[str, Handed]) -> bool:
        """Whether it needs any of these."""
        return not names.keys().isdisjoint(self.needs)

    def lacking(self, present: "set[str] | frozenset[str]") -> str | None:
        """Why it has no value where only this is there; None where all that it needs is."""
        absent = [
            handed.absent for name, handed in HANDED.items() if name in self.needs and name not in present
        ]
        return absent[0] if absent else None

    def key(self, network: str | None = None) -> str:
        """The key, under a feature network where it is measured on features."""
        if self.per_mask:
            return f"{self.name}_<k>"
        return key_under(self.name, network) if self.kind == "features" else self.name

    def columns(self, masks: int) -> tuple[str, ...]:
        """Its columns in images.csv, of a generator with so many masks."""
        return tuple(f"{self.name}_{k}" for k in range(masks)) if self.per_mask else (self.name,)

    def info(self, network: str | None = None) -> MetricInfo:
        """What scores.json says of it, under a feature network where it is measured on features."""
        network = network if self.kind == "features" else None
        return MetricInfo(
            title=titled(self.title, network),
            short_title=titled(self.short_title or self.title, network),
            unit=self.unit,
            better=self.better,
            table=self.table,
            # The literature prints kernel distances on Inception's features so; all others are raw.
            factor=100 if self.unit == KERNEL_UNITS and network == "inception" else 1,
            formula=self.formula,
            undefined_when=self.undefined_when,
            network=network,
            needs=self.needs,
        )


OF_THE_TABLE = ("direction", "file")
"""Columns of images.csv that are no metric's."""
METRICS: Registry[Metric] = Registry(
    "metric",
    package="bench.scoring.metrics",
    group="bench.metrics",
    see="bench list metrics",
    first=("sets", "colour", "lines", "similarity", "grids", "change", "attention", "masks", "truth", "cost"),
)
Measure = TypeVar("Measure")
Enter = Callable[[Measure], Measure]


def metric(
    name: str,
    *,
    title: str,
    unit: str,
    better: Better,
    table: str,
    formula: str,
    gap: bool = False,
    **more: Any,
) -> Callable[[Measure], Measure]:
    """Decorator that enters a function, or a class with `add` and `value`, as a metric; `more`: see `Metric`.

    With `gap` there is also `<name>_gap`: how far the mean over the translations is from that of the target
    domain's test images. Raises UsageError for a name that is taken or unfit for a key, a table or a
    parameter that does not exist or does not fit, no title, and a direction of better that none is.
    """
    key_name("metric", name, OF_THE_TABLE)
    if {"fid", "kid"} & set(name.split("_")):
        raise UsageError(
            f"The metric {name!r} cannot be called so: only distances on Inception's features are called FID "
            "and KID. Choose another name."
        )
    if table not in TABLES:
        raise UsageError(f"The metric {name!r} has table={table!r}. There are: {', '.join(TABLES)}.")
    if better not in Better.__args__:  # type: ignore[attr-defined]
        known = ", ".join(Better.__args__)  # type: ignore[attr-defined]
        raise UsageError(f"The metric {name!r} has better={better!r}. A direction is one of: {known}.")
    if not title.strip():
        raise UsageError(f"The metric {name!r} has no title: give the words that tables and axes show.")

    def enter(measure: Measure) -> Measure:
        assert callable(measure)  # a function or a class
        needs, options = asked_for(measure, name)
        if table == "distances" and scope_of(measure, needs) == "image":
            raise UsageError(
                f"The metric {name!r} is of single images, and the table of distances shows what is of whole "
                f"sets. Give another table: {', '.join(each for each in TABLES if each != table)}."
            )
        entry = Metric(
            name,
            title,
            unit,
            better,
            table,
            formula,
            scope_of(measure, needs),
            measure,
            needs,
            options,
            **more,
        )
        METRICS.add(name, entry, measure)
        if gap:
            METRICS.add(f"{name}_gap", gap_between(entry), measure)
        return measure

    return enter


def together(*entries: Callable[[Any], Any]) -> Callable[[Measure], Measure]:
    """Decorator for several metrics of one function, which gives each of them by its name."""

    def enter(measure: Measure) -> Measure:
        for each in entries:
            each(measure)
        return measure

    return enter


def gap_between(entry: Metric) -> Metric:
    """The gap of a metric of single images to the target domain."""
    noun = f"{entry.title[0].lower()}{entry.title[1:]}"
    return replace(
        entry,
        name=f"{entry.name}_gap",
        title=f"{entry.title} gap",
        short_title=f"{entry.short_title or noun} gap",
        better="lower",
        formula=f"|mean {noun} of the translations - that of the target domain's test images|",
        source=f"{entry.source}, applied to sets" if entry.source else "",
        kind="gap",
        measure=None,
        extremes=False,
        gap_of=entry.name,
        bounds=(0.0, float("inf")),
    )


def asked_for(measure: Callable[..., Any], name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What a function, or the `add` of a class, has to be handed, and what it may be.

    Raises UsageError for a parameter without default that nothing could be handed for.
    """
    function = getattr(measure, "add", None) if inspect.isclass(measure) else measure
    if function is None or (inspect.isclass(measure) and not hasattr(measure, "value")):
        raise UsageError(f"The metric {name!r} is a class: write its add(self, ...) and its value(self).")
    parameters = [each for each in inspect.signature(function).parameters.values() if each.name != "self"]
    needs = tuple(each.name for each in parameters if each.default is each.empty)
    unknown = [each for each in needs if each not in HANDED]
    if unknown or not needs:
        raise UsageError(
            f"The metric {name!r} asks for {', '.join(unknown) or 'nothing'}. By the names of its "
            f"parameters it can be handed: {', '.join(HANDED)}. Give others a default."
        )
    features = [each for each in needs if each in OF_FEATURES]
    if features and len(features) < len(needs):
        raise UsageError(
            f"The metric {name!r} asks for {', '.join(needs)}: features are of whole sets, the others of "
            "single images. Ask for one kind."
        )
    return needs, tuple(each.name for each in parameters if each.name in HANDED and each.name not in needs)


def scope_of(measure: object, needs: tuple[str, ...]) -> Kind:
    """Of what a metric is one number, by what it asks for."""
    if inspect.isclass(measure):
        return "split"
    return "features" if not OF_FEATURES.keys().isdisjoint(needs) else "image"


def titled(title: str, network: str | None) -> str:
    """A title under a feature network: FID and KID on Inception's features alone, else with its name.

    >>> titled("KD over subsets", "inception"), titled("KD over subsets", "tiny"), titled("Recall", "tiny")
    ('KID over subsets', 'KD(tiny) over subsets', 'Recall(tiny)')
    """
    letters = next((each for each in ("KD", "FD") if each in title), None)
    if network == "inception":
        return title.replace(letters, f"{letters[0]}ID") if letters else title
    if network is None:
        return title
    first = letters or title.partition(" ")[0]
    return title.replace(first, f"{first}({network})")


def on_images() -> list[Metric]:
    """Every metric that is measured on the images themselves and scored, in the order of tables."""
    return [each for each in METRICS.entries().values() if each.kind in ("image", "split", "gap")]


def on_features() -> list[Metric]:
    """Every metric that is measured on features, in the order of tables."""
    return [each for each in METRICS.entries().values() if each.kind == "features"]


def sources() -> dict[str, str]:
    """Of every metric that is not ours the hash of its source: edited, it gives other numbers."""
    found = {each.name: of_thing(each.measure) for each in METRICS.entries().values() if each.measure}
    return {name: source.hash for name, source in found.items() if source}


def infos(network: str) -> dict[str, MetricInfo]:
    """What scores.json says of all that is measured with a feature network: key -> info."""
    course = [each for each in METRICS.entries().values() if each.kind == "course"]
    scored = [*on_features(), *(each for each in on_images() if not each.per_mask), *course]
    return {each.key(network): each.info(network) for each in scored}


def listed_metrics(networks: Sequence[str] = ("inception", "NAME")) -> list[dict[str, Any]]:
    """What `bench list metrics` prints: metrics of features for Inception, and for any network NAME."""
    rows = [row_of(each, network) for network in networks for each in on_features()]
    return rows + [row_of(each, None) for each in METRICS.entries().values() if each.kind != "features"]


def row_of(entry: Metric, network: str | None) -> dict[str, Any]:
    """One metric as lists show it."""
    info = entry.info(network)
    return {
        "key": entry.key(network),
        "title": info.title,
        "unit": info.unit,
        "better": info.better,
        "scope": entry.scope,
        "formula": info.formula,
        "source": entry.source,
        "undefined_when": info.undefined_when,
        "factor": info.factor,
        "table": info.table,
    }


HEADINGS = {
    "set": "Of whole sets of images",
    "image": "Of single images",
    "mask": "Of masks and attention",
    "truth": "Against ground truth",
    "cost": "Costs",
}
BETTER = {
    "lower": "Lower is better.",
    "higher": "Higher is better.",
    "nearer target": "Best is the mean of the target domain's real images.",
    "none": "It describes; neither direction is better.",
}
INTRODUCTION = """# Metrics

Made from the entries in `bench/scoring/metrics/` by `bench list metrics --markdown`. Only distances on
Inception's features are called FID and KID; on another
network NAME they are FD(NAME) and KD(NAME), in keys, tables and axes. Files for programs hold raw values;
what people read shows kernel distances on Inception ×100, with the factor in the name, and distances on other
networks raw, with four significant digits. scores.json holds one score a key and direction, and what each key
means; measurements of
single images, masks and ground truth are columns of images.csv too, and their score is the mean over the
test images where they are defined. An undefined score has no value and a reason, never a zero. Differences of
images are in levels of 255. One of your own comes in one file: [extending](extending.md).
"""


def metrics_page() -> str:
    """docs/metrics.md: every metric in one paragraph, one heading a scope."""
    rows = listed_metrics()
    parts = [INTRODUCTION]
    for scope, heading in HEADINGS.items():
        parts.append(f"## {heading}\n")
        parts += [_paragraph(row) for row in rows if row["scope"] == scope]
    return "\n".join(parts)


def _paragraph(row: dict[str, Any]) -> str:
    factor = "" if row["factor"] == 1 else f", printed ×{row['factor']}"
    unit = "" if row["unit"] in ("", "1") else f" [{row['unit']}{factor}]"
    source = f" Source: {row['source']}." if row["source"] else ""
    undefined = f" Undefined when {row['undefined_when']}." if row["undefined_when"] else ""
    said = f"{row['formula']}. {BETTER[row['better']]}{source}{undefined}"
    return f"**{row['title']}** `{row['key']}`{unit}: {said}\n"
