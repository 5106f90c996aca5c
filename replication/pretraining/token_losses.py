"""Losses of single tokens: which target a position has, its cross-entropy, the entropy of its prediction.

Everything is laid out like the logits: column j of a (B, T) tensor belongs to the logits of position j, which
predict the token at j + 1. Labels are shifted to the logits, never the logits to the labels, since a slice of
the logits that has to be made contiguous is a second copy of the largest tensor of a training step.
"""

import torch
from torch import Tensor
from torch.nn import functional

from replication.lm.measures import blocks
from replication.settings import InputError

IGNORED = -100
"""Label of positions that are not predicted, as in transformers and torch."""


def targets(labels: Tensor) -> Tensor:
    """Return what each position has to predict: the labels moved one column to the left.

    Args:
        labels: (B, T) integer ids aligned with the input, -100 where a token is not to be predicted
            (padding, and the first token of a document that does not see the one before).

    Returns:
        (B, T) integer ids, -100 where nothing is to be predicted, the last column always.

    Raises:
        InputError: labels that are not a (B, T) tensor.
    """
    if labels.ndim != 2:
        raise InputError(f"Labels need the shape (rows, tokens), got {tuple(labels.shape)}.")
    return functional.pad(labels[:, 1:], (0, 1), value=IGNORED)


def token_losses(logits: Tensor, targets: Tensor) -> Tensor:
    """Return -log P(target) of every position, in nats (Rho-1, Eq. 1, and the summand of Eq. 2).

    Needs the memory of transformers' own loss: one float32 copy of half-precision logits, and the
    log-probabilities that the backward pass goes back to.

    Args:
        logits: (B, T, V), any floating dtype; worked on in float32.
        targets: (B, T) as `targets` returns them.

    Returns:
        (B, T) float32, differentiable in the logits; 0 where the target is -100.

    Raises:
        InputError: shapes that do not fit, as of targets that were shifted twice or not at all.
    """
    if logits.ndim != 3 or logits.shape[:2] != targets.shape:
        raise InputError(
            f"Token losses need logits (B, T, V) and targets (B, T), got {tuple(logits.shape)} and "
            f"{tuple(targets.shape)}: shift the labels with `targets`, leave the logits whole."
        )
    flat = logits.float().flatten(0, 1)
    losses = functional.cross_entropy(flat, targets.flatten(), ignore_index=IGNORED, reduction="none")
    return losses.view(targets.shape)


def row_losses(logits: Tensor, targets: Tensor) -> Tensor:
    """Return -log P(target) of rows that all have a target.

    Args:
        logits: (n, V), any floating dtype.
        targets: (n,) int64 ids, none -100.

    Returns:
        (n,) float32, nats.
    """
    return functional.cross_entropy(logits.float(), targets, reduction="none")


@torch.no_grad()
def entropy(logits: Tensor) -> Tensor:
    """Return the entropy of every prediction, -sum_v P(v) log P(v), in nats (Rho-1, Eq. 8).

    A property of the text before a token: it does not depend on the token that follows.

    Args:
        logits: (..., V), any floating dtype, entries may be -inf; worked on in float32, some rows at a time.

    Returns:
        (...) float32, at least 0; not differentiable.
    """
    flat = logits.reshape(-1, logits.shape[-1])
    parts = [torch.special.entr(flat[rows].float().softmax(-1)).sum(-1) for rows in blocks(flat)]
    return torch.cat(parts).view(logits.shape[:-1]) if parts else flat.new_empty(logits.shape[:-1]).float()


def selective_loss(losses: Tensor, keep: Tensor, count: Tensor | float | None = None) -> Tensor:
    """Return the mean loss of the kept tokens, sum(keep * losses) / count (Rho-1, Eq. 4).

    Args:
        losses: (B, T) float32, nats.
        keep: (B, T) bool, a constant for the gradient.
        count: number of kept tokens, N k; None counts this mask. The number of a whole step where the mask
            is of one micro-batch or rank of several.

    Returns:
        A scalar, float32. Positions that are not kept get a gradient of exactly 0.

    Raises:
        InputError: no token is kept and no count given.
    """
    if count is None:
        count = int(keep.sum())
        if not count:
            raise InputError("No token is kept: give a mask that keeps at least one.")
    return losses.masked_fill(~keep, 0.0).sum() / count
