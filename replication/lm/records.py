"""Records on disk: a stage of an experiment is computed once per key, survives a kill, never half-appears.

A stage lies in `<name>-<12 hexadecimal digits>.parquet`; the digits are a hash of everything that determines
it, and that key is kept in the file. While it is computed, its finished chunks lie in
`<name>-<digits>.parts/`; where several workers share the records, they are what is shared out
(`replication.lm.shards`).
"""

import dataclasses
import hashlib
import json
import shutil
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replication.files import write_atomic
from replication.lm import meter, shards
from replication.lm.sources import source_hash
from replication.settings import InputError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Store", "canonical", "read_frame", "source_hash", "write_atomic", "write_frame"]

METADATA = b"replication"
# In the footer stands the checksum of the file as it is with zeros in the place of the checksum.
CHECKSUM, BLANK = b"replication.sha256", b"sha256:" + bytes(64).replace(b"\0", b"0")
ENGINE = ("replication.lm.engine",)
PLAIN = {int, float, str, bool, type(None)}


def canonical(value: object) -> str:
    """Return a value as JSON with sorted keys, the same for equal values.

    Dataclasses count as mappings, tuples as lists, numpy scalars as numbers, paths as text.

    Raises:
        InputError: something else that JSON cannot hold, keys of mappings that are not text, or NaN.
    """
    try:
        return json.dumps(
            _plain(value), sort_keys=True, allow_nan=False, separators=(",", ":"), ensure_ascii=False
        )
    except (TypeError, ValueError) as error:
        raise InputError(
            f"A key of records needs plain values ({error}): use numbers, text, lists, mappings."
        ) from error


def _plain(value: Any) -> Any:
    """Return a value made of what JSON knows."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        if wrong := [key for key in value if not isinstance(key, str)]:
            raise TypeError(f"the mapping key {wrong[0]!r} is not text")
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        if PLAIN.issuperset(map(type, value)):  # token ids, of which a key may hold a million
            return list(value)
        return [_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (str, int, float)) or value is None:
        return value
    if type(value).__module__ == "numpy" and getattr(value, "shape", None) == ():
        return value.item()
    raise TypeError(f"{type(value).__name__} is not plain")


def write_frame(path: Path, table: "pd.DataFrame", key: str) -> None:
    """Write a table as Parquet, atomically; equal tables and keys give equal bytes.

    Args:
        path: the file.
        table: any table; its index is not kept.
        key: text kept in the file's metadata, for `read_frame`.

    Raises:
        InputError: the disk is full.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    data = pa.Table.from_pandas(table, preserve_index=False)
    # The metadata that pandas adds names versions; only the key is kept.
    data = data.replace_schema_metadata({METADATA: key.encode()})
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(
        sink, data.schema, compression="zstd", compression_level=3, version="2.6", write_page_checksum=True
    ) as writer:
        writer.write_table(data, row_group_size=2**17)
        writer.add_key_value_metadata({CHECKSUM: BLANK})
    content = sink.getvalue().to_pybytes()
    write_atomic(path, _stamped(content))


def _stamped(content: bytes) -> bytes:
    """Return a file's content with its checksum in the place that is kept for it."""
    place = content.rindex(BLANK)
    stamp = b"sha256:" + hashlib.sha256(content).hexdigest().encode()
    return b"".join((content[:place], stamp, content[place + len(BLANK) :]))


def _intact(content: bytes, stamp: bytes) -> bool:
    """Tell whether a file's content has the checksum that stands in it."""
    place = content.rfind(stamp)
    digest = hashlib.sha256(content[:place])
    digest.update(BLANK)
    digest.update(memoryview(content)[place + len(BLANK) :])
    return stamp == b"sha256:" + digest.hexdigest().encode()


