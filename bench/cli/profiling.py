"""What `bench profile` does with its options, and how it shows what was measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.cli.options import print_json
from bench.devices import resolve_device
from bench.execution import Execution
from bench.profiling.profile import Profile, Request
from bench.protocol import Protocol, key_of, load_protocol
from bench.runs.environment import usable_cores
from bench.studies.cells import refuse_unknown_model_keys
from bench.studies.grid import KINDS, expand_pattern

MIB = 2**20
WIDTH_OF_A_FILE = 120
"""Characters of a line where the output is no terminal."""
COMPARED = ("step_gflop", "seconds_per_step", "own_memory_bytes")
"""What is given as a ratio to the first variant's, too."""


@dataclass(frozen=True)
class Asked:
    """The options; None where not given."""

    protocol: str
    changes: tuple[str, ...]
    size: int | None
    batch: int | None
    precision: str | None
    device: str
    threads: int | None
    steps: int


def requests(
    patterns: Sequence[str], asked: Asked, plugins: tuple[Path, ...], execution: Execution
) -> list[Request]:
    """A request for every variant named. Raises UsageError or VariantError for what does not exist."""
    protocol = load_protocol(asked.protocol, (*asked.changes, *shortcuts(asked)))
    refuse_unknown_model_keys(protocol)
    device = resolve_device(asked.device)
    names = [name for pattern in patterns for name in named(pattern, protocol)]
    return [
        Request(
            variant=name,
            protocol=protocol,
            device=device,
            threads=asked.threads or usable_cores(),
            steps=asked.steps,
            plugins=tuple(plugin.resolve() for plugin in plugins),
            execution=execution,
        )
        for name in dict.fromkeys(names)
    ]


def shortcuts(asked: Asked) -> list[str]:
    """The changes to the protocol that --size, --batch and --precision are short for."""
    changes = []
    if asked.size is not None:
        changes.append(f"images.size={asked.size}")
        if "images.load_size" not in map(key_of, asked.changes):
            changes.append(f"images.load_size={asked.size}")
    if asked.batch is not None:
        changes.append(f"train.batch={asked.batch}")
    if asked.precision is not None:
        changes.append(f"train.precision={asked.precision}")
    return changes


def named(pattern: str, protocol: Protocol) -> list[str]:
    """The variants a pattern stands for, the published ones' parameters being the protocol's."""
    return expand_pattern(pattern, KINDS["variants"], protocol)


def show(profiles: Sequence[Profile], top: int, as_json: bool) -> None:
    """Print one profile, or a comparison of several, as tables or as JSON."""
    if as_json:
        print_json([row(each, profiles[0]) for each in profiles])
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=max(console.width, WIDTH_OF_A_FILE))
    console.print(conditions(profiles[0]), markup=False, highlight=False)
    console.print(figures(profiles))
    console.print(times(profiles, top))


def row(profile: Profile, first: Profile) -> dict[str, Any]:
    """A profile as JSON values, with its ratios to the first one's."""
    return {**profile.model_dump(mode="json", exclude={"event"}), "ratio_to_first": ratios(profile, first)}


def ratios(profile: Profile, first: Profile) -> dict[str, float | None]:
    """What is compared of a profile, divided by the same of the first; None where that is nothing."""
    both = {key: (getattr(profile, key), getattr(first, key)) for key in COMPARED}
    return {key: mine / its if its else None for key, (mine, its) in both.items()}


def conditions(profile: Profile) -> str:
    """One line on what all profiles share."""
    device = f"{profile.device_name} ({profile.device}, {profile.threads} threads)"
    compiled = ", compiled" if profile.compiled else ""
    deterministic = ", deterministic" if profile.deterministic else ""
    return (
        f"{profile.protocol}: {profile.size} px, batch {profile.batch}, {profile.precision}, "
        f"objective {profile.objective}{compiled}{deterministic}\n"
        f"{device}, matrix peak {profile.matrix_peak_gflops:,.0f} GFLOP/s"
    )


def figures(profiles: Sequence[Profile]) -> Table:
    """A row for every variant; below its figures their ratios to the first one's."""
    table = numbers(
        "variant",
        "parameters",
        "GFLOP\nforward",
        "GFLOP\nstep",
        "s/step",
        "images/s",
        "peak\nMiB",
        "of\npeak",
    )
    for each in profiles:
        found = ratios(each, profiles[0])
        ratio = {key: "" if value is None else f"\n{value:.2f}×" for key, value in found.items()}
        if each is profiles[0]:
            ratio = dict.fromkeys(COMPARED, "")
        table.add_row(
            escape(each.variant),
            f"{each.parameters:,}",
            f"{each.forward_gflop:,.1f}",
            f"{each.step_gflop:,.1f}{ratio['step_gflop']}",
            f"{each.seconds_per_step:.4g}{ratio['seconds_per_step']}",
            f"{each.images_per_second:.4g}",
            f"{each.peak_memory_bytes / MIB:,.0f}",
            f"{each.own_memory_bytes / MIB:,.0f}{ratio['own_memory_bytes']}",
            f"{each.share_of_peak:.0%}",
        )
    return table


def numbers(first: str, *others: str) -> Table:
    """A table whose first column holds names and whose others hold numbers."""
    table = Table(first, box=SIMPLE_HEAD)
    for title in others:
        table.add_column(title, justify="right", no_wrap=True)
    return table


def times(profiles: Sequence[Profile], top: int) -> Table:
    """The longest operators of the first variant and the others' share of time in the same."""
    table = numbers("where the time goes", *(escape(each.variant) for each in profiles))
    shares = [{each.name: each.share for each in profile.operators} for profile in profiles]
    longest = sorted({name for each in shares for name in each}, key=lambda name: -most(shares, name))
    for name in longest[:top]:
        table.add_row(name, *(f"{each.get(name, 0):.1%}" for each in shares))
    rest = (sum(each.get(name, 0) for name in longest[top:]) for each in shares)
    if longest[top:]:
        table.add_row(f"{len(longest) - top} others", *(f"{share:.1%}" for share in rest))
    return table


def most(shares: Sequence[dict[str, float]], name: str) -> float:
    """The largest share that an operator has in any variant."""
    return max(each.get(name, 0.0) for each in shares)
