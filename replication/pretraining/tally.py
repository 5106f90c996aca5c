"""What a training with selection logs besides the loss that it minimises."""

import torch
from torch import Tensor

from replication.pretraining import ranks

# Sums of losses and numbers of tokens, all valid and kept; cutoffs; kept before, and of them not kept again.
LOSSES, VALID, KEPT_LOSSES, KEPT, CUTOFFS, CUTS, BEFORE, GONE = range(8)


class Tally:
    """Sums between two lines of the log, over micro-batches here and over all processes when read.

    Args:
        remember: whether to keep the mask of every block (1 bit a token), so as to tell how much of it has
            changed when the block comes again to this process.
    """

    def __init__(self, remember: bool = False) -> None:
        self.sums: Tensor | None = None
        self.masks: dict[int, Tensor] | None = {} if remember else None

    def add(self, losses: Tensor, valid: Tensor, keep: Tensor, cutoff: Tensor, block: Tensor | None) -> None:
        """Count one micro-batch.

        Args:
            losses: (B, T) float32, 0 where not valid.
            valid: (B, T) bool.
            keep: (B, T) bool.
            cutoff: smallest kept score, a scalar or one a row; not finite where there is none.
            block: (B,) integers, needed to compare masks.
        """
        losses, cut = losses.detach(), cutoff.isfinite()
        parts = [losses.sum(), valid.sum(), (losses * keep).sum(), keep.sum()]
        parts += [cutoff.where(cut, 0).sum(), cut.sum()]
        step = torch.stack([part.double() for part in (*parts, *self._compare(keep, block))])
        self.sums = step if self.sums is None else self.sums + step

    def _compare(self, keep: Tensor, block: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return how many tokens of blocks seen earlier were kept then, and how many of these are not now."""
        before = gone = torch.zeros((), device=keep.device)
        if self.masks is not None and block is not None:
            for number, row in zip(block.tolist(), keep.cpu(), strict=True):
                last = self.masks.get(number)
                if last is not None and len(last) == len(row):
                    before, gone = before + last.sum(), gone + (last & ~row).sum()
                self.masks[number] = row
        return before, gone

    def read(self) -> dict[str, float]:
        """Return the means since the last call, over all processes, and begin anew.

        `loss_all`, `loss_kept` and `loss_dropped` are mean losses in nats of all valid, kept and dropped
        tokens, `kept_share` the share kept, `cutoff` the mean of the smallest kept scores, `turnover` the
        share of tokens kept when their block came before that is dropped now. What has no value is left out.
        """
        if self.sums is None:
            return {}
        sums = ranks.total(self.sums).tolist()
        self.sums = None
        dropped = sums[LOSSES] - sums[KEPT_LOSSES], sums[VALID] - sums[KEPT]
        pairs = {
            "loss_all": (sums[LOSSES], sums[VALID]),
            "loss_kept": (sums[KEPT_LOSSES], sums[KEPT]),
            "loss_dropped": dropped,
            "kept_share": (sums[KEPT], sums[VALID]),
            "cutoff": (sums[CUTOFFS], sums[CUTS]),
            "turnover": (sums[GONE], sums[BEFORE]),
        }
        return {name: value / n for name, (value, n) in pairs.items() if n}
