"""Resampling: the quick way through counts has the same distribution as drawing rows."""

import numpy as np
import pytest
from scipy.stats import norm

from replication.evaluation import bootstrap
from replication.evaluation.bootstrap import (
    checked,
    counts,
    expanded,
    percentile,
    resampled_means,
    with_pseudo,
)
from replication.settings import InputError


def test_counts_and_rows_agree_in_distribution():
    rng = np.random.default_rng(0)
    few = rng.choice([-1.0, 0.0, 1.0], 400, p=[0.1, 0.5, 0.4])
    many = few + rng.normal(0, 1e-9, 400)
    quick = resampled_means(few, np.random.default_rng(1), 20_000)
    slow = resampled_means(many, np.random.default_rng(1), 20_000)
    assert quick.mean() == pytest.approx(few.mean(), abs=1e-3)
    assert quick.std() == pytest.approx(slow.std(), rel=0.03)
    assert np.quantile(quick, 0.975) == pytest.approx(np.quantile(slow, 0.975), abs=4e-3)


def test_columns_are_resampled_together():
    column = np.random.default_rng(0).integers(0, 2, 60).astype(float)
    means = resampled_means(np.stack([column, 1 - column], axis=1), np.random.default_rng(2), 500)
    assert means.shape == (500, 2)
    assert np.allclose(means.sum(axis=1), 1.0)


def test_chunks_do_not_change_the_number_of_resamples(monkeypatch):
    monkeypatch.setattr("replication.evaluation.bootstrap.CHUNK", 70)
    values = np.random.default_rng(0).normal(size=10)
    assert resampled_means(values, np.random.default_rng(0), 33).shape == (33,)


def test_percentile_leaves_undefined_resamples_out():
    statistics = np.concatenate([np.linspace(0, 1, 101), [np.nan] * 50])
    assert percentile(statistics) == pytest.approx((0.025, 0.975))
    assert all(np.isnan(percentile(np.array([np.nan]))))


def test_counts_draw_as_many_as_there_are_units():
    drawn = counts(7, np.random.default_rng(0), 50)
    assert drawn.shape == (50, 7)
    assert (drawn.sum(axis=1) == 7).all()


def test_levels_expand_for_few_units_only():
    assert expanded(1) == 1.0
    assert expanded(10) == pytest.approx(2 * norm.cdf(2.2622 * (10 / 9) ** 0.5) - 1, abs=1e-5)
    assert 0.95 < expanded(1000) < 0.951
    assert expanded(10) > expanded(20) > expanded(40)


def test_pseudo_rows_and_checks():
    assert with_pseudo(np.zeros(2), -1, 1).tolist() == [0, 0, -1, 1]
    assert with_pseudo(np.zeros((1, 2)), 0, 1).tolist() == [[0, 0], [0, 0], [1, 1]]
    with pytest.raises(InputError, match="shape"):
        checked(np.zeros((2, 2, 2)), "A mean")
    with pytest.raises(InputError, match="NaN"):
        checked([np.inf], "A mean")


@pytest.mark.parametrize("values", [np.linspace(0, 1, 50) ** 2, np.repeat([0.0, 1.0, 1.0], 20)])
@pytest.mark.parametrize("kept", [10**9, 0])
def test_seeded_means_draw_the_same_samples(monkeypatch, values, kept):
    monkeypatch.setattr(bootstrap, "KEPT", kept)
    monkeypatch.setattr(bootstrap, "CHUNK", 700)  # several pieces
    bootstrap._drawn.cache_clear()
    wanted = bootstrap.resampled_means(values, np.random.default_rng(3), 200)
    for _ in range(2):
        np.testing.assert_allclose(bootstrap.seeded_means(values, 3, 200), wanted, rtol=0, atol=1e-12)
    bootstrap._drawn.cache_clear()
