"""What the figures of the notebooks on min-p show, as titles made from the numbers that they draw."""

from collections.abc import Mapping, Sequence

import pandas as pd

from replication.evaluation.claims import plain
from replication.evaluation.wording import versus
from replication.studies import samplers
from replication.studies.min_p import MIN_P, NUCLEUS, RAW, Heat, mean_gap

HALF = 0.5


def at_last(frame: pd.DataFrame) -> str:
    """Return min-p against top-p at the highest temperature of the published table."""
    last = RAW[-1]
    gap = samplers.gap(frame, (MIN_P.label, last), (NUCLEUS.label, last))
    return versus(MIN_P.label, NUCLEUS.label, gap, f"at T = {last:g}")


def on_average(frame: pd.DataFrame, heat: Heat) -> str:
    """Return min-p against top-p, averaged over the three highest temperatures relative to T_c."""
    chosen = heat.rescaled[2:]
    low, high = (f"{t / heat.critical:.2f}" for t in (chosen[0], chosen[-1]))
    gap = mean_gap(frame, MIN_P, NUCLEUS, chosen)
    return versus(MIN_P.label, NUCLEUS.label, gap, f"on average from {low} to {high} T_c")


def half_right(curves: Mapping[str, pd.DataFrame]) -> str:
    """Return up to which temperature at least half of the paths are right, for min-p and top-p.

    Args:
        curves: of `min_p.trade_off`.
    """
    found = []
    for label in (MIN_P.label, NUCLEUS.label):
        rows = curves[label]
        last = rows.loc[rows["accuracy"] >= HALF, "temperature"].max()
        found.append(f"{label}: {'at none' if pd.isna(last) else f'up to T = {last:g}'}")
    return f"At least half of the paths are right with {', with '.join(found)}"


def best_of(series: Mapping[str, pd.DataFrame], name: str = "best of the three") -> str:
    """Return the difference of min-p from the best of the others, with one setting and with all.

    Args:
        series: of `min_p_critique.best_of_series`.
        name: of the series.
    """
    rows = series[name].sort_values("N")
    first, last = rows.iloc[0], rows.iloc[-1]
    values = [f"{plain(100 * row['accuracy'], 1)} points at N = {row['N']:g}" for row in (first, last)]
    return f"Best min-p minus the best of the others: {', '.join(values)}"


def ranges(published: pd.DataFrame, task: str = "GSM8K") -> Sequence[tuple[float, float, float]]:
    """Return the published ranges of best-of-N for a figure: (N, low, high), fractions."""
    rows = published[published["task"] == task]
    return list(rows[["N", "low", "high"]].astype(float).itertuples(index=False, name=None))
