"""What the jobs of a run report: a file of JSON lines for each job, so that no two machines write to one."""

import json
import os
import time
from pathlib import Path
from typing import Any


def report(folder: Path, rule: str, label: str, state: str, **details: Any) -> dict[str, Any]:
    """Append one event of a job, a line written at once, and return it.

    Args:
        folder: where the events of the run lie.
        rule: name of the job's rule, the stem of its file.
        label: notebook.
        state: "started", "done" or "failed".
        **details: plain values.
    """
    event = {"notebook": label, "state": state, "time": round(time.time(), 1), **details}
    folder.mkdir(parents=True, exist_ok=True)
    handle = os.open(folder / f"{rule}.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(handle, f"{json.dumps(event)}\n".encode())
    finally:
        os.close(handle)
    return event


def last(folder: Path, rule: str) -> dict[str, Any]:
    """Return the last event of a job in this run, {} when it has reported nothing."""
    path = folder / f"{rule}.jsonl"
    found = _parsed(path.read_bytes().split(b"\n")) if path.is_file() else []
    return found[-1] if found else {}


def _parsed(lines: list[bytes]) -> list[dict[str, Any]]:
    """Return the events of whole lines; what a full disk or a kill has cut off is no event."""
    found = []
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict) and {"notebook", "state"} <= set(event):
            found.append(event)
    return found


class Reader:
    """The events of all jobs, each given once.

    Args:
        folder: where the events of the run lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._read: dict[Path, int] = {}

    def new(self) -> list[dict[str, Any]]:
        """Return the events since the last call, those of one job in order.

        Files are opened anew each time: on a network file system only that shows what another machine wrote.
        """
        found = []
        for path in sorted(self.folder.glob("*.jsonl")):
            with path.open("rb") as file:
                file.seek(self._read.get(path, 0))
                whole = file.read().rpartition(b"\n")[0]
            if whole:
                self._read[path] = self._read.get(path, 0) + len(whole) + 1
                found += _parsed(whole.split(b"\n"))
        return found
