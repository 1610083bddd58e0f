"""How the threads of a computation wait for one another."""

import os

SPINS = "20000"


def wait_without_stalling() -> None:
    """Let OpenMP threads that wait spin only briefly; call it before torch is imported.

    By default they spin for long, which stalls a run as soon as anything else wants the cores; without any
    spinning an idle machine loses time in waking them. Seconds of a `smoke` step of `slot9`, 2 threads, on 2
    idle / 2 busy cores: default 0.38 / 12, never spinning 0.53 / 0.6 to 1.9, this 0.27 / 0.8. What the user
    has set (GOMP_SPINCOUNT, OMP_WAIT_POLICY) is kept.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", SPINS)
