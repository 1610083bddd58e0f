"""What every conformance suite is made of: `bench check` tells of whatever can be added in the same way.

    results = [run(name, check, subject) for name, check in CHECKS.items()]

A check is a function of what it tests. It returns what it found, or raises Failed with what is wrong. Imports
no torch, as suites of tables and figures need none.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from variants.registry.parameters import VariantError
from variants.registry.provenance import place_in

Made = TypeVar("Made")
Tested = TypeVar("Tested")

AS_BEFORE = "as "
"""Begins the detail of a check that found what a named one before it found."""


@dataclass(frozen=True)
class CheckResult:
    """The outcome of one check; `detail` says what was found, or what went wrong."""

    name: str
    passed: bool
    detail: str


class Failed(Exception):
    """A check that did not pass, with what was found."""


def run(
    name: str,
    check: Callable[[Tested], str],
    subject: Tested,
    explained: tuple[type[Exception], ...] = (),
) -> CheckResult:
    """The result of one check; whatever it raises is a failure.

    The messages of `explained` exceptions say by themselves what is wrong and where. Of all others their type
    is told, and the line of the plugin that they came from.
    """
    telling: tuple[type[Exception], ...] = (Failed, VariantError, *explained)
    try:
        return CheckResult(name, True, check(subject))
    except telling as failure:
        return CheckResult(name, False, str(failure))
    except (Exception, SystemExit) as error:  # third parties' code may raise anything, or leave
        place = place_in(error)
        told = " ".join(f"{type(error).__name__}: {error}".split())
        return CheckResult(name, False, told + (f" ({place})" if place else ""))


def twice(make: Callable[[], Made]) -> tuple[Made, Made]:
    """What `make` gives under two states of the global random generators, of which nothing may draw."""
    found = []
    for seed in (0, 1):
        with global_generators_seeded(seed):
            found.append(make())
    return found[0], found[1]


@contextmanager
def global_generators_seeded(seed: int) -> Iterator[None]:
    """NumPy's global generator seeded, and torch's where somebody has imported it; afterwards as before."""
    torch = sys.modules.get("torch")
    before = np.random.get_state()  # noqa: NPY002  # what careless code would draw from
    with nullcontext() if torch is None else torch.random.fork_rng(devices=[]):
        if torch is not None:
            torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        try:
            yield
        finally:
            np.random.set_state(before)  # noqa: NPY002
