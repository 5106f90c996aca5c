"""Pooled estimates: by hand, at their limits, and for coverage in simulated runs."""

import math

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from replication.evaluation import Estimate
from replication.evaluation.claims import NOTHING
from replication.evaluation.pooling import over_seeds


def runs(values, half, n=100):
    return [Estimate(value, value - half, value + half, n) for value in values]


def test_far_apart_seeds_give_the_t_interval_of_their_values():
    values = [0.1, 0.3, 0.5, 0.2]
    found = over_seeds(runs(values, 0.001), redrawn=True)
    interval = ttest_1samp(values, 0).confidence_interval(0.95)
    assert (found.value, found.n) == (pytest.approx(0.275), 400)
    assert (found.low, found.high) == (pytest.approx(interval.low), pytest.approx(interval.high))


def test_seeds_that_agree_by_chance_are_no_surer_than_their_own_intervals_allow():
    found = over_seeds(runs([0.29, 0.31, 0.3], 0.196), redrawn=True)
    assert found.high - found.value == pytest.approx(4.3027 * 0.1 / math.sqrt(3), rel=1e-3)


@pytest.mark.parametrize("redrawn", [True, False])
def test_equal_values_keep_the_interval_of_one_run(redrawn):
    found = over_seeds(runs([0.3, 0.3 + 1e-6, 0.3, 0.3, 0.3], 0.1), redrawn)
    assert (found.low, found.high, found.n) == (pytest.approx(0.2), pytest.approx(0.4), 100)


def test_shared_questions_are_never_averaged_away():
    found = over_seeds(runs([0.29, 0.31] * 50, 0.1), redrawn=False)
    assert found.high - found.low > 0.2
    assert over_seeds(runs([0.29, 0.31] * 50, 0.1), redrawn=True).high < 0.33


def test_one_seed_is_too_few_and_unusable_ones_are_left_out():
    assert over_seeds([*runs([0.3], 0.1), NOTHING], redrawn=True) == NOTHING
    assert over_seeds([*runs([0.2, 0.4], 0.1), NOTHING], redrawn=True).value == pytest.approx(0.3)


@pytest.mark.parametrize("redrawn", [True, False])
def test_coverage(redrawn):
    """Five runs of 100 questions, 20 draws each: the interval holds the true accuracy in about 95 %."""
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        questions = rng.beta(2, 3, (5 if redrawn else 1, 100)).repeat(1 if redrawn else 5, axis=0)
        right = rng.binomial(20, questions) / 20
        halves = 1.96 * right.std(axis=1, ddof=1) / 10
        means = right.mean(axis=1)
        found = [Estimate(m, m - h, m + h, 100) for m, h in zip(means, halves, strict=True)]
        pooled = over_seeds(found, redrawn)
        held += pooled.low <= 0.4 <= pooled.high
    assert 0.93 <= held / 400 < 1.0
