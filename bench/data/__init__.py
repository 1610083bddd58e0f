"""Data sets: a catalogue, archives, folders, embedded scenes, and the order in which a run sees them.

`load_dataset` and `Dataset` are imported when first asked for, so that listing names needs no NumPy.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.data.dataset import Dataset as Dataset
    from bench.data.load import load_dataset as load_dataset

__all__ = ["Dataset", "load_dataset"]


def __getattr__(name: str) -> Any:
    if name == "load_dataset":
        from bench.data.load import load_dataset

        return load_dataset
    if name == "Dataset":
        from bench.data.dataset import Dataset

        return Dataset
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
