"""Threads that wait soon give their core away, unless the user says otherwise."""

import os

import pytest

from bench.setup import resolve_device
from bench.signals import SPINS, wait_without_stalling


def test_waiting_is_brief_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.setenv("GOMP_SPINCOUNT", "")
    monkeypatch.delenv("GOMP_SPINCOUNT")
    wait_without_stalling()
    assert os.environ["GOMP_SPINCOUNT"] == SPINS


@pytest.mark.parametrize(("name", "value"), [("OMP_WAIT_POLICY", "ACTIVE"), ("GOMP_SPINCOUNT", "7")])
def test_what_the_user_has_set_is_kept(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    for each in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.setenv(each, "")
        monkeypatch.delenv(each)
    monkeypatch.setenv(name, value)
    wait_without_stalling()
    assert {each: os.environ.get(each) for each in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")} == {
        "OMP_WAIT_POLICY": None,
        "GOMP_SPINCOUNT": None,
    } | {name: value}


def test_a_numbered_cpu_is_the_one_cpu() -> None:
    assert resolve_device("cpu:3") == resolve_device("cpu") == "cpu"
