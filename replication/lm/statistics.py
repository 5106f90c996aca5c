"""Maximum, mean and standard deviation of rows of logits, and the cut at a threshold.

Each entry is read from memory once: rows are taken in blocks that stay in the processor's cache. With c the
mean of a row in float32 and y = l - c,

    var = (sum(y^2) - sum(y)^2 / N) / (N - ddof)

The second term removes the rounding of c, so that a large offset common to all entries costs no accuracy
beyond that of the logits themselves. One plain sum tells whether a row has entries that are not finite;
only blocks with such rows take the longer way, in float64.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from replication.lm.measures import blocks
from replication.settings import InputError


class Statistics(NamedTuple):
    """Largest value, mean and standard deviation of each row: three (n,) float32."""

    largest: Tensor
    mean: Tensor
    std: Tensor


def row_statistics(logits: Tensor, ddof: int = 1) -> Statistics:
    """Return the statistics of each row over its finite entries.

    Args:
        logits: (n, V), any floating dtype, worked on in float32; entries may be -inf (excluded ids).
        ddof: the divisor of the variance is the number of finite entries minus `ddof`, 0 or 1. A single
            finite entry has a standard deviation of 0.

    Raises:
        InputError: `ddof` is neither 0 nor 1; a row has NaN or +inf, or no finite entry.
    """
    check_ddof(ddof)
    if not logits.shape[0]:
        return Statistics(*logits.new_empty((3, 0), dtype=torch.float32))
    parts = []
    for rows in blocks(logits):
        block = logits[rows].float()
        largest = block.amax(-1)
        check_largest(largest)
        parts.append(torch.stack([largest, *moments(block, ddof)]))
    return Statistics(*torch.cat(parts, dim=1))


def check_ddof(ddof: int) -> None:
    """Raise `InputError` for a `ddof` that is neither 0 nor 1."""
    if ddof not in (0, 1):
        raise InputError(f"The standard deviation needs ddof 0 or 1, got {ddof!r}.")


def check_largest(largest: Tensor) -> None:
    """Raise `InputError` where the largest logit of a row says that the row cannot be sampled.

    The maximum is NaN when an entry is, so this needs no pass of its own.

    Args:
        largest: (n,) maximum of each row.
    """
    if not bool(largest.isfinite().all()):
        raise InputError(
            "Logits need at least one finite entry in every row and neither NaN nor +inf: "
            "check the model's dtype and the processors that ran before."
        )


def moments(block: Tensor, ddof: int) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation over the finite entries of each row: two (n,) float32.

    Args:
        block: (n, V) float32, finite or -inf, at least one finite entry a row; small enough for the cache.
        ddof: 0 or 1.
    """
    total = block.sum(-1, keepdim=True)
    if not bool(total.isfinite().all()):
        return _moments_with_gaps(block, ddof)
    count = block.shape[-1]
    center = total / count
    y = block - center
    rest = y.sum(-1)
    square = torch.linalg.vecdot(y, y) - rest.square() / count
    std = (square.clamp_(min=0) / max(count - ddof, 1)).sqrt_()
    return center.squeeze(-1), std


def _moments_with_gaps(block: Tensor, ddof: int) -> tuple[Tensor, Tensor]:
    """Return `moments` where entries are -inf, or so large that their float32 sum overflows."""
    gaps = block.isinf()
    count = (block.shape[-1] - gaps.sum(-1, keepdim=True)).double()
    kind = torch.float32 if block.device.type == "mps" else torch.float64  # the former has no float64
    values = block.to(kind).masked_fill_(gaps, 0.0)
    mean = values.sum(-1, keepdim=True) / count.to(kind)
    y = values.sub_(mean).masked_fill_(gaps, 0.0)
    variance = torch.linalg.vecdot(y, y) / (count.squeeze(-1) - ddof).clamp(min=1).to(kind)
    return mean.squeeze(-1).float(), variance.sqrt().float()


@torch.no_grad()
def mask(logits: Tensor, threshold: Tensor) -> Tensor:
    """Return the logits with every entry below its row's threshold at -inf.

    Args:
        logits: (n, V), any floating dtype; compared in float32.
        threshold: (n,) or (n, 1), one value per row; entries equal to it stay.

    Returns:
        (n, V) in the dtype of `logits`; it takes no part in differentiation.
    """
    threshold = threshold.reshape(-1, 1).float()
    if logits.dtype != torch.float32 or logits.device.type != "cpu":
        excluded = logits.new_full((), -torch.inf)
        return torch.cat(
            [
                torch.where(logits[rows].float() >= threshold[rows], logits[rows], excluded)
                for rows in blocks(logits)
            ]
            or [logits.clone()]
        )
    # One fused pass a row, several times faster than compare and fill. It keeps what is greater than
    # a number, hence the float just below the threshold.
    below = torch.nextafter(threshold, torch.full_like(threshold, -torch.inf)).squeeze(1).tolist()
    result = torch.empty_like(logits)
    for row, bound, target in zip(logits, below, result, strict=True):
        torch.threshold(row, bound, -torch.inf, out=target)
    return result
