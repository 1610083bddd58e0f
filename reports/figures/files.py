"""Figures as bytes: PNG for slides, SVG for papers, and SVG that takes the colours of the page.

The same figure always gives the same bytes: no date, no random ids.
"""

import io
import re
from collections.abc import Callable
from typing import Any

from markupsafe import escape
from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from reports.figures.style import FAINT, INK, RULES

DOTS_PER_INCH = 200
BETWEEN_TAGS = re.compile(r"<!--.*?-->|(?<=>)\s+(?=<)", re.DOTALL)
ID = re.compile(r'\s+id="([^"]*)"')
PLACES = re.compile(r'\b(?:d|x|y)="[^"]*"')
"""Attributes of an SVG that hold places, in points."""
BEYOND_HUNDREDTHS = re.compile(r"(?<=\.\d\d)\d+")


def render_figure(name: str, make: Callable[[], Figure]) -> tuple[bytes, bytes]:
    """(PNG, SVG) of the figure that `make` draws, in the style of the report; no matplotlibrc has a say."""
    rules: Any = RULES | {"svg.hashsalt": name}
    with style.context(["default", rules]):
        figure = make()
        figure.set(dpi=DOTS_PER_INCH)  # of points that are pixels in the SVG too
        png, svg = io.BytesIO(), io.BytesIO()
        FigureCanvasSVG(figure).print_svg(svg, metadata={"Date": None, "Creator": None})
        figure.set_layout_engine("none")  # it is laid out already
        figure.set(dpi=DOTS_PER_INCH, facecolor="white")  # an SVG leaves it at 72
        FigureCanvasAgg(figure).print_png(png, metadata={"Software": None})  # savefig would draw it twice
    return png.getvalue(), svg.getvalue()


def for_page(svg: bytes, name: str, label: str) -> str:
    """The SVG to be put inside a page: ids made unique by `name`, ink from the theme, a text for readers."""
    text = svg.decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = PLACES.sub(lambda found: BEYOND_HUNDREDTHS.sub("", found[0]), text)
    text = BETWEEN_TAGS.sub("", text)
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', text))
    text = ID.sub(lambda found: found[0] if found[1] in used else "", text)
    text = re.sub(r'\bid="', f'id="{name}-', text)
    text = re.sub(r'(xlink:href|href)="#', rf'\1="#{name}-', text)
    text = re.sub(r"url\(#", f"url(#{name}-", text)
    text = text.replace(INK, "var(--ink)").replace(FAINT, "var(--rule)")
    text = re.sub(r"'DejaVu Sans'[^;\"]*", "var(--sans)", text)
    return text.replace("<svg ", f'<svg role="img" aria-label="{escape(label)}" ', 1)
