"""`bench profile`: what a training step costs."""

from typing import Annotated

import typer

from bench.cli.options import AsJson, Compile, Deterministic, Device, Plugin, Threads


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
    from bench.cli.options import load_plugins
    from bench.cli.profiling import Asked, requests, show
    from bench.profiling.profile import measure_fresh
    from bench.profiling.signal_chain import foretold
    from bench.progress import TerminalProgress
    from bench.setup import Execution

    load_plugins(plugin)
    asked = Asked(protocol, tuple(change or ()), size, batch, precision, device, threads, steps)
    execution = Execution(compile=compile_networks, deterministic=deterministic)
    wanted = requests(variant, asked, tuple(plugin or ()), execution)
    with TerminalProgress() as progress:
        profiles = measure_fresh(wanted, progress)
    chains = {each.variant: foretold(each.variant, each.protocol) for each in wanted}
    show(profiles, chains, top, as_json)
