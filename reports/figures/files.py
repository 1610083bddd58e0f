"""Figures as bytes: PNG for slides, SVG for papers, and SVG that takes the colours of the page.

The same figure always gives the same bytes: no date, no random ids.
"""

import hashlib
import io
import multiprocessing
import os
import pickle
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import numpy as np
from markupsafe import escape
from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from PIL import Image

from bench.setup import usable_cores
from reports.figures.style import FAINT, INK, RULES

DOTS_PER_INCH = 200
BETWEEN_TAGS = re.compile(r"<!--.*?-->|(?<=>)\s+(?=<)", re.DOTALL)
ID = re.compile(r'\s+id="([^"]*)"')
PLACES = re.compile(r'\b(?:d|x|y)="[^"]*"')
"""Attributes of an SVG that hold places, in points."""
BEYOND_HUNDREDTHS = re.compile(r"(?<=\.\d\d)\d+")
MOST_KEPT = 200
BETWEEN_LOOKS = 0.5
"""Seconds between two looks at whether the process for which figures are drawn is there."""
Files = tuple[bytes, bytes]
"""PNG and SVG of a figure."""
DRAWN: dict[object, Files] = {}
"""The figures last asked for, as bytes: most of a page that is written again while runs go on."""


class Later:
    """A function that draws, with what it is given; `same` is equal where the same would be drawn again."""

    def __init__(self, make: Callable[..., Figure], *arguments: object) -> None:
        self._make, self._arguments = make, arguments
        self.same = (make, hashlib.sha256(pickle.dumps(arguments)).hexdigest())

    def __call__(self) -> Figure:
        return self._make(*self._arguments)


Begin = Callable[[str, Callable[[], Figure]], Callable[[], Files]]
"""Begins a figure of a name; what it gives waits for the figure and returns it."""


@contextmanager
def drawing() -> Iterator[Begin]:
    """Draws figures in processes of their own, while the caller counts what stands beside them.

    Figures are most of the time that a report takes. Where a process with threads would have to be copied, or
    one core is all there is, they are drawn here, when they are waited for; the bytes are the same.
    """
    workers = usable_cores()
    alone = sys.platform != "linux" or workers == 1 or threading.active_count() > 1
    if alone:
        yield lambda name, make: partial(drawn_once, name, make)
        return
    forked = multiprocessing.get_context("fork")  # spawned ones would import everything anew
    pool = ProcessPoolExecutor(workers, forked, _live_with, (os.getpid(),))

    def begin(name: str, make: Callable[[], Figure]) -> Callable[[], Files]:
        if isinstance(make, Later) and (name, make.same) not in DRAWN:
            with suppress(BrokenProcessPool):  # what nobody draws elsewhere is drawn here
                return partial(drawn_once, name, make, pool.submit(render_figure, name, make))
        return partial(drawn_once, name, make)

    try:
        yield begin
    finally:
        pool.shutdown(cancel_futures=True)


def _live_with(parent: int) -> None:
    """In a process that draws: signals are the parent's to answer, and once it is gone nobody draws."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def watch() -> None:
        never = threading.Event()
        while os.getppid() == parent:
            never.wait(BETWEEN_LOOKS)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def drawn_once(name: str, make: Callable[[], Figure], begun: "Future[Files] | None" = None) -> Files:
    """What `render_figure` gives, kept where `make` is `Later`: a watched page draws what changed alone.

    `begun` is the same being drawn elsewhere; what became of a process that was killed is drawn here.
    """
    if not isinstance(make, Later):
        return render_figure(name, make)
    key = (name, make.same)
    DRAWN[key] = DRAWN.pop(key) if key in DRAWN else _awaited(name, make, begun)
    while len(DRAWN) > MOST_KEPT:
        del DRAWN[next(iter(DRAWN))]
    return DRAWN[key]


def _awaited(name: str, make: Later, begun: "Future[Files] | None") -> Files:
    try:
        return render_figure(name, make) if begun is None else begun.result()
    except BrokenProcessPool:
        return render_figure(name, make)


def render_figure(name: str, make: Callable[[], Figure]) -> Files:
    """(PNG, SVG) of the figure that `make` draws, in the style of the report; no matplotlibrc has a say."""
    rules: Any = RULES | {"svg.hashsalt": name}
    with style.context(["default", rules]):
        figure: object = make()
        if not isinstance(figure, Figure):
            raise TypeError(f"it drew {type(figure).__name__}, not a matplotlib Figure: return that")
        for axis in (each for panel in figure.axes for each in (panel.xaxis, panel.yaxis)):
            if not axis.get_label_text():
                axis.set_label_coords(0, 0)  # no place is looked for, at every drawing, for what is not there
        png, svg = io.BytesIO(), io.BytesIO()
        own = figure.get_facecolor()
        figure.set(dpi=DOTS_PER_INCH, facecolor="white")
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        drawn = Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3])  # nothing of it is transparent
        drawn.save(png, "png", dpi=(DOTS_PER_INCH, DOTS_PER_INCH))
        figure.set_layout_engine("none")  # it is laid out already
        figure.set(facecolor=own)
        FigureCanvasSVG(figure).print_svg(svg, metadata={"Date": None, "Creator": None})
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
