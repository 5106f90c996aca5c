"""What is kept of a distribution: a token's log-probability, the two largest probabilities, the entropy.

With z_v = l_v - max_u l_u and S = sum_v exp(z_v), all in float32 from the raw logits l over the full
vocabulary:

    log p(token) = z_token - log S      top-1 = 1 / S      top-2 = exp(second largest z) / S
    entropy      = log S - sum_v exp(z_v) z_v / S                                        (nats)
"""

from collections.abc import Iterator

import torch
from torch import Tensor

# Values of a block of logits worked on at once, so that temporaries stay in the processor's cache.
BLOCK = 2**20
LOGPROB, TOP1, TOP2, ENTROPY = range(4)


def blocks(logits: Tensor) -> Iterator[slice]:
    """Return slices of the rows of `logits` (n, V), each of at most `BLOCK` values, or one row."""
    rows = max(1, BLOCK // logits.shape[-1])
    return (slice(start, start + rows) for start in range(0, logits.shape[0], rows))


def measure(logits: Tensor, tokens: Tensor) -> Tensor:
    """Return log-probability, top-1, top-2 and entropy of each row.

    Args:
        logits: (n, V) raw logits, any floating dtype, V >= 2; entries may be -inf.
        tokens: (n,) int64 ids.

    Returns:
        (4, n) float32 in the order of `LOGPROB`, `TOP1`, `TOP2`, `ENTROPY`.
    """
    if not len(tokens):
        return logits.new_empty((4, 0), dtype=torch.float32)
    return torch.cat([_measure(logits[rows].float(), tokens[rows]) for rows in blocks(logits)], dim=1)


def _measure(logits: Tensor, tokens: Tensor) -> Tensor:
    """Return `measure` of one block in float32."""
    largest, place = logits.max(-1, keepdim=True)  # (n, 1)
    z = logits - largest
    chosen = z.gather(1, tokens[:, None]).squeeze(1)
    e = z.exp()
    total = e.sum(-1)  # (n,)
    # exp(-inf) = 0 must meet a finite factor: 0 * -inf is not a number.
    spread = torch.linalg.vecdot(e, z.clamp_(min=torch.finfo(z.dtype).min))
    second = e.scatter_(1, place, -1.0).amax(-1)
    log_total = total.log()
    return torch.stack(
        [chosen - log_total, 1 / total, second / total, (log_total - spread / total).clamp_(min=0)]
    )


def rank(logits: Tensor, tokens: Tensor) -> Tensor:
    """Return how many ids of each row of `logits` (n, V) have a larger logit than its token: (n,) int64."""
    parts = []
    for rows in blocks(logits):
        block = logits[rows]
        parts.append((block > block.gather(1, tokens[rows, None])).sum(-1))
    return torch.cat(parts) if parts else tokens


def ranked(logits: Tensor, count: int) -> Tensor:
    """Return the `count` most probable ids of each row of `logits` (n, V): (n, count); ties by smaller id."""
    parts = [
        logits[rows].float().sort(dim=-1, descending=True, stable=True).indices for rows in blocks(logits)
    ]
    return torch.cat([part[:, :count] for part in parts])
