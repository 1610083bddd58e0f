"""Figures: `data` counts, the other modules draw what they are given, `files` writes PNG and SVG."""
