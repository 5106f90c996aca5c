"""Several workers at the same records: who computes what, and what one does while another computes.

Where `REPLICATION_SHARDS` names two or more workers, each of them runs the same notebook, and the *parts*
of its records spread over them: a chunk of questions of a stage, a table, a training. Whoever finds a part
missing claims it by a file with a heartbeat; the others go on with the next one, and wait only when every
part that is missing is being computed by somebody alive. The claim of a worker that died is taken over: at
once on the same host, else after `LEASE_SECONDS` without a beat, by the clock of the one who waits. Parts
are what one process alone would have computed, batch for batch, so no number depends on the division.

Claims need of the shared folder only that a file is created once and can be renamed, as NFS, Lustre and
CephFS do. A worker that was stopped for longer than the lease and wakes up does its part a second time,
with the same content. Without the variable nothing of this takes place, and the locks are the system's own.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from filelock import SoftFileLease

VARIABLE = "REPLICATION_SHARDS"
LEASE_SECONDS = 60.0
POLL_SECONDS = 0.5
# A claim is written right after it was created; one that stays empty is that of a worker that died in
# between, or of a full disk, and no lease runs out on it.
BLANK_SECONDS = 10.0

Item, Row, Column, Found = TypeVar("Item"), TypeVar("Row"), TypeVar("Column"), TypeVar("Found")


class Held(RuntimeError):
    """What is wanted is being computed by another worker; `each` goes on with something else."""


class _Nesting:
    """How many calls of `each` this process is in; a notebook has one thread."""

    depth = 0


def shared() -> bool:
    """Tell whether several workers share the records."""
    text = os.environ.get(VARIABLE, "")
    return text.isdecimal() and int(text) > 1


def each(function: Callable[[Item], Found], items: Sequence[Item]) -> list[Found]:
    """Return `[function(item) for item in items]`, for items that do not need each other.

    Of several workers, each goes on with the next item where another one computes what an item needs, and
    comes back to it; so `function` may be called more than once, and should leave what takes time to records.
    """
    if not shared():
        return [function(item) for item in items]
    found: dict[int, Found] = {}
    while len(found) < len(items):
        before = len(found)
        for place, item in enumerate(items):
            if place not in found:
                _try(function, item, place, found)
        if len(found) == before:
            pause()
    return [found[place] for place in range(len(items))]


def grid(
    function: Callable[[Row, Column], Found], rows: Iterable[Row], columns: Iterable[Column]
) -> dict[Row, list[Found]]:
    """Return `function(row, column)` of every row, a list over the columns, computed as by `each`."""
    rows, columns = list(rows), list(columns)
    found = iter(each(lambda cell: function(*cell), [(row, column) for row in rows for column in columns]))
    return {row: [next(found) for _ in columns] for row in rows}


def _try(function: Callable[[Any], Any], item: Any, place: int, found: dict[int, Any]) -> None:
    """Keep what `function` makes of an item, unless another worker is at it."""
    _Nesting.depth += 1
    try:
        found[place] = function(item)
    except Held:
        pass
    finally:
        _Nesting.depth -= 1


def pause() -> None:
    """Wait a moment for the others, or raise `Held` where `each` has something else to try."""
    if _Nesting.depth:
        raise Held("another worker is at it")
    time.sleep(POLL_SECONDS)


@contextmanager
def holding(path: Path) -> Iterator[None]:
    """Hold a lock among the processes of a run, after waiting for it.

    Args:
        path: file of the lock; its folder is made.

    Raises:
        Held: another worker has it, and `each` has something else to try.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not shared():
        from filelock import FileLock

        with FileLock(path):
            yield
        return
    while True:
        with attempt(path) as mine:
            if mine:
                yield
                return
        pause()


@contextmanager
def attempt(path: Path) -> Iterator[bool]:
    """Claim a part without waiting; gives whether it is ours until the end of the block.

    Args:
        path: file of the claim; its folder exists.
    """
    from filelock import Timeout

    claim = path.with_suffix(".claim")
    lease = _lease(claim, LEASE_SECONDS)
    try:
        lease.acquire(blocking=False)
    except Timeout:
        _remove_blank(claim)
        yield False
        return
    try:
        yield True
    finally:
        lease.release()


def _remove_blank(claim: Path) -> None:
    """Remove a claim that has been empty for a while, by this process's own clock."""
    try:
        about = claim.stat()
    except OSError:
        return
    if about.st_size:
        _blanks.pop(claim, None)
        return
    state, now = (about.st_ino, about.st_mtime_ns, about.st_ctime_ns), time.monotonic()
    seen, since = _blanks.setdefault(claim, (state, now))
    if seen != state:
        _blanks[claim] = (state, now)
    elif now - since >= BLANK_SECONDS:
        claim.unlink(missing_ok=True)


_blanks: dict[Path, tuple[tuple[int, int, int], float]] = {}


@cache
def _lease(path: Path, seconds: float) -> "SoftFileLease":
    """Return the claim of a file, always the same object, which remembers since when it has seen no beat."""
    from filelock import SoftFileLease

    return SoftFileLease(path, lease_duration=seconds)
