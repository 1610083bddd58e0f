"""A step that does not fit in memory is refused before it is begun: what it needs, and what needs less."""

import json
import subprocess
import sys

import pytest
import torch

from bench.errors import BenchError
from bench.streams import Streams
from bench.training.loop import train
from bench.training.memory import (
    GIB,
    MEASURED,
    BytesHeld,
    available_on,
    bytes_of_a_pass,
    bytes_of_a_step,
    is_out_of_memory,
    left_in_group,
    memory_size,
    refuse_steps_beyond_memory,
    running_out_explained,
    ways_to_save_memory,
)
from bench.training.objective import build_objective
from bench.training.session import fresh_generators

MEASURE = """
import json, sys
import torch
from bench.profiling.measure import TrainingStep
from bench.protocol import load_protocol
from bench.training.logs import peak_memory
from bench.training.memory import bytes_of_a_step
torch.set_num_threads(1)
def protocol(size):
    return load_protocol("smoke", ("train.pool=2", f"images.size={size}", f"images.load_size={size}"))
cpu = torch.device("cpu")
TrainingStep(sys.argv[1], protocol(32), cpu)()  # what libraries take once, whatever the size
before = peak_memory(cpu)
step = TrainingStep(sys.argv[1], protocol(int(sys.argv[2])), cpu)
simulated = bytes_of_a_step(step.objective, 1, int(sys.argv[2]))
step(), step()
print(json.dumps([simulated, peak_memory(cpu) - before]))
"""


def objective_of(cell):
    """The objective of a cell, fresh."""
    generators = fresh_generators(cell, torch.device("cpu"))
    settings = cell.protocol.train
    return build_objective(settings.objective, generators, settings, Streams(0))


def larger(cell, **images):
    """A cell of other image settings or batch."""
    changed = cell.protocol.images.model_copy(update=images)
    protocol = cell.protocol.model_copy(update={"images": changed})
    return type(cell)(protocol, cell.dataset, cell.variant, cell.seed)


@pytest.mark.parametrize("variant", ["spatial", "slot9"])
def test_a_measured_step_takes_one_to_one_and_a_half_times_the_simulated_bytes(variant):
    command = [sys.executable, "-c", MEASURE, variant, "160"]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    simulated, measured = json.loads(finished.stdout)
    assert 0.9 * simulated < measured < MEASURED * simulated + 32 * 2**20


def test_the_simulation_computes_nothing_and_changes_nothing(cell_of):
    objective = objective_of(cell_of("slot9"))
    before = {name: each.clone() for name, each in objective.generators["A2B"].state_dict().items()}
    assert bytes_of_a_step(objective, 1, 32) > 0
    for name, each in objective.generators["A2B"].state_dict().items():
        assert torch.equal(each, before[name])
    assert all(each.grad is None for each in objective.generators["A2B"].parameters())
    assert not objective.generator_optimiser.state


def test_memory_grows_with_the_batch_and_with_the_area(cell_of):
    objective = objective_of(cell_of("spatial"))
    once = bytes_of_a_step(objective, 1, 64)
    assert bytes_of_a_step(objective, 2, 64) > 1.3 * once
    assert bytes_of_a_step(objective, 1, 128) > 2 * once


def test_bf16_needs_less(cell_of):
    fp32, bf16 = (objective_of(cell_of("spatial", precision=each)) for each in ("fp32", "bf16"))
    assert bytes_of_a_step(bf16, 1, 128) < bytes_of_a_step(fp32, 1, 128)


@pytest.mark.parametrize("objective", ["lsgan", "wgan-gp"])
def test_a_step_holds_less_than_the_passes_it_is_given_room_for(cell_of, objective):
    made = objective_of(cell_of("slot9", objective=objective, pool=0))
    weights = sum(
        each.nbytes
        for network in (*made.generators.values(), *made.discriminators.values())
        for each in network.parameters()
    )
    assert bytes_of_a_step(made, 1, 64) * MEASURED < 4 * weights + 16 * bytes_of_a_pass(made, 1, 64)


