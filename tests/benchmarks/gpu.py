"""Everything about speed that a machine with a GPU can tell, in under 8 minutes, as a markdown table.

    python tests/benchmarks/gpu.py [--out FILE]
    python tests/benchmarks/gpu.py --device cpu --tiny --skip compiled    # the script itself, tried on a CPU

Steps a second of `slot9` and `spatial` at 256 px, batch 1, objective lsgan, on random images: in fp32
with and without TF32, in bf16, with channels_last, compiled and deterministic; what that is of the
measured matrix peak, the peak memory, and how far translations and gradients are from the plain ones in fp32.
Exit code 2 where there is no GPU.
"""

import argparse
import itertools
import platform
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from bench.profiling.measure import OperationCount, TrainingStep, matrix_peak, wait_for
from bench.protocol import Protocol, load_protocol
from bench.setup import Execution, git_state, processor
from bench.training.execution import executing, first_line, make_ready
from bench.training.logs import peak_memory

MINUTES = 6.5
STEPS_BEFORE_TIMING = 5
SECONDS_OF_TIMING = 4.0
FEWEST_STEPS = 10
RULES = ("train.objective=lsgan", "images.size=256", "images.load_size=286")
TINY_RULES = (
    "train.objective=lsgan",
    "images.size=32",
    "images.load_size=36",
    "train.discriminator_width=4",
    "model.width=4",
    "model.blocks=1",
    "model.slot_size=8",
    "model.encoder=4-4-4-8",
)
GIB = 2**30


@dataclass(frozen=True)
class Way:
    """One way to do a step."""

    precision: str
    """`fp32`, `tf32` (fp32 whose products are rounded to TF32) or `bf16`."""
    channels_last: bool = False
    compiled: bool = False
    deterministic: bool = False

    def __str__(self) -> str:
        marks = ("channels_last", "compiled", "deterministic")
        return ", ".join([self.precision, *(mark for mark in marks if getattr(self, mark))])


WAYS = (
    Way("fp32"),
    Way("tf32"),
    Way("bf16"),
    Way("bf16", channels_last=True),
    Way("tf32", channels_last=True),
    Way("bf16", channels_last=True, deterministic=True),
    Way("fp32", deterministic=True),
    Way("bf16", channels_last=True, compiled=True),
    Way("bf16", compiled=True),
    Way("tf32", compiled=True),
)
"""The first is the plain one that the others are held against; compiling comes last, for it takes minutes."""
VARIANTS = ("slot9", "spatial")


@dataclass(frozen=True)
class Row:
    """What one way of doing a variant's step gave; `remark` in place of figures where it failed."""

    variant: str
    way: Way
    steps_per_second: float | None = None
    share_of_peak: float | None = None
    peak_bytes: int | None = None
    preparation: float | None = None
    """Seconds until the first steps were done: compiling is in it."""
    image_error: float | None = None
    """Largest difference of a translated pixel, of 2, from the plain translation."""
    gradient_error: float | None = None
    """Norm of the gradients' difference from the plain ones, relative to the plain ones' norm."""
    remark: str = ""


