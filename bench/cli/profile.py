"""`bench profile`: what a training step costs, and where its time goes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli.options import (
    AsJson,
    Compile,
    Deterministic,
    Device,
    Plugin,
    Threads,
    load_plugins,
    print_json,
)

if TYPE_CHECKING:
    from bench.profiling.model import Profile, ProfileRequest
    from bench.profiling.signal_chain import SignalChain
    from bench.protocol import Protocol
    from bench.setup import Execution

MIB = 2**20
COMPARED = ("step_gflop", "seconds_per_step", "own_memory_bytes")
"""What is given as a ratio to the first variant's, too."""


def profile(
    variant: Annotated[
        list[str], typer.Argument(help="Names, wildcards ('slot*') or grids ('slot9[slots=5|9]').")
    ],
    protocol: Annotated[
        str, typer.Option("--protocol", help="Name, or .toml file: widths, objective, size, batch.")
    ] = "paper-128",
    change: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Change a rule of the protocol; may be repeated."),
    ] = None,
    size: Annotated[
        int | None, typer.Option("--size", min=16, max=2**14, help="Height and width of the images.")
    ] = None,
    batch: Annotated[
        int | None, typer.Option("--batch", min=1, max=2**12, help="Images of each domain in a step.")
    ] = None,
    precision: Annotated[str | None, typer.Option("--precision", help="fp32 or bf16.")] = None,
    device: Device = "auto",
    threads: Threads = None,
    steps: Annotated[
        int, typer.Option("--steps", min=1, max=10**6, help="Timed steps, after a warm-up.")
    ] = 5,
    compile_networks: Compile = False,
    deterministic: Deterministic = False,
    top: Annotated[int, typer.Option("--top", min=1, max=1000, help="Operators to show.")] = 12,
    plugin: Plugin = None,
    as_json: AsJson = False,
) -> None:
    """Measure a training step: parameters, GFLOP, seconds, memory, share of the machine's peak, operators.

    The step is the real one, generators and discriminators, on random images, and each variant is measured
    in a process of its own. Several variants are compared with the first.

    Examples:

      bench profile slot9 --protocol smoke

      bench profile spatial slot9 --size 128 --precision bf16 --set train.objective=lsgan --set train.pool=50

      bench profile 'slot9[slots=2|4|8]' --protocol small --threads 1 --json
    """
    from bench.profiling.profile import measure_fresh
    from bench.profiling.signal_chain import foretold
    from bench.progress import TerminalProgress
    from bench.setup import Execution

    load_plugins(plugin)
    asked = ProfileOptions(protocol, tuple(change or ()), size, batch, precision, device, threads, steps)
    execution = Execution(compile=compile_networks, deterministic=deterministic)
    wanted = requests(variant, asked, tuple(plugin or ()), execution)
    with TerminalProgress() as progress:
        profiles = measure_fresh(wanted, progress)
    chains = {each.variant: foretold(each.variant, each.protocol) for each in wanted}
    show(profiles, chains, top, as_json)


