"""Records of more questions than memory holds: computed, kept and read a chunk at a time.

A stage of `replication.lm.records` ends as one table. Here the questions come from any iterable, each chunk's
records are a file of their own, and one chunk is in memory at a time; so 100,000 questions take the memory of
1,000. What is wanted of all of them (a share, a count) is added up while they pass.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replication.lm import meter, shards
from replication.lm.records import ENGINE, canonical, read_frame, source_hash, write_frame
from replication.settings import InputError

if TYPE_CHECKING:
    import pandas as pd


def stream(
    folder: Path,
    name: str,
    key: Mapping[str, object],
    items: Iterable[Any],
    run: "Callable[[list[Any]], pd.DataFrame]",
    *,
    chunk: int = 200,
    modules: Sequence[str] = ENGINE,
) -> "Iterator[pd.DataFrame]":
    """Give the table of one chunk of items after the other, from disk where it is there, else computed.

    What is computed is kept in `<folder>/<name>-<12 hexadecimal digits>.stream/NNNNNN.parquet`. The items of
    a chunk belong to the key of its file only, so items are taken when they are needed, and a longer run goes
    on where a shorter one ended. Of several processes at the same stream, one computes a chunk and the others
    wait for it.

    Args:
        folder: folder of the records; made when needed.
        name: name of the stream, letters, digits, "_" and "-".
        key: everything that determines the tables besides code and items.
        items: plain values or dataclasses of such, a question each; taken a chunk at a time.
        run: makes the table of a list of items.
        chunk: number of items a chunk.
        modules: modules whose code, with all they import from the package, determines the tables.

    Raises:
        InputError: a key that JSON cannot hold, a name that is no file name, or a chunk below 1.
    """
    if not name or not all(character.isalnum() or character in "_-" for character in name):
        raise InputError(f"{name!r} cannot name a stream: use letters, digits, '_' and '-'.")
    if chunk < 1:
        raise InputError(f"The stream {name!r} needs chunks of at least 1, got {chunk}.")
    common = {"name": name, "key": key, "chunk": chunk, "code": source_hash(*modules)}
    stem = f"{name}-{_digest(common)[:12]}"
    return _tables(folder / f"{stem}.stream", stem, common, iter(items), run)


def _tables(
    parts: Path,
    stem: str,
    common: Mapping[str, Any],
    items: Iterator[Any],
    run: "Callable[[list[Any]], pd.DataFrame]",
) -> "Iterator[pd.DataFrame]":
    """Give the tables of a stream whose files lie in `parts`."""
    number = 0
    while piece := list(islice(items, common["chunk"])):
        own = canonical({**common, "part": number, "items": _digest(piece)})
        path = parts / f"{number:06d}.parquet"
        table = read_frame(path, own)
        if table is None:
            with shards.holding(parts / ".locks" / f"{path.stem}.lock"):
                table = read_frame(path, own)  # another process may have finished it meanwhile
                if table is None:
                    with meter.measured(stem):
                        write_frame(path, run(piece), own)
                    table = read_frame(path, own)  # as later runs see it
        if table is None:
            raise OSError(f"{path} could not be read back: check the disk.")
        yield table
        number += 1


def _digest(value: object) -> str:
    """Return the SHA-256 of a plain value, hexadecimal."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()
