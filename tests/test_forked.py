"""What tests rely on where commands are forked: such a process is as one that was started."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

LOOK = "import os, sys; print(os.getpid(), os.getcwd(), os.environ.get('GIVEN'), sys.argv, sys.stdin.read())"


@pytest.fixture(autouse=True)
def _as_forked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What forks has one thread; a process of more is started. Ctrl-C counts where pytest ignores it, too."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_it_has_a_pid_a_folder_variables_words_and_streams_of_its_own(
    forked: ModuleType, tmp_path: Path
) -> None:
    said = {}
    for popen in (subprocess.Popen, forked.Forked):
        with popen(
            [sys.executable, "-c", LOOK, "a", "b c"],
            cwd=tmp_path,
            env={**os.environ, "GIVEN": "x"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            out, _ = process.communicate("read")
        pid, said[popen] = out.split(" ", 1)
        assert (int(pid), process.returncode) == (process.pid, 0)
    assert said[forked.Forked] == said[subprocess.Popen]


@pytest.mark.parametrize(
    ("program", "status"),
    [
        ("import sys; sys.exit(3)", 3),
        ("import sys; sys.exit('a reason')", 1),
        ("raise ValueError", 1),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("import os, signal; os.kill(os.getpid(), signal.SIGTERM)", -signal.SIGTERM),
        ("import os, signal\ntry: os.kill(os.getpid(), signal.SIGINT)\nexcept KeyboardInterrupt: exit(5)", 5),
        ("import os, signal; os.kill(os.getpid(), signal.SIGINT)", -signal.SIGINT),
        ("import sys; sys.stdout = None; print(1)", 0),
        ("import threading, time; threading.Thread(target=lambda: (time.sleep(0.05), exit(1))).start()", 0),
        ("import atexit, os; atexit.register(os._exit, 7)", 7),
    ],
)
def test_it_ends_as_it_would(forked: ModuleType, program: str, status: int) -> None:
    command = [sys.executable, "-c", program]
    assert forked.run(command, stderr=subprocess.DEVNULL).returncode == status
    assert subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == status


def test_it_can_be_polled_signalled_and_waited_for(forked: ModuleType) -> None:
    process = forked.Forked([sys.executable, "-c", "import time; time.sleep(1000)"], start_new_session=True)
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.01)
    assert os.getsid(process.pid) == process.pid
    process.terminate()
    assert process.wait(60) == process.poll() == -signal.SIGTERM
    process.kill()  # as of any process that has ended: nothing


def test_nothing_that_one_does_is_seen_by_the_next(forked: ModuleType) -> None:
    change = "import os, sys, torch, variants; os.environ['new'] = '1'; torch.new = variants.new = 1"
    assert forked.run([sys.executable, "-c", change]).returncode == 0
    look = "import os, sys, torch, variants; sys.exit('new' in {*vars(torch), *vars(variants), *os.environ})"
    assert forked.run([sys.executable, "-c", look]).returncode == 0


def test_its_imports_are_done_and_a_start_of_its_own_is_had_by_what_is_read_at_a_start(
    forked: ModuleType,
) -> None:
    look = "import sys; sys.exit('torch' in sys.modules)"
    assert forked.run([sys.executable, "-c", look]).returncode == 1
    for name in ("PYTHONHASHSEED", "ATEN_CPU_CAPABILITY", "LD_PRELOAD"):
        assert forked.run([sys.executable, "-c", look], env={**os.environ, name: ""}).returncode == 0


def test_what_it_starts_is_forked_in_turn_and_known(forked: ModuleType, tmp_path: Path) -> None:
    inner = "import os, sys; print(os.getpid(), 'torch' in sys.modules)"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-P', '-c', {inner!r}])"
    with forked.Forked([sys.executable, "-c", outer], stdout=subprocess.PIPE, text=True) as process:
        pid, seen = process.communicate()[0].split()
    assert forked.started_by(process.pid) == [int(pid)]
    assert seen == "True"


def test_its_pipes_end_when_it_does(forked: ModuleType) -> None:
    first = forked.Forked([sys.executable, "-c", "import time; time.sleep(1000)"])
    try:
        with forked.Forked([sys.executable, "-c", "print(1)"], stdout=subprocess.PIPE) as second:
            later = forked.Forked([sys.executable, "-c", "import time; time.sleep(1000)"])
            assert second.stdout.read() == b"1\n"
        later.kill()
        later.wait()
    finally:
        first.kill()
        first.wait()
