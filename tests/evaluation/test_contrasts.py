"""Comparisons of samples that share no questions."""

import numpy as np
import pytest

from replication.evaluation.contrasts import contrast, unpaired_difference


def test_unpaired_interval_covers_the_true_difference():
    rng = np.random.default_rng(0)
    covered = 0
    for trial in range(200):
        estimate = unpaired_difference(rng.random(50) < 0.7, rng.random(30) < 0.4, seed=trial, resamples=500)
        covered += estimate.low <= 0.3 <= estimate.high
    assert covered >= 180


def test_weights_and_counts():
    estimate = contrast([(0.5, np.ones(40)), (0.5, np.zeros(20)), (-1.0, np.full((10, 3), 0.25))])
    assert estimate.value == pytest.approx(0.25)
    assert estimate.n == 70
    assert estimate.low < 0.25 < estimate.high


def test_differences_may_be_negative():
    estimate = contrast([(1.0, [1, -1, 0, 0] * 50)])
    assert estimate.value == 0
    assert -0.2 < estimate.low < 0 < estimate.high < 0.2


def test_an_empty_sample_leaves_nothing_to_compare():
    assert not unpaired_difference([], [1, 0]).usable
    assert not contrast([]).usable
