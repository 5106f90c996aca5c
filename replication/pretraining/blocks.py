"""Blocks of tokens, the rows that a model is trained on: packed from texts, numbered, told apart by content.

A block has `input_ids`; `labels`, the ids unless given, with -100 for tokens that are not to be predicted;
and maybe `position_ids`, which restart where a document must not see the one before. Losses of a reference
model belong to blocks, not to texts: they depend on all that a token can see.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from replication.pretraining.token_losses import IGNORED
from replication.settings import InputError

PACKINGS = ("concatenated", "documents")
PROBE = "Q: If 3x + 12 = 48, then x^2 = ?\n\tA:  Ünïcode — “144”.\n"
Row = dict[str, Any]


def pack(documents: Iterable[Sequence[int]], block_length: int, packing: str) -> Iterator[Row]:
    """Yield the blocks of tokenised documents, in their order; nothing is shuffled.

    "concatenated" joins all documents and cuts every `block_length` tokens, as is usual in pretraining: a
    token may see the end of the document before, and what does not fill a block at the end is left out.
    "documents" puts whole documents side by side with positions that restart and no target for their first
    token; longer ones are cut into pieces.

    Args:
        documents: ids of each text, with whatever begins and ends it.
        block_length: tokens of a block, at least 2.
        packing: one of `PACKINGS`.

    Raises:
        InputError: an unknown packing or a block too short.
    """
    if packing not in PACKINGS:
        raise InputError(f"Unknown packing {packing!r}: choose one of {', '.join(PACKINGS)}.")
    if block_length < 2:
        raise InputError(f"A block needs 2 tokens or more, got block_length {block_length}.")
    return (_concatenated if packing == "concatenated" else _documents)(documents, block_length)


def _concatenated(documents: Iterable[Sequence[int]], length: int) -> Iterator[Row]:
    waiting: list[int] = []
    for ids in documents:
        waiting += ids
        whole = len(waiting) // length * length
        for start in range(0, whole, length):
            yield {"input_ids": waiting[start : start + length]}
        del waiting[:whole]


def _documents(documents: Iterable[Sequence[int]], length: int) -> Iterator[Row]:
    row: Row = {"input_ids": [], "labels": [], "position_ids": []}
    for document in documents:
        for start in range(0, len(document), length):
            ids = list(document[start : start + length])
            if len(row["input_ids"]) + len(ids) > length:
                yield row
                row = {"input_ids": [], "labels": [], "position_ids": []}
            row["input_ids"] += ids
            row["labels"] += [IGNORED, *ids[1:]]
            row["position_ids"] += range(len(ids))
    if row["input_ids"]:
        yield row


def digest(row: Mapping[str, Any]) -> int:
    """Return a signed 64-bit hash of what a block shows and asks: ids, labels and positions."""
    ids = _int32(row["input_ids"])
    labels = ids if row.get("labels") is None else _int32(row["labels"])
    if row.get("position_ids") is None:
        positions = np.arange(len(ids), dtype=np.int32)
    else:
        positions = _int32(row["position_ids"])
    content = hashlib.blake2b(digest_size=8)
    for values in (ids, labels, positions):
        content.update(len(values).to_bytes(8, "little"))
        content.update(values.tobytes())
    return int.from_bytes(content.digest(), "little", signed=True)


def row_targets(row: Mapping[str, Any]) -> NDArray[np.int32]:
    """Return what each position of a block has to predict: (T,) int32, -100 where nothing, so at the end."""
    labels = _int32(row["input_ids"] if row.get("labels") is None else row["labels"])
    return np.append(labels[1:], np.int32(IGNORED))


def tokenizer_hash(tokenizer: Any) -> str:
    """Return 16 hexadecimal digits of a tokenizer: its entries with their ids, and how it cuts a sample."""
    sample = tokenizer(PROBE, add_special_tokens=False)["input_ids"]
    text = json.dumps([sorted(tokenizer.get_vocab().items()), list(sample)])
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _int32(values: Any) -> NDArray[np.int32]:
    return np.ascontiguousarray(np.asarray(values), dtype=np.int32)
