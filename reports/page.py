"""The page: what stands where, put into the templates. Counts nothing, reads only its own assets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from reports.comparability import Group
from reports.figures.files import for_page
from reports.figures.section import Drawing
from reports.findings import Finding, Summary
from reports.galleries.model import Gallery
from reports.galleries.pictures import Pictures
from reports.tables.comma_separated import to_csv
from reports.tables.latex import to_latex
from reports.tables.markdown import to_markdown
from reports.tables.model import Cell, Row, Table, letter

SECTIONS = {
    "distances": ("Distances", "How near the translations are to the target domain, as sets of images."),
    "gallery": ("Translations", "The same test images for every variant, chosen by rule."),
    "faithfulness": ("Faithfulness and artefacts", "What distances between sets do not see, image by image."),
    "masks": ("Masks", "Where a variant looks, and whether that does anything."),
    "training": ("Over training", "When it was learned."),
    "losses": ("Losses", "What the networks were optimised for; not a measure of quality."),
    "cost": ("Cost", "What a variant costs on the machine it was run on."),
    "ablation": ("Ablations", "What every parameter that varies changes."),
}
DOT_WIDTH, DOT_MARGIN = 64.0, 2.0


@dataclass(frozen=True)
class Section:
    """One part of a group: tables first, then galleries and figures, further tables folded away."""

    key: str
    title: str
    lead: str = ""
    tables: tuple[tuple["TableView", tuple[tuple[str, str], ...]], ...] = ()
    galleries: tuple[Gallery, ...] = ()
    drawings: tuple["DrawingView", ...] = ()
    more_tables: tuple[tuple["TableView", tuple[tuple[str, str], ...]], ...] = ()
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class GroupView:
    """One comparison group as the page shows it."""

    key: str
    protocol: str
    name: str
    headlines: tuple[Finding, ...]
    details: tuple[Finding, ...]
    compared: tuple[str, ...]
    schedule: tuple[str, ...]
    not_told: tuple[str, ...]
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class Page:
    """The whole page."""

    title: str
    lede: str
    facts: tuple[tuple[str, str], ...]
    short: tuple[tuple[str, str, str], ...]
    """(anchor, name, sentence) of every comparison group."""
    overviews: tuple["TableView", ...]
    groups: tuple[GroupView, ...]
    closing: tuple[Section, ...]
    colophon: str


@dataclass(frozen=True)
class DrawingView:
    """A figure with its SVG made fit for the page."""

    key: str
    title: str
    caption: str
    svg: Markup
    folded: bool


@dataclass(frozen=True)
class Part:
    """Rows of the body, or the references in the foot, which sorting leaves in place."""

    tag: str
    rows: tuple["RowView", ...]


@dataclass(frozen=True)
class CellView:
    """A cell with the places of its seeds on a small line, in units of the drawing."""

    cell: Cell
    dots: tuple[str, ...] = ()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.cell, name)

    @property
    def seed_text(self) -> str:
        return ", ".join(f"{point:.4g}" for point in self.cell.points)


@dataclass(frozen=True)
class RowView:
    """A row with its cells made fit for the page."""

    title: str
    role: str
    cells: tuple[CellView, ...]


@dataclass(frozen=True)
class TableView:
    """A table as the template wants it."""

    table: Table
    title: str = field(default="")

    @property
    def key(self) -> str:
        return self.table.key

    @property
    def grouped(self) -> bool:
        return any(column.group for column in self.table.columns)

    @property
    def letters(self) -> list[str]:
        return [letter(at) for at in range(len(self.table.notes()))]

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        body = [row for row in self.table.rows if row.role not in ("floor", "ceiling")]
        foot = [row for row in self.table.rows if row.role in ("floor", "ceiling")]
        ranges = [self._range(at, body) for at in range(len(self.table.columns))]
        made = [Part("tbody", tuple(self._row(row, ranges) for row in body))]
        return (*made, Part("tfoot", tuple(self._row(row, ranges) for row in foot))) if foot else tuple(made)

    def _range(self, at: int, rows: Sequence[Row]) -> tuple[float, float] | None:
        if not self.table.columns[at].arrow:
            return None
        points = [point for row in rows if row.role != "baseline" for point in row.cells[at].points]
        return (min(points), max(points)) if points and max(points) > min(points) else None

    def _row(self, row: Row, ranges: Sequence[tuple[float, float] | None]) -> RowView:
        cells = (CellView(cell, _dots(cell, bounds)) for cell, bounds in zip(row.cells, ranges, strict=True))
        return RowView(row.title, row.role, tuple(cells))


def _dots(cell: Cell, bounds: tuple[float, float] | None) -> tuple[str, ...]:
    if bounds is None or len(cell.points) < 2:
        return ()
    low, high = bounds
    if min(cell.points) < low or max(cell.points) > high:
        return ()  # a baseline far away: it would press all others into one dot
    width = DOT_WIDTH - 2 * DOT_MARGIN
    return tuple(f"{DOT_MARGIN + width * (point - low) / (high - low):.1f}" for point in cell.points)


def table_view(table: Table) -> tuple[TableView, tuple[tuple[str, str], ...]]:
    """A table and its sources for taking along."""
    sources = (("LaTeX", to_latex(table)), ("Markdown", to_markdown(table)), ("CSV", to_csv(table)))
    return TableView(table, table.title), sources


def group_view(
    group: Group,
    name: str,
    summary: Summary,
    tables: dict[str, list[Table]],
    more: dict[str, list[Table]],
    drawings: Sequence[Drawing],
    galleries: Sequence[Gallery],
) -> GroupView:
    """A group's sections in the order of SECTIONS; one without content is left out."""
    sections = tuple(_sections(group, tables, more, drawings, galleries))
    return GroupView(
        group.key,
        group.protocol,
        name,
        summary.headlines,
        summary.found,
        summary.compared,
        summary.schedule,
        summary.not_told,
        sections,
    )


