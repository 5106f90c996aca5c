"""Sampling with one random stream per row, counted rather than drawn in turn.

The uniform number of a row at a step is a hash of (seed, question, branch, step): SplitMix64 (Steele, Lea and
Flood 2014) on 64-bit integers. It depends on nothing else, so neither the batch size nor the order of rows
changes a sample.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from replication.lm.measures import blocks

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
MASK = 2**64 - 1


def mix(x: np.ndarray) -> np.ndarray:
    """Return the SplitMix64 hash of an array of uint64."""
    x = x.astype(np.uint64) + GOLDEN
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def stream_keys(seed: int, questions: Sequence[str], branches: Sequence[int]) -> np.ndarray:
    """Return one uint64 key per row, from the seed, the question's id and the number of the branch."""
    hashed = [int.from_bytes(hashlib.sha256(q.encode()).digest()[:8], "little") for q in questions]
    start = mix(np.array([seed & MASK], dtype=np.uint64))
    return mix(mix(np.array(hashed, dtype=np.uint64) ^ start) + np.asarray(branches, dtype=np.uint64))


def uniforms(keys: np.ndarray, step: int) -> np.ndarray:
    """Return a number in [0, 1) per key for one step: float64 with 53 random bits."""
    hashed = mix(keys ^ mix(np.array([step], dtype=np.uint64)))
    return (hashed >> np.uint64(11)).astype(np.float64) * 2.0**-53


def pick(scores: Tensor, u: np.ndarray) -> Tensor:
    """Return one sampled id per row by inverting the cumulative distribution.

    Args:
        scores: (n, V) logits after temperature and processors; -inf excludes an id.
        u: (n,) float64 in [0, 1).

    Returns:
        (n,) int64: the first id whose cumulative softmax probability (float64) exceeds u.

    Raises:
        ValueError: every id of a row is excluded, or a score is not a number.
    """
    points = torch.from_numpy(u)
    parts = [_pick(scores[rows], points[rows]) for rows in blocks(scores)]
    return torch.cat(parts)


def _pick(scores: Tensor, u: Tensor) -> Tensor:
    """Return `pick` of one block."""
    device = scores.device
    if device.type == "mps":  # has no float64
        scores = scores.cpu()
    cumulative = scores.double().softmax(-1).cumsum(-1)
    total = cumulative[:, -1:]
    if not bool(total.isfinite().all()):
        raise ValueError(
            "Sampling needs at least one id left in every row and finite scores: check the processors."
        )
    # u * total may round up to total, which no id exceeds.
    target = torch.minimum(
        u.to(scores.device)[:, None] * total, torch.nextafter(total, torch.zeros_like(total))
    )
    return torch.searchsorted(cumulative, target, right=True).squeeze(1).to(device)
