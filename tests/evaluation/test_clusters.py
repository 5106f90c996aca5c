import numpy as np
import pytest

from replication.evaluation import clusters
from replication.settings import InputError


def test_sums_are_those_of_a_plain_loop():
    rng = np.random.default_rng(0)
    page, values, mask = rng.integers(0, 5, 40), rng.normal(size=(3, 40)), rng.random(40) < 0.5
    page[:5] = range(5)
    sums = clusters.by_cluster(page, values, mask)
    assert sums.shape == (5, 3, 2)
    for unit in range(5):
        for seed in range(3):
            assert sums[unit, seed, 0] == pytest.approx(values[seed, page == unit].sum())
            assert sums[unit, seed, 1] == mask[page == unit].sum()


def test_a_ratio_is_that_of_all_tokens_and_not_a_mean_of_ratios():
    sums = clusters.by_cluster([0, 0, 0, 1], [[1.0, 1.0, 1.0, 5.0]], np.ones(4))
    assert clusters.statistic(sums, clusters.ratio).value == pytest.approx(2.0)


def test_a_gap_of_equal_halves_is_nothing():
    values = np.random.default_rng(1).normal(size=(2, 30))
    sums = clusters.by_cluster(np.arange(30) // 3, values, np.ones(30), values, np.ones(30))
    found = clusters.statistic(sums, clusters.gap)
    assert (found.value, found.low, found.high, found.n) == (0.0, 0.0, 0.0, 10)


def test_the_interval_covers_as_it_says():
    rng, hits = np.random.default_rng(2), 0
    for trial in range(200):
        means = rng.normal(1.0, 1.0, 25)
        sums = clusters.by_cluster(np.arange(25), means[None], np.ones(25))
        found = clusters.statistic(sums, clusters.ratio, seed=trial, resamples=500)
        hits += found.low <= 1.0 <= found.high
    assert 0.90 <= hits / 200 <= 0.99


def test_spread_between_seeds_widens_the_interval():
    page = np.arange(40)
    same = np.ones((4, 40))
    apart = same * np.array([[0.0], [1.0], [1.0], [2.0]])
    narrow, wide = (
        clusters.statistic(clusters.by_cluster(page, values, np.ones(40)), clusters.ratio)
        for values in (same, apart)
    )
    assert narrow.high - narrow.low < 1e-9 < 0.5 < wide.high - wide.low


def test_tokens_of_one_page_count_once():
    values = np.repeat(np.random.default_rng(3).normal(size=20), 50)[None]
    by_token = clusters.statistic(clusters.by_cluster(np.arange(1000), values, np.ones(1000)), clusters.ratio)
    by_page = clusters.statistic(
        clusters.by_cluster(np.arange(1000) // 50, values, np.ones(1000)), clusters.ratio
    )
    assert by_page.high - by_page.low > 4 * (by_token.high - by_token.low)
    assert (by_token.n, by_page.n) == (1000, 20)


@pytest.mark.parametrize("sums", [np.ones((3, 2)), np.full((2, 1, 2), np.nan)])
def test_sums_of_another_form_are_refused(sums):
    with pytest.raises(InputError, match="finite numbers"):
        clusters.statistic(sums, clusters.ratio)


def test_nothing_gives_nothing():
    assert clusters.statistic(np.ones((0, 2, 2)), clusters.ratio).n == 0


def test_the_average_of_small_changes_keeps_their_scale():
    changes = np.random.default_rng(0).normal(0.05, 0.02, size=(60, 3))
    found = clusters.average(changes)
    assert found.value == pytest.approx(changes.mean())
    assert 0.03 < found.low < found.value < found.high < 0.07
    assert found.n == 60
    still = clusters.average(np.zeros((60, 3)))
    assert (still.value, still.low, still.high) == (0, 0, 0)


def test_the_average_widens_with_seeds_that_differ():
    alike = np.repeat(np.random.default_rng(1).normal(size=(40, 1)), 3, axis=1)
    apart = alike + np.array([-1.0, 0.0, 1.0])
    narrow, wide = clusters.average(alike), clusters.average(apart)
    assert wide.value == pytest.approx(narrow.value)
    assert wide.high - wide.low > 1.3 * (narrow.high - narrow.low)
