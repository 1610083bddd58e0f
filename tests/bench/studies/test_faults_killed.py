"""Processes killed in the middle of a step: of a worker, of the driver; two drivers; and nothing is lost."""

import os
import signal
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

PLUGIN = '''
import os
import signal
from torch import Tensor
from variants import Generator, Translation, register
from torch import nn


class Faulty(Generator):
    """One convolution, which stands in for a generator."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 3, 3, padding=1)

    def forward(self, image: Tensor, noise: object = None) -> Translation:
        self.fail()
        out = self.layer(image) * self.factor
        return Translation(out, out[:, None], None)

    factor = 1.0

    def fail(self) -> None:
        pass


@register("raises", summary="Raises in its first step.")
class Raises(Faulty):
    def fail(self) -> None:
        raise ArithmeticError("seven is not nine")


@register("diverges", summary="Its output is not finite.")
class Diverges(Faulty):
    factor = float("inf")


@register("greedy", summary="Takes memory until the system ends it.")
class Greedy(Faulty):
    def fail(self) -> None:
        group = os.environ["BENCH_TEST_MEMORY_GROUP"]
        with open(os.path.join(group, "cgroup.procs"), "w") as file:
            file.write(str(os.getpid()))
        self.hoard = bytearray(1 << 30)
        os.write(2, b"the memory was given")
'''


def test_a_worker_killed_in_a_step_is_failed_with_reason_and_goes_on_when_asked(
    workplace: Any, tmp_path: Path, waiting: Any, find_workers: Any, assert_undisturbed: Callable[..., None]
) -> None:
    driver = workplace.start(*workplace.grid(tmp_path, ("spatial", "copy")))
    waiting((workplace.folder(tmp_path, "spatial").checkpoints / "last.pt").exists, "a checkpoint")
    find_workers(driver)[0].kill()
    out, err = workplace.finish(driver)
    assert driver.returncode == 1, err
    assert "1 done, 1 failed" in out
    assert "The worker was killed by SIGKILL. The system does that when memory runs out." in out
    assert "again: bench run --variant spatial " in out
    record = workplace.folder(tmp_path, "spatial").read()
    assert (record.status, record.reason[:32]) == ("failed", "The worker was killed by SIGKILL")

    left_alone = workplace.outcome(tmp_path, ("spatial", "copy"))
    assert left_alone["exit"] == 1
    assert left_alone["counts"] == {"failed": 1, "skipped": 1}

    retried = workplace.outcome(tmp_path, ("spatial", "copy"), retry_failed=True)
    assert retried["counts"] == {"done": 1, "skipped": 1}
    assert workplace.folder(tmp_path, "spatial").read().sessions == 2
    assert_undisturbed(tmp_path, ("spatial", "copy"))


def test_a_killed_driver_takes_its_workers_along_and_the_study_goes_on(
    workplace: Any, tmp_path: Path, waiting: Any, find_workers: Any, assert_undisturbed: Callable[..., None]
) -> None:
    driver = workplace.start(*workplace.grid(tmp_path, ("spatial", "copy")))
    folder = workplace.folder(tmp_path, "spatial")
    waiting((folder.checkpoints / "last.pt").exists, "a checkpoint")
    workers = find_workers(driver)
    driver.kill()
    driver.communicate()
    waiting(lambda: not any(worker.is_running() for worker in workers), "the workers to end")
    assert folder.read().status == "running"
    outcome = workplace.outcome(tmp_path, ("spatial", "copy"))
    assert outcome["counts"] == {"done": 2}
    assert folder.read().sessions == 2
    assert_undisturbed(tmp_path, ("spatial", "copy"))


def test_two_drivers_share_a_study_and_do_every_cell_once(
    workplace: Any, tmp_path: Path, assert_undisturbed: Callable[..., None]
) -> None:
    grid = workplace.grid(tmp_path, ("spatial", "copy"))
    drivers = [workplace.start(*grid) for _ in range(2)]
    outputs = [workplace.finish(driver) for driver in drivers]
    assert [driver.returncode for driver in drivers] == [0, 0], outputs
    assert sum("held by another process" in err for _, err in outputs) >= 1
    for variant in ("spatial", "copy"):
        assert workplace.folder(tmp_path, variant).read().sessions == 1
    assert_undisturbed(tmp_path, ("spatial", "copy"))


def test_faulty_variants_fail_with_their_reason_and_the_rest_goes_on(
    workplace: Any, tmp_path: Path, memory_group: Path | None
) -> None:
    plugin = tmp_path / "faulty.py"
    plugin.write_text(textwrap.dedent(PLUGIN), encoding="utf-8")
    faulty = ("raises", "diverges", *(["greedy"] if memory_group else []))
    more = {"plugin": plugin, "workers": 2, "unchecked": True}
    outcome = workplace.outcome(tmp_path / "runs", (*faulty, "copy"), **more)
    reasons = {variant: cell["reason"] for variant, cell in outcome["cells"].items()}
    assert outcome["exit"] == 1
    assert outcome["cells"]["copy"]["end"] == "done"
    assert reasons["raises"].startswith("ArithmeticError: seven is not nine (faulty.py, line ")
    assert reasons["diverges"].startswith("Training diverged at step 1")
    assert all(f"--plugin {plugin}" in outcome["cells"][variant]["command"] for variant in faulty)
    for variant in faulty:
        assert workplace.folder(tmp_path / "runs", variant).read().status == "failed"
    if memory_group:
        assert reasons["greedy"].startswith("The worker was killed by SIGKILL.")


@pytest.fixture
def memory_group(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A control group of 600 MiB; the kernel ends processes that want more. None where forbidden."""
    group = Path("/sys/fs/cgroup/memory") / f"bench-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(600 << 20))
    except OSError:
        yield None
        return
    monkeypatch.setenv("BENCH_TEST_MEMORY_GROUP", str(group))
    yield group
    group.rmdir()


def test_ctrl_c_twice_ends_at_once_and_loses_no_checkpoint(
    workplace: Any, tmp_path: Path, waiting: Any, assert_undisturbed: Callable[..., None]
) -> None:
    driver = workplace.start(*workplace.grid(tmp_path, ("spatial",)))
    waiting((workplace.folder(tmp_path, "spatial").checkpoints / "last.pt").exists, "a checkpoint")
    driver.send_signal(signal.SIGINT)
    driver.send_signal(signal.SIGTERM)
    workplace.finish(driver)
    assert driver.returncode == 128 + signal.SIGINT
    assert workplace.outcome(tmp_path, ("spatial",))["counts"] == {"done": 1}
    assert_undisturbed(tmp_path, ("spatial",))
