"""Rows of a data set as the tensors of a micro-batch: padded on the right, aligned with the ids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from replication.pretraining.token_losses import IGNORED
from replication.settings import InputError

LOSS, ENTROPY, BLOCK, KEEP = "reference_loss", "reference_entropy", "block", "keep"
FILLING = {"labels": (IGNORED, torch.long), LOSS: (0.0, torch.float32), ENTROPY: (0.0, torch.float32),
           KEEP: (False, torch.bool)}  # fmt: skip


@dataclass(frozen=True)
class Collator:
    """Makes micro-batches for `SelectiveTrainer`.

    Ids are padded with `pad_id`, labels with -100, reference losses and entropies with 0, static masks with
    False; positions go on counting. There is no attention mask: behind a causal one no real token sees
    padding. Labels are the ids where the data has none. Other columns are left out.

    Attributes:
        pad_id: id that fills rows, any of the model's.
    """

    pad_id: int = 0

    def __call__(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, Tensor]:
        """Return (B, T) tensors of ids, labels and each known column; `block` is (B,).

        Raises:
            InputError: rows without ids, or a column of another length than the ids.
        """
        if any("input_ids" not in row for row in rows):
            raise InputError("The data has no column input_ids: tokenise and pack the texts first.")
        lengths = [len(row["input_ids"]) for row in rows]
        batch = {"input_ids": _filled(rows, "input_ids", lengths, self.pad_id, torch.long)}
        for name, (value, dtype) in FILLING.items():
            source = "input_ids" if name == "labels" and rows[0].get(name) is None else name
            if rows[0].get(source) is not None:
                batch[name] = _filled(rows, source, lengths, value, dtype)
        if rows[0].get("position_ids") is not None:
            batch["position_ids"] = _positions(rows, lengths)
        if rows[0].get(BLOCK) is not None:
            batch[BLOCK] = torch.tensor([int(row[BLOCK]) for row in rows])
        return batch


def _filled(
    rows: Sequence[Mapping[str, Any]], name: str, lengths: list[int], value: Any, dtype: torch.dtype
) -> Tensor:
    """Return a column as (B, T), filled up with `value`."""
    filled = torch.full((len(rows), max(lengths)), value, dtype=dtype)
    for i, (row, length) in enumerate(zip(rows, lengths, strict=True)):
        values = np.asarray(row[name])
        if len(values) != length:
            raise InputError(f"The column {name} has {len(values)} values for {length} tokens: align it.")
        filled[i, :length] = torch.as_tensor(values)
    return filled


def _positions(rows: Sequence[Mapping[str, Any]], lengths: list[int]) -> Tensor:
    """Return positions as (B, T); padding goes on counting, as if it were of the last document."""
    width = max(lengths)
    positions = torch.zeros((len(rows), width), dtype=torch.long)
    for i, (row, length) in enumerate(zip(rows, lengths, strict=True)):
        own = torch.as_tensor(np.asarray(row["position_ids"])).long()
        positions[i, :length] = own
        positions[i, length:] = own[-1] + 1 + torch.arange(width - length)
    return positions