def _sections(
    group: Group,
    tables: dict[str, list[Table]],
    more: dict[str, list[Table]],
    drawings: Sequence[Drawing],
    galleries: Sequence[Gallery],
) -> Iterator[Section]:
    for name, (title, lead) in SECTIONS.items():
        section = Section(
            f"section-{group.key}-{name}",
            title,
            lead,
            tuple(table_view(table) for table in tables.get(name, [])),
            tuple(gallery for gallery in galleries if gallery.section == name),
            tuple(drawing_view(drawing) for drawing in drawings if drawing.section == name),
            tuple(table_view(table) for table in more.get(name, [])),
        )
        if section.tables or section.galleries or section.drawings or section.more_tables:
            yield section


def drawing_view(drawing: Drawing) -> DrawingView:
    """The figure's SVG with ids of its own and the page's colours."""
    svg = for_page(drawing.svg, drawing.key, drawing.title)
    return DrawingView(drawing.key, drawing.title, drawing.caption, Markup(svg), drawing.folded)


class PagePictures:
    """What the template asks of the pictures: addresses, and whether one is shown for the first time."""

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures
        self._shown: set[str] = set()

    def first(self, name: str) -> bool:
        """True once for every picture: its address is written into the page once alone."""
        new = name not in self._shown
        self._shown.add(name)
        return new

    def uri(self, name: str) -> str:
        return self._pictures.uris[name]

    def width(self, name: str) -> int:
        return self._pictures.sizes[name][0]

    def height(self, name: str) -> int:
        return self._pictures.sizes[name][1]


def render(page: Page, pictures: Pictures, refresh: int | None = None) -> str:
    """The HTML of the page; it refreshes itself every `refresh` seconds where that is given."""
    environment = Environment(
        loader=PackageLoader("reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["unbroken"] = unbroken
    assets = resources.files("reports") / "assets"
    style, script = ((assets / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    return environment.get_template("page.html.j2").render(
        page=page,
        pictures=PagePictures(pictures),
        css=Markup(style),
        javascript=Markup(script),
        refresh=refresh,
    )


def unbroken(title: str) -> str:
    """A title whose names are not broken at their hyphens."""
    return title.replace("-", "\u2060-\u2060")
