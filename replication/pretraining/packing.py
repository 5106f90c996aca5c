"""Documents packed into blocks of equal length, once and for all: what is scored is what is trained on.

Each document is whole and stands alone: positions restart at its first token, and transformers keeps
documents apart by them. Its first token has no context and is no target.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from replication.settings import InputError

if TYPE_CHECKING:
    from datasets import Dataset

    from replication.testbed.web import Page

IGNORED = -100
NO_LABEL = -1
WINDOW = 48  # documents among which one that still fits is looked for


@dataclass(frozen=True)
class Blocks:
    """Packed documents.

    Attributes:
        ids: (N, T) int64 token ids, padded on the right.
        labels: (N, T) int64, the ids again, `IGNORED` at padding and at the first token of a document.
        positions: (N, T) int64, counted from 0 within each document.
        gold: (N, T) int8, what each token is by construction (an index of `names`), `NO_LABEL` where unknown.
        names: names of the gold labels.
    """

    ids: np.ndarray
    labels: np.ndarray
    positions: np.ndarray
    gold: np.ndarray
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Return the number of blocks."""
        return len(self.ids)

    @property
    def targets(self) -> int:
        """Number of tokens that are predicted."""
        return int((self.labels != IGNORED).sum())

    @property
    def digest(self) -> str:
        """16 hexadecimal digits of the content."""
        parts = (self.ids, self.labels, self.positions)
        content = b"".join(np.ascontiguousarray(part, dtype="<i8").tobytes() for part in parts)
        return hashlib.sha256(content).hexdigest()[:16]

    def rows(self, chosen: Sequence[int] | slice) -> "Blocks":
        """Return some of the blocks."""
        parts = (self.ids, self.labels, self.positions, self.gold)
        return Blocks(*(part[chosen] for part in parts), self.names)

    def joined(self, other: "Blocks") -> "Blocks":
        """Return these blocks and those of another packing of the same length, one after the other."""
        pairs = ((self.ids, other.ids), (self.labels, other.labels), (self.positions, other.positions),
                 (self.gold, other.gold))  # fmt: skip
        return Blocks(*(np.concatenate(pair) for pair in pairs), self.names)

    def dataset(self, **columns: np.ndarray) -> "Dataset":
        """Return the blocks as a data set, further (N, T) columns beside them and the block's number."""
        from datasets import Dataset

        own = {"input_ids": self.ids, "labels": self.labels, "position_ids": self.positions}
        return Dataset.from_dict({**own, **columns, "block": np.arange(len(self))}).with_format("numpy")


Encoded = tuple[list[int], list[int]]  # token ids of a document and the gold label of each


def encode(tokenizer: object, pages: Sequence["Page"], names: Sequence[str]) -> list[Encoded]:
    """Return the tokens of pages, BOS and EOS included, each with the gold label of its last character.

    Args:
        tokenizer: a fast tokenizer of transformers.
        pages: labelled pages.
        names: the labels; BOS and EOS have none.
    """
    index = {name: place for place, name in enumerate(names)}
    found = tokenizer([page.text for page in pages], return_offsets_mapping=True, add_special_tokens=False)
    bos, eos = tokenizer.bos_token_id, tokenizer.eos_token_id
    rows = []
    for page, ids, offsets in zip(pages, found["input_ids"], found["offset_mapping"], strict=True):
        gold = [index[name] for name in page.label_at([end for _, end in offsets])]
        front, back = ([bos] if bos is not None else []), ([eos] if eos is not None else [])
        rows.append(([*front, *ids, *back], [NO_LABEL] * len(front) + gold + [NO_LABEL] * len(back)))
    return rows


def pack(
    documents: Iterable[Encoded], blocks: int, length: int, pad: int, names: Sequence[str] = ()
) -> Blocks:
    """Return `blocks` blocks of `length` tokens filled with whole documents, first fit within a window.

    Documents longer than a block are left out.

    Raises:
        InputError: a block or length below 1 or 2, or too few documents.
    """
    if blocks < 1 or length < 2:
        raise InputError(f"Packing needs 1 block and 2 tokens or more, got {blocks} and {length}.")
    shape = (blocks, length)
    ids, labels = np.full(shape, pad, dtype=np.int64), np.full(shape, IGNORED, dtype=np.int64)
    positions, gold = np.zeros(shape, dtype=np.int64), np.full(shape, NO_LABEL, dtype=np.int8)
    stream = (document for document in documents if len(document[0]) <= length)
    waiting: list[Encoded] = []
    for row in range(blocks):
        start = 0
        while (chosen := _next(stream, waiting, length - start)) is not None:
            tokens, own = chosen
            end = start + len(tokens)
            ids[row, start:end], gold[row, start:end] = tokens, own
            labels[row, start + 1 : end] = tokens[1:]
            positions[row, start:end] = np.arange(len(tokens))
            start = end
        if not start:
            raise InputError(f"Only {row} of {blocks} blocks could be filled: give more documents.")
    return Blocks(ids, labels, positions, gold, tuple(names))


def _next(stream: Iterable[Encoded], waiting: list[Encoded], room: int) -> Encoded | None:
    """Take the first waiting document that fits; the window is filled up from the stream before."""
    while len(waiting) < WINDOW and (document := next(iter(stream), None)) is not None:
        waiting.append(document)
    place = next((i for i, document in enumerate(waiting) if len(document[0]) <= room), None)
    return None if place is None else waiting.pop(place)
