"""An evaluation and ablation benchmark for unpaired image-to-image translation.

    import bench
    bench.run("slot9")                       # as `bench run --variant slot9`
    bench.load_runs("runs")                  # every score as a pandas frame

The functions are those of `bench.api`; they are imported when first used, torch when they need it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.api import compare, load_runs, report, run, score

__version__ = "0.1.0"
__all__ = ["__version__", "compare", "load_runs", "report", "run", "score"]


def __getattr__(name: str) -> Any:
    if name.startswith("_") or name not in __all__:
        raise AttributeError(f"module 'bench' has no attribute {name!r}")
    return getattr(import_module("bench.api"), name)


def __dir__() -> list[str]:
    return __all__
