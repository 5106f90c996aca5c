"""Comparisons across different questions: weighted sums of means of independent samples."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from replication.evaluation.bootstrap import (
    LEVEL,
    RESAMPLES,
    around,
    by_question,
    checked,
    resampled_means,
    with_pseudo,
)
from replication.evaluation.claims import NOTHING, Estimate


def contrast(
    terms: Sequence[tuple[float, ArrayLike]],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Estimate:
    """Return the weighted sum of the means of samples that share no questions, with a bootstrap interval.

    Hard minus easy questions is [(1, hard), (-1, easy)]; the mean gain over three tasks is [(1/3, gain),
    ...].

    Args:
        terms: (weight, outcomes) per sample; outcomes (questions,) or (questions, seeds), right-or-wrong in
            [0, 1] or differences in [-1, 1].
        seed: of the resampling.
        resamples: number of resamples.
        level: coverage of the interval.

    Returns:
        Estimate whose n counts the questions of all samples; NaN when a sample is empty. Each sample is
        resampled on its own, from a pool with one pseudo-question at either end of its range (see `paired`).
    """
    samples = [(weight, by_question(checked(outcomes, "A contrast"))) for weight, outcomes in terms]
    if not samples or any(not len(units) for _, units in samples):
        return NOTHING
    rng = np.random.default_rng(seed)
    total = np.zeros(resamples)
    for weight, units in samples:
        pool = with_pseudo(units, -1.0 if units.min() < 0 else 0.0, 1.0)
        total += weight * resampled_means(pool, rng, resamples)
    value = sum(weight * float(units.mean()) for weight, units in samples)
    return around(value, total, sum(len(units) for _, units in samples), level)


def unpaired_difference(
    first: ArrayLike, second: ArrayLike, *, seed: int = 0, resamples: int = RESAMPLES, level: float = LEVEL
) -> Estimate:
    """Return mean(first) - mean(second) of samples that share no questions, see `contrast`."""
    return contrast([(1.0, first), (-1.0, second)], seed=seed, resamples=resamples, level=level)
