"""The page: what stands where, put into the templates. Counts nothing, reads only its own assets."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import resources

from jinja2 import BytecodeCache, Environment, PackageLoader, StrictUndefined
from jinja2.bccache import Bucket
from markupsafe import Markup, escape

from reports.figures.files import for_page
from reports.figures.section import Drawing
from reports.figures.tracks import Panel
from reports.galleries.model import Gallery
from reports.galleries.pictures import Pictures
from reports.galleries.strip import FirstLook
from reports.screen import Screen
from reports.tables.comma_separated import to_csv
from reports.tables.latex import to_latex
from reports.tables.markdown import to_markdown
from reports.tables.model import Table, in_parts, letter, without_gaps
from reports.verdict.folds import QUESTIONS
from reports.verdict.words import plain

SHORT = {
    "nearer": "Nearer?",
    "kept": "Kept?",
    "attend": "Attend?",
    "cost": "Cost?",
    "sure": "Sure?",
    "how": "How?",
}
MOST_COLUMNS = 11
"""Of a table that fits a screen of 1300 pixels; wider ones are parted."""
MARKS = re.compile(r"`([^`]+)`|\*\*(.+?)\*\*|\[([^\]]+)\]\((#[\w-]+)\)")
"""What a sentence may hold beside text: a name, something strong, a link within the page."""


@dataclass(frozen=True)
class DrawingView:
    """A figure with its SVG made fit for the page."""

    key: str
    title: str
    caption: str
    svg: Markup


@dataclass(frozen=True)
class Block:
    """What a fold holds of one data set, or of all."""

    key: str
    title: str = ""
    lines: tuple[str, ...] = ()
    full: tuple[str, ...] = ()
    """Sentences that are folded once more."""
    panels: tuple[Panel, ...] = ()
    tables: tuple[Table, ...] = ()
    drawings: tuple[DrawingView, ...] = ()
    more: tuple[Table, ...] = ()
    """Tables that are folded once more."""
    galleries: tuple[Gallery, ...] = ()

    def __bool__(self) -> bool:
        parts = (self.lines, self.full, self.panels, self.tables, self.drawings, self.more, self.galleries)
        return any(parts)


@dataclass(frozen=True)
class Fold:
    """A question with its answer, and what stands behind it."""

    key: str
    answer: str
    blocks: tuple[Block, ...]

    @property
    def question(self) -> str:
        return QUESTIONS[self.key]

    @property
    def short(self) -> str:
        return SHORT[self.key]


@dataclass(frozen=True)
class Page:
    """The whole page."""

    screen: Screen
    look: FirstLook | None
    numbers: tuple[tuple[Table, tuple[tuple[str, str], ...]], ...]
    """The main table of each data set, with its sources for taking along."""
    lead: str
    """How to read all of them, where one rule holds for all; else it stands under each."""
    galleries: tuple[tuple[str, tuple[Gallery, ...]], ...]
    folds: tuple[Fold, ...]
    colophon: str
    absent: str = ""
    """Of which data sets no picture is shown, and why."""


def read_once(tables: Sequence[Table]) -> tuple[str, tuple[Table, ...]]:
    """What is said under every one of several tables is said once, above them."""
    captions = {table.caption for table in tables}
    if len(tables) < 2 or len(captions) > 1:
        return "", tuple(tables)
    return captions.pop(), tuple(replace(table, caption="") for table in tables)


def sources(table: Table) -> tuple[tuple[str, str], ...]:
    """A table for taking along."""
    return (("LaTeX", to_latex(table)), ("Markdown", to_markdown(table)), ("CSV", to_csv(table)))


def tables_with_values(tables: Sequence[Table]) -> tuple[Table, ...]:
    """Tables without what holds nothing; a table that holds nothing is left out."""
    kept = (table for table in map(without_gaps, tables) if table is not None)
    return tuple(part for table in kept for part in in_parts(table, MOST_COLUMNS))


def drawing_view(drawing: Drawing) -> DrawingView:
    """The figure's SVG with ids of its own and the page's colours."""
    return DrawingView(
        drawing.key, drawing.title, drawing.caption, Markup(for_page(drawing.svg, drawing.key, drawing.title))
    )


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


class Compiled(BytecodeCache):
    """Templates as they were compiled for the first page of this process: a watched page is written often."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._kept[bucket.key] = bucket.bytecode_to_string()


COMPILED = Compiled()


def render(page: Page, pictures: Pictures, refresh: int | None = None) -> str:
    """The HTML of the page; it refreshes itself every `refresh` seconds where that is given."""
    environment = Environment(
        loader=PackageLoader("reports", "templates"),
        bytecode_cache=COMPILED,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "said": sentence_as_html,
        "unmarked": plain,
        "breaks": breaks,
        "letter": letter,
        "seeds": lambda points: ", ".join(f"{point:.4g}" for point in points),
    }
    assets = resources.files("reports") / "assets"
    style, script = ((assets / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    template = environment.get_template("page.html.j2")
    shown = PagePictures(pictures)
    environment.globals |= {"page": page, "pictures": shown}
    return template.render(css=Markup(style), javascript=Markup(script), refresh=refresh)


def sentence_as_html(text: str) -> Markup:
    """A sentence as HTML: names as code, what is strong, links within the page; all else is text."""
    made, end = Markup(""), 0
    for found in MARKS.finditer(text):
        made += escape(text[end : found.start()])
        name, strong, link, anchor = found.groups()
        if name is not None:
            made += Markup("<code>{}</code>").format(breaks(name))
        elif strong is not None:
            made += Markup("<b>{}</b>").format(sentence_as_html(strong))
        else:
            made += Markup('<a href="{}">{}</a>').format(anchor, link)
        end = found.end()
    return made + escape(text[end:])


def breaks(name: str) -> Markup:
    """A name that may be broken after `_`, `[` and `,`, and nowhere else."""
    return Markup("<wbr>").join(escape(part) for part in re.split(r"(?<=[_,])|(?=\[)", name))
