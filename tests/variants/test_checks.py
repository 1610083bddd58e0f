"""What every conformance suite is made of: how a check's outcome is told, and what `twice` holds still."""

import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from variants import VariantError, load_plugin
from variants.registry.catalogue import PLUGINS
from variants.registry.checks import CheckResult, Failed, run, twice

ROOT = Path(__file__).parents[2]


class Explained(Exception):
    """Says what is wrong by itself."""


def raising(error: BaseException):
    def check(subject: object) -> str:
        raise error

    return check


def test_what_a_check_returns_is_its_detail() -> None:
    assert run("size", lambda subject: f"{subject} px", 64) == CheckResult("size", True, "64 px")


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (Failed("it is grey"), "it is grey"),
        (VariantError("no such name"), "no such name"),
        (Explained("see line 3"), "see line 3"),
        (ValueError("two\nlines"), "ValueError: two lines"),
        (SystemExit(4), "SystemExit: 4"),
    ],
    ids=lambda each: type(each).__name__ if isinstance(each, BaseException) else None,
)
def test_whatever_a_check_raises_is_a_failure(error: BaseException, detail: str) -> None:
    assert run("colour", raising(error), None, explained=(Explained,)) == CheckResult("colour", False, detail)


def test_what_is_not_explained_is_told_with_its_type() -> None:
    assert run("colour", raising(Explained("see line 3")), None).detail == "Explained: see line 3"


def test_ctrl_c_is_no_failure_of_a_check() -> None:
    with pytest.raises(KeyboardInterrupt):
        run("colour", raising(KeyboardInterrupt()), None)


def test_the_line_of_a_plugin_is_told(tmp_path: Path) -> None:
    plugin = tmp_path / "faulty.py"
    plugin.write_text("def check(subject):\n    return subject['absent']\n", encoding="utf-8")
    load_plugin(plugin, registers_more=lambda module: True)
    try:
        module = sys.modules["variants_plugin_faulty"]
        assert run("keys", module.check, {}).detail == "KeyError: 'absent' (faulty.py, line 2, in check)"
    finally:
        del PLUGINS[plugin.resolve()], sys.modules["variants_plugin_faulty"]


@pytest.mark.parametrize(
    "draw",
    [lambda: np.random.rand(3).tolist(), lambda: torch.rand(3).tolist()],  # noqa: NPY002
    ids=["numpy", "torch"],
)
def test_what_draws_from_a_global_generator_differs_and_leaves_it_as_it_was(draw) -> None:
    np.random.seed(5)  # noqa: NPY002
    torch.manual_seed(5)
    expected = draw()
    np.random.seed(5)  # noqa: NPY002
    torch.manual_seed(5)
    first, second = twice(draw)
    assert first != second
    assert draw() == expected


def test_what_draws_from_its_own_generator_is_the_same() -> None:
    first, second = twice(lambda: (random.Random(1).random(), np.random.default_rng(1).random()))
    assert first == second


def test_checks_need_no_torch() -> None:
    program = (
        "import sys\n"
        "from variants.registry.checks import run, twice\n"
        "first, second = twice(lambda: run('one', str, 1))\n"
        "assert first == second and first.detail == '1'\n"
        "sys.exit('torch' in sys.modules and 'torch was imported')"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert outcome.returncode == 0, outcome.stderr
