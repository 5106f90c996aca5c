"""Proportions, means, pass@k and votes."""

import itertools
import math

import numpy as np
import pytest

from replication.evaluation.accuracy import majority_vote, mean, pass_at_k, proportion, wilson
from replication.settings import InputError


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    [
        # Newcombe 1998 (single proportions), Table I, method 3; the last row mirrors 0 of 29.
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (29, 29, 0.8830, 1.0),
    ],
)
def test_wilson_against_published_values(successes, n, low, high):
    estimate = wilson(successes, n)
    assert estimate.value == successes / n
    assert estimate.low == pytest.approx(low, abs=1e-4)
    assert estimate.high == pytest.approx(high, abs=1e-4)
    assert estimate.n == n


def test_proportion_counts_and_refuses_fractions():
    estimate = proportion([True, False, True, True])
    assert (estimate.value, estimate.n) == (0.75, 4)
    assert estimate.low < 0.75 < estimate.high
    with pytest.raises(InputError, match="right-or-wrong"):
        proportion([0.5, 1.0])
    with pytest.raises(InputError, match="finite"):
        proportion([math.nan, 1.0])
    with pytest.raises(InputError, match="dimensions"):
        proportion([[1, 0]])


def test_nothing_measured_is_not_a_number():
    assert not proportion([]).usable
    assert not mean([]).usable
    assert proportion([]).n == 0


def test_mean_averages_seeds_and_counts_questions():
    outcomes = np.array([[1, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0]])
    estimate = mean(outcomes)
    assert estimate.value == pytest.approx(0.5)
    assert estimate.n == 4
    assert estimate == mean(outcomes.mean(axis=1))
    assert mean(outcomes, seed=1) == mean(outcomes, seed=1)


def test_mean_of_few_equal_outcomes_keeps_an_interval():
    estimate = mean([1.0, 1.0, 1.0])
    assert (estimate.value, estimate.high) == (1.0, 1.0)
    assert estimate.low < 0.7


def test_mean_interval_is_close_to_the_normal_one():
    values = np.random.default_rng(0).normal(5.0, 2.0, 400)
    estimate = mean(values)
    half = 1.96 * values.std() / 20
    assert estimate.low == pytest.approx(values.mean() - half, abs=0.02)
    assert estimate.high == pytest.approx(values.mean() + half, abs=0.02)


@pytest.mark.parametrize(("n", "c", "k"), [(5, 2, 1), (5, 2, 3), (6, 0, 2), (6, 6, 6), (7, 5, 3), (4, 1, 4)])
def test_pass_at_k_equals_enumeration(n, c, k):
    samples = [1] * c + [0] * (n - c)
    draws = list(itertools.combinations(samples, k))
    expected = sum(any(draw) for draw in draws) / len(draws)
    assert pass_at_k(n, [c], k)[0] == pytest.approx(expected, abs=1e-12)


def test_pass_at_k_is_vectorised_and_checked():
    assert pass_at_k([10, 10, 4], [0, 10, 2], 1).tolist() == pytest.approx([0.0, 1.0, 0.5])
    for arguments in (([3], [1], 4), ([3], [4], 1), ([3], [1], 0)):
        with pytest.raises(InputError, match="pass@k"):
            pass_at_k(*arguments)


@pytest.mark.parametrize(
    ("answers", "weights", "winner"),
    [
        (["a", "b", "b"], None, "b"),
        (["b", "a", "a", "b"], None, "b"),
        ([None, None, "c"], None, "c"),
        ([None], None, None),
        ([], None, None),
        (["a", "b", "b"], [0.9, 0.3, 0.3], "a"),
        (["18", "14", "14", "16", "14", "20", "18", "10", "18", "18"],
         [0.994, 0.095, 0.064, 0.162, 0.083, 0.561, 0.911, 0.424, 0.584, 0.999], "18"),
    ],
)  # fmt: skip
def test_majority_vote(answers, weights, winner):
    assert majority_vote(answers, weights) == winner


def test_majority_vote_needs_a_weight_for_each_answer():
    with pytest.raises(ValueError, match="zip"):
        majority_vote(["a", "b"], [1.0])
