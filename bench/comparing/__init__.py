"""`bench compare`: two variants' run folders in, the paired comparison out. Reads files alone, never torch."""

from bench.comparing.outcome import Outcome, Request, compare_runs

__all__ = ["Outcome", "Request", "compare_runs"]
