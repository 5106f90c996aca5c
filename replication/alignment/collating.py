"""Preference pairs as rows of a data set, and rows as the tensors of a batch.

Token ids are kept from sampling to training: nothing is decoded and tokenised again, so weights and reference
log-probabilities, one per id, stay those of the id.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from trl.trainer.dpo_trainer import DataCollatorForPreference

from replication.alignment.preferences import Pair, check
from replication.settings import InputError

if TYPE_CHECKING:
    from datasets import Dataset

IDS = ("prompt_ids", "chosen_ids", "rejected_ids")
WEIGHTS = "rejected_weights"
REFERENCES = ("ref_chosen", "ref_rejected")
EXTRA = (WEIGHTS, *REFERENCES)
Reference = Sequence[tuple[np.ndarray, np.ndarray]]
"""Per pair the reference's log-probabilities of the chosen and of the rejected tokens, float32 each."""


def dataset(pairs: Sequence[Pair], reference: Reference | None = None) -> "Dataset":
    """Return pairs as a data set with the columns of `IDS`, and those of `EXTRA` that are known.

    Args:
        pairs: at least one; weights are kept where all pairs have them.
        reference: per-token log-probabilities of the reference, see `Reference`.

    Raises:
        InputError: pairs that `preferences.check` refuses, or a reference of another length.
    """
    from datasets import Dataset, Features, List, Value

    check(pairs)
    columns: dict[str, list] = {
        "prompt_ids": [list(pair.prompt) for pair in pairs],
        "chosen_ids": [list(pair.chosen) for pair in pairs],
        "rejected_ids": [list(pair.rejected) for pair in pairs],
    }
    if all(pair.weights is not None for pair in pairs):
        columns[WEIGHTS] = [list(pair.weights) for pair in pairs]
    if reference is not None:
        if len(reference) != len(pairs):
            raise InputError(
                f"{len(reference)} reference rows do not fit {len(pairs)} pairs: score them all."
            )
        for name, side in zip(REFERENCES, zip(*reference, strict=True), strict=True):
            columns[name] = [np.asarray(values, dtype=np.float32) for values in side]
    kinds = {name: List(Value("int64" if name in IDS else "float32")) for name in columns}
    return Dataset.from_dict(columns, features=Features(kinds))


@dataclass
class Collator(DataCollatorForPreference):
    """trl's batches of 2B rows, chosen first, with what belongs to each token.

    Beside trl's `input_ids`, `attention_mask` and `completion_mask`, each (2B, L) int64, there are, where the
    rows have the columns, `token_weights` (1 on chosen tokens) and `token_reference`, each (2B, L - 1)
    float32: column j belongs to id j + 1; 0 on prompt and padding.
    """

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Tensor]:
        """Return the batch.

        Raises:
            InputError: a column of another length than its ids, or a row that would be cut off.
        """
        if self.max_length is not None and (long := sum(_length(row) > self.max_length for row in examples)):
            raise InputError(
                f"{long} of {len(examples)} pairs have more than {self.max_length} tokens: leave them out; "
                "cut off, weights and answers would be lost."
            )
        batch = super().torch_call(examples)
        shape = (batch["input_ids"].shape[0], batch["input_ids"].shape[1] - 1)
        if WEIGHTS in examples[0]:
            ones = [np.ones(len(row["chosen_ids"]), dtype=np.float32) for row in examples]
            batch["token_weights"] = _placed(shape, examples, ones, [row[WEIGHTS] for row in examples])
        if REFERENCES[0] in examples[0]:
            sides = ([row[name] for row in examples] for name in REFERENCES)
            batch["token_reference"] = _placed(shape, examples, *sides)
        return batch


def _length(row: Mapping[str, Any]) -> int:
    """Return the tokens of the longer text of a row."""
    return len(row["prompt_ids"]) + max(len(row["chosen_ids"]), len(row["rejected_ids"]))


def _placed(
    shape: tuple[int, int], rows: Sequence[Mapping[str, Any]], chosen: Sequence, rejected: Sequence
) -> Tensor:
    """Return values per response token at the columns of their predictions, chosen rows first."""
    placed = torch.zeros(shape)
    for side, (name, values) in enumerate((("chosen_ids", chosen), ("rejected_ids", rejected))):
        for i, (row, own) in enumerate(zip(rows, values, strict=True)):
            if len(own) != len(row[name]):
                raise InputError(
                    f"A row has {len(own)} values for {len(row[name])} {name}: align weights and "
                    "reference with the ids, the end-of-text token included."
                )
            start = len(row["prompt_ids"]) - 1
            placed[side * len(rows) + i, start : start + len(own)] = torch.as_tensor(own)
    return placed
