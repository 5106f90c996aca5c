"""Alternating rounds of timed cases, and what is kept of them.

Every case is called once before the clock starts, unless it only starts processes. In a round each case is
timed once, over as many calls as fill `SHORTEST` seconds; rounds begin with another case each, so that no
case always follows the same one. A ratio is taken within each round, between neighbours in time, and the
median over rounds is reported with the smallest and the largest: what else the machine does during a run then
moves both sides. Processor time is kept beside the wall's, for it counts little of what other processes do.
"""

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from typing import TypeVar

import torch

# Seconds over which one timing is taken: far above the clock's resolution.
SHORTEST = 0.02
Part = TypeVar("Part")
Seconds = tuple[float, float]  # of the wall's clock, and of the processor's


@dataclass(frozen=True)
class Case:
    """One thing to time.

    Attributes:
        name: distinct within the suite.
        run: called without arguments.
        peer: name of the case that the ratio is taken to, "" for none.
        target: what the ratio (peer's time by own time) is asked to reach, None where nothing is.
        units: pieces of work of one call; times are per piece.
        times_of: name of an earlier case of the same work, which is not timed again for another peer; "" for
            none.
    """

    name: str
    run: Callable[[], object]
    peer: str = ""
    target: float | None = None
    units: int = 1
    times_of: str = ""


@dataclass(frozen=True)
class Result:
    """What was measured of a case.

    Attributes:
        name: of the case.
        milliseconds: median over rounds of one call, or of one of its units.
        peer: name of the peer, "" for none.
        ratio: median over rounds of the peer's time by the case's own; None without a peer.
        lowest: smallest ratio of a round.
        highest: largest ratio of a round.
        target: what the ratio is asked to reach.
        peak_mib: peak memory of one call beyond what was there before, None where it was not measured.
        processor_milliseconds: as `milliseconds`, of processor time.
        processor_ratio: as `ratio`, of processor time.
    """

    name: str
    milliseconds: float
    peer: str = ""
    ratio: float | None = None
    lowest: float | None = None
    highest: float | None = None
    target: float | None = None
    peak_mib: float | None = None
    processor_milliseconds: float | None = None
    processor_ratio: float | None = None


def measure(cases: Sequence[Case], rounds: int, warm: bool = True) -> list[Result]:
    """Time all cases in alternating rounds.

    Args:
        cases: what to time.
        rounds: how often.
        warm: whether each is called once before.

    Returns:
        One result per case, in their order.
    """
    timed = [case for case in cases if not case.times_of]
    for case in timed if warm else ():
        case.run()
    seconds: dict[str, list[Seconds]] = {case.name: [] for case in timed}
    gc.collect()
    gc.disable()
    try:
        for number in range(rounds):
            start = number % len(timed)
            for case in (*timed[start:], *timed[:start]):
                wall, processor = _time(case.run)
                seconds[case.name].append((wall / case.units, processor / case.units))
    finally:
        gc.enable()
    seconds |= {case.name: seconds[case.times_of] for case in cases if case.times_of}
    return [_result(case, seconds) for case in cases]


def in_turn(parts: Sequence[Part], run: Callable[[Part], object]) -> Callable[[], object]:
    """Return a function that runs on the next of `parts` each time it is called, then from the first on."""
    turns = cycle(parts)
    return lambda: run(next(turns))


def _time(run: Callable[[], object]) -> Seconds:
    """Return the seconds of one call."""
    calls, begin, busy = 0, time.perf_counter(), time.process_time()
    while True:
        run()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        calls += 1
        if (spent := time.perf_counter() - begin) >= SHORTEST:
            return spent / calls, (time.process_time() - busy) / calls


def _result(case: Case, seconds: dict[str, list[Seconds]]) -> Result:
    """Return the medians of a case."""
    wall, processor = zip(*seconds[case.name], strict=True)
    middle = [round(1e3 * statistics.median(one), 3) for one in (wall, processor)]
    result = Result(case.name, middle[0], processor_milliseconds=middle[1])
    if not case.peer:
        return result
    ratios, busy = (
        [theirs / ours for theirs, ours in zip(other, own, strict=True) if ours]
        for other, own in zip(zip(*seconds[case.peer], strict=True), (wall, processor), strict=True)
    )
    return replace(
        result,
        peer=case.peer,
        target=case.target,
        ratio=round(statistics.median(ratios), 2),
        lowest=round(min(ratios), 2),
        highest=round(max(ratios), 2),
        processor_ratio=round(statistics.median(busy), 2) if busy else None,
    )


def table(results: Sequence[Result]) -> str:
    """Return results as a Markdown table."""
    lines = [
        "| case | ms | relative to | times faster (rounds) | by processor time | asked for | peak memory |",
        "| --- | ---: | --- | ---: | ---: | ---: | ---: |",
    ]
    for one in results:
        ratio = "" if one.ratio is None else f"{one.ratio:.2f} ({one.lowest:.2f} to {one.highest:.2f})"
        busy = "" if one.processor_ratio is None else f"{one.processor_ratio:.2f}"
        target = (
            "" if one.target is None else f"{one.target:g}: {'met' if one.ratio >= one.target else 'missed'}"
        )
        peak = "" if one.peak_mib is None else f"{one.peak_mib:.1f} MiB"
        lines.append(
            f"| {one.name} | {one.milliseconds:.2f} | {one.peer} | {ratio} | {busy} | {target} | {peak} |"
        )
    return "\n".join(lines)