def test_a_tensor_counts_until_it_is_gone_and_its_views_count_nothing():
    with BytesHeld() as count:
        first = torch.zeros(100)
        view = first.view(10, 10)
        del first
        assert count.now == 400
        del view
        assert count.now == 0
        torch.zeros(50)
    assert (count.most, count.made) == (400, 600)


def test_what_does_not_fit_is_refused_with_its_need_and_the_options_that_reduce_it(cell_of):
    cell = larger(cell_of("spatial", batch=4096), size=4096, load_size=4608)
    with pytest.raises(BenchError) as refusal:
        refuse_steps_beyond_memory(objective_of(cell), cell.variant, cell.protocol)
    message = str(refusal.value)
    assert "A training step of spatial needs" in message
    assert "GiB are available" in message
    assert "--set train.batch=2048" in message
    assert "--set train.precision=bf16" in message
    assert "--set images.size=2048 --set images.load_size=2304" in message
    assert "--set model.width=2" in message


def test_training_begins_with_the_refusal(cell_of, dataset, folder):
    cell = larger(cell_of("spatial", batch=4096), size=4096, load_size=4608)
    with pytest.raises(BenchError, match=r"needs .* or more of memory"):
        train(cell, dataset, folder)


def test_what_fits_is_not_remarked_on(cell_of):
    cell = cell_of("slot9")
    assert refuse_steps_beyond_memory(objective_of(cell), cell.variant, cell.protocol) == ()


def test_the_published_decoder_can_be_made_narrow(cell_of):
    cell = cell_of("slot9")
    assert "--set model.decoder=narrow" in ways_to_save_memory(objective_of(cell), cell.protocol)


def test_options_that_were_taken_are_not_named_again(cell_of):
    cell = cell_of("spatial", precision="bf16")
    assert ways_to_save_memory(objective_of(cell), cell.protocol) == [
        "--set images.size=16 --set images.load_size=18",
        "--set model.width=2",
    ]


def test_an_allocation_that_fails_is_explained(cell_of):
    cell = cell_of("slot9")
    objective = objective_of(cell)
    with (
        pytest.raises(BenchError, match=r"Out of memory in a training step of slot9: .*precision=bf16"),
        running_out_explained(objective, cell.variant, cell.protocol),
    ):
        torch.empty(2**55)


def test_other_errors_are_left_as_they_are(cell_of):
    cell = cell_of("slot9")
    with (
        pytest.raises(RuntimeError, match="size of tensor"),
        running_out_explained(objective_of(cell), cell.variant, cell.protocol),
    ):
        torch.ones(2) + torch.ones(3)


def test_errors_of_every_allocator_are_known():
    assert is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory"))
    assert is_out_of_memory(MemoryError())
    assert not is_out_of_memory(RuntimeError("shapes differ"))


def test_something_is_available_here():
    assert available_on(torch.device("cpu")).bytes > 2**20


def group(folder, **files):
    """A control group's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("__", ".")).write_text(f"{text}\n")


def test_the_tightest_control_group_counts_without_its_cached_files(tmp_path):
    root = tmp_path / "cgroup"
    group(root)
    group(root / "jobs", memory__max=1000, memory__current=900, memory__stat="anon 500\ninactive_file 300")
    group(root / "jobs" / "one", memory__max="max", memory__current=100)
    (tmp_path / "membership").write_text("0::/jobs/one\n")
    assert left_in_group(root, tmp_path / "membership") == 400


def test_control_groups_of_version_1_are_read_too(tmp_path):
    root = tmp_path / "cgroup"
    group(
        root / "memory" / "job",
        memory__limit_in_bytes=1000,
        memory__usage_in_bytes=600,
        memory__stat="total_inactive_file 50",
    )
    (tmp_path / "membership").write_text("5:cpu:/\n4:memory:/job\n")
    assert left_in_group(root, tmp_path / "membership") == 450


def test_without_control_groups_there_is_no_limit(tmp_path):
    assert left_in_group(tmp_path / "none", tmp_path / "nothing") is None


@pytest.mark.parametrize(("count", "text"), [(3 * GIB, "3.0 GiB"), (5 * 2**20, "5 MiB")])
def test_memory_is_spelled_in_readable_units(count, text):
    assert memory_size(count) == text
