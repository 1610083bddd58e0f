"""Work in a process of its own, and what both sides say: JSON objects, one a line.

`Worker` is the side that gives the work, `given_order` and `Channel` are the side that does it.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import BaseModel

CHUNK = 65536
# `python -m` would put the folder it stands in before the standard library: a file html.py there would be
# imported in place of Python's. What the giving process imports from comes after the standard library, and
# before what is installed: both sides import the same bench.
BOOT = """
import runpy, sys, sysconfig
module, folders = sys.argv[1], sys.argv[2:]
installed = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
at = next((n for n, each in enumerate(sys.path) if each in installed), len(sys.path))
sys.path[at:at] = [each for each in folders if each not in sys.path]
del sys.argv[1:]
runpy.run_module(module, run_name="__main__")
"""


def import_folders() -> tuple[str, ...]:
    """Where this process imports from, by full paths: a worker may stand in another folder."""
    return tuple(dict.fromkeys(str(Path(each).absolute()) for each in sys.path if Path(each).exists()))


class Worker:
    """A fresh Python process that executes a module; a context manager, and the process never outlives it.

    It has a session of its own: Ctrl-C reaches the giving process alone.
    """

    def __init__(
        self,
        module: str,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        imports: Sequence[str] | None = None,
    ) -> None:
        """`environment` is added to this process's; `folder` is where it stands, None: where this one does;
        `imports` is where it imports from beside Python's own folders, None: where this process does."""
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  closed on exit
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", BOOT, module, *(import_folders() if imports is None else imports)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, **(environment or {})},
            cwd=folder,
            start_new_session=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            assert pipe is not None  # all were asked for
            with contextlib.suppress(OSError):
                pipe.close()
        self._process.wait()

    def give(self, order: BaseModel) -> None:
        """Send the one order; a worker that died before it could take it is understood by its end."""
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):
            self._process.stdin.write(order.model_dump_json().encode() + b"\n")
            self._process.stdin.flush()

    def lines(self, patience: float | None = None) -> Iterator[bytes | None]:
        """Every line it says until it has nothing more to say; None whenever `patience` seconds pass without
        one."""
        pipe, rest = self._process.stdout, b""
        assert pipe is not None
        while True:
            ready, _, _ = select.select([pipe], [], [], patience)
            if not ready:
                yield None
                continue
            chunk = os.read(pipe.fileno(), CHUNK)
            if not chunk:
                return
            *lines, rest = (rest + chunk).split(b"\n")
            yield from lines

    def stop(self) -> None:
        """Ask it to end when everything is saved."""
        self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    def wait(self) -> int:
        """Its exit status once it has ended; negative where a signal ended it."""
        return self._process.wait()

    def complaints(self) -> list[str]:
        """What it printed beside its answers, in lines."""
        self._errors.seek(0)
        return self._errors.read().decode(errors="replace").strip().splitlines()


class Channel:
    """The way back to the giving process; whatever else is printed from now on goes to stderr.

    A giving process that is gone is no reason to fail: what is said then goes nowhere.
    """

    def __init__(self) -> None:
        self._stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)

    def tell(self, message: BaseModel) -> None:
        """Send one message."""
        with contextlib.suppress(OSError):
            self._stream.write(message.model_dump_json() + "\n")
            self._stream.flush()


def given_order() -> bytes:
    """The order: the first line of stdin, byte by byte, so that nothing after it is buffered away."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            sys.exit("A worker of bench: give an order as one JSON line on stdin.")
        line += byte
    return line


def stop_with_giver() -> None:
    """Send this process SIGTERM once its stdin ends, as it does when the giving process is gone."""

    def wait() -> None:
        while os.read(0, CHUNK):
            pass
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()
