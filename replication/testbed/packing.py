"""Packing of documents into rows of equal length: each whole, with positions and loss weights of its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor
from transformers import PreTrainedTokenizerFast

from replication.testbed.corpus import Document
from replication.testbed.models import Recipe

POOL = 256  # documents from which a row is filled

Encoded = tuple[list[int], list[float]]  # token ids of a document and the loss weight of each


@dataclass(frozen=True)
class Batch:
    """Packed rows.

    Attributes:
        ids: (R, T) int64 token ids, padded on the right.
        positions: (R, T) int64, counted from 0 within each document.
        weights: (R, T) float32 weight of predicting this token; 0 for padding and a document's first.
    """

    ids: Tensor
    positions: Tensor
    weights: Tensor


def encode(core: PreTrainedTokenizerFast, batch: list[Document], question_weight: float) -> list[Encoded]:
    """Return every document's tokens, BOS and EOS included.

    The weight is 0 for BOS, `question_weight` for what ends before the answer begins, 1 for the rest.
    """
    rows = []
    encodings = core.backend_tokenizer.encode_batch([doc.text for doc in batch])
    for doc, encoding in zip(batch, encodings, strict=True):
        ids = [*encoding.ids, core.eos_token_id]
        weights = [question_weight if end <= doc.question_end else 1.0 for _, end in encoding.offsets]
        rows.append((ids, [0.0, *weights[1:], 1.0]))
    return rows


def batches(core: PreTrainedTokenizerFast, stream: Iterator[Document], recipe: Recipe) -> Iterator[Batch]:
    """Yield packed batches without end; rows are filled first fit from a pool of documents, none is cut."""
    pool: list[Encoded] = []
    while True:
        rows = []
        for _ in range(recipe.rows):
            if len(pool) < POOL:
                fresh = encode(core, list(islice(stream, 2 * POOL)), recipe.question_weight)
                pool += [doc for doc in fresh if len(doc[0]) <= recipe.row_tokens]
            rows.append(_fill(pool, recipe.row_tokens))
        yield stack(rows, recipe.row_tokens, core.pad_token_id)


def _fill(pool: list[Encoded | None], room: int) -> list[Encoded]:
    """Take documents from the front of the pool, then whatever still fits."""
    row = []
    for index in range(len(pool)):
        if pool[index] is not None and len(pool[index][0]) <= room:
            row.append(pool[index])
            room -= len(pool[index][0])
            pool[index] = None
            if room < 8:
                break
    pool[:] = [doc for doc in pool if doc is not None]
    return row


def stack(rows: list[list[Encoded]], length: int, pad: int) -> Batch:
    """Return rows of encoded documents as a batch of `length` tokens a row, filled up with `pad`."""
    ids = torch.full((len(rows), length), pad)
    positions = torch.zeros((len(rows), length), dtype=torch.long)
    weights = torch.zeros((len(rows), length))
    for r, row in enumerate(rows):
        start = 0
        for tokens, weight in row:
            end = start + len(tokens)
            ids[r, start:end] = torch.tensor(tokens)
            positions[r, start:end] = torch.arange(len(tokens))
            weights[r, start:end] = torch.tensor(weight)
            start = end
    return Batch(ids, positions, weights)
