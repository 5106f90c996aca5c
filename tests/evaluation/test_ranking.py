"""AUROC against a count of pairs, and trends."""

import numpy as np
import pytest
from scipy.stats import spearmanr

from replication.evaluation.ranking import auroc, trend
from replication.settings import InputError


def pair_count(scores, positive):
    wins = [
        (s > t) + (s == t) / 2
        for s, p in zip(scores, positive, strict=True)
        for t, q in zip(scores, positive, strict=True)
        if p and not q
    ]
    return sum(wins) / len(wins)


@pytest.mark.parametrize("levels", [3, 1000])
def test_auroc_equals_the_count_of_pairs(levels):
    rng = np.random.default_rng(levels)
    positive = rng.random(120) < 0.3
    scores = rng.integers(0, levels, 120) / levels + 0.2 * positive
    assert auroc(scores, positive, resamples=50).value == pytest.approx(pair_count(scores, positive))


def test_auroc_resample_weights_equal_repeated_rows():
    from replication.evaluation.ranking import _areas

    rng = np.random.default_rng(0)
    scores, positive = np.sort(rng.integers(0, 9, 40)).astype(float), rng.random(40) < 0.5
    weights = rng.integers(0, 4, (1, 40))
    repeated = np.repeat(np.arange(40), weights[0])
    expected = pair_count(scores[repeated], positive[repeated])
    assert _areas(scores, positive, weights)[0] == pytest.approx(expected)


def test_auroc_covers_with_rows_clustered_by_question():
    rng = np.random.default_rng(1)
    covered, naive = 0, 0
    for trial in range(200):
        questions = np.repeat(np.arange(40), 6)
        # All rows of a question share a shift: they are far from independent.
        positive = np.repeat(rng.random(40) < 0.5, 6)
        scores = np.repeat(rng.normal(size=40), 6) + 0.1 * rng.normal(size=240) + positive
        truth = 0.7592  # P(N(1, 2.02) > 0)
        estimate = auroc(scores, positive, questions, seed=trial, resamples=200)
        covered += estimate.low <= truth <= estimate.high
        estimate = auroc(scores, positive, seed=trial, resamples=200)
        naive += estimate.low <= truth <= estimate.high
    assert covered >= 178
    assert naive < 160


def test_auroc_counts_questions_and_is_undefined_for_one_class():
    estimate = auroc([0.1, 0.9, 0.4, 0.5], [False, True, True, False], ["q1", "q1", "q2", "q2"])
    assert estimate.n == 2
    assert estimate.value == 0.75
    assert not auroc([0.1, 0.2], [True, True]).usable
    assert not auroc([], []).usable


def test_complete_separation_of_few_questions_keeps_an_interval():
    few = auroc([0.1, 0.2, 0.8, 0.9], [False, False, True, True])
    assert (few.value, few.high) == (1.0, 1.0)
    assert few.low < 0.5
    many = auroc(np.arange(400), np.arange(400) >= 200)
    assert many.low > 0.95
    assert auroc(-np.arange(400), np.arange(400) >= 200).high < 0.05


def test_auroc_faults():
    with pytest.raises(InputError, match="NaN"):
        auroc([np.nan, 1.0], [True, False])
    with pytest.raises(InputError, match="one length, got 2, 1 and 2"):
        auroc([0.0, 1.0], [True], ["a", "b"])


def test_trend_rises_falls_and_is_flat():
    rng = np.random.default_rng(0)
    ks = np.arange(1, 11)
    rising = rng.random((300, 1)) < 0.1 + 0.05 * ks
    estimate = trend(ks, rising)
    assert estimate.value == pytest.approx(spearmanr(ks, rising.mean(axis=0)).statistic)
    assert estimate.low > 0.7
    assert trend(ks, ~rising).high < -0.7
    flat = trend(ks, np.repeat(rng.random((300, 1)) < 0.5, 10, axis=1))
    assert (flat.value, flat.low, flat.high) == (0.0, 0.0, 0.0)


def test_trend_faults():
    with pytest.raises(InputError, match="2 or more steps"):
        trend([1, 2], np.zeros((3, 4)))
    assert not trend([1, 2], np.zeros((0, 2))).usable