@dataclass(frozen=True)
class ProfileOptions:
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
    patterns: Sequence[str], asked: ProfileOptions, plugins: tuple[Path, ...], execution: "Execution"
) -> "list[ProfileRequest]":
    """A request for every variant named. Raises UsageError or VariantError for what does not exist."""
    from bench.profiling.model import ProfileRequest
    from bench.protocol import key_of, load_protocol
    from bench.setup import resolve_device, usable_cores
    from bench.studies.grid import KINDS, expand_pattern, refuse_unknown_model_keys

    short = shortcuts(asked)
    others = [each for each in asked.changes if key_of(each) not in map(key_of, short)]
    protocol = load_protocol(asked.protocol, (*others, *short))
    refuse_unknown_model_keys(protocol)
    device = resolve_device(asked.device)
    refuse_precision(protocol, device)
    names = [name for pattern in patterns for name in expand_pattern(pattern, KINDS["variants"], protocol)]
    return [
        ProfileRequest(
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


def refuse_precision(protocol: "Protocol", device: str) -> None:
    """Raise UsageError where the device lacks the precision that is to be measured."""
    import torch

    from bench.training.execution import executed_precision

    remedy = "Give --precision fp32 to measure the step of another protocol."
    executed_precision(protocol.train.precision, torch.device(device), fallback=False, remedy=remedy)


def shortcuts(asked: ProfileOptions) -> list[str]:
    """The changes to the protocol that --size, --batch and --precision are short for."""
    changes = []
    if asked.size is not None:
        changes += [f"images.size={asked.size}", f"images.load_size={asked.size}"]
    if asked.batch is not None:
        changes.append(f"train.batch={asked.batch}")
    if asked.precision is not None:
        changes.append(f"train.precision={asked.precision}")
    return changes


def show(
    profiles: "Sequence[Profile]", chains: "Mapping[str, SignalChain | None]", top: int, as_json: bool
) -> None:
    """Print one profile, or a comparison of several, as tables or as JSON.

    `chains` are those of the variants' mask heads, where they have learned masks.
    """
    if as_json:
        print_json([row(each, profiles[0], chains.get(each.variant)) for each in profiles])
        return
    print(conditions(profiles[0]))
    print()
    print_figures(profiles)
    print()
    print_times(profiles, top)
    for variant, chain in chains.items():
        if chain is not None:
            print("\n".join(["", variant, *(f"  {line}" for line in chain.lines)]))


def row(profile: "Profile", first: "Profile", chain: "SignalChain | None") -> dict[str, Any]:
    """A profile as JSON values, with its ratios to the first one's and the chain of its mask head."""
    return {
        **profile.model_dump(mode="json", exclude={"event"}),
        "ratio_to_first": ratios(profile, first),
        "mask_head": None if chain is None else chain.as_json(),
    }


def ratios(profile: "Profile", first: "Profile") -> dict[str, float | None]:
    """What is compared of a profile, divided by the same of the first; None where that is nothing."""
    both = {key: (getattr(profile, key), getattr(first, key)) for key in COMPARED}
    return {key: mine / its if its else None for key, (mine, its) in both.items()}


def conditions(profile: "Profile") -> str:
    """One line on what all profiles share."""
    device = f"{profile.device_name} ({profile.device}, {profile.threads} threads)"
    compiled = ", compiled" if profile.compiled else ""
    deterministic = ", deterministic" if profile.deterministic else ""
    return (
        f"{profile.protocol}: {profile.size} px, batch {profile.batch}, {profile.precision}, "
        f"objective {profile.objective}{compiled}{deterministic}\n"
        f"{device}, matrix peak {profile.matrix_peak_gflops:,.0f} GFLOP/s"
    )


def print_figures(profiles: "Sequence[Profile]") -> None:
    """A row for every variant; of several, three figures with their ratio to the first one's."""
    from bench.cli.console import Column, print_table

    headings = ("parameters", "GFLOP forward", "GFLOP step", "s/step", "images/s", "peak MiB", "own MiB")
    rows = []
    for each in profiles:
        found = ratios(each, profiles[0])
        ratio = {key: "" if value is None else f" {value:.2f}×" for key, value in found.items()}
        if len(profiles) == 1:
            ratio = dict.fromkeys(COMPARED, "")
        cells = [
            each.variant,
            f"{each.parameters:,}",
            f"{each.forward_gflop:,.1f}",
            f"{each.step_gflop:,.1f}{ratio['step_gflop']}",
            f"{each.seconds_per_step:.4g}{ratio['seconds_per_step']}",
            f"{each.images_per_second:.4g}",
            f"{each.peak_memory_bytes / MIB:,.0f}",
            f"{each.own_memory_bytes / MIB:,.0f}{ratio['own_memory_bytes']}",
            f"{each.share_of_peak:.0%}",
        ]
        rows.append(cells)
    print_table([Column("variant", "name"), *map(Column, headings), Column("of matrix peak")], rows)


def print_times(profiles: "Sequence[Profile]", top: int) -> None:
    """The longest operators of the first variant and the others' share of time in the same."""
    from bench.cli.console import Column, print_table

    shares = [{each.name: each.share for each in profile.operators} for profile in profiles]
    longest = sorted({name for each in shares for name in each}, key=lambda name: -most(shares, name))
    rows = [[name, *(f"{each.get(name, 0):.1%}" for each in shares)] for name in longest[:top]]
    rest = (sum(each.get(name, 0) for name in longest[top:]) for each in shares)
    if longest[top:]:
        rows.append([f"{len(longest) - top} others", *(f"{share:.1%}" for share in rest)])
    headings = [Column("where the time goes", "name"), *(Column(each.variant) for each in profiles)]
    print_table(headings, rows)


def most(shares: Sequence[dict[str, float]], name: str) -> float:
    """The largest share that an operator has in any variant."""
    return max(each.get(name, 0.0) for each in shares)
