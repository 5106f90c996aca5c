"""Methods on the same questions: bootstrap intervals of differences and the exact McNemar test.

The question is the unit that is resampled. One pseudo-question for and one against each method join the pool
from which resamples are drawn (two pseudo-pairs, after Agresti & Min 2005), so that a few questions which all
agree do not give an interval of width zero. Point estimates are the plain ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binomtest

from replication.evaluation.bootstrap import (
    LEVEL,
    RESAMPLES,
    Floats,
    around,
    by_question,
    checked,
    resampled_means,
    with_pseudo,
)
from replication.evaluation.claims import NOTHING, Estimate
from replication.settings import InputError


@dataclass(frozen=True)
class McNemar:
    """Exact McNemar test: how many questions only one of two methods has right, and the p value."""

    only_first: int
    only_second: int
    p_value: float


def difference(
    first: ArrayLike,
    second: ArrayLike,
    *,
    resample_seeds: bool = False,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Estimate:
    """Return the mean of first - second over the same questions, with a percentile bootstrap interval.

    Args:
        first: (questions,) or (questions, seeds) outcomes; row i of both is the same question.
        second: as `first`; the numbers of seeds may differ.
        resample_seeds: also resample the seeds, which then are the same ones in both: for seeds that stand
            for trained models. Without it a question's seeds are averaged: right for seeds of sampling,
            drawn anew for each question.
        seed: of the resampling.
        resamples: number of resamples.
        level: coverage of the interval.

    Returns:
        Estimate whose n counts questions.

    Raises:
        InputError: different numbers of questions, NaN, or seeds that cannot be resampled together.
    """
    a, b = _matched(first, second)
    if not a.size:
        return NOTHING
    if resample_seeds and a.shape[1] != b.shape[1] and 1 not in (a.shape[1], b.shape[1]):
        raise InputError(f"Resampling seeds needs as many in both, got {a.shape[1]} and {b.shape[1]}.")
    gaps = a - b if resample_seeds else (a.mean(axis=1) - b.mean(axis=1))[:, None]
    rng = np.random.default_rng(seed)
    means = resampled_means(_with_pairs(gaps), rng, resamples)
    seeds = means.shape[1]
    draws = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=resamples)
    return around(float(gaps.mean()), (means * draws).sum(axis=1) / seeds, len(gaps), level)


def smallest(
    gaps: Mapping[str, ArrayLike],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> tuple[str, Estimate]:
    """Return the entry with the smallest mean, and that mean.

    Args:
        gaps: name -> (questions,) differences, in [-1, 1], all on the same questions.
        seed: of the resampling.
        resamples: number of resamples.
        level: coverage of the interval.

    Returns:
        The name (the first among equals) and the mean. The interval picks the smallest anew in each resample,
        so that the choice is part of the uncertainty.

    Raises:
        InputError: nothing to choose from, or different numbers of questions.
    """
    if not gaps:
        raise InputError("The smallest difference needs at least one entry to choose from.")
    columns = [checked(values, f"The difference {name!r}", (1,)) for name, values in gaps.items()]
    if len({len(column) for column in columns}) > 1:
        raise InputError("The smallest difference needs the same questions in every entry.")
    table = np.stack(columns, axis=1)
    if not table.size:
        return next(iter(gaps)), NOTHING
    means = resampled_means(_with_pairs(table), np.random.default_rng(seed), resamples)
    totals = table.mean(axis=0)
    least = int(totals.argmin())
    return list(gaps)[least], around(float(totals[least]), means.min(axis=1), len(table), level)


def lead(
    ours: ArrayLike,
    others: Mapping[str, ArrayLike],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> tuple[str, Estimate]:
    """Return the best of `others` and by how much `ours` is ahead of it, see `smallest`.

    Args:
        ours: (questions,) or (questions, seeds) outcomes.
        others: name -> outcomes on the same questions.
        seed: of the resampling.
        resamples: number of resamples.
        level: coverage of the interval.

    Raises:
        InputError: no other method, or different numbers of questions.
    """
    gaps = {name: np.subtract(*map(by_question, _matched(ours, other))) for name, other in others.items()}
    return smallest(gaps, seed=seed, resamples=resamples, level=level)


def share_of_gap(
    part: ArrayLike,
    whole: ArrayLike,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Estimate:
    """Return mean(part) / mean(whole): how much of a gap is closed.

    Args:
        part: (questions,) or (questions, seeds) differences, such as new - baseline.
        whole: as `part`, such as target - baseline, on the same questions.
        seed: of the resampling.
        resamples: number of resamples.
        level: coverage of the interval.

    Returns:
        The ratio; NaN with n = 0 when the gap itself is not shown, that is when more than (1 - level) / 2 of
        the resamples have none: a share of it would mean nothing. The pseudo-questions of the two differences
        are different ones, so that a part which equals the whole in every question has an interval, too.

    Raises:
        InputError: different numbers of questions, or NaN.
    """
    pair = np.stack([by_question(x) for x in _matched(part, whole)], axis=1)
    if not pair.size:
        return NOTHING
    pool = np.concatenate([pair, *(np.eye(2) * size for size in _sizes(pair))])
    means = resampled_means(pool, np.random.default_rng(seed), resamples)
    if pair[:, 1].mean() <= 0 or (means[:, 1] <= 0).mean() > (1 - level) / 2:
        return NOTHING
    shown = means[means[:, 1] > 0]
    return around(float(pair[:, 0].mean() / pair[:, 1].mean()), shown[:, 0] / shown[:, 1], len(pair), level)


def mcnemar(first: ArrayLike, second: ArrayLike) -> McNemar:
    """Return the exact McNemar test of right-or-wrong outcomes on the same questions.

    Args:
        first: (questions,) bool or 0/1.
        second: as `first`.

    Returns:
        Discordant counts and the two-sided binomial p value; p = 1 when the methods never differ.

    Raises:
        InputError: outcomes other than 0 and 1, or different numbers of questions.
    """
    a, b = _matched(checked(first, "McNemar's test", (1,)), checked(second, "McNemar's test", (1,)))
    if not np.isin(np.concatenate([a, b]), (0.0, 1.0)).all():
        raise InputError("McNemar's test needs right-or-wrong outcomes (0 or 1).")
    only_first, only_second = int((a > b).sum()), int((a < b).sum())
    differing = only_first + only_second
    p_value = float(binomtest(only_first, differing, 0.5).pvalue) if differing else 1.0
    return McNemar(only_first, only_second, p_value)


def _matched(first: ArrayLike, second: ArrayLike) -> tuple[Floats, Floats]:
    """Return both as (questions, seeds) arrays of the same number of questions."""
    a, b = checked(first, "A comparison"), checked(second, "A comparison")
    if len(a) != len(b):
        raise InputError(f"A paired comparison needs the same questions, got {len(a)} and {len(b)}.")
    return (a if a.ndim == 2 else a[:, None]), (b if b.ndim == 2 else b[:, None])


def _with_pairs(gaps: Floats) -> Floats:
    """Return the rows of differences and a row of +1 and one of -1, or of the largest difference above 1."""
    return with_pseudo(gaps, *_sizes(gaps))


def _sizes(gaps: Floats) -> tuple[float, float]:
    """Return the differences of a pseudo-question against and of one for a method."""
    size = max(1.0, float(np.abs(gaps).max()))
    return -size, size
