"""Figures: `data` counts, the other modules draw what they are given, `files` writes PNG and SVG.

Nothing here opens a window, so nothing asks for MPLBACKEND. A notebook hands its own on to the commands it
starts, and matplotlib refuses to be imported under one that it does not know.
"""

import os

INHERITED = os.environ.pop("MPLBACKEND", None)

import matplotlib  # noqa: E402, F401

if INHERITED is not None:
    os.environ["MPLBACKEND"] = INHERITED
