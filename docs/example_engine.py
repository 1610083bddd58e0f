"""An engine of one's own: every cell is a job of a SLURM cluster, submitted through `submitit`.

    pip install submitit
    bench study nine-slots --plugin docs/example_engine.py --engine slurm --runs /shared/runs

In a study file, where options of the engine have their place:

    [engine]
    kind = "slurm"
    workers = 40            # jobs at a time
    threads = 4
    options = { partition = "gpu", minutes = 720, folder = "/shared/jobs" }

Every node sees the folder of the jobs and that of the runs. With `cluster = "local"` among the options, jobs
are processes of this machine. What a job says goes through a file, so nothing is unpickled; a file called
`stop` asks all of them to end when everything is saved.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Self

import cloudpickle
import submitit

from bench.errors import UsageError
from bench.studies.engines.interface import Event, engine
from bench.studies.process import MESSAGE, Message, Order, Outcome, Stop, supervise
from bench.studies.study import EngineSettings

SECONDS_BETWEEN_LOOKS = 0.2
# A job imports no plugin: what is defined here travels with it.
cloudpickle.register_pickle_by_value(sys.modules[__name__])


class StopFile(Stop):
    """What the driver wants of a job, on another machine: to end once there is a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.kill = False  # that is the cluster's to do

    @property
    def asked(self) -> bool:  # type: ignore[override]
        """Whether the job is to save everything and end."""
        return self._file.exists()


def execute_in_job(order: Order, said: Path) -> None:
    """What a job does: supervise a worker beside it, and write down what that says, its end last."""
    with said.open("a", encoding="utf-8") as file:

        def tell(message: Message) -> None:
            file.write(message.model_dump_json() + "\n")
            file.flush()

        tell(
            supervise(order, tell, StopFile(said.with_name("stop")), {"OMP_NUM_THREADS": str(order.threads)})
        )


class Submitted:
    """A job, and how much of what it said has been read."""

    def __init__(self, job: "submitit.Job[None]", file: Path) -> None:
        self.job, self._file, self._read = job, file, 0

    def said(self) -> list[Message]:
        """What it has said since the last call."""
        if not self._file.exists():
            return []
        with self._file.open("rb") as file:
            file.seek(self._read)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._read += len(whole) + len(newline)
        return [MESSAGE.validate_json(line) for line in whole.splitlines()]


@engine(
    "slurm",
    summary="Jobs of a SLURM cluster, through submitit.",
    options=("cluster", "folder", "minutes", "partition"),
)
class SlurmEngine:
    """Submits every cell as a job; a context manager, after which no job of it is left."""

    def __init__(self, settings: EngineSettings, device: str) -> None:
        """Raises UsageError where there is no SLURM here."""
        options = settings.options
        self._workers, self._threads = settings.workers or 1, settings.threads or 1
        jobs = Path(options.get("folder", "jobs")).absolute()
        jobs.mkdir(parents=True, exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(prefix="study-", dir=jobs))
        try:
            self._executor = submitit.AutoExecutor(self._folder, cluster=options.get("cluster", "slurm"))
        except RuntimeError as error:
            reason = str(error).rstrip("?.")
            raise UsageError(
                f'{reason}. For a try on this machine: options = {{ cluster = "local" }}'
            ) from None
        self._executor.update_parameters(
            name="bench",
            cpus_per_task=self._threads,
            gpus_per_node=int(settings.gpus if settings.gpus is not None else device.startswith("cuda")),
            mem_gb=settings.memory_gib,
            timeout_min=int(options.get("minutes", 60)),
            slurm_partition=options.get("partition"),
        )
        self._submitted: dict[int, Submitted] = {}
        self._stopping = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop(kill=True)

    def capacity(self) -> int:
        return self._workers

    def begin(self, number: int, order: Order) -> None:
        order = order.model_copy(update={"threads": self._threads, "runs": order.runs.absolute()})
        # A cell that another process holds is begun again.
        file = self._folder / f"{number}-{time.monotonic_ns()}.jsonl"
        job = self._executor.submit(execute_in_job, order, file)
        self._submitted[number] = Submitted(job, file)

    def events(self, seconds: float) -> list[Event]:
        until, found = time.monotonic() + seconds, self._heard()
        while not found and time.monotonic() < until:
            time.sleep(SECONDS_BETWEEN_LOOKS)
            found = self._heard()
        return found

    def stop(self, kill: bool = False) -> None:
        self._stopping = True
        (self._folder / "stop").touch()
        for each in self._submitted.values():
            if kill or each.job.state == "PENDING":
                each.job.cancel()

    def _heard(self) -> list[Event]:
        """What the jobs have said; for one that ended without a word, what its log says."""
        found: list[Event] = []
        for number, each in list(self._submitted.items()):
            ended = each.job.done()  # asked first: what it said before it ended is there then
            messages = each.said()
            if ended and not any(isinstance(message, Outcome) for message in messages):
                messages.append(self._end_of(each.job))
            if any(isinstance(message, Outcome) for message in messages):
                del self._submitted[number]
            found += [(number, message) for message in messages]
        return found

    def _end_of(self, job: "submitit.Job[None]") -> Outcome:
        if self._stopping:
            return Outcome(outcome="stopped", reason="Ended at once; it continues at its last checkpoint.")
        log = (job.stderr() or "it said nothing").strip().splitlines()
        return Outcome(outcome="failed", reason=f"Job {job.job_id} ended without a word: {log[-1]}")
