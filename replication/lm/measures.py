"""What is kept of a distribution: a token's log-probability, the two largest probabilities, the entropy.

With z_v = l_v - max_u l_u and S = sum_v exp(z_v), all in float32 from the raw logits l over the full
vocabulary:

    log p(token) = z_token - log S      top-1 = 1 / S      top-2 = exp(second largest z) / S
    entropy      = log S - sum_v exp(z_v) z_v / S                                        (nats)
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

# Values of a block of logits worked on at once, so that temporaries stay in the processor's cache.
BLOCK = 2**20
# Ids of a chunk, and the rows below which a search by chunks takes more calls than it saves.
CHUNK, FEW = 64, 8
LOGPROB, TOP1, TOP2, ENTROPY = range(4)


def blocks(logits: Tensor) -> Iterator[slice]:
    """Return slices of the rows of `logits` (n, V), each of at most `BLOCK` values, or one row."""
    rows = max(1, BLOCK // logits.shape[-1])
    return (slice(start, start + rows) for start in range(0, logits.shape[0], rows))


class Top(NamedTuple):
    """The two largest logits of each row: three (n, 1) tensors.

    Attributes:
        largest: float32.
        place: int64, its id; of equals the smallest.
        second: float32, the largest of all other ids.
    """

    largest: Tensor
    place: Tensor
    second: Tensor


def top_two(logits: Tensor) -> Top:
    """Return the two largest logits of each row of `logits` (n, V), any floating dtype, V >= 2.

    A NaN counts as the largest.
    """
    parts = [_top_two(logits[rows].float()) for rows in blocks(logits)]
    if not parts:
        return Top(*(logits.new_empty((0, 1), dtype=t) for t in (torch.float32, torch.int64, torch.float32)))
    return parts[0] if len(parts) == 1 else Top(*(torch.cat(part) for part in zip(*parts, strict=True)))


def _top_two(logits: Tensor) -> Top:
    """Return `top_two` of one block; for many rows by way of the largest of each chunk.

    That of a chunk takes a fast pass over all entries, where its place would take a slow one: the place is
    looked for in one chunk a row.
    """
    rows, width = logits.shape
    if rows < FEW or width % CHUNK or width < 2 * CHUNK:
        largest, place = logits.max(-1, keepdim=True)
        return Top(largest, place, logits.scatter(1, place, -torch.inf).amax(-1, keepdim=True))
    chunks = logits.unflatten(1, (-1, CHUNK))  # (n, C, CHUNK)
    highest = chunks.amax(-1)
    largest, chunk = highest.max(-1, keepdim=True)
    own = chunks[torch.arange(rows, device=logits.device), chunk.squeeze(1)]  # (n, CHUNK)
    inner = own.argmax(-1, keepdim=True)
    others = highest.scatter_(1, chunk, -torch.inf).amax(-1, keepdim=True)
    beside = own.scatter_(1, inner, -torch.inf).amax(-1, keepdim=True)
    return Top(largest, chunk * CHUNK + inner, torch.maximum(others, beside))


def measure(logits: Tensor, tokens: Tensor, top: Top | None = None) -> Tensor:
    """Return log-probability, top-1, top-2 and entropy of each row.

    Args:
        logits: (n, V) raw logits, any floating dtype, V >= 2; entries may be -inf.
        tokens: (n,) int64 ids.
        top: `top_two` of the logits, where it is known already.

    Returns:
        (4, n) float32 in the order of `LOGPROB`, `TOP1`, `TOP2`, `ENTROPY`.
    """
    if not len(tokens):
        return logits.new_empty((4, 0), dtype=torch.float32)
    top = top_two(logits) if top is None else top
    parts = [
        _measure(logits[rows].float(), tokens[rows], top.largest[rows], top.second[rows])
        for rows in blocks(logits)
    ]
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)


def _measure(logits: Tensor, tokens: Tensor, largest: Tensor, second: Tensor) -> Tensor:
    """Return `measure` of one block in float32."""
    z = logits - largest
    chosen = z.gather(1, tokens[:, None]).squeeze(1)
    e = z.exp()
    total = e.sum(-1)  # (n,)
    spread = torch.linalg.vecdot(e, z)
    if bool(spread.isnan().any()):
        # exp(-inf) = 0 must meet a finite factor: 0 * -inf is not a number.
        spread = torch.linalg.vecdot(e, z.clamp_(min=torch.finfo(z.dtype).min))
    log_total = total.log()
    second = (second - largest).squeeze(1).exp_()
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
