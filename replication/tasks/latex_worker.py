"""The process behind `replication.tasks.latex`: compares pairs of LaTeX answers with `math-verify`.

It says "ready", then reads one JSON list [value, gold] per line and answers "equal" or "different". Each
comparison has a limit of computing time, kept by the system itself: the process ends when it is reached,
whatever library code is running. It is computing time rather than time on the clock, so that verdicts do not
depend on how busy the machine is.
"""

import contextlib
import json
import logging
import signal
import sys
from typing import TextIO

SECONDS = 3.0
MEMORY = 4 * 2**30
READY, EQUAL, DIFFERENT = "ready", "equal", "different"


def compare(value: str, gold: str) -> bool:
    """Return what `math-verify` says of two LaTeX expressions; anything it cannot read is different."""
    from math_verify import parse, verify

    try:
        sides = [parse(f"\\boxed{{{side}}}", parsing_timeout=None) for side in (gold, value)]
        return all(sides) and bool(verify(*sides, timeout_seconds=None))
    except Exception:
        # The parsers raise many kinds of errors on malformed input; all mean: not the gold answer.
        return False


def serve(requests: TextIO, replies: TextIO) -> None:
    """Answer requests until they end."""
    if compare("1", "1"):  # loads the library outside the first question's time
        _reply(replies, READY)
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for line in requests:
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        try:
            verdict = compare(*json.loads(line))
        except (MemoryError, RecursionError):
            verdict = False
        signal.setitimer(signal.ITIMER_PROF, 0)
        _reply(replies, EQUAL if verdict else DIFFERENT)


def _reply(replies: TextIO, text: str) -> None:
    replies.write(f"{text}\n")
    replies.flush()


if __name__ == "__main__":
    logging.disable()
    serve(sys.stdin, sys.stdout)
