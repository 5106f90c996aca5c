"""What a fixed set of pairs thinks of a policy in training: log-probabilities and divergences by step."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from transformers import TrainerCallback

from replication.alignment.collating import Collator
from replication.alignment.heads import frozen, labels_of, spread
from replication.alignment.preferences import IGNORED, Pair, forward_kl

ROWS = 32  # pairs of one forward pass
COLUMNS = (
    "step",
    "question",
    "chosen",
    "rejected",
    "chosen_tokens",
    "rejected_tokens",
    "chosen_kl",
    "rejected_kl",
)


class PairWatch(TrainerCallback):
    """Measures fixed pairs before the first step, every so many steps, and after the last.

    Args:
        pairs: the pairs, never those of a training batch.
        every: optimiser steps between two measurements.
        pad_id: id that fills rows.
        reference: model with a response head from which sequential divergences are taken; None leaves them
            out.
    """

    def __init__(self, pairs: Sequence[Pair], every: int, pad_id: int, reference: Any = None) -> None:
        self.pairs, self.every, self.reference = list(pairs), every, reference
        order = sorted(range(len(self.pairs)), key=lambda i: self.pairs[i].length)
        self._groups = [order[start : start + ROWS] for start in range(0, len(order), ROWS)]
        collate = Collator(pad_token_id=pad_id)
        plain = [
            {"prompt_ids": list(p.prompt), "chosen_ids": list(p.chosen), "rejected_ids": list(p.rejected)}
            for p in self.pairs
        ]
        self._batches = [collate([plain[i] for i in group]) for group in self._groups]
        self._tables: list[pd.DataFrame] = []

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        """Measure the model before training."""
        self._keep(0, model)

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        """Measure every so many steps and after the last one."""
        if state.global_step % self.every == 0 or state.global_step == state.max_steps:
            self._keep(state.global_step, model)

    def _keep(self, step: int, model: Any) -> None:
        """Measure a model in evaluation mode, and leave it in the mode in which it was."""
        training = model.training
        self._tables.append(self.measure(model.eval()).assign(step=step))
        model.train(training)

    def measure(self, model: Any) -> pd.DataFrame:
        """Return a row per pair: the columns of `COLUMNS` without the step.

        chosen and rejected are summed log-probabilities (nats), *_tokens their lengths, *_kl the sequential
        forward divergences from the reference (nats), not a number without one.
        """
        found = np.full((len(self.pairs), 6), np.nan)
        for group, batch in zip(self._groups, self._batches, strict=True):
            found[group] = self._measure(model, {name: t.to(model.device) for name, t in batch.items()})
        table = pd.DataFrame(found, columns=COLUMNS[2:])
        kinds = dict.fromkeys(("chosen_tokens", "rejected_tokens"), "int64")
        return table.astype(kinds).assign(question=[pair.question for pair in self.pairs])

    def _measure(self, model: Any, batch: dict[str, Tensor]) -> np.ndarray:
        """Return (B, 6) measures of one batch."""
        ids, labels = batch["input_ids"], labels_of(batch)
        mask = labels[:, 1:] != IGNORED
        logprobs, logits = frozen(model, ids, labels, self.reference is not None)
        parts = [logprobs.sum(-1), mask.sum(-1)]
        if self.reference is None:
            parts.append(torch.full((len(ids),), torch.nan, device=ids.device))
        else:
            _, base = frozen(self.reference, ids, labels, True)
            parts.append(spread(forward_kl(base, logits), mask).sum(-1))
        values = torch.stack([part.float() for part in parts], 1).cpu().numpy()
        chosen, rejected = np.split(values, 2)
        return np.stack([chosen, rejected], 2).reshape(len(chosen), 6)

    def table(self) -> pd.DataFrame:
        """Return all measurements: a row per step and pair, see `measure`."""
        if not self._tables:
            return pd.DataFrame(columns=list(COLUMNS))
        return pd.concat(self._tables, ignore_index=True)[list(COLUMNS)]


def curves(table: pd.DataFrame) -> pd.DataFrame:
    """Return means over the pairs by step, from `PairWatch.table`.

    Columns: step; chosen, rejected (summed log-probability, nats); chosen_per_token, rejected_per_token (mean
        over pairs of the response's mean, nats); gap (chosen - rejected); chosen_kl, rejected_kl (nats),
        kl_margin (rejected - chosen); pairs.
    """
    each = table.assign(
        chosen_per_token=table["chosen"] / table["chosen_tokens"],
        rejected_per_token=table["rejected"] / table["rejected_tokens"],
        gap=table["chosen"] - table["rejected"],
        kl_margin=table["rejected_kl"] - table["chosen_kl"],
    )
    names = ["chosen", "rejected", "chosen_per_token", "rejected_per_token", "gap", "chosen_kl",
             "rejected_kl", "kl_margin"]  # fmt: skip
    groups = each.groupby("step", sort=True)
    return groups[names].mean().assign(pairs=groups.size()).reset_index()
