import importlib
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def harness(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.harness")


def test_ratios_are_taken_within_rounds(harness, monkeypatch):
    clock = iter([1.0, 4.0, 1.0, 9.0, 2.0, 2.0])  # by order of timing, round after round
    monkeypatch.setattr(harness, "_time", lambda run: (seconds := next(clock), 2 * seconds))
    cases = [harness.Case("slow", lambda: 0), harness.Case("fast", lambda: 0, peer="slow", target=2.0)]
    slow, fast = harness.measure(cases, rounds=3)  # the second round begins with "fast"
    assert (slow.milliseconds, slow.ratio) == (2000.0, None)  # 1, 9 and 2 seconds
    assert fast.milliseconds == 2000.0  # 4, 1 and 2 seconds
    assert (fast.ratio, fast.lowest, fast.highest) == (1.0, 0.25, 9.0)
    assert "| fast | 2000.00 | slow | 1.00 (0.25 to 9.00) | 1.00 | 2: missed |" in harness.table([slow, fast])


def test_a_timing_is_of_one_call(harness, monkeypatch):
    calls = []
    ticks = iter(range(1000))
    monkeypatch.setattr(time, "perf_counter", lambda: 0.004 * next(ticks))
    assert harness._time(lambda: calls.append(1))[0] == pytest.approx(0.004)
    assert len(calls) == 5  # 20 ms


def test_times_are_per_piece_of_work(harness, monkeypatch):
    monkeypatch.setattr(harness, "_time", lambda run: (6.0, 3.0))
    cases = [harness.Case("few", lambda: 0, units=2), harness.Case("many", lambda: 0, peer="few", units=6)]
    few, many = harness.measure(cases, rounds=1)
    assert (few.milliseconds, many.milliseconds) == (3000.0, 1000.0)
    assert (many.ratio, many.processor_milliseconds, many.processor_ratio) == (3.0, 500.0, 3.0)


def test_a_case_with_a_second_peer_is_timed_once(harness, monkeypatch):
    calls, clock = [], iter([8.0, 2.0, 4.0])
    monkeypatch.setattr(harness, "_time", lambda run: (run(), (seconds := next(clock), seconds))[1])
    cases = [
        harness.Case("slow", lambda: calls.append("slow")),
        harness.Case("ours", lambda: calls.append("ours"), peer="slow", units=2),
        harness.Case("middle", lambda: calls.append("middle")),
        harness.Case("ours again", lambda: calls.append("never"), peer="middle", times_of="ours"),
    ]
    *_, first, _, second = harness.measure(cases, rounds=1, warm=False)
    assert calls == ["slow", "ours", "middle"]
    assert (first.ratio, second.ratio, second.milliseconds) == (8.0, 4.0, 1000.0)