def read_frame(path: Path, key: str) -> "pd.DataFrame | None":
    """Return the table of a file, or None when it is missing, damaged, or was written under another key.

    A file that is there and is not what its name says gives a warning: it will be computed again.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        return _refused(path, f"cannot be read ({error.strerror})")
    try:
        file = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
        about = file.metadata.metadata or {}
        # Files of earlier versions have no checksum of the whole, only those of their pages.
        if CHECKSUM in about and not _intact(content, about[CHECKSUM]):
            return _refused(path, "is damaged")
        if about.get(METADATA) != key.encode():
            return _refused(path, "holds something else than its name says")
        return file.read().replace_schema_metadata(None).to_pandas()
    except (pa.ArrowException, OSError, ValueError):
        return _refused(path, "is damaged")


def _refused(path: Path, why: str) -> None:
    """Warn that a file is not used."""
    warnings.warn(f"{path.name} {why}: it is computed again.", RuntimeWarning, stacklevel=3)


def _part(parts: Path, key: str, number: int) -> tuple[Path, str]:
    """Return the file of a chunk and its own key: chunks of a stage are not taken for each other."""
    return parts / f"{number:04d}.parquet", f"{key}#{number}"


class Store:
    """The records of one folder.

    Args:
        folder: where the files lie; made when needed.
        progress: called as `progress(name, done, total)` after each chunk.

    Attributes:
        computed: number of stages computed so far, wholly or from a chunk on.
        reused: number of stages found on disk.
        chunks_computed: number of chunks computed.
    """

    def __init__(self, folder: Path | str, progress: Callable[[str, int, int], None] | None = None) -> None:
        self.folder = Path(folder)
        self.progress = progress
        meter.running()
        self.computed = self.reused = self.chunks_computed = 0

    def frame(
        self,
        name: str,
        key: Mapping[str, object],
        compute: "Callable[[], pd.DataFrame]",
        modules: Sequence[str] = ENGINE,
    ) -> "pd.DataFrame":
        """Return the table of a stage, from disk when it is there under the same key, else computed and kept.

        Args:
            name: name of the stage, letters, digits, "_" and "-".
            key: everything that determines the table besides code: fingerprint of the model, data,
                parameters.
            compute: makes the table.
            modules: modules whose code, with all they import from the package, determines the table.

        Raises:
            InputError: a key that JSON cannot hold, or a name that is no file name.
        """
        text = canonical({"name": name, "key": key, "code": source_hash(*modules)})
        return self._once(name, text, lambda parts: compute())

    def stage(
        self,
        name: str,
        key: Mapping[str, object],
        items: Sequence[Any],
        run: "Callable[[list[Any]], pd.DataFrame]",
        *,
        chunk: int = 200,
        modules: Sequence[str] = ENGINE,
    ) -> "pd.DataFrame":
        """Return the table of a stage that goes through items, `chunk` of them at a time.

        Finished chunks are kept, so a run that was killed goes on with the first unfinished one. The items
        belong to the key, and so does the size of the chunks (another batch may change the last digit of a
        measure).

        Args:
            name: as in `frame`.
            key: as in `frame`, without the items.
            items: plain values or dataclasses of such, at least one: what the stage works on, a question
                each.
            run: makes the table of a list of items; the tables of all chunks are joined in order.
            chunk: number of items a chunk.
            modules: as in `frame`.

        Raises:
            InputError: as `frame`; no items, or a chunk below 1.
        """
        items = list(items)
        if not items or chunk < 1:
            raise InputError(f"The stage {name!r} needs at least one item and chunks of at least 1.")
        digest = hashlib.sha256(canonical(items).encode()).hexdigest()
        text = canonical(
            {
                "name": name,
                "key": key,
                "items": digest,
                "n": len(items),
                "chunk": chunk,
                "code": source_hash(*modules),
            }
        )
        pieces = [items[start : start + chunk] for start in range(0, len(items), chunk)]
        return self._once(
            name,
            text,
            lambda parts: self._chunks(name, text, pieces, run, parts),
            lambda path, parts: self._share(path, text, pieces, run, parts),
        )

    def _chunks(
        self,
        name: str,
        key: str,
        pieces: Sequence[list[Any]],
        run: "Callable[[list[Any]], pd.DataFrame]",
        parts: Path,
    ) -> "pd.DataFrame":
        """Return the joined tables of all pieces, each read from its part or computed and kept there."""
        import pandas as pd

        tables = []
        for number, piece in enumerate(pieces):
            part = _part(parts, key, number)
            table = read_frame(*part)
            if table is None:
                table = run(piece)
                write_frame(part[0], table, part[1])
                self.chunks_computed += 1
            tables.append(table)
            if self.progress is not None:
                self.progress(name, number + 1, len(pieces))
        return pd.concat(tables, ignore_index=True)

    def _share(
        self,
        path: Path,
        key: str,
        pieces: Sequence[list[Any]],
        run: "Callable[[list[Any]], pd.DataFrame]",
        parts: Path,
    ) -> None:
        """Compute the parts that no other worker computes, until all are there or the table `path` is."""
        missing = dict(enumerate(pieces))
        while missing and not path.is_file():
            before = len(missing)
            for number, piece in list(missing.items()):
                with shards.attempt(self._lock(f"{path.stem}-{number:04d}")) as mine:
                    if not mine:
                        continue
                    part = _part(parts, key, number)
                    # The table last: parts are removed once it is there.
                    if read_frame(*part) is None and not path.is_file():
                        write_frame(part[0], run(piece), part[1])
                        self.chunks_computed += 1
                del missing[number]
            if len(missing) == before:
                shards.pause()

    def _lock(self, stem: str) -> Path:
        """Return the file of a lock, its folder made."""
        locks = self.folder / ".locks"
        locks.mkdir(parents=True, exist_ok=True)
        return locks / f"{stem}.lock"

    def _once(
        self,
        name: str,
        key: str,
        compute: "Callable[[Path], pd.DataFrame]",
        share: "Callable[[Path, Path], None] | None" = None,
    ) -> "pd.DataFrame":
        """Return the table under `key`; of several processes that ask, one computes and the others wait.

        Several workers come together first in `share`, which takes the path and the folder of the parts.
        """
        if not name or not all(character.isalnum() or character in "_-" for character in name):
            raise InputError(f"{name!r} cannot name a stage: use letters, digits, '_' and '-'.")
        stem = f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
        path, parts = self.folder / f"{stem}.parquet", self.folder / f"{stem}.parts"
        table = read_frame(path, key)
        if table is None:
            if share is not None and shards.shared():
                share(path, parts)
            with shards.holding(self._lock(stem)):
                table = read_frame(path, key)  # another process may have finished it meanwhile
                if table is None:
                    return self._compute(path, parts, key, compute)
        self.reused += 1
        meter.reused(stem)
        return table

    def _compute(
        self, path: Path, parts: Path, key: str, compute: "Callable[[Path], pd.DataFrame]"
    ) -> "pd.DataFrame":
        """Return the computed table as read from disk, so that a first run sees what later ones see."""
        for left in self.folder.glob(f".{path.stem}-*"):  # half-written by a process that was killed
            left.unlink(missing_ok=True)
        with meter.measured(path.stem):
            write_frame(path, compute(parts), key)
        shutil.rmtree(parts, ignore_errors=True)
        self.computed += 1
        table = read_frame(path, key)
        if table is None:
            raise OSError(f"{path} could not be read back: check the disk.")
        return table
