"""Titles of figures with curves over a training, made from the numbers that are drawn.

A typed title would go on saying what an earlier run found. Series are those of `training_plots`: label ->
frame with a column of heights in the order of the horizontal axis.
"""

from collections.abc import Mapping, Sequence

import pandas as pd

from replication.evaluation.claims import plain

Series = Mapping[str, pd.DataFrame]


def changes(series: Series, column: str = "value", decimals: int = 2) -> str:
    """Return how far each series is from its first point in the end: "chosen +0.12; rejected -0.09"."""
    found = {label: frame[column].iloc[-1] - frame[column].iloc[0] for label, frame in measured(series)}
    return "; ".join(f"{label} {signed(value, decimals)}" for label, value in found.items())


def ends(series: Series, column: str = "value", decimals: int = 2, scale: float = 1.0) -> str:
    """Return the last value of each series: "DPO: 0.29; TDPO1: 0.16"."""
    found = {label: scale * frame[column].iloc[-1] for label, frame in measured(series)}
    return "; ".join(f"{label}: {plain(value, decimals)}" for label, value in found.items())


def starts(series: Series, column: str = "value", decimals: int = 2, scale: float = 1.0) -> str:
    """Return the first value of each series, as `ends`."""
    return ends({label: frame.iloc[:1] for label, frame in series.items()}, column, decimals, scale)


def only(series: Series, labels: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return some of the series, those that are there, in the order of `labels`."""
    return {label: series[label] for label in labels if label in series}


def measured(series: Series) -> list[tuple[str, pd.DataFrame]]:
    """Return the series that have points."""
    return [(label, frame) for label, frame in series.items() if len(frame)]


def signed(value: float, decimals: int = 2) -> str:
    """Return a difference with its sign: "+0.12", "-0.09", "0.00" for what rounds to nothing."""
    text = plain(value, decimals)
    return f"+{text}" if value > 0 and float(text) else text
