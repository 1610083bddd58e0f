"""`python -m bench.profiling.worker`: measures one variant in a process of its own.

The request is one JSON line on stdin; messages are JSON lines on stdout, the last one a profile or a refusal.
Whatever else is printed goes to stderr.
"""

import os
import sys
from collections.abc import Callable

from bench.errors import BenchError
from bench.profiling.profile import Advance, Profile, Refusal, Request
from bench.threads import wait_without_stalling


def main() -> None:
    """Take the request, measure, answer."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        wait_without_stalling()

        def say(message: Profile | Advance | Refusal) -> None:
            answers.write(message.model_dump_json() + "\n")
            answers.flush()

        request = Request.model_validate_json(sys.stdin.readline())
        try:
            say(measured(request, lambda part: say(Advance(part=part))))
        except BenchError as error:
            say(Refusal(reason=str(error), exit_code=error.exit_code))


def measured(request: Request, tell: Callable[[str], None]) -> Profile:
    """The profile, with the variants of plugin files known."""
    import variants
    from bench.profiling.measure import measure

    for plugin in request.plugins:
        variants.load_plugin(plugin)
    return measure(request, tell)


if __name__ == "__main__":
    main()
