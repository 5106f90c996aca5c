"""Progress of a run in plain lines: how far, how long each notebook took, about how much is left."""

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

ESTIMATES = Path(__file__).with_name("estimates.json")
UNKNOWN_SECONDS = 60.0
HEARTBEAT_SECONDS = 60.0


def expected_seconds(labels: Sequence[str], profile: str, before: Mapping[str, Any]) -> dict[str, float]:
    """Return about how long each notebook takes.

    Args:
        labels: notebooks.
        profile: the run's profile, for the measured times that come with the package.
        before: label -> entry of the previous manifest of this run, whose seconds come first.
    """
    shipped = json.loads(ESTIMATES.read_text(encoding="utf-8")).get(profile, {})
    known = {label: before.get(label, {}).get("seconds") or shipped.get(label) for label in labels}
    usual = [seconds for seconds in known.values() if seconds]
    typical = sum(usual) / len(usual) if usual else UNKNOWN_SECONDS
    return {label: float(seconds or typical) for label, seconds in known.items()}


def duration(seconds: float) -> str:
    """Return "63 s", "about" style minutes above two: "4 min"."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def planned(log: str) -> set[str] | None:
    """Return the rules that Snakemake's log says it will run, None while it has not said so."""
    found = re.search(r"^Job stats:\n.*?^total\s+\d+$", log, re.DOTALL | re.MULTILINE)
    if found is None:
        return set() if "Nothing to be done" in log else None
    return set(re.findall(r"^(nb_\w+)\s+\d+$", found[0], re.MULTILINE))


class Progress:
    """Turns the jobs' events into lines.

    Args:
        expected: label -> seconds, of the notebooks that will run.
        jobs: how many run side by side.
        say: receives each line.
        clock: seconds, for tests.
    """

    def __init__(
        self,
        expected: Mapping[str, float],
        jobs: int,
        say: Callable[[str], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.expected = dict(expected)
        self.jobs = jobs
        self.say = say
        self.clock = clock
        self.running: dict[str, float] = {}
        self.finished: dict[str, dict[str, Any]] = {}
        self.last_line = clock()

    def event(self, event: Mapping[str, Any]) -> None:
        """Take one event of a job and say what is worth saying."""
        label = event["notebook"]
        shard = f"{label} shard {event['shard']}" if "shard" in event else ""
        if event["state"] == "started":
            self.running[shard or label] = self.clock()
            return
        self.running.pop(shard or label, None)
        if shard:  # only the notebook itself is worth a line
            return
        self.finished[label] = dict(event)
        place = f"[{len(self.finished)}/{max(len(self.expected), len(self.finished))}]"
        outcome = duration(event["seconds"])
        if event["state"] == "failed":
            kept = f" (kept: {event['kept']})" if event.get("kept") else ""
            outcome = f"FAILED after {outcome}: it {event['message']}{kept}"
        self._line(f"{place} {label} {outcome}{self._left()}")

    def beat(self) -> None:
        """Say what is running when nothing has been said for a minute."""
        if self.running and self.clock() - self.last_line >= HEARTBEAT_SECONDS:
            names = ", ".join(f"{name} ({duration(self.clock() - at)})" for name, at in self.running.items())
            self._line(f"      running: {names}{self._left()}")

    def remaining(self) -> float:
        """Return about how many seconds are left, from the speed of what has finished."""
        speed = self._speed()
        waiting = {
            label: seconds * speed
            for label, seconds in self.expected.items()
            if label not in self.finished and label not in self.running
        }
        current = [
            max(self.expected.get(k, 0.0) * speed - (self.clock() - at), 1.0)
            for k, at in self.running.items()
        ]
        work = [*current, *waiting.values()]
        return max([sum(work) / self.jobs, *work]) if work else 0.0

    def _speed(self) -> float:
        """Return measured over expected seconds of the notebooks that finished well."""
        done = [e for e in self.finished.values() if e["state"] == "done" and e["notebook"] in self.expected]
        wanted = sum(self.expected[event["notebook"]] for event in done)
        return sum(event["seconds"] for event in done) / wanted if wanted else 1.0

    def _left(self) -> str:
        left = self.remaining()
        return f", about {duration(left)} left" if left else ""

    def _line(self, line: str) -> None:
        self.last_line = self.clock()
        self.say(line)