def main(words: Sequence[str] | None = None) -> int:
    """Measure what was asked for, print it; the exit code."""
    asked = arguments(words)
    if asked.device.startswith("cuda") and not torch.cuda.is_available():
        print("There is no GPU that torch can use on this machine: nothing was measured.", file=sys.stderr)
        return 2
    until = time.monotonic() + 60 * asked.minutes
    device = torch.device(asked.device)
    protocol = load_protocol("paper-256", TINY_RULES if asked.tiny else RULES)
    ways = [way for way in WAYS if not any(mark in str(way) for mark in asked.skip)]
    sizes = (64,) if asked.tiny else None
    peaks = {way: peak_of(way, device, sizes) for way in ("fp32", "tf32", "bf16")}
    rows = sorted(
        measured(protocol, ways, device, peaks, until, asked.tiny),
        key=lambda row: VARIANTS.index(row.variant),
    )
    text = "\n".join([*machine(device), "", *peak_lines(peaks), "", *table(rows), ""])
    if asked.out:
        asked.out.write_text(text, encoding="utf-8")
    print(text)
    return 1 if all(row.steps_per_second is None for row in rows) else 0


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """The options."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1, or cpu to try the script")
    parser.add_argument("--tiny", action="store_true", help="32 px and narrow networks, few steps")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="begin nothing new after so long")
    parser.add_argument("--skip", action="append", default=[], help="leave out ways with this word")
    parser.add_argument("--out", type=Path, help="write the markdown here, too")
    return parser.parse_args(words)


def measured(
    protocol: Protocol,
    ways: Sequence[Way],
    device: torch.device,
    peaks: dict[str, float],
    until: float,
    tiny: bool,
) -> Iterator[Row]:
    """A row for every way and variant; one that fails or has no time left says so in its remark."""
    plain: dict[str, Passed] = {}
    gflop: dict[str, float] = {}
    for way, variant in itertools.product(ways, VARIANTS):
        tell(f"{variant}, {way}")
        if time.monotonic() > until:
            yield Row(variant, way, remark="no time left")
            continue
        try:
            with products_rounded(way.precision == "tf32"):
                passed, row = measure(variant, protocol, way, device, gflop, tiny)
        except Exception as error:
            yield Row(variant, way, remark=first_line(error)[:160])
            continue
        finally:
            release(device)
        assert row.steps_per_second is not None
        share = row.steps_per_second * gflop[variant] * 1e9 / peaks[way.precision]
        if way == ways[0]:
            plain[variant] = passed
        yield compared(replace(row, share_of_peak=share), passed, plain.get(variant))


def compared(row: Row, passed: "Passed", plain: "Passed | None") -> Row:
    """The row with its differences from the plain way, where that one succeeded."""
    if plain is None:
        return row
    return replace(
        row,
        image_error=largest_difference(passed.image, plain.image),
        gradient_error=relative_difference(passed.gradients, plain.gradients),
    )


@dataclass(frozen=True)
class Passed:
    """One pass with given weights and noise, on the CPU."""

    image: Tensor
    gradients: Tensor
    """All gradients of the generator in a row."""


def measure(
    variant: str, protocol: Protocol, way: Way, device: torch.device, gflop: dict[str, float], tiny: bool
) -> tuple[Passed, Row]:
    """A pass to compare and the figures; the GFLOP of a step are noted where they are not known yet."""
    precision = "bf16" if way.precision == "bf16" else "fp32"
    train = protocol.train.model_copy(update={"precision": precision})
    step = TrainingStep(variant, protocol.model_copy(update={"train": train}), device)
    execution = Execution(compile=way.compiled, deterministic=way.deterministic)
    if way.channels_last:
        to_channels_last(step)
    with executing(step.objective, step.cell, execution):
        began = time.perf_counter()
        remarks = make_ready(step.objective, step.cell, step.cell, execution)
        passed = one_pass(step)
        if variant not in gflop:
            with OperationCount() as count:
                step()
            gflop[variant] = count.flop / 1e9
        for _ in range(2):
            step()
        wait_for(device)
        preparation = time.perf_counter() - began
        rate, peak = timed_steps(step, device, tiny)
    row = Row(variant, way, rate, None, peak, preparation, remark=" ".join(remarks))
    return passed, row


def timed_steps(step: TrainingStep, device: torch.device, tiny: bool) -> tuple[float, int]:
    """(steps a second, peak bytes) after some steps for warming up."""
    for _ in range(0 if tiny else STEPS_BEFORE_TIMING):
        step()
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    wait_for(device)
    began, done = time.perf_counter(), 0
    while done < (1 if tiny else FEWEST_STEPS) or (
        not tiny and time.perf_counter() - began < SECONDS_OF_TIMING
    ):
        step()
        done += 1
        if done % FEWEST_STEPS == 0:
            wait_for(device)
    wait_for(device)
    return done / (time.perf_counter() - began), peak_memory(device)


def one_pass(step: TrainingStep) -> Passed:
    """A translation and the gradients of its mean square, before any step has changed the weights."""
    objective = step.objective
    generator = objective.generators["A2B"]
    image = step.images["A"]
    translated = objective.translate("A2B", image, torch.Generator().manual_seed(0))
    translated.square().mean().backward()
    gradients = [each.grad.flatten() for each in generator.parameters() if each.grad is not None]
    found = Passed(translated.detach().float().cpu(), torch.cat(gradients).float().cpu())
    generator.zero_grad(set_to_none=True)
    return found


def to_channels_last(step: TrainingStep) -> None:
    """Networks and images in the layout that tensor cores take without conversion."""
    objective = step.objective
    for network in (*objective.generators.values(), *objective.discriminators.values()):
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    for domain, images in step.images.items():
        step.images[domain] = images.contiguous(memory_format=torch.channels_last)


@contextmanager
def products_rounded(to_tf32: bool) -> Iterator[None]:
    """Within, convolutions and matrix products in fp32 are rounded to TF32, or are not, on a GPU."""
    before = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    with ExitStack() as stack:
        stack.callback(set_tf32, *before)
        set_tf32(to_tf32, to_tf32)
        yield


def set_tf32(matrix_products: bool, convolutions: bool) -> None:
    """Whether either is rounded to TF32."""
    torch.backends.cuda.matmul.allow_tf32 = matrix_products
    torch.backends.cudnn.allow_tf32 = convolutions


def peak_of(precision: str, device: torch.device, sizes: Sequence[int] | None) -> float:
    """FLOP a second of square matrix products in a precision."""
    tell(f"matrix peak, {precision}")
    with products_rounded(precision == "tf32"):
        return matrix_peak(device, torch.bfloat16 if precision == "bf16" else torch.float32, sizes)


def release(device: torch.device) -> None:
    """Give memory back and forget what was compiled."""
    if "torch._dynamo" in sys.modules:
        torch._dynamo.reset()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def largest_difference(ours: Tensor, plain: Tensor) -> float:
    """The largest absolute difference."""
    return float((ours - plain).abs().max())


def relative_difference(ours: Tensor, plain: Tensor) -> float:
    """The norm of the difference relative to the plain one's."""
    return float((ours - plain).norm() / plain.norm())


