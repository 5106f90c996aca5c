"""A process that ends when another one does, so that a killed run leaves nothing behind that still writes.

On one machine the other process is watched itself. On another one, the node of a cluster, it cannot be seen;
there a file that it touches every few seconds stands for it.
"""

import os
import socket
import threading
import time
from pathlib import Path

LEADER = "REPLICATION_LEADER"
FOLLOW = "REPLICATION_FOLLOW"
POLL_SECONDS = 0.3
BEAT_SECONDS = 10.0
PATIENCE_SECONDS = 180.0


def name() -> str:
    """Return what tells this process from those of other machines, for the variable of its followers."""
    return f"{os.getpid()}@{socket.gethostname()}"


def follow(variable: str, pulse: Path | None = None) -> None:
    """End this process, at once and without clean-up, as soon as the process named by the variable is gone.

    Does nothing when the variable is not set, or is the bare id of no process. One named with its machine
    was there when it set the variable: when it has gone by now, this process ends at once. Files are safe:
    all are written beside and renamed.

    Args:
        variable: environment variable that holds a process id, or the `name` of a process.
        pulse: file that the process keeps touching (`beat`), watched when it runs on another machine.
    """
    text, _, host = os.environ.get(variable, "").partition("@")
    if not text.isdecimal():
        return
    if host and host != socket.gethostname():
        if pulse is not None:
            threading.Thread(target=_watch_file, args=(pulse,), daemon=True).start()
    elif started := _started(int(text)):
        threading.Thread(target=_watch, args=(int(text), started), daemon=True).start()
    elif host:
        os._exit(1)


def beat(pulse: Path) -> None:
    """Touch a file now and every few seconds, as long as this process lives."""
    pulse.touch()
    threading.Thread(target=_beat, args=(pulse,), daemon=True).start()


def _beat(pulse: Path) -> None:
    while True:
        time.sleep(BEAT_SECONDS)
        try:
            pulse.touch()
        except OSError:  # a file server that does not answer may come back
            continue


def _watch_file(pulse: Path) -> None:
    """End the process when the file has not changed for a while by the clock of this machine."""
    seen, since = 0, time.monotonic()
    while time.monotonic() - since < PATIENCE_SECONDS:
        try:
            changed = pulse.stat().st_mtime_ns
        except OSError:
            changed = seen
        if changed != seen:
            seen, since = changed, time.monotonic()
        time.sleep(min(BEAT_SECONDS, PATIENCE_SECONDS) / 2)
    os._exit(1)


def _watch(pid: int, started: str) -> None:
    while _started(pid) == started:
        time.sleep(POLL_SECONDS)
    os._exit(1)


def _started(pid: int) -> str:
    """Return when a process started, "" when it is gone; tells a process from a later one of the same number.

    Where there is no /proc it says only whether the process is there.
    """
    if Path("/proc/self/stat").exists():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] in "ZX" else fields[19]
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        return "there"
    return "there"
