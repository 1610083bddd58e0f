"""How the threads of a computation wait for one another."""

import os


def wait_without_spinning() -> None:
    """Let OpenMP threads that wait give their core away; call it before torch is imported.

    By default they spin, which stalls a run as soon as anything else wants the cores: one `smoke` step of
    `slot9` with 2 threads on 2 busy cores took 12 s spinning and 0.6 to 1.9 s without. A policy that the user
    has set is kept.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
