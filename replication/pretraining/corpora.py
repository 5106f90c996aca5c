"""Texts from files or the hub, as blocks on disk that are read when they are used."""

import json
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any

from replication.files import checksum, write_atomic
from replication.pretraining.blocks import pack, tokenizer_hash
from replication.pretraining.config import Source, key
from replication.settings import InputError

if TYPE_CHECKING:
    from datasets import Dataset

KINDS = {".jsonl": "json", ".json": "json", ".parquet": "parquet"}
TOKENISED = 1000  # texts tokenised at a time
WRITTEN = 1000  # blocks of one batch on disk


def texts(source: Source) -> Iterator[str]:
    """Yield the texts of a data set, in its order, without loading all of it.

    Raises:
        InputError: no such files or hub data set, or rows without the columns that the text is made of.
    """
    needed = [name for _, name, _, _ in Formatter().parse(source.text) if name]
    for row in _stream(source):
        if missing := [name for name in needed if row.get(name) is None]:
            raise InputError(
                f"A row of {source.path} lacks {', '.join(missing)}, it has {', '.join(row)}: set "
                "`text`, such as '{question}\\n{answer}'."
            )
        yield source.text.format(**row)


def check(source: Source) -> None:
    """Raise `InputError` unless the first text of a data set can be read."""
    if next(texts(source), None) is None:
        raise InputError(f"{source.path} holds no texts: name another file or split.")


def _stream(source: Source) -> Iterator[dict[str, Any]]:
    """Return the rows of a data set."""
    from datasets import load_dataset

    path = Path(source.path).expanduser()
    if path.exists():
        files = _local(path)
        kinds = {KINDS.get(file.suffix) for file in files}
        if len(kinds) != 1 or None in kinds:
            raise InputError(f"{path} needs files of one kind, .jsonl, .json or .parquet, and at least one.")
        options = {"path": kinds.pop(), "data_files": [str(file) for file in files], "split": "train"}
    elif source.path.count("/") != 1 or source.path[0] in "./~":
        raise InputError(
            f"The data {source.path!r} does not exist: give a file, a folder or a hub id (org/name)."
        )
    else:
        options = {"path": source.path, "split": source.split, "name": source.name or None,
                   "revision": source.revision or None}  # fmt: skip
    try:
        yield from load_dataset(**options, streaming=True)
    except InputError:
        raise
    except Exception as error:  # the library's readers raise errors of many kinds
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"The data {source.path!r} cannot be read: {reason}.") from error


def _local(path: Path) -> list[Path]:
    """Return the files of a local data set, sorted."""
    return [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.suffix in KINDS)


def _files(source: Source) -> list[list[object]]:
    """Return name, size and time of a local data set's files, so that changed ones are packed again."""
    stats = [(file.name, file.stat()) for file in _local(Path(source.path).expanduser())]
    return [[name, stat.st_size, stat.st_mtime_ns] for name, stat in stats]


def documents(sources: Sequence[Source], tokenizer: Any) -> Iterator[list[int]]:
    """Yield the ids of each text: the tokenizer's special tokens, and end of text behind it."""
    end = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
    for source in sources:
        taken, stream = 0, texts(source)
        while (batch := list(islice(stream, TOKENISED))) and (not source.tokens or taken < source.tokens):
            for ids in tokenizer(batch, return_attention_mask=False, verbose=False)["input_ids"]:
                if source.tokens and taken >= source.tokens:
                    break
                taken += len(ids) + len(end)
                yield [*ids, *end]


def blocks(
    folder: Path, sources: Sequence[Source], tokenizer: Any, block_length: int, packing: str
) -> "Dataset":
    """Return the blocks of data sets; made once and kept in `blocks.arrow`.

    Args:
        folder: where they lie; what was made of other sources, tokenizer or packing is replaced.
        sources: data sets, one behind the other.
        tokenizer: a transformers tokenizer.
        block_length: tokens of a block.
        packing: as in `blocks.pack`.

    Raises:
        InputError: texts that cannot be read, or too few to fill one block.
    """
    from datasets import Dataset

    path, facts = folder / "blocks.arrow", folder / "blocks.json"
    content = [[key(one), *_files(one)] for one in sources]
    about = key(content, tokenizer_hash(tokenizer), block_length, packing)
    if not _whole(path, facts, about):
        facts.unlink(missing_ok=True)
        rows = pack(documents(sources, tokenizer), block_length, packing)
        write_atomic(path, lambda beside: _write(beside, rows, packing))
        write_atomic(facts, json.dumps({"key": about, "sha256": checksum(path)}) + "\n")
    found = Dataset.from_file(str(path))
    if not len(found):
        raise InputError(f"The texts do not fill one block of {block_length} tokens: shorten block_length.")
    return found


def _whole(path: Path, facts: Path, about: str) -> bool:
    """Tell whether blocks of this key are there, just as they were written."""
    try:
        content = json.loads(facts.read_text(encoding="utf-8"))
        return content["key"] == about and content["sha256"] == checksum(path)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _write(path: Path, rows: Iterator[dict[str, Any]], packing: str) -> None:
    """Write blocks as an Arrow stream."""
    import pyarrow as pa

    names = ["input_ids"] if packing == "concatenated" else ["input_ids", "labels", "position_ids"]
    schema = pa.schema([(name, pa.list_(pa.int32())) for name in names])
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, schema) as writer:
        while batch := list(islice(rows, WRITTEN)):
            columns = [pa.array([row[name] for row in batch], pa.list_(pa.int32())) for name in names]
            writer.write_batch(pa.record_batch(columns, schema=schema))
