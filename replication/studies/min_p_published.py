"""Min-p (arXiv 2407.01082) and its critique (arXiv 2506.13681): what the published numbers say by themselves.

Pure functions of the tables in the paper's file; no model is run.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from replication.evaluation.claims import Estimate
from replication.evaluation.power import published_difference
from replication.studies.min_p import MIN_P, NUCLEUS, RAW

RATERS = 53
COMPARISONS = 12


def published_points(
    published: pd.DataFrame, names: Mapping[str, str], scale: float = 1.0, task: str = "GSM8K"
) -> dict[str, list[tuple[float, float]]]:
    """Return published points for a figure: our label -> [(temperature / scale, percent)].

    Args:
        published: the main table.
        names: published name of a sampler -> ours.
        scale: divides the temperatures.
        task: rows of which task.
    """
    rows = published[published["task"] == task].set_index("sampler")
    return {
        ours: [(t / scale, float(rows.loc[theirs, f"T = {t:g}"])) for t in RAW]
        for theirs, ours in names.items()
    }


def published_gaps(published: pd.DataFrame, sizes: Mapping[str, int]) -> pd.DataFrame:
    """Return min-p 0.1 minus top-p 0.9 of the published main table with Newcombe's intervals.

    Args:
        published: the main table, percent.
        sizes: task -> number of questions.
    """
    rows = []
    for task, n in sizes.items():
        own = published[published["task"] == task].set_index("sampler").drop(columns="task") / 100
        gaps = {t: published_difference(own.at[MIN_P.label, t], own.at[NUCLEUS.label, t], n) for t in own}
        rows.append({"task": task, "n": n} | gaps)
    return pd.DataFrame(rows)


def human_tests(published: pd.DataFrame, n: int = RATERS, comparisons: int = COMPARISONS) -> pd.DataFrame:
    """Return one-sided Welch tests of the published ratings, min-p above top-p.

    Args:
        published: rows with means and standard deviations of both.
        n: raters of each mean.
        comparisons: Bonferroni's number.

    Returns:
        A row per comparison: T, setting, rating, difference with its 95 % interval, t, p, adjusted p. The
        raters saw both, so a paired test would be sharper where their ratings correlate.
    """
    rows = []
    for row in published.itertuples(index=False):
        t, setting, rating, one, one_sd, other, other_sd = row
        test = stats.ttest_ind_from_stats(one, one_sd, n, other, other_sd, n, equal_var=False,
                                          alternative="greater")  # fmt: skip
        error = float(np.sqrt((one_sd**2 + other_sd**2) / n))
        ratio = (one_sd**2 + other_sd**2) ** 2 * (n - 1) / (one_sd**4 + other_sd**4)
        half = error * float(stats.t.ppf(0.975, ratio))
        gap = Estimate(one - other, one - other - half, one - other + half, n)
        adjusted = min(1.0, comparisons * float(test.pvalue))
        rows.append((f"{t:g}", setting, rating, gap, float(test.statistic), _p(test.pvalue), _p(adjusted)))
    columns = ["T", "setting", "rating", "min-p minus top-p", "t", "p", f"p times {comparisons}"]
    return pd.DataFrame(rows, columns=columns)


def needed_correlation(
    gap: float,
    first_sd: float,
    second_sd: float,
    adjusted: float,
    n: int = RATERS,
    comparisons: int = COMPARISONS,
) -> float:
    """Return the correlation within raters at which a one-sided paired t test gives a published p value.

    From t = gap sqrt(n) / s_d and s_d^2 = s_1^2 + s_2^2 - 2 r s_1 s_2.

    Args:
        gap: difference of the means, > 0.
        first_sd: standard deviation of one rating.
        second_sd: of the other.
        adjusted: the p value after Bonferroni's correction.
        n: raters.
        comparisons: Bonferroni's number.
    """
    t = float(stats.t.isf(adjusted / comparisons, n - 1))
    spread = (gap / t) ** 2 * n
    return (first_sd**2 + second_sd**2 - spread) / (2 * first_sd * second_sd)


def _p(value: float) -> str:
    """Return a p value as text."""
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def tries(published: pd.DataFrame) -> pd.DataFrame:
    """Return how far the best of a number of win rates lies above their mean, and what chance would give.

    The best of m draws from a normal distribution lies c_m standard deviations above the mean in expectation;
    the last column is the standard deviation of the settings that would explain the published best by itself.
    """
    rows = []
    for row in published.to_dict("records"):
        if isinstance(row["settings tried"], str) or isinstance(row["mean"], str):
            continue
        m, above = int(row["settings tried"]), row["best"] - row["mean"]
        expected = _expected_maximum(m)
        rows.append((row["sampler"], m, row["mean"], row["best"], above, expected, above / expected))
    columns = ["sampler", "settings", "mean", "best", "best minus mean", "c_m", "spread that explains it"]
    return pd.DataFrame(rows, columns=columns)


def _expected_maximum(m: int) -> float:
    """Return the expected largest of m standard normal draws."""
    from scipy.integrate import quad

    return float(quad(lambda x: x * m * stats.norm.pdf(x) * stats.norm.cdf(x) ** (m - 1), -10, 10)[0])


def published_best(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return per rule of published tables how many cells there are, the best one and its accuracy.

    Args:
        tables: a column sampler and columns "T = ...", percent; "" for cells that were not published.
    """
    found: dict[str, dict[tuple[str, str], float]] = {}
    for table in tables:
        for row in table.drop(columns="task", errors="ignore").to_dict("records"):
            label = str(row.pop("sampler"))
            own = found.setdefault(label.split()[0], {})
            own |= {(label, t): float(v) for t, v in row.items() if not isinstance(v, str)}
    rows = []
    for rule, own in found.items():
        label, t = max(own, key=own.__getitem__)
        rows.append((rule, len(own), label if rule == "greedy" else f"{label}, {t}", own[label, t]))
    return pd.DataFrame(rows, columns=["rule", "cells", "best cell", "accuracy, %"])
