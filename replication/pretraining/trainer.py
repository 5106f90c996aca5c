"""A transformers Trainer that learns from selected tokens only (Rho-1, step 3).

With gradient accumulation and the scope "batch", what is kept of a micro-batch depends on those not yet seen.
A score that needs the learner's losses then costs a pass without gradient over all micro-batches of the step
before the one with gradient (a third more time); otherwise one forward pass gives both scores and loss.

The loss of a micro-batch on one of W ranks is W Σ kept losses / K, where K counts the kept tokens of the
whole optimiser step. Ranks average gradients and micro-batches add them up, so the step is that of the mean
over all K tokens, however they are spread.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import PrinterCallback, Trainer, TrainingArguments

from replication.lm import packed
from replication.lm.training import CPU_ARGUMENTS
from replication.pretraining import ranks, scoring
from replication.pretraining.collating import BLOCK, ENTROPY, KEEP, LOSS, Collator
from replication.pretraining.selection import (
    Selection,
    kept_count,
    kept_counts,
    select,
    select_across,
)
from replication.pretraining.tally import Tally
from replication.pretraining.token_losses import IGNORED, selective_loss, targets, token_losses
from replication.settings import InputError

CHOSEN, CUTOFF = "chosen", "cutoff"


def cpu_args(output_dir: Path | str, **overrides: Any) -> TrainingArguments:
    """Return arguments for small trainings on a CPU: float32, nothing reported, shown or saved.

    Args:
        output_dir: where the Trainer may write.
        **overrides: any other arguments.
    """
    return TrainingArguments(output_dir=str(output_dir), **CPU_ARGUMENTS | overrides)


class SelectiveTrainer(Trainer):
    """Trains on whole rows and learns from the tokens that a selection keeps.

    Columns of the data: `input_ids`; maybe `labels` (the ids by default, -100 is not predicted),
    `position_ids` (restart where documents do not see each other), `block` (number of a row, its place by
    default), `reference_loss`, `reference_entropy` (aligned as in `reference`) and `keep`, a static mask
    aligned in the same way. Each log line has `loss_all`, `loss_kept`, `loss_dropped`, `kept_share`, `cutoff`
    and, with `remember`, `turnover` (`Tally.read`); `loss` is that of the kept tokens. Evaluation reports the
    mean over all tokens.

    Args:
        *args: as of `transformers.Trainer`; `args` gets `remove_unused_columns=False`.
        selection: the rule; None learns from what the column `keep` says.
        reference_model: scores the reference online, in evaluation mode; not needed with the columns.
        remember: whether to log how much of a block's selection has changed since it came last.
        **kwargs: as of `transformers.Trainer`.

    Raises:
        InputError: arguments that do not go with a selection, or data without the columns that it needs.
    """

    def __init__(
        self,
        *args: Any,
        selection: Selection | None,
        reference_model: Any = None,
        remember: bool = False,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault("data_collator", Collator())
        super().__init__(*args, **kwargs)
        self.selection, self.tally = selection, Tally(remember)
        self.args.remove_unused_columns = False
        self.remove_callback(PrinterCallback)  # the log is in `state.log_history`
        self.loss_is_scaled_for_ga = True  # by the number of kept tokens of the whole step
        self.reference_model = reference_model
        if reference_model is not None:
            reference_model.requires_grad_(False).eval().to(self.args.device)
        self._check()
        self.train_dataset = _numbered(self.train_dataset)

    def _check(self) -> None:
        """Raise `InputError` for settings under which the loss would be another one, and missing columns."""
        if self.args.n_gpu > 1:
            raise InputError(
                f"This process sees {self.args.n_gpu} GPUs: start one process each with `accelerate "
                "launch`, or show one with CUDA_VISIBLE_DEVICES."
            )
        if self.get_tp_size() * self.get_cp_size() * self.get_sp_size() > 1:
            raise InputError(
                "A selection is ranked over data-parallel processes: leave tensor, context and sequence "
                "parallelism out (sharded data parallelism is fine)."
            )
        if self.args.label_smoothing_factor or self.args.use_liger_kernel or self.compute_loss_func:
            raise InputError(
                "A selection needs the plain loss of every token: leave label_smoothing_factor, "
                "use_liger_kernel and compute_loss_func out."
            )
        columns = getattr(self.train_dataset, "column_names", None)
        if columns is None:
            return
        needed = (KEEP,) if self.selection is None else self.selection.columns
        missing = [name for name in needed if name not in columns and name != BLOCK]
        if missing and (self.reference_model is None or missing == [KEEP]):
            how = "give a selection" if missing == [KEEP] else "score the blocks, or give a reference_model"
            raise InputError(f"The training data has no column {', '.join(missing)}: {how}.")

    def get_batch_samples(
        self, epoch_iterator: Iterator, num_batches: int, device: torch.device
    ) -> tuple[list, Tensor | None]:
        """Return the micro-batches of a step and the number of tokens kept of it, over all ranks.

        Where the selection needs all of them, its mask is put into each micro-batch.
        """
        batches, _ = super().get_batch_samples(epoch_iterator, num_batches, device)
        if not batches:
            return batches, None
        batches = [self._prepare_inputs(batch) for batch in batches]
        if self.selection is None:
            return batches, self._count([(batch[KEEP] & self._valid(batch)).sum() for batch in batches])
        if self.selection.scope == "batch" and len(batches) > 1:
            self._choose_ahead(batches)
        return batches, self._kept(batches)

    def _kept(self, batches: list[dict[str, Tensor]]) -> Tensor:
        """Return the number of tokens kept of all micro-batches and ranks; scores do not change it."""
        ratio, masks = self.selection.ratio, [self._valid(batch) for batch in batches]
        if self.selection.scope == "batch":
            n = self._count([mask.sum() for mask in masks])
            return torch.full_like(n, kept_count(int(n), ratio))
        if self.selection.scope == "microbatch":
            return self._count([kept_counts(mask.view(1, -1), ratio).sum() for mask in masks])
        return self._count([kept_counts(mask, ratio).sum() for mask in masks])

    def _count(self, counts: list[Tensor]) -> Tensor:
        """Return the sum of counts over micro-batches and ranks; `InputError` where it is 0."""
        total = ranks.total(torch.stack(counts).sum())
        if not int(total):
            raise InputError("No token of a whole step is left to learn from: check labels and masks.")
        return total

    def compute_loss(
        self,
        model: Any,
        inputs: Mapping[str, Tensor],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | None = None,
    ) -> Any:
        """Return this micro-batch's share of the loss; outside training the mean loss of all its tokens."""
        # The reference comes first: its passing logits are gone before those of the learner are there.
        reference = self._reference(inputs) if model.training and CHOSEN not in inputs else {}
        target = targets(inputs["labels"])
        if packed.fits(model) and not return_outputs:
            layout = packed.documents(inputs["input_ids"], inputs.get("position_ids"), target)
            losses = packed.losses(model, layout, target)
        else:
            outputs = model(**scoring.inputs(inputs["input_ids"], inputs.get("position_ids")))
            losses = token_losses(outputs.logits, target)
            if not return_outputs:
                del outputs
        valid = target != IGNORED
        if not model.training:
            loss = selective_loss(losses, valid, valid.sum().clamp(min=1))
        else:
            keep, cutoff = self._choose({**inputs, **reference}, losses, valid)
            count = keep.sum() if num_items_in_batch is None else num_items_in_batch
            loss = selective_loss(losses, keep, count) * self.accelerator.num_processes
            self.tally.add(losses, valid, keep, cutoff, inputs.get(BLOCK))
        return (loss, outputs) if return_outputs else loss

    def _choose(self, inputs: Mapping[str, Tensor], losses: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """Return what is kept of a micro-batch, (B, T) bool, and its smallest kept score, or each row's."""
        nothing = torch.full((), torch.nan, device=losses.device)
        if CHOSEN in inputs:
            return inputs[CHOSEN], inputs[CUTOFF]
        if self.selection is None:
            return inputs[KEEP] & valid, nothing
        if self.selection.score == "all":
            return valid, nothing
        scores = self._scores(inputs, losses)
        if self.selection.scope == "batch":
            (keep,), cutoff = select_across(
                [(scores, valid)], self.selection.ratio, ranks.gather, ranks.rank()
            )
            return keep, cutoff
        if not bool(valid.any()):
            return valid, nothing
        keep = select(scores, valid, self.selection.ratio, self.selection.scope)
        lowest = scores.masked_fill(~keep, torch.inf)
        return keep, lowest.amin(-1) if self.selection.scope == "sequence" else lowest.min()

    def _scores(self, inputs: Mapping[str, Tensor], losses: Tensor | None) -> Tensor:
        """Return the scores of a micro-batch: (B, T) float32."""
        given = inputs.get(LOSS), inputs.get(ENTROPY), inputs.get(BLOCK)
        return self.selection.scores(tuple(inputs["labels"].shape), losses, *given)

    def _reference(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Return the columns of the reference that the data lacks, from the reference model."""
        missing = [name for name in (LOSS, ENTROPY) if self.selection and name in self.selection.columns]
        if self.reference_model is None or all(name in inputs for name in missing):
            return {}
        with self.accelerator.autocast():
            losses, entropies = scoring.score(
                self.reference_model,
                inputs["input_ids"],
                targets(inputs["labels"]),
                inputs.get("position_ids"),
                ENTROPY in missing,
            )
        return {LOSS: losses} | ({} if entropies is None else {ENTROPY: entropies})

    def _choose_ahead(self, batches: list[dict[str, Tensor]]) -> None:
        """Put into each micro-batch what is kept of it when all of them are ranked together."""
        if self.selection.score == "all":
            return
        parts = []
        for batch in batches:
            batch |= self._reference(batch)
            losses = self._losses(batch) if self.selection.needs_losses else None
            parts.append((self._scores(batch, losses), self._valid(batch)))
        masks, cutoff = select_across(parts, self.selection.ratio, ranks.gather, ranks.rank())
        for batch, mask in zip(batches, masks, strict=True):
            batch |= {CHOSEN: mask, CUTOFF: cutoff}

    def _losses(self, batch: Mapping[str, Tensor]) -> Tensor:
        """Return the learner's losses without gradient or dropout: (B, T) float32."""
        with scoring.evaluating(self.model_wrapped), torch.no_grad():
            outputs = self.model_wrapped(**scoring.inputs(batch["input_ids"], batch.get("position_ids")))
            return token_losses(outputs.logits, targets(batch["labels"]))

    @staticmethod
    def _valid(batch: Mapping[str, Tensor]) -> Tensor:
        return targets(batch["labels"]) != IGNORED

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        """Log what the Trainer logs, and at its training lines what the selection did."""
        super().log(logs | self.tally.read() if "loss" in logs else logs, *args, **kwargs)


def _numbered(data: Any) -> Any:
    """Return the data with a column `block`, the place of each row, where it has none and is a `Dataset`."""
    if (
        getattr(data, "column_names", None) is None
        or BLOCK in data.column_names
        or not hasattr(data, "__len__")
    ):
        return data
    return data.add_column(BLOCK, list(range(len(data))))
