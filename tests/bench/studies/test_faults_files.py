"""Damaged files, a full disk and a wrong clock: the run goes on to the result of an undisturbed one."""

import os
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from bench.errors import BenchError
from bench.progress import Silent
from bench.runs import atomic
from bench.runs.folder import RunFolder
from bench.signals import Stopped
from bench.studies.grid import make_cell

BYTES_LEFT = 64


def execute(workplace: Any, runs: Path, variant: str = "spatial") -> None:
    """Execute a cell in this process, as a worker does."""
    from bench.setup import use_threads
    from bench.studies.execute import Machine
    from bench.studies.execute import execute as execute_cell

    cell = make_cell(str(workplace.protocol), "toy-stripes", variant, 0)
    execute_cell(cell, runs, Machine("cpu", use_threads(1)), Silent())


@pytest.fixture(scope="module")
def interrupted(workplace: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs of which `spatial` was stopped in the middle, with two checkpoints, as SIGTERM leaves it."""
    runs = tmp_path_factory.mktemp("interrupted")
    folder = workplace.folder(runs, "spatial")

    class StopAtTenth(Silent):
        def advance(self, units: int = 1, figures: str = "") -> None:
            if (folder.checkpoints / "previous.pt").exists():
                os.kill(os.getpid(), 15)

    from bench.setup import use_threads
    from bench.studies import execute as module

    cell = make_cell(str(workplace.protocol), "toy-stripes", "spatial", 0)
    with pytest.raises(Stopped):
        module.execute(cell, runs, module.Machine("cpu", use_threads(1)), StopAtTenth())
    return runs


@pytest.fixture
def unfinished(interrupted: Path, tmp_path: Path) -> Path:
    """A copy of the interrupted runs, to be damaged."""
    return Path(shutil.copytree(interrupted, tmp_path / "runs"))


def cut_checkpoint(folder: RunFolder) -> None:
    path = folder.checkpoints / "last.pt"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def cut_both_checkpoints(folder: RunFolder) -> None:
    for name in ("last.pt", "previous.pt"):
        (folder.checkpoints / name).write_bytes(b"PK")


def empty_record(folder: RunFolder) -> None:
    folder.run_json.write_bytes(b"")


def cut_losses_in_a_row(folder: RunFolder) -> None:
    text = folder.losses_csv.read_text(encoding="utf-8")
    folder.losses_csv.write_text(text[: len(text) - 25], encoding="utf-8")


def leave_temporary_files(folder: RunFolder) -> None:
    (folder.path / ".run.json.0123abcd.tmp").write_bytes(b'{"schema')
    (folder.checkpoints / ".next.pt.0123abcd.tmp").write_bytes(b"PK")


@pytest.mark.parametrize(
    "damage",
    [cut_checkpoint, cut_both_checkpoints, empty_record, cut_losses_in_a_row, leave_temporary_files],
    ids=lambda damage: damage.__name__,
)
def test_a_damaged_file_changes_no_result_and_a_checkpoint_is_spoken_of_in_the_record(
    damage: Callable[[RunFolder], None],
    workplace: Any,
    unfinished: Path,
    assert_undisturbed: Callable[..., None],
) -> None:
    folder = workplace.folder(unfinished, "spatial")
    damage(folder)
    execute(workplace, unfinished)
    assert_undisturbed(unfinished, ("spatial",))
    assert list(folder.path.rglob("*.tmp")) == []
    spoken_of = any("last.pt was damaged" in warning for warning in folder.read().warnings)
    assert spoken_of or damage is not cut_checkpoint


def test_a_finished_run_with_an_emptied_record_is_made_whole(
    workplace: Any, undisturbed: Path, tmp_path: Path, assert_undisturbed: Callable[..., None]
) -> None:
    shutil.copytree(workplace.folder(undisturbed, "spatial").path, workplace.folder(tmp_path, "spatial").path)
    empty_record(workplace.folder(tmp_path, "spatial"))
    execute(workplace, tmp_path)
    assert_undisturbed(tmp_path, ("spatial",))


@contextmanager
def refused_by_the_system(monkeypatch: pytest.MonkeyPatch, name: str) -> Iterator[None]:
    """Within, the kernel ends every file called `name` after a few bytes: a limit on the size of files."""
    write_with = atomic.write_with
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limited(path: Path, write: Callable[[BinaryIO], None]) -> None:
        if path.name != name:
            return write_with(path, write)
        resource.setrlimit(resource.RLIMIT_FSIZE, (BYTES_LEFT, hard))
        try:
            return write_with(path, write)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))

    with monkeypatch.context() as patch:
        patch.setattr(atomic, "write_with", limited)
        yield


@pytest.mark.parametrize("name", ["next.pt", "losses.csv", "validation.csv", "images.csv", "scores.json"])
def test_a_write_that_the_system_refuses_fails_with_reason_and_goes_on_later(
    name: str,
    workplace: Any,
    unfinished: Path,
    monkeypatch: pytest.MonkeyPatch,
    assert_undisturbed: Callable[..., None],
) -> None:
    folder = workplace.folder(unfinished, "spatial")
    with refused_by_the_system(monkeypatch, name), pytest.raises(BenchError, match="Could not write"):
        execute(workplace, unfinished)
    assert folder.read().status == "failed"
    assert "No larger file may be written there" in folder.read().reason
    execute(workplace, unfinished)
    assert_undisturbed(unfinished, ("spatial",))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB in memory; skipped where this process may not mount one."""
    place = tmp_path / "small"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(place)]
    try:
        subprocess.run(command, capture_output=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("only root may mount a small file system; the limit on file sizes is tested instead")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_disk_that_is_full_fails_the_cell_and_the_study_goes_on_when_there_is_room(
    workplace: Any, small_disk: Path, assert_undisturbed: Callable[..., None]
) -> None:
    filler = small_disk / "filler"
    filler.write_bytes(b"0" * (600 << 10))
    outcome = workplace.outcome(small_disk / "runs", ("spatial",))
    assert outcome["exit"] == 1
    assert "No space left on device" in outcome["cells"]["spatial"]["reason"]
    filler.unlink()
    subprocess.run(["mount", "-o", "remount,size=64m", str(small_disk)], check=True)
    assert workplace.outcome(small_disk / "runs", ("spatial",), retry_failed=True)["exit"] == 0
    assert_undisturbed(small_disk / "runs", ("spatial",))


CLOCK = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>
static const long YEAR = 365L * 24 * 3600;
int clock_gettime(clockid_t id, struct timespec *now) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int answer = real(id, now);
    if (id == CLOCK_REALTIME) now->tv_sec -= YEAR;
    return answer;
}
"""


def test_a_clock_set_back_by_a_year_changes_nothing_but_the_dates(
    workplace: Any,
    unfinished: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    assert_undisturbed: Callable[..., None],
) -> None:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler to make a clock that is wrong")
    source, library = tmp_path / "clock.c", tmp_path / "clock.so"
    source.write_text(CLOCK, encoding="utf-8")
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    monkeypatch.setenv("LD_PRELOAD", str(library))
    outcome = workplace.outcome(unfinished, ("spatial",))
    monkeypatch.delenv("LD_PRELOAD")
    assert outcome["counts"] == {"done": 1}
    record = workplace.folder(unfinished, "spatial").read()
    assert record.finished < record.started
    assert record.costs.seconds_training > 0
    assert_undisturbed(unfinished, ("spatial",))
