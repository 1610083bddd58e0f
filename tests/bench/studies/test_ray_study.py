"""The same study on a Ray cluster of two nodes in this machine: equal scores, and a node may be lost."""

import contextlib
import json
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.runs.folder import RunFolder
from bench.studies.engines.ray_cluster import MORE_THAN_THIS_MACHINE, carried_environment, cells_on

ray = pytest.importorskip("ray", reason="the extra `ray` is not installed: pip install 'bench-unpaired[ray]'")
CLUSTER = """
import sys
import psutil
from ray.cluster_utils import Cluster

worker, records = sys.argv[1:]
sys.path.insert(0, TESTS)
import forked

forked.SERVER.update(folder=records)
quiet = {"no_monitor": True, "include_log_monitor": False, "include_dashboard": False}
# The head carries no cell: what is lost with a node is always a worker.
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **quiet})
nodes = [cluster.add_node(wait=False, num_cpus=1, worker_path=worker) for _ in range(2)]
cluster.wait_for_nodes()
print(cluster.address, flush=True)


def cells_of(processes):
    for pid in (pid for process in processes for pid in forked.started_by(process.pid)):
        if psutil.pid_exists(pid):
            yield psutil.Process(pid)


for line in sys.stdin:
    for node in nodes:
        raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
        below = raylet.children(recursive=True)
        cells = list(cells_of(below))
        if any(file.path.startswith(line.strip()) for cell in cells for file in cell.open_files()):
            for process in (raylet, *below, *cells):  # the parent first: nobody is left to report a death
                process.kill()
            cluster.remove_node(node, allow_graceful=False)
            nodes.remove(node)
            break
    print("killed", flush=True)
cluster.shutdown()
""".replace("TESTS", repr(str(Path(__file__).parents[2])))


