"""What the published numbers of min-p say by themselves."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from replication import papers
from replication.studies import min_p_published as printed


def published(name):
    entry = papers.load("min_p").published[name]
    return pd.DataFrame([list(row) for row in entry.rows], columns=list(entry.columns))


def test_points_of_the_main_table():
    points = printed.published_points(published("main_table"), {"top-k 180": "top-k 205"}, scale=2.0)
    assert points == {"top-k 205": [(0.35, 30.63), (0.5, 17.59), (0.75, 0.0), (1.0, 0.0), (1.5, 0.0)]}


def test_gaps_of_the_main_table():
    table = printed.published_gaps(published("main_table"), {"GPQA": 448, "GSM8K": 1319}).set_index("task")
    gap = table.loc["GSM8K", "T = 1.5"]
    assert (round(gap.value, 4), gap.n) == (0.1774, 1319)
    assert 0.15 < gap.low < gap.value < gap.high < 0.21
    small = table.loc["GPQA", "T = 1"]
    assert small.low < 0 < small.high
    assert small.value == pytest.approx(0.0089)


def test_welch_tests_of_the_human_study():
    table = printed.human_tests(published("human_study"))
    rows = table.set_index(["T", "setting", "rating"])
    row = rows.loc[("1", "high diversity", "diversity")]
    assert row["t"] == pytest.approx(0.70 / np.sqrt((1.63**2 + 1.88**2) / 53))
    assert row["min-p minus top-p"].value == pytest.approx(0.70)
    one, other = 1.63**2, 1.88**2
    p = stats.t.sf(row["t"], 52 * (one + other) ** 2 / (one**2 + other**2))
    assert (row["p"], row["p times 12"]) == (f"{p:.3f}", f"{12 * p:.3f}")
    assert rows.loc[("3", "low diversity", "diversity"), "p times 12"] == "< 0.001"
    high = [text for (_, setting, _), text in rows["p times 12"].items() if setting == "high diversity"]
    assert all(not text.startswith("<") and float(text) > 0.05 for text in high)


def test_interval_of_a_rating_is_that_of_the_raw_data():
    rng = np.random.default_rng(0)
    one, other = rng.normal(7, 1, 53), rng.normal(6, 2, 53)
    sds = float(one.std(ddof=1)), float(other.std(ddof=1))
    row = (1.0, "s", "r", float(one.mean()), sds[0], float(other.mean()), sds[1])
    columns = ["T", "setting", "rating", "m", "s", "m2", "s2"]
    found = printed.human_tests(pd.DataFrame([row], columns=columns)).iloc[0]
    test = stats.ttest_ind(one, other, equal_var=False)
    ends = test.confidence_interval(0.95)
    gap = found["min-p minus top-p"]
    assert (gap.low, gap.high) == pytest.approx((ends.low, ends.high))
    assert found["t"] == pytest.approx(test.statistic)


def test_needed_correlation_gives_the_p_value_back():
    rng = np.random.default_rng(1)
    base = rng.normal(0, 1, 53)
    one, other = 7.5 + base + rng.normal(0, 1, 53), 7.0 + base + rng.normal(0, 1.2, 53)
    p = 12 * float(stats.ttest_rel(one, other, alternative="greater").pvalue)
    sds = float(one.std(ddof=1)), float(other.std(ddof=1))
    found = printed.needed_correlation(float((one - other).mean()), *sds, p)
    assert found == pytest.approx(float(np.corrcoef(one, other)[0, 1]))


def test_tries():
    table = printed.tries(published("alpaca_eval")).set_index("sampler")
    assert list(table.index) == ["min-p", "top-p"]  # the row without a number of settings is left out
    assert table.loc["min-p", "best minus mean"] == pytest.approx(5.67)
    draws = np.random.default_rng(0).normal(size=(20_000, 25)).max(axis=1).mean()
    assert table.loc["min-p", "c_m"] == pytest.approx(draws, abs=0.02)
    assert table.loc["min-p", "spread that explains it"] == pytest.approx(5.67 / 1.965, abs=0.01)


def test_best_published_cells():
    main = published("main_table")
    gsm = printed.published_best([main[main["task"] == "GSM8K"], published("further_cells_gsm8k")])
    found = gsm.set_index("rule")
    assert found.loc["greedy"].tolist() == [1, "greedy", 38.89]
    assert found.loc["min-p"].tolist() == [12, "min-p 0.1, T = 0.5", 36.62]
    assert found.loc["top-p"].tolist() == [6, "top-p 0.9, T = 0.5", 36.47]
    gpqa = printed.published_best([main[main["task"] == "GPQA"], published("further_cells_gpqa")])
    assert gpqa.set_index("rule").loc["top-p", "accuracy, %"] == 31.03
