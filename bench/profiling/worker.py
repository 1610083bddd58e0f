"""`python -m bench.profiling.worker`: measures one variant in a process of its own.

The request is one JSON line on stdin; messages are JSON lines on stdout, the last one a profile or a refusal.
Whatever else is printed goes to stderr.
"""

from collections.abc import Callable

from bench.errors import BenchError
from bench.profiling.profile import Advance, Profile, Refusal, Request
from bench.threads import wait_without_stalling
from bench.workers import Channel, given_order, stop_with_giver


def main() -> None:
    """Take the request, measure, answer."""
    channel = Channel()
    wait_without_stalling()
    request = Request.model_validate_json(given_order())
    stop_with_giver()
    try:
        channel.tell(measured(request, lambda part: channel.tell(Advance(part=part))))
    except BenchError as error:
        channel.tell(Refusal(reason=str(error), exit_code=error.exit_code))


def measured(request: Request, tell: Callable[[str], None]) -> Profile:
    """The profile, with the variants of plugin files known."""
    from bench.profiling.measure import measure
    from bench.registry import load_plugins

    load_plugins(request.plugins)
    return measure(request, tell)


if __name__ == "__main__":
    main()
