"""`bench compare`: two variants' run folders in, the paired comparison out; torch is not needed."""

from bench.comparing.outcome import ComparedRuns, compare_runs
from bench.comparing.pairing import ComparisonRequest

__all__ = ["ComparedRuns", "ComparisonRequest", "compare_runs"]
