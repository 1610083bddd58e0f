"""Processes forked from one that has imported everything: new processes without the price of a start.

A tiny run takes a tenth of the seconds that Python needs to import torch and, for the first optimiser, its
compiler. A forked process has a pid, memory, streams, signals, a folder and an environment of its own and
ends with an exit code or by a signal, as any other. What it shares with its like is what the first one has
imported (IMPORTS) and the seed of hashes. So tests of what a start imports ask for a real start, and a
variable that is read at a start (AT_START) has one made. Forked processes fork what they start in turn; a
program that nobody forked does too, where `forking` has made it one that does.
"""

import atexit
import contextlib
import gc
import importlib
import io
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

IMPORTS = (
    "torch",
    "torch._dynamo",
    "torchvision",
    "seaborn",
    "matplotlib.pyplot",
    "scipy.stats",
    "sklearn.metrics",
    "rich.progress",
    "jinja2",
    "bench.training.loop",
    "bench.scoring.score_run",
    "bench.profiling.measure",
)
AT_START = ("PYTHON", "LD_", "LC_", "LANG", "OMP", "MKL", "OPENBLAS", "ATEN", "TORCH", "MPL")
NOT_AT_START = ("PYTHONUNBUFFERED", "PYTHONBREAKPOINT", "TORCHINDUCTOR_CACHE_DIR")
"""What a forked process honours too, and what torch's compiler sets for itself when it is imported."""
ANEW = "BENCH_TEST_ANEW"
"""A variable with the name of a module whose processes are started anew."""
OPTIONS = ("-P", "-u")
"""Of Python, which a forked process knows."""
SERVER: dict[str, Any] = {}
"""Of the process that forks: `path` of its socket, `folder` of its records, `environment` that it has."""


class Forked(subprocess.Popen):
    """`subprocess.Popen`; what is a command of Python is forked where that makes no difference."""

    _status: socket.socket | None = None

    def _execute_child(self, args: Any, *rest: Any) -> None:
        # What subprocess calls once its pipes are open; positions as in its signature.
        executable, preexec, _, passed, folder, environment, _, _, shell, *ends = rest
        stdin, to_child, from_child, stdout, errors, stderr, _, *identity, session, group = ends
        changed = any((executable, preexec, passed, shell, *(each not in (None, -1) for each in identity)))
        words = [os.fspath(word) for word in args] if isinstance(args, (list, tuple)) else []
        if changed or group not in (-1, None) or not can_fork(words, environment):
            super()._execute_child(args, *rest)
            return
        request = {
            "words": words[1:],
            "folder": str(Path(folder or ".").absolute()),
            "environment": dict(os.environ if environment is None else environment),
            "session": session,
            "giver": os.getpid(),
        }
        self._status = socket.socket(socket.AF_UNIX)
        self._status.connect(SERVER["path"])
        streams = [given if given != -1 else own for own, given in enumerate((stdin, stdout, stderr))]
        socket.send_fds(self._status, [b"."], streams)
        self._status.sendall(json.dumps(request).encode() + b"\n")
        answer = json.loads(read_line(self._status))
        self._child_created = True
        both = ((stdin, to_child), (stdout, from_child), (stderr, errors))
        for end in {*(theirs for theirs, ours in both if ours != -1), getattr(self, "_devnull", -1)} - {-1}:
            os.close(end)
        self._devnull = -1
        if "error" in answer:
            raise FileNotFoundError(answer["error"])
        self.pid = answer["pid"]

    def _try_wait(self, flags: int) -> tuple[int, int]:
        if self._status is None:
            return super()._try_wait(flags)
        if flags and not select.select([self._status], [], [], 0)[0]:
            return 0, 0
        status = json.loads(read_line(self._status))["status"]
        self._status.close()
        return self.pid, status

    def _internal_poll(self, _deadstate: int | None = None, **own: Any) -> int | None:
        if self._status is None:
            return super()._internal_poll(_deadstate, **own)
        if self.returncode is None and self._waitpid_lock.acquire(False):
            with contextlib.ExitStack() as held:
                held.callback(self._waitpid_lock.release)
                pid, status = self._try_wait(os.WNOHANG) if self.returncode is None else (0, 0)
                if pid:
                    self._handle_exitstatus(status)
        return self.returncode


