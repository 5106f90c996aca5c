"""Titles that say what a figure shows, made from the numbers that it draws.

A typed title goes on saying what an earlier run found. These sentences name values and places and do not
judge, so that they are true of whatever is drawn. Series are those of `plots` and `sampler_plots`: label ->
frame with the horizontal axis, accuracy (or another column), low and high.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from replication.evaluation.claims import Estimate, plain

Series = Mapping[str, pd.DataFrame]
PERCENT = 100.0


def listed(values: Mapping[str, str]) -> str:
    """Return "a: 1; b: 2"; "nothing measured" for no values."""
    return "; ".join(f"{label}: {value}" for label, value in values.items()) or "nothing measured"


def moves(series: Series, column: str = "accuracy", scale: float = PERCENT, unit: str = " %") -> str:
    """Return the first and the last value of every series: "a: 25 to 100 %; b: 7 to 38 %"."""
    found = {label: scale * frame[column].astype(float) for label, frame in series.items() if len(frame)}
    return listed(
        {label: f"{_short(own.iloc[0])} to {_short(own.iloc[-1])}{unit}" for label, own in found.items()}
    )


def last(series: Series, column: str, decimals: int = 2, unit: str = "") -> str:
    """Return the last value of a column of every series: "a: 0.77; b: 0.69"."""
    found = {label: plain(float(own[column].iloc[-1]), decimals) for label, own in series.items() if len(own)}
    return listed({label: f"{value}{unit}" for label, value in found.items()})


def at(
    series: Series, x: str, place: float, column: str = "accuracy", scale: float = PERCENT, unit: str = " %"
) -> str:
    """Return the value of every series at a place of the axis `x`; series without it are left out."""
    found = _values(series, x, place, column)
    return listed({label: f"{_short(scale * value)}{unit}" for label, value in found.items()})


def leader(series: Series, x: str, place: float) -> str:
    """Return the largest and the second largest value at a place: "a: 98 %; next, b: 3 %"."""
    found = _values(series, x, place, "accuracy")
    order = sorted(found, key=lambda label: -found[label])[:2]
    names = [order[0], *(f"next, {label}" for label in order[1:])] if order else []
    return listed(
        {name: f"{_short(PERCENT * found[label])} %" for name, label in zip(names, order, strict=True)}
    )


def spans(
    panels: Mapping[str, Series], x: str, place: float, scale: float = PERCENT, unit: str = " %"
) -> str:
    """Return for every series the range of its values at a place over the panels: "a: 3 to 10 %"."""
    found: dict[str, list[float]] = {}
    for series in panels.values():
        for label, value in _values(series, x, place, "accuracy").items():
            found.setdefault(label, []).append(scale * value)
    return listed({label: f"{_range(own)}{unit}" for label, own in found.items()})


def settled(series: Series, x: str, within: float = 0.01) -> str:
    """Return from where on every series stays within so much of its last value: "a: k = 6; b: k = 8"."""
    found = {}
    for label, frame in series.items():
        away = (frame["accuracy"] - frame["accuracy"].iloc[-1]).abs().to_numpy() > within + 1e-9
        first = int(np.flatnonzero(away).max()) + 1 if away.any() else 0
        found[label] = f"{x} = {frame[x].iloc[first]:g}"
    return listed(found)


def gains(groups: Mapping[str, Mapping[str, Estimate]], base: str, other: str) -> str:
    """Return by how many points one bar of every group is above another: "stories: +75 points"."""
    found = {label: 100 * (cells[other].value - cells[base].value) for label, cells in groups.items()}
    return f"{listed({label: _signed(value) for label, value in found.items()})} points"


def differences(base: pd.DataFrame, other: pd.DataFrame) -> str:
    """Return by how many points one curve is above another at each of its places: "-7, +10, -3 points"."""
    found = PERCENT * (other["accuracy"].to_numpy() - base["accuracy"].to_numpy())
    return f"{', '.join(map(_signed, found))} points"


def medians(values: Mapping[str, Sequence[float]], decimals: int = 2) -> str:
    """Return the median of every group of numbers, NaN left out: "direct: 0.37; reasoned: 1.00"."""
    found = {label: pd.Series(own, dtype=float).dropna() for label, own in values.items()}
    return listed({label: plain(float(own.median()), decimals) for label, own in found.items() if len(own)})


def constant(series: Series, column: str = "accuracy") -> str:
    """Return the labels of the series that do not move at all: "a, b"; "none" without any."""
    still = [label for label, frame in series.items() if len(frame) and frame[column].nunique() == 1]
    return ", ".join(still) or "none"


def counted(*series: Series, unit: str = "questions") -> str:
    """Return "n = 200 questions", or "n = 1 to 200 questions" where the points' numbers differ (column n)."""
    found = [int(n) for own in series for frame in own.values() for n in frame["n"]]
    return f"n = {_range(found) if found else 0} {unit}"


def _values(series: Series, x: str, place: float, column: str) -> dict[str, float]:
    """Return the value of every series at a place of the axis."""
    found = {}
    for label, frame in series.items():
        rows = frame[np.isclose(frame[x].astype(float), place)] if len(frame) else frame
        if len(rows):
            found[label] = float(rows[column].iloc[0])
    return found


def _range(values: Sequence[float]) -> str:
    """Return "3 to 10", or "10" where both ends read the same."""
    low, high = _short(min(values)), _short(max(values))
    return low if low == high else f"{low} to {high}"


def _short(value: float) -> str:
    """Return a number as tables have it, with one decimal; without from 100 on and where it is 0."""
    return plain(value, 0) if abs(value) >= 100 else plain(value, 1).removesuffix(".0")


def _signed(value: float) -> str:
    """Return a difference with its sign: "+75", "-7.5", "0"."""
    text = _short(value)
    return text if text.startswith("-") or text == "0" else f"+{text}"