def machine(device: torch.device) -> list[str]:
    """On what and with which versions, a line each."""
    commit, dirty = git_state(Path(__file__).parent)
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else processor()
    versions = f"torch {torch.__version__}, CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}"
    return [
        f"- device: {name}",
        f"- driver: {driver()}",
        f"- versions: {versions}, Python {platform.python_version()}",
        f"- bench: commit {commit}{' with changes' if dirty else ''}",
    ]


def driver() -> str:
    """The GPU driver's version as nvidia-smi tells it."""
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return "not known"
    return answer.stdout.splitlines()[0].strip()


def peak_lines(peaks: dict[str, float]) -> list[str]:
    """The measured matrix peaks."""
    spelled = ", ".join(f"{name} {rate / 1e12:.3g}" for name, rate in peaks.items())
    return [f"Fastest square matrix products, TFLOP/s: {spelled}."]


def table(rows: Sequence[Row]) -> list[str]:
    """The markdown table, a line a row."""
    titles = (
        "variant",
        "way",
        "steps/s",
        "of the matrix peak",
        "peak GiB",
        "s to prepare",
        "largest pixel error",
        "gradient error",
        "remark",
    )
    lines = [f"| {' | '.join(titles)} |", f"|---|---|{'---:|' * 6}---|"]
    for row in rows:
        cells = (
            row.variant,
            str(row.way),
            figure(row.steps_per_second, "{:.3g}"),
            figure(row.share_of_peak, "{:.0%}"),
            figure(None if row.peak_bytes is None else row.peak_bytes / GIB, "{:.2f}"),
            figure(row.preparation, "{:.1f}"),
            figure(row.image_error, "{:.1e}"),
            figure(row.gradient_error, "{:.1e}"),
            row.remark.replace("|", "/"),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def figure(value: float | None, form: str) -> str:
    """A number in its form; a dash where there is none."""
    return "-" if value is None else form.format(value)


def tell(text: str) -> None:
    """A line of progress on stderr."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