def run(
    words: Any, timeout: float | None = None, check: bool = False, **options: Any
) -> subprocess.CompletedProcess[Any]:
    """`subprocess.run`: with `capture_output`, the folder `cwd`, the environment `env`."""
    if options.pop("capture_output", False):
        options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with Forked(words, **options) as process:
        try:
            out, err = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            raise
    done = subprocess.CompletedProcess(words, process.returncode, out, err)
    if check:
        done.check_returncode()
    return done


def can_fork(words: list[str], environment: Any) -> bool:
    """Whether these words are a module, text or file for this Python, and it need not be started anew."""
    if not SERVER or words[:1] != [sys.executable]:
        return False
    _, rest = split_options(words[1:])
    if not rest or (rest[0] not in {"-m", "-c"} and not rest[0].endswith(".py")):
        return False
    environment = os.environ if environment is None else environment
    return environment.get(ANEW) not in rest and at_start(environment) == at_start(SERVER["environment"])


def split_options(words: list[str]) -> tuple[list[str], list[str]]:
    """The options of Python that come first (OPTIONS), and the rest."""
    count = next((n for n, word in enumerate(words) if word not in OPTIONS), len(words))
    return words[:count], words[count:]


def at_start(environment: Any) -> dict[str, str]:
    """The variables that are read when a program starts."""
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(AT_START) and name not in NOT_AT_START
    }


def read_line(connection: socket.socket) -> bytes:
    """One line, byte after byte: what follows it is for somebody else."""
    line = b""
    while not line.endswith(b"\n"):
        byte = connection.recv(1)
        if not byte:
            raise ConnectionError("The process that forks is gone.")
        line += byte
    return line


