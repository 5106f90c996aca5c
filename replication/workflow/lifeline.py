"""A process that ends when another one does, so that a killed run leaves nothing behind that still writes."""

import os
import threading
import time
from pathlib import Path

LEADER = "REPLICATION_LEADER"
FOLLOW = "REPLICATION_FOLLOW"
POLL_SECONDS = 0.3


def follow(variable: str) -> None:
    """End this process, at once and without clean-up, as soon as the process named by the variable is gone.

    Does nothing when the variable is not set or names no process. Files are safe: all are written beside and
    renamed.
    """
    text = os.environ.get(variable, "")
    if not text.isdecimal() or not (started := _started(int(text))):
        return
    threading.Thread(target=_watch, args=(int(text), started), daemon=True).start()


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
