"""Masks of kept tokens: combined, counted, compared; and the scores of a random one."""

import torch
from torch import Tensor

from replication.settings import InputError

# Steps and multipliers of the SplitMix64 generator (Steele et al. 2014), odd 64-bit constants.
STEP, FIRST, SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def intersection(first: Tensor, second: Tensor) -> Tensor:
    """Return the tokens that both masks keep, written H:a% ∩ L:b% in the paper: bool, shape of the masks."""
    return first & second


def union(first: Tensor, second: Tensor) -> Tensor:
    """Return the tokens that either mask keeps: bool, shape of the masks."""
    return first | second


def realised_ratio(keep: Tensor, valid: Tensor) -> float:
    """Return the share of the valid tokens that a mask keeps.

    Of a combination it is measured, since it depends on how far the two masks agree: not the product.

    Args:
        keep: bool, any shape.
        valid: bool, the same shape.

    Raises:
        InputError: no valid token.
    """
    n = int(valid.sum())
    if not n:
        raise InputError("No token can be predicted: a share of none is not defined.")
    return int((keep & valid).sum()) / n


def turnover(before: Tensor, after: Tensor) -> float:
    """Return the share of the tokens kept before that is not kept any more.

    Args:
        before: bool, any shape, some kept.
        after: bool, the same tokens later.

    Raises:
        InputError: the first mask keeps nothing.
    """
    n = int(before.sum())
    if not n:
        raise InputError("The earlier mask keeps no token: a turnover needs some.")
    return int((before & ~after).sum()) / n


def random_scores(seed: int, block: Tensor, length: int) -> Tensor:
    """Return uniform scores that depend on seed, block and position alone.

    So neither the order of the blocks nor the layout of batches and ranks changes what is kept. Every pass
    over the data keeps the same tokens; another seed keeps others.

    Args:
        seed: whole number >= 0.
        block: (B,) integers that tell blocks apart.
        length: T.

    Returns:
        (B, T) float32 in [0, 1), multiples of 2^-24.
    """
    step = _signed(STEP)
    place = torch.arange(1, length + 1, device=block.device)
    # Counted from 1: the generator maps 0 to 0.
    state = _mix(_signed((seed + 1) * SECOND) + (block.long()[:, None] + 1) * step)
    return _shifted(_mix(state + place * step), 40).float() * 2.0**-24


def _mix(state: Tensor) -> Tensor:
    """Return the output function of SplitMix64; products wrap around, as 64-bit integers do."""
    state = (state ^ _shifted(state, 30)) * _signed(FIRST)
    state = (state ^ _shifted(state, 27)) * _signed(SECOND)
    return state ^ _shifted(state, 31)


def _shifted(state: Tensor, bits: int) -> Tensor:
    """Return int64 moved right with zeros coming in; `>>` alone would repeat the sign."""
    return (state >> bits) & ((1 << (64 - bits)) - 1)


def _signed(value: int) -> int:
    """Return the low 64 bits of a whole number as a signed one."""
    value &= 2**64 - 1
    return value - 2**64 if value >= 2**63 else value
