"""Data sets: a catalogue, archives, folders, embedded scenes, and the order in which a run sees them.

`load_dataset` is imported when first asked for, so that listing names needs no NumPy.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.data.load import load_dataset as load_dataset

__all__ = ["load_dataset"]


def __getattr__(name: str) -> Any:
    if name == "load_dataset":
        from bench.data.load import load_dataset

        return load_dataset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
