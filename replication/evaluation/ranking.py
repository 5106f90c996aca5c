"""How well a score ranks: area under the ROC curve and monotone trends, questions resampled."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from replication.evaluation.accuracy import wilson
from replication.evaluation.bootstrap import (
    CHUNK,
    LEVEL,
    RESAMPLES,
    Floats,
    around,
    checked,
    counts,
    expanded,
    resampled_means,
)
from replication.evaluation.claims import NOTHING, Estimate
from replication.settings import InputError

AUROC_RESAMPLES = 2_000


def auroc(
    scores: ArrayLike,
    positive: ArrayLike,
    questions: ArrayLike | None = None,
    *,
    seed: int = 0,
    resamples: int = AUROC_RESAMPLES,
    level: float = LEVEL,
) -> Estimate:
    """Return the probability that a positive row scores higher than a negative one, ties counting one half.

        AUROC = (#{s_i > s_j} + #{s_i = s_j} / 2) / (P N),   i positive, j negative     (Mann & Whitney 1947)

    Args:
        scores: (rows,), higher = more likely positive; no NaN, drop rows without a score first.
        positive: (rows,) bool.
        questions: (rows,) labels; rows of one question are resampled together. Each row its own question by
            default.
        seed: of the resampling.
        resamples: number of resamples.
        level: coverage of the interval.

    Returns:
        Estimate whose n counts questions; NaN when one of the classes is empty. Where the classes are
        separated completely the bootstrap has no spread, and the open end is Wilson's for the questions of
        the rarer class.

    Raises:
        InputError: NaN scores or arrays of different lengths.
    """
    s = checked(scores, "AUROC", (1,))
    flags = np.asarray(positive, dtype=bool)
    labels = np.arange(len(s)) if questions is None else np.asarray(questions)
    if not len(s) == len(flags) == len(labels):
        raise InputError(f"AUROC needs arrays of one length, got {len(s)}, {len(flags)} and {len(labels)}.")
    if not flags.any() or flags.all():
        return NOTHING
    _, unit = np.unique(labels, return_inverse=True)
    order = np.argsort(s, kind="stable")
    s, flags, unit = s[order], flags[order], unit[order]
    n = int(unit.max()) + 1
    value = float(_areas(s, flags, np.ones((1, len(s))))[0])
    if value in (0.0, 1.0):
        rarer = min(len(np.unique(unit[flags])), len(np.unique(unit[~flags])))
        end = wilson(value * rarer, rarer, level)
        return Estimate(value, end.low, end.high, n)
    rng = np.random.default_rng(seed)
    step = max(1, CHUNK // len(s))
    sizes = [min(step, resamples - done) for done in range(0, resamples, step)]
    areas = [_areas(s, flags, counts(n, rng, size)[:, unit]) for size in sizes]
    return around(value, np.concatenate(areas), n, expanded(n, level))


def _areas(scores: Floats, flags: NDArray[np.bool_], weights: NDArray) -> Floats:
    """Return (resamples,) weighted areas for ascending `scores`; NaN where a class has no weight."""
    starts = np.flatnonzero(np.r_[True, np.diff(scores) > 0])
    positive = np.add.reduceat(weights * flags, starts, axis=1).astype(np.float64)
    negative = np.add.reduceat(weights * ~flags, starts, axis=1).astype(np.float64)
    below = np.cumsum(negative, axis=1) - negative / 2
    pairs = positive.sum(axis=1) * negative.sum(axis=1)
    return np.divide((positive * below).sum(axis=1), pairs, out=np.full(len(pairs), np.nan), where=pairs > 0)


def trend(
    steps: ArrayLike,
    outcomes: ArrayLike,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Estimate:
    """Return Spearman's rank correlation between `steps` and the mean outcome at each, resampling questions.

    Args:
        steps: (m,), for example k = 1..10, m >= 2.
        outcomes: (questions, m), the outcome of each question at each step.
        seed: of the resampling.
        resamples: number of resamples.
        level: coverage of the interval.

    Returns:
        Estimate in [-1, 1]; 0 for a flat line (no trend either way); n counts questions.

    Raises:
        InputError: shapes that do not fit.
    """
    x, y = checked(steps, "A trend", (1,)), checked(outcomes, "A trend", (2,))
    if len(x) < 2 or y.shape[1] != len(x):
        raise InputError(f"A trend needs 2 or more steps, one column each: got {len(x)} and shape {y.shape}.")
    if not len(y):
        return NOTHING
    value = float(_spearman(x, y.mean(axis=0, keepdims=True))[0])
    means = resampled_means(y, np.random.default_rng(seed), resamples)
    return around(value, _spearman(x, means), len(y), expanded(len(y), level))


def _spearman(x: Floats, rows: Floats) -> Floats:
    """Return the rank correlation of `x` (m,) with each row of (r, m); 0 where either is constant."""
    # Means of the same counts can differ in the last bit; rounding keeps such ties ties.
    a = rankdata(x) - (len(x) + 1) / 2
    b = rankdata(np.round(rows, 12), axis=1) - (len(x) + 1) / 2
    scale = np.sqrt((a**2).sum() * (b**2).sum(axis=1))
    return np.divide(b @ a, scale, out=np.zeros(len(rows)), where=scale > 0)
