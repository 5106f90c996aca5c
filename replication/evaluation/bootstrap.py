"""Resampling of questions, shared by the interval estimates."""

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm, t

from replication.evaluation.claims import Estimate
from replication.settings import InputError

RESAMPLES = 10_000
CHUNK = 2_000_000
KEPT = 5_000_000  # drawn units that are kept between calls, 8 bytes each
LEVEL = 0.95

Floats = NDArray[np.float64]


def checked(values: ArrayLike, what: str, dimensions: tuple[int, ...] = (1, 2)) -> Floats:
    """Return `values` as float64.

    Raises:
        InputError: another number of dimensions, or a NaN or infinite entry.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim not in dimensions:
        allowed = " or ".join(map(str, dimensions))
        raise InputError(f"{what} needs an array of {allowed} dimensions, got shape {array.shape}.")
    if not np.isfinite(array).all():
        raise InputError(f"{what} needs finite numbers, got NaN or infinity: decide how such rows count.")
    return array


def resampled_means(values: Floats, rng: np.random.Generator, resamples: int = RESAMPLES) -> Floats:
    """Return the means of `resamples` samples drawn with replacement from the rows of `values`.

    Args:
        values: (n,) or (n, m), n >= 1.
        rng: source of randomness.
        resamples: number of samples.

    Returns:
        (resamples,) or (resamples, m). Rows that repeat, as they do for right-or-wrong outcomes, are drawn by
        their counts (multinomial): the same distribution at a fraction of the cost.
    """
    rows = values.reshape(len(values), -1)
    distinct, counts = np.unique(rows, axis=0, return_counts=True)
    n = len(rows)
    if len(distinct) * 8 <= n:
        means = rng.multinomial(n, counts / n, size=resamples) @ distinct / n
    else:
        sizes = _sizes(n * rows.shape[1], resamples)
        means = np.concatenate([rows[rng.integers(0, n, (size, n))].mean(axis=1) for size in sizes])
    return means.reshape(resamples, *values.shape[1:])


def seeded_means(values: Floats, seed: int, resamples: int = RESAMPLES) -> Floats:
    """Return `resampled_means` of (n,) values under a fresh generator, with the same samples.

    Tables hold hundreds of means over the same number of units. How often each unit is drawn depends on the
    seed alone: it is counted once and kept, and a mean is then a product of a matrix and a vector.
    """
    repeats = len(np.unique(values)) * 8 <= len(values)
    if repeats or len(values) * resamples > KEPT:
        return resampled_means(values, np.random.default_rng(seed), resamples)
    return _drawn(len(values), seed, resamples) @ values / len(values)


@lru_cache(maxsize=2)
def _drawn(n: int, seed: int, resamples: int) -> Floats:
    """Return (resamples, n) how often `resampled_means` draws each unit."""
    rng = np.random.default_rng(seed)
    return np.concatenate([counts(n, rng, size) for size in _sizes(n, resamples)]).astype(np.float64)


def _sizes(width: int, resamples: int) -> list[int]:
    """Return how many samples of `width` numbers are worked on at once."""
    step = max(1, CHUNK // width)
    return [min(step, resamples - done) for done in range(0, resamples, step)]


def percentile(statistics: Floats, level: float = LEVEL) -> tuple[float, float]:
    """Return the percentile interval of resampled statistics; undefined ones (NaN) are left out."""
    defined = statistics[~np.isnan(statistics)]
    if not len(defined):
        return float("nan"), float("nan")
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def expanded(n: int, level: float = LEVEL) -> float:
    """Return the level at which a percentile interval of `n` units is as wide as one from Student's t.

    The plain percentile interval is too narrow for few units: by sqrt((n - 1) / n), and as the normal is
    narrower than t ("expanded percentile interval", Hesterberg 2014, arXiv 1411.5279).
    """
    if n < 2:
        return 1.0
    return float(2 * norm.cdf(t.ppf((1 + level) / 2, n - 1) * np.sqrt(n / (n - 1))) - 1)


def around(value: float, statistics: Floats, n: int, level: float = LEVEL) -> Estimate:
    """Return `value` with the percentile interval of `statistics`, stretched to hold the value if need be."""
    low, high = percentile(statistics, level)
    return Estimate(value, min(low, value), max(high, value), n)


def by_question(values: Floats) -> Floats:
    """Return (questions,) means over the seeds of (questions,) or (questions, seeds)."""
    return values if values.ndim == 1 else values.mean(axis=1)


def with_pseudo(values: Floats, low: float, high: float) -> Floats:
    """Return `values` (n,) or (n, m) with one entry (or row) of `low` and one of `high` added."""
    ends = np.broadcast_to(np.array([low, high]).reshape(2, *[1] * (values.ndim - 1)), (2, *values.shape[1:]))
    return np.concatenate([values, ends])


def counts(units: int, rng: np.random.Generator, resamples: int) -> NDArray[np.int32]:
    """Return (resamples, units): how often each unit is drawn in samples of `units` with replacement."""
    drawn = rng.integers(0, units, (resamples, units))
    flat = (drawn + units * np.arange(resamples)[:, None]).ravel()
    return np.bincount(flat, minlength=units * resamples).reshape(resamples, units).astype(np.int32)