def start_server() -> None:
    """Start the process that forks; it ends when this one does."""
    folder = tempfile.mkdtemp(prefix="bench-")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    path = str(Path(folder) / "socket")
    server = subprocess.Popen(
        [sys.executable, "-P", __file__, path],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    SERVER.update(path=path, folder=folder, environment=environment, process=server)


def started_by(pid: int) -> list[int]:
    """The pids of the forked processes that a process started, ended ones as well."""
    folder = Path(SERVER["folder"]) / str(pid)
    return sorted(int(each.name) for each in folder.iterdir()) if folder.is_dir() else []


def forking(program: str, at: Path) -> Path:
    """A file at `at` that does what the file `program` does, and forks the processes that it starts."""
    own = {name: SERVER[name] for name in ("path", "folder", "environment")}
    text = f"""
import runpy, subprocess, sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import forked
del sys.path[0]
forked.SERVER.update({own!r})
subprocess.Popen = forked.Forked
runpy.run_path({program!r}, run_name="__main__")
"""
    at.write_text(text, encoding="utf-8")
    return at


def serve(path: str) -> dict[str, Any]:
    """Fork a process for every request; returns, in each of them, what it has to become."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(100)
        gc.freeze()
        print("ready", flush=True)
        while True:
            if 0 in select.select([listener, 0], [], [])[0]:
                os._exit(0)  # whoever started it is gone
            connection, _ = listener.accept()
            _, streams, _, _ = socket.recv_fds(connection, 1, 3)
            request = json.loads(read_line(connection)) | {"streams": streams}
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass  # one that waited for a process that has ended
            if os.fork() == 0:
                break
            for each in (connection.detach(), *streams):
                os.close(each)
    return attend(connection, request)


def attend(connection: socket.socket, request: dict[str, Any]) -> dict[str, Any]:
    """Fork once more; wait for that process and tell how it ended. Returns in that process alone."""
    pid = os.fork()
    if pid == 0:
        return request | {"connection": connection}
    for each in (0, *request["streams"]):
        os.close(each)
    _, status = os.waitpid(pid, 0)
    with contextlib.suppress(OSError):  # whoever asked may be gone
        connection.sendall(json.dumps({"status": status}).encode() + b"\n")
    os._exit(0)


def become(request: dict[str, Any]) -> None:
    """Be the process that was asked for: its streams, folder, environment, signals; then say so."""
    for number, stream in enumerate(request["streams"]):
        os.dup2(stream, number)
    for stream in request["streams"]:
        if stream > 2:
            os.close(stream)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if request["session"]:
        os.setsid()
    os.environ.clear()
    os.environ.update(request["environment"])
    options, _ = split_options(request["words"])
    open_streams(unbuffered="-u" in options or bool(os.environ.get("PYTHONUNBUFFERED")))
    subprocess.Popen = Forked  # type: ignore[misc]
    with request["connection"] as connection:
        try:
            os.chdir(request["folder"])
        except OSError as error:
            connection.sendall(json.dumps({"error": str(error)}).encode() + b"\n")
            os._exit(1)
        record = Path(SERVER["folder"], str(request["giver"]), str(os.getpid()))
        record.parent.mkdir(exist_ok=True)
        record.touch()
        connection.sendall(json.dumps({"pid": os.getpid()}).encode() + b"\n")


def end(error: BaseException | None) -> None:
    """End as Python does after `error`, but for the seconds in which it takes apart what was imported."""
    status: Any = 0
    if isinstance(error, SystemExit):
        status = 0 if error.code is None else error.code
        if not isinstance(status, int):
            print(status, file=sys.stderr)
            status = 1
    elif error is not None:
        sys.excepthook(type(error), error, error.__traceback__)
        status = 1
    threading._shutdown()
    atexit._run_exitfuncs()
    for stream in filter(None, (sys.stdout, sys.stderr)):
        try:
            stream.flush()
        except OSError:
            status = 120  # as Python says it
    if isinstance(error, KeyboardInterrupt):
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    os._exit(status & 0xFF)


def run_words(words: list[str]) -> None:
    """`python WORDS`: options and a module, a text or a file, with what stands after it."""
    options, (option, *rest) = split_options(words)
    what = rest.pop(0) if option in {"-m", "-c"} else option
    sys.argv = ["-c" if option == "-c" else what, *rest]
    if "-P" not in options:
        first = {"-m": str(Path.cwd()), "-c": ""}
        sys.path.insert(0, first.get(option, str(Path(what).absolute().parent)))
    if option == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    elif option == "-c":
        exec(compile(what, "<string>", "exec"), {"__name__": "__main__", "__builtins__": __builtins__})
    else:
        runpy.run_path(what, run_name="__main__")


def open_streams(unbuffered: bool) -> None:
    """Open stdin, stdout and stderr as a start does, which looks whether they can seek and are terminals."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        before = getattr(sys, f"__{name}__")
        mode, whole = ("rb", -1) if number == 0 else ("wb", 0 if unbuffered else -1)
        raw = open(number, mode, buffering=whole, closefd=False)  # noqa: SIM115  they stay open
        line = not unbuffered and (number == 2 or raw.isatty())
        opened = io.TextIOWrapper(
            raw, before.encoding, before.errors, line_buffering=line, write_through=unbuffered and number > 0
        )
        setattr(sys, name, opened)
        setattr(sys, f"__{name}__", opened)


if __name__ == "__main__":
    SERVER.update(path=sys.argv[1], folder=str(Path(sys.argv[1]).parent), environment=dict(os.environ))
    for each in IMPORTS:
        importlib.import_module(each)
    request = serve(sys.argv[1])
    become(request)
    try:
        run_words(request["words"])
    except BaseException as error:
        end(error)
    end(None)
