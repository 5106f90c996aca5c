"""Claims against a swept parameter: a small panel for each."""

import math
import textwrap
from collections.abc import Sequence
from itertools import groupby

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from replication.reporting import style
from replication.reporting.comparison_plots import thresholds

COLUMNS = 3
WIDTH, HEIGHT = 2.7, 2.3
TITLE = 40


def claims_against(frame: pd.DataFrame, names: Sequence[str]) -> Figure | None:
    """Draw measured values with their intervals against the first swept parameter, lines for the others.

    Numbers are joined by lines; names are points side by side.

    Args:
        frame: rows of one paper, see `sweeps.frame`.
        names: the swept parameters, in order.

    Returns:
        The figure; None when fewer than two points were measured of every claim.
    """
    known = frame.dropna(subset=["measured", "low", "high"])
    shown = [(claim, rows) for claim, rows in known.groupby("claim", sort=False) if len(rows) > 1]
    if not shown:
        return None
    style.apply()
    columns = min(COLUMNS, len(shown))
    lines = math.ceil(len(shown) / columns)
    size = (WIDTH * columns, HEIGHT * lines + 0.5)
    figure, axes = style.plt.subplots(lines, columns, squeeze=False, figsize=size)
    places = _places(frame[names[0]])
    for place, (_, rows) in zip(axes.flat, shown, strict=False):
        _panel(place, rows, names, places)
    for place in list(axes.flat)[len(shown) :]:
        place.remove()
    handles = {}
    for place in figure.axes:
        for handle, label in zip(*place.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    if handles:
        figure.legend(list(handles.values()), list(handles), loc="outside upper left", ncols=columns)
    return figure


def numeric(values: Sequence[object]) -> bool:
    """Tell whether all values are numbers (truth values are names)."""
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _places(values: pd.Series) -> dict[str, float]:
    """Return where each value stands: at itself when all are numbers, else one after the other."""
    distinct = list({str(value): value for value in values}.items())
    if numeric([value for _, value in distinct]):
        return {text: float(value) for text, value in distinct}
    return {text: float(position) for position, (text, _) in enumerate(distinct)}


def _panel(axes: Axes, rows: pd.DataFrame, names: Sequence[str], places: dict[str, float]) -> None:
    """Draw one claim."""
    joined = numeric(rows[names[0]].tolist())
    series = [(", ".join(f"{name} = {row[name]}" for name in names[1:]), row) for _, row in rows.iterrows()]
    labels = list(dict.fromkeys(label for label, _ in series))
    ordered = sorted(series, key=lambda one: labels.index(one[0]))
    for label, own in groupby(ordered, key=lambda one: one[0]):
        _series(axes, [row for _, row in own], names[0], places, label, labels.index(label), joined)
    first = rows.iloc[0]
    for label, value, dash in thresholds(first["paper"], first["claim"], first["test"]):
        axes.axhline(value, color=style.GREY, lw=1, ls=dash, label=label)
    text = f"{first['claim']}  {first['test'].split(' (partly')[0]}"
    title = textwrap.wrap(text, TITLE, max_lines=3, placeholder=" …")
    axes.set_title("\n".join(title), loc="left", fontsize=7.5, parse_math=False)
    axes.set_xlabel(names[0])
    if not joined:
        axes.set_xticks(list(places.values()), list(places), parse_math=False, fontsize=7)
        axes.margins(x=0.25)


def _series(
    axes: Axes,
    rows: Sequence[pd.Series],
    name: str,
    places: dict[str, float],
    label: str,
    position: int,
    joined: bool,
) -> None:
    """Draw one line, or points where the parameter is a name."""
    rows = sorted(rows, key=lambda row: places[str(row[name])])
    look = style.look(position) | ({} if joined else {"linestyle": "none"})
    x = [places[str(row[name])] + (0 if joined else 0.12 * position) for row in rows]
    value = [row["measured"] for row in rows]
    reach = [
        [max(0.0, row["measured"] - row["low"]) for row in rows],  # rounding
        [max(0.0, row["high"] - row["measured"]) for row in rows],
    ]
    axes.errorbar(x, value, yerr=reach, label=label or None, **look)
