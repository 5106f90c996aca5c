"""Paired comparisons: coverage, seeds, the exact test."""

import numpy as np
import pytest
from scipy.stats import binom

from replication.evaluation.paired import difference, lead, mcnemar, share_of_gap, smallest
from replication.settings import InputError


@pytest.mark.parametrize(("n", "p", "q"), [(12, 0.6, 0.3), (40, 0.5, 0.5), (150, 0.9, 0.2)])
def test_interval_covers_the_true_difference(n, p, q):
    rng = np.random.default_rng(n)
    covered = 0
    for trial in range(200):
        estimate = difference(rng.random(n) < p, rng.random(n) < q, seed=trial, resamples=500)
        covered += estimate.low <= p - q <= estimate.high
    assert covered >= 180


def test_interval_covers_under_correlated_answers_and_seeds():
    rng = np.random.default_rng(3)
    covered = 0
    for trial in range(200):
        skill = rng.random((60, 1))
        first, second = (rng.random((60, 4)) < skill**0.5), (rng.random((60, 3)) < skill)
        estimate = difference(first, second, seed=trial, resamples=500)
        covered += estimate.low <= 2 / 3 - 1 / 2 <= estimate.high
    assert covered >= 180


def test_seeds_of_models_are_resampled_when_asked():
    rng = np.random.default_rng(0)
    effect = np.array([0.9, 0.1, 0.5, 0.3])
    first = rng.random((300, 4)) < effect
    second = np.zeros((300, 4))
    fixed = difference(first, second)
    resampled = difference(first, second, resample_seeds=True)
    assert fixed.value == pytest.approx(resampled.value)
    assert resampled.high - resampled.low > 3 * (fixed.high - fixed.low)
    with pytest.raises(InputError, match="as many in both, got 4 and 3"):
        difference(first, second[:, :3], resample_seeds=True)


def test_few_questions_that_agree_keep_an_interval():
    estimate = difference([1, 1, 1], [0, 0, 0])
    assert estimate.value == 1.0
    assert estimate.low < 0
    assert estimate.n == 3
    assert difference(np.ones(200), np.zeros(200)).low > 0.9


def test_same_seed_same_interval_and_sign_symmetry():
    rng = np.random.default_rng(0)
    a, b = rng.random(80) < 0.6, rng.random(80) < 0.4
    assert difference(a, b, seed=5) == difference(a, b, seed=5)
    forward, backward = difference(a, b), difference(b, a)
    assert forward.value == -backward.value
    assert forward.low == pytest.approx(-backward.high, abs=0.02)


def test_faults_name_the_numbers():
    with pytest.raises(InputError, match="same questions, got 2 and 3"):
        difference([1, 0], [1, 0, 1])
    with pytest.raises(InputError, match="finite"):
        difference([np.nan], [1.0])
    assert not difference([], []).usable


def test_lead_names_the_best_other_and_pays_for_the_choice():
    rng = np.random.default_rng(0)
    ours = rng.random(400) < 0.7
    others = {name: rng.random(400) < p for name, p in (("a", 0.3), ("b", 0.5), ("c", 0.1))}
    name, estimate = lead(ours, others)
    assert name == "b"
    assert estimate.value == pytest.approx(ours.mean() - others["b"].mean())
    assert 0 < estimate.low < estimate.value < estimate.high
    equal = {str(i): rng.random(100) < 0.5 for i in range(8)}
    name, chosen = lead(rng.random(100) < 0.5, equal)
    assert chosen.low < 0
    with pytest.raises(InputError, match="at least one"):
        lead(ours, {})


def test_smallest_takes_the_first_among_equals():
    name, estimate = smallest({"x": [1, 0, 1], "y": [0, 1, 1], "z": [1, 1, 1]})
    assert name == "x"
    assert estimate.value == pytest.approx(2 / 3)
    with pytest.raises(InputError, match="same questions"):
        smallest({"x": [1, 0], "y": [1]})


def test_share_of_gap():
    rng = np.random.default_rng(0)
    base, tuned = rng.random(2000) < 0.1, rng.random(2000) < 0.7
    new = rng.random(2000) < 0.4
    estimate = share_of_gap(new.astype(float) - base, tuned.astype(float) - base)
    assert estimate.value == pytest.approx(0.5, abs=0.06)
    assert estimate.low < 0.5 < estimate.high
    assert estimate.low > 0.4
    assert not share_of_gap(new.astype(float) - base, base.astype(float) - tuned).usable
    assert not share_of_gap([1, 0, 0], [1, 0, 0]).usable


def test_a_gap_closed_in_every_question_has_an_interval():
    gap = np.repeat([1.0, 0.0], [150, 50])
    estimate = share_of_gap(gap, gap)
    assert estimate.value == 1.0
    assert 0.95 < estimate.low < 1 < estimate.high < 1.05
    few = share_of_gap(gap[::10], gap[::10])
    assert few.high - few.low > estimate.high - estimate.low


def test_mcnemar_equals_the_binomial_sum():
    first = np.array([1] * 9 + [0] * 2 + [1] * 5 + [0] * 4)
    second = np.array([0] * 9 + [1] * 2 + [1] * 5 + [0] * 4)
    result = mcnemar(first, second)
    assert (result.only_first, result.only_second) == (9, 2)
    assert result.p_value == pytest.approx(2 * binom.cdf(2, 11, 0.5))
    assert mcnemar(second, first).p_value == pytest.approx(result.p_value)
    assert mcnemar(first, first).p_value == 1.0
    with pytest.raises(InputError, match="right-or-wrong"):
        mcnemar([0.5], [1.0])
