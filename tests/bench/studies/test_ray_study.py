"""The same study on a Ray cluster of two nodes in this machine: equal scores, and a node may be lost."""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from bench.studies.ray_engine import MORE_THAN_THIS_MACHINE

pytest.importorskip("ray", reason="the extra `ray` is not installed: pip install 'bench-unpaired[ray]'")
pytestmark = pytest.mark.xdist_group("studies")

CLUSTER = """
import sys
import psutil
from ray.cluster_utils import Cluster

# The head carries no cell: what is lost with a node is always a worker.
cluster = Cluster(
    initialize_head=True,
    head_node_args={"num_cpus": 0, "include_dashboard": False},
)
nodes = [cluster.add_node(num_cpus=1) for _ in range(2)]
cluster.wait_for_nodes()
print(cluster.address, flush=True)
for line in sys.stdin:
    for node in nodes:
        raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
        below = raylet.children(recursive=True)
        if any("bench.studies.worker" in process.cmdline() for process in below):
            for process in (raylet, *below):  # the parent first: nobody is left to report a death
                process.kill()
            cluster.remove_node(node, allow_graceful=False)
            nodes.remove(node)
            break
    print("killed", flush=True)
cluster.shutdown()
"""


class Nodes:
    """A cluster of a head and two nodes of one core, in processes of its own."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", CLUSTER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )
        self.address = self._answer()

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

    def kill_busy(self) -> None:
        """End, with SIGKILL, all processes of the node on which a worker is executing a cell."""
        assert self._process.stdin is not None
        self._process.stdin.write("kill\n")
        self._process.stdin.flush()
        assert self._answer() == "killed"

    def close(self) -> None:
        """End the cluster."""
        self._process.communicate(timeout=300)


@pytest.fixture(scope="module")
def nodes(workplace: Any) -> Iterator[Nodes]:
    settings = {MORE_THAN_THIS_MACHINE: "0", "RAY_health_check_failure_threshold": "3"}
    with pytest.MonkeyPatch.context() as environment:  # of the drivers too
        for name, value in settings.items():
            environment.setenv(name, value)
        cluster = Nodes(workplace.environment)
        yield cluster
        cluster.close()


def test_the_cluster_of_these_tests_is_reached_from_this_machine_alone(nodes: Nodes) -> None:
    assert {address.removeprefix("::ffff:") for address in nodes.listening_at()} == {"127.0.0.1"}


def test_two_ray_nodes_reach_the_results_of_the_local_engine(
    workplace: Any, nodes: Nodes, tmp_path: Path, assert_undisturbed: Callable[..., None]
) -> None:
    outcome = workplace.outcome(tmp_path, engine="ray", address=nodes.address)
    assert outcome["counts"] == {"done": 3}
    assert_undisturbed(tmp_path)


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


def test_a_cell_whose_node_is_killed_in_a_step_is_finished_on_another(
    workplace: Any, nodes: Nodes, tmp_path: Path, waiting: Any, assert_undisturbed: Callable[..., None]
) -> None:
    driver = workplace.start(*workplace.grid(tmp_path, ("spatial",), engine="ray", address=nodes.address))
    folder = workplace.folder(tmp_path, "spatial")
    waiting((folder.checkpoints / "last.pt").exists, "a checkpoint")
    nodes.kill_busy()
    _, err = workplace.finish(driver)
    assert driver.returncode == 0, err
    assert folder.read().sessions >= 2
    assert_undisturbed(tmp_path, ("spatial",))
