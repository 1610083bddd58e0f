"""`python -m bench.studies.worker`: executes one cell in a process of its own.

The order is one JSON line on stdin; messages are JSON lines on stdout; whatever else the cell prints goes to
stderr. SIGTERM, and the end of stdin when the driver dies, stop the cell at its next checkpoint.
"""

import signal
import sys
import time

from bench.errors import BenchError
from bench.runs.folder import FolderInUse
from bench.signals import Stopped, end_when_asked, stop_requests
from bench.studies.orders import Order, Outcome, Progress
from bench.threads import wait_without_stalling
from bench.workers import Channel, given_order, stop_with_giver

SECONDS_BETWEEN_MESSAGES = 0.5


class ToldProgress:
    """A ProgressReport that sends messages, at most two a second and one for every end."""

    def __init__(self, channel: Channel) -> None:
        self._channel, self._told = channel, 0.0
        self._state = Progress(task="starting", total=0, done=0, first=0)

    def start(self, task: str, total: int, done: int = 0) -> None:
        self._state = Progress(task=task, total=total, done=done, first=done)
        self._tell()

    def advance(self, units: int = 1, figures: str = "") -> None:
        changes: dict[str, object] = {"done": self._state.done + units}
        self._state = self._state.model_copy(update=changes | ({"figures": figures} if figures else {}))
        ended = self._state.done >= self._state.total
        if ended or time.monotonic() - self._told >= SECONDS_BETWEEN_MESSAGES:
            self._tell()

    def _tell(self) -> None:
        self._told = time.monotonic()
        self._channel.tell(self._state)


def work(progress: ToldProgress) -> Outcome:
    """Execute the ordered cell; every way in which it can end is an Outcome."""
    try:
        order = Order.model_validate_json(given_order())
        stop_with_giver()
        with stop_requests(insisting=False) as early:  # an exception in an import could be lost
            import variants
            from bench.devices import resolve_device, use_threads
            from bench.studies.execute import Machine, execute

            for plugin in order.plugins:
                variants.load_plugin(plugin)
            threads = use_threads(order.threads)
            device = resolve_device(order.device)
            machine = Machine(device, threads, order.weights, order.skip_bad_images, order.execution)
        if early.first is not None:
            raise Stopped(early.first)
        execute(order.cell(), order.runs, machine, progress)
    except FolderInUse as error:
        return Outcome(outcome="held", reason=str(error))
    except KeyboardInterrupt as error:
        return Outcome(outcome="stopped", reason=str(error))
    except BenchError as error:
        return Outcome(outcome="failed", reason=str(error))
    except Exception as error:
        from bench.studies.execute import told

        return Outcome(outcome="failed", reason=told(error))
    return Outcome(outcome="done")


def main() -> None:
    """Take the order, execute it, say how it ended."""
    channel = Channel()
    wait_without_stalling()
    end_when_asked()
    outcome = work(ToldProgress(channel))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    channel.tell(outcome)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
