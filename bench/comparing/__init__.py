"""`bench compare`: two variants' run folders in, the paired comparison out; torch is not needed."""

from bench.comparing.outcome import Outcome, compare_runs
from bench.comparing.pairing import Request

__all__ = ["Outcome", "Request", "compare_runs"]