class Nodes:
    """A cluster of a head and two nodes of one core, in processes of its own, whose cells are forked."""

    def __init__(self, environment: dict[str, str], folder: Path, worker: Path, records: Path) -> None:
        """`worker` is the program of Ray's workers, `records` names what they have forked."""
        self._process = subprocess.Popen(
            [sys.executable, "-c", CLUSTER, worker, records],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
            cwd=folder,
        )

    @cached_property
    def address(self) -> str:
        """Where it is joined, once it can be."""
        return self._answer()

    def listening_at(self) -> set[str]:
        """The addresses at which the processes of the cluster wait for connections."""
        found = set()
        for process in psutil.Process(self._process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                sockets = process.net_connections(kind="inet")
                found |= {each.laddr.ip for each in sockets if each.status == psutil.CONN_LISTEN}
        return found

    def _answer(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def kill_node_of(self, run: RunFolder) -> None:
        """End, with SIGKILL, all processes of the node on which a worker holds a run folder."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{run.path}\n")
        self._process.stdin.flush()
        assert self._answer() == "killed"

    def close(self) -> None:
        """End the cluster."""
        self._process.communicate(timeout=300)


@pytest.fixture(scope="module")
def nodes(
    workplace: Any,
    forked: ModuleType,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Iterator[Nodes]:
    settings = {
        MORE_THAN_THIS_MACHINE: "0",
        "RAY_health_check_failure_threshold": "3",
        "RAY_health_check_period_ms": "500",
    }
    program = Path(ray.__file__).parent / "_private" / "workers" / "default_worker.py"
    worker = forked.forking(str(program), tmp_path_factory.mktemp("worker") / "worker.py")
    with pytest.MonkeyPatch.context() as environment:  # of the drivers too
        for name, value in settings.items():
            environment.setenv(name, value)
        own = {"BENCH_CACHE": str(tmp_path_factory.mktemp("cache of the cluster"))}
        place = tmp_path_factory.mktemp("started here")
        cluster = Nodes(workplace.environment | own, place, worker, forked.SERVER["folder"])
        request.getfixturevalue("undisturbed")  # while the cluster comes up
        assert cluster.address
        yield cluster
        cluster.close()


ADDRESSES = {
    "nonsense": "'nonsense' is no address of a Ray cluster",
    "127.0.0.1:port": "'127.0.0.1:port' is no address of a Ray cluster",
    "127.0.0.1:99999": "'127.0.0.1:99999' is no address of a Ray cluster",
    "ray://127.0.0.1:10001": "ray://127.0.0.1:10001 is an address for Ray's client",
    "127.0.0.1:1": "No Ray cluster answers at 127.0.0.1:1 (Connection refused)",
    "auto": "This machine belongs to no Ray cluster that answers",
}


def begin_at(address: str, workplace: Any, runs: Path) -> subprocess.Popen[str]:
    arguments = ["study", "smoke", "--engine", "ray", "--address", address, "--runs", runs]
    begun: subprocess.Popen[str] = workplace.start(*arguments, **{MORE_THAN_THIS_MACHINE: "0"})
    return begun


def assert_refused(process: subprocess.Popen[str], told: str, workplace: Any, runs: Path) -> None:
    out, err = workplace.finish(process)
    assert process.returncode == 2, err
    assert out == ""
    assert told in err
    assert "Give host:port as `ray start --head` prints it" in err
    assert "Traceback" not in err
    assert not runs.exists()


@pytest.fixture(scope="module")
def unanswered(workplace: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], None]]:
    """A study at an address that accepts, and never says a word; asked, it was refused as it should be.

    It waits for twenty seconds, while other tests go on.
    """
    runs = tmp_path_factory.mktemp("silent") / "runs"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        process = begin_at(f"127.0.0.1:{silent.getsockname()[1]}", workplace, runs)
        yield lambda: assert_refused(process, "cannot be joined: no answer within", workplace, runs)
        process.kill()
        process.communicate()


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.usefixtures("unanswered")
def test_a_cluster_that_is_not_there_is_refused_with_how_to_name_one(
    workplace: Any, tmp_path: Path, address: str
) -> None:
    if address == "auto" and any("raylet" in (each.name() or "") for each in psutil.process_iter()):
        pytest.skip("another Ray cluster runs on this machine, and would be found")
    runs = tmp_path / "runs"
    assert_refused(begin_at(address, workplace, runs), ADDRESSES[address], workplace, runs)


@pytest.fixture(scope="module")
def too_large(
    workplace: Any, nodes: Nodes, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], None]]:
    """Studies whose cells no node can hold; asked, they were refused as they should be.

    Each waits a while for nodes that may be about to join, while other tests go on.
    """
    place = tmp_path_factory.mktemp("large")
    rules = f'protocol = "{workplace.protocol}"\nbaselines = ["copy"]\n'
    begun = {}
    for engine, wanted in (
        ("threads = 2", "wants 2 CPUs: "),
        ("gpus = 0.5", "wants 1 CPUs and 0.5 GPUs: "),
        ("memory_gib = 1000000", "wants 1 CPUs and 1e+06 GiB: "),
    ):
        study = place / f"large{len(begun)}.toml"
        study.write_text(f'{rules}[engine]\nkind = "ray"\n{engine}\n', encoding="utf-8")
        where = ["--address", nodes.address, "--runs", place / "runs"]
        begun[wanted] = workplace.start("study", study, *where)

    def check() -> None:
        for wanted, process in begun.items():
            assert_too_large(process, wanted, workplace)
        assert not (place / "runs").exists()

    yield check
    for process in begun.values():
        process.kill()
        process.communicate()


def assert_too_large(process: subprocess.Popen[str], wanted: str, workplace: Any) -> None:
    out, err = workplace.finish(process)
    assert process.returncode == 2, err
    assert out == ""
    assert "No node of the Ray cluster can hold a cell, which " + wanted in err
    assert re.search(r"they have (.*; )?0 CPUs and", err)
    assert "--threads" in err
    assert "Traceback" not in err


@pytest.mark.usefixtures("too_large")
def test_the_cluster_of_these_tests_is_reached_from_this_machine_alone(nodes: Nodes) -> None:
    assert {address.removeprefix("::ffff:") for address in nodes.listening_at()} == {"127.0.0.1"}


def test_run_folders_travel_where_nodes_share_no_disk(
    workplace: Any, nodes: Nodes, tmp_path: Path, assert_undisturbed: Callable[..., None]
) -> None:
    study = tmp_path / "returned.toml"
    study.write_text(
        f"""
protocol = "{workplace.protocol}"
baselines = ["copy"]

[engine]
kind = "ray"
folders = "returned"
""",
        encoding="utf-8",
    )
    finished = workplace.bench("study", study, "--address", nodes.address, "--runs", tmp_path / "runs")
    assert finished.returncode == 0, finished.stderr
    assert_undisturbed(tmp_path / "runs", ("copy",))


def test_workers_of_a_cluster_that_was_started_elsewhere_see_what_the_command_saw(
    workplace: Any, nodes: Nodes, odd_folder: Path, forked: ModuleType
) -> None:
    where = ["--engine", "ray", "--address", nodes.address, "--runs", "runs"]
    arguments = ["study", "odd.toml", "--plugin", "plug.py", *where]
    anew = {forked.ANEW: "bench.studies.process"}
    finished = workplace.bench(*arguments, cwd=odd_folder, fresh=True, BENCH_CACHE="cache", **anew)
    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert RunFolder(odd_folder / "runs" / "tiny" / "photos" / "mine" / "seed0").read().status == "done"
    assert any((odd_folder / "cache").iterdir())


def test_a_cell_that_no_node_can_hold_is_refused_with_what_there_is(too_large: Callable[[], None]) -> None:
    too_large()


def test_a_signal_ends_a_study_whose_cells_cannot_all_begin_and_the_ones_at_work_are_saved(
    workplace: Any, nodes: Nodes, tmp_path: Path, waiting: Any
) -> None:
    names = ("spatial", "slot9", "uniform")
    # Without end, and with losses on disk after every 5 images.
    long = ("train.images_seen=100000", "train.validations=20000")
    rules = {"engine": "ray", "address": nodes.address, "workers": 3, "set": long}
    driver = workplace.start(*workplace.grid(tmp_path, names, json=True, **rules))
    place = tmp_path / f"tiny[{','.join(long)}]" / "toy-stripes"
    waiting(lambda: sum((place / name / "seed0" / "losses.csv").exists() for name in names) == 2, "two cells")
    driver.send_signal(signal.SIGTERM)
    out, err = workplace.finish(driver)
    assert driver.returncode == 128 + signal.SIGTERM, err
    assert json.loads(out)["counts"] == {"stopped": 3}
    saved = [(place / name / "seed0" / "checkpoints" / "last.pt").exists() for name in names]
    assert sum(saved) == 2


RESOURCES = st.fixed_dictionaries(
    {"CPU": st.integers(0, 64), "GPU": st.integers(0, 8), "memory": st.integers(0, 10**12)}
)


@given(RESOURCES, RESOURCES)
def test_a_node_holds_as_many_cells_as_all_that_they_want_fits(
    node: dict[str, float], needs: dict[str, float]
) -> None:
    cells = cells_on(node, needs)
    wanted = {name: amount for name, amount in needs.items() if amount}
    if wanted:
        assert all(cells * amount <= node[name] for name, amount in wanted.items())
        assert any((cells + 1) * amount > node[name] for name, amount in wanted.items())


def test_what_decides_where_a_cell_finds_its_data_travels_by_full_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = {
        "BENCH_DATA": "data",
        "TORCH_HOME": "~/t",
        "BENCH_CACHE": "",
        "ATEN_CPU_CAPABILITY": "avx2",
        "A": "b",
    }
    assert carried_environment(given) == {
        "BENCH_DATA": str(tmp_path / "data"),
        "TORCH_HOME": str(Path.home() / "t"),
        "ATEN_CPU_CAPABILITY": "avx2",
    }


def test_two_ray_nodes_reach_the_results_of_the_local_engine_though_one_is_killed_in_a_step(
    workplace: Any, nodes: Nodes, tmp_path: Path, waiting: Any, assert_undisturbed: Callable[..., None]
) -> None:
    driver = workplace.start(*workplace.grid(tmp_path, json=True, engine="ray", address=nodes.address))
    folder = workplace.folder(tmp_path, "slot9")
    waiting((folder.checkpoints / "last.pt").exists, "a checkpoint")
    nodes.kill_node_of(folder)
    out, err = workplace.finish(driver)
    assert driver.returncode == 0, err
    assert json.loads(out)["counts"] == {"done": 3}
    assert folder.read().sessions >= 2
    assert_undisturbed(tmp_path)


def test_a_cluster_that_never_answers_is_refused_too(unanswered: Callable[[], None]) -> None:
    unanswered()
