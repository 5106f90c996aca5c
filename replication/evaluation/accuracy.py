"""Accuracy with its interval, pass@k, and votes."""

from collections.abc import Hashable, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln

from replication.evaluation.bootstrap import (
    LEVEL,
    RESAMPLES,
    around,
    by_question,
    checked,
    seeded_means,
    with_pseudo,
)
from replication.evaluation.claims import NOTHING, Estimate
from replication.settings import InputError

Choice = TypeVar("Choice", bound=Hashable)


def wilson(successes: float, n: int, level: float = LEVEL) -> Estimate:
    """Return a proportion with its Wilson score interval (Wilson 1927); NaN for n = 0."""
    from statsmodels.stats.proportion import proportion_confint

    if n == 0:
        return NOTHING
    low, high = proportion_confint(successes, n, alpha=1 - level, method="wilson")
    return Estimate(successes / n, max(0.0, float(low)), min(1.0, float(high)), n)


def proportion(correct: ArrayLike, level: float = LEVEL) -> Estimate:
    """Return the share of true entries with its Wilson interval.

    Args:
        correct: (n,) bool or 0/1, one entry per question.
        level: coverage of the interval.

    Raises:
        InputError: entries other than 0 and 1; average several seeds with `mean` instead.
    """
    values = checked(correct, "A proportion", (1,))
    if not np.isin(values, (0.0, 1.0)).all():
        raise InputError("A proportion needs right-or-wrong outcomes (0 or 1): use `mean` for other numbers.")
    return wilson(float(values.sum()), len(values), level)


def mean(outcomes: ArrayLike, *, seed: int = 0, resamples: int = RESAMPLES, level: float = LEVEL) -> Estimate:
    """Return the mean of outcomes with a bootstrap interval over questions.

    Args:
        outcomes: (questions,) or (questions, seeds); seeds of a question are averaged, the question is the
            unit.
        seed: of the resampling.
        resamples: number of resamples.
        level: coverage of the interval.

    Returns:
        The plain mean. For outcomes in [0, 1] one 0 and one 1 join the pool that is resampled, so that a few
        questions which all agree do not give an interval of width zero (the idea of Agresti & Coull 1998).
    """
    units = by_question(checked(outcomes, "A mean"))
    if not units.size:
        return NOTHING
    bounded = units.min() >= 0 and units.max() <= 1
    pool = with_pseudo(units, 0.0, 1.0) if bounded else units
    means = seeded_means(pool, seed, resamples)
    return around(float(units.mean()), means, len(units), level)


def pass_at_k(samples: ArrayLike, correct: ArrayLike, k: int) -> NDArray[np.float64]:
    """Return the unbiased estimate that at least one of k samples is right, per question.

        pass@k = 1 - C(n - c, k) / C(n, k)            (Chen et al. 2021, arXiv 2107.03374, Eq. 1)

    Args:
        samples: (questions,) or scalar, n = samples drawn, n >= k.
        correct: (questions,), c = right ones among them, 0 <= c <= n.
        k: samples that may be tried, >= 1.

    Returns:
        (questions,) float64 in [0, 1].

    Raises:
        InputError: k < 1, fewer samples than k, or more right ones than samples.
    """
    c = np.atleast_1d(np.asarray(correct, dtype=np.float64))
    n = np.broadcast_to(np.asarray(samples, dtype=np.float64), c.shape)
    if k < 1 or (n < k).any():
        raise InputError(f"pass@k needs 1 <= k <= samples per question, got k={k} and {n.min():.0f} samples.")
    if (c < 0).any() or (c > n).any():
        raise InputError("pass@k needs between 0 and n right samples per question.")
    wrong = n - c
    enough = wrong >= k
    log_ratio = gammaln(np.where(enough, wrong, k) + 1) - gammaln(np.where(enough, wrong, k) - k + 1)
    log_ratio = log_ratio - gammaln(n + 1) + gammaln(n - k + 1)
    # Without a right sample it is 0 exactly, which rounding would miss by 1e-14.
    return np.where(c == 0, 0.0, np.where(enough, 1.0 - np.exp(log_ratio), 1.0))


def majority_vote(answers: Sequence[Choice | None], weights: Sequence[float] | None = None) -> Choice | None:
    """Return the answer with the most votes, or the largest total weight.

    Args:
        answers: in the order of the samples; None (no answer found) does not vote.
        weights: one per answer; 1 each by default.

    Returns:
        The winner; among equals the one that occurs first. None when nobody votes.
    """
    totals: dict[Choice, float] = {}
    for answer, weight in zip(answers, weights if weights is not None else [1.0] * len(answers), strict=True):
        if answer is not None:
            totals[answer] = totals.get(answer, 0.0) + weight
    return max(totals, key=totals.__getitem__, default=None)
