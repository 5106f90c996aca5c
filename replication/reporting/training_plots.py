"""The kinds of figures that the notebooks on trainings share.

Each function returns what `Report.figure` takes: the figure, its name, its caption, and the frame of the
numbers that it shows.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import LogFormatter

from replication.reporting import style
from replication.reporting.plots import Drawn

Series = Mapping[str, pd.DataFrame]
LEGEND = 1.6  # inches for the legend beside the panels
COLUMNS = 3  # panels side by side
NARROW = 3.0  # inches of each of three panels, so that they fit a column of text
UNITS = {"": 1.0, "thousands": 1e3, "millions": 1e6, "billions": 1e9}
RING = {"marker": "o", "markersize": 9, "markerfacecolor": "none", "linestyle": "none", "mew": 1.2}
GRID = 200  # places at which a fitted curve is drawn


def trajectories(
    name: str,
    series: Series,
    x: str,
    title: str,
    *,
    y: str = "loss",
    caption: str = "",
    xlabel: str = "processed tokens",
    ylabel: str = "loss, nats per token",
    unit: str = "millions",
    published: Mapping[str, Sequence[tuple[float, float]]] | None = None,
    published_xlabel: str = "processed tokens, billions",
) -> Drawn:
    """Draw a line with its interval per class of tokens or model against what was read.

    Args:
        name: name of the figure's files.
        series: label -> frame with columns `x` and `y`, and low and high where there is an interval.
        x: column of the horizontal axis.
        title: the finding, above the panel or panels.
        y: column of the vertical axis.
        caption: text below.
        xlabel: name of the horizontal axis, without its unit.
        ylabel: name and unit of the vertical axis.
        unit: of the horizontal axis, one of `UNITS`: `x` is divided by it.
        published: label -> published points (x, y) in the units of their own panel, the second one; a label
            of ours has its colour there.
        published_xlabel: name and unit of the horizontal axis of that panel.
    """
    figure, axes = style.panels(2 if published else 1, squeeze=False, sharey=bool(published))
    flat, places = axes[0], _places([series, published or {}])
    for label, frame in series.items():
        _line(flat[0], frame, x, y, label, places[label], UNITS[unit])
    flat[0].set(xlabel=_with_unit(xlabel, unit), ylabel=ylabel)
    parts = {("this run", label): frame for label, frame in series.items()}
    for label, points in (published or {}).items():
        own = pd.DataFrame(points, columns=[x, y])
        flat[-1].plot(own[x], own[y], label=label, **(style.published(places[label]) | {"linestyle": ":"}))
        parts["published", label] = own
    _headings(figure, flat, ("this run", "published") if published else (title,), title)
    if published:
        flat[-1].set_xlabel(published_xlabel)
    style.legend_beside(flat[-1], _ours_first(flat), LEGEND)
    data = _joined(parts)
    return figure, name, caption, data if published else data.drop(columns="panel")


def small_multiples(
    name: str,
    panels: Mapping[str, Series],
    x: str,
    y: str,
    title: str,
    *,
    caption: str = "",
    xlabel: str = "processed tokens",
    ylabel: str = "loss, nats per token",
    unit: str = "millions",
    mark: str = "",
    mark_label: str = "own checkpoint",
    sharey: bool = False,
    log_y: bool = False,
    published: Mapping[str, Mapping[str, Sequence[tuple[float, float]]]] | None = None,
) -> Drawn:
    """Draw some lines in each of a row of panels; a label has one look in all of them.

    Args:
        name: name of the figure's files.
        panels: panel's title -> (label -> frame with columns `x` and `y`, and low and high where there is an
            interval).
        x: column of the horizontal axis.
        y: column of the vertical axis.
        title: the finding, above all panels.
        caption: text below.
        xlabel: name of the horizontal axis, without its unit.
        ylabel: name and unit of the vertical axis.
        unit: of the horizontal axis, one of `UNITS`: `x` is divided by it.
        mark: column of booleans; a ring is drawn around the points where it is true.
        mark_label: what such a point is.
        sharey: whether all panels have one vertical scale.
        log_y: whether the vertical axes are logarithmic.
        published: panel's title -> (label -> published points (x, y), x in the column's own unit), drawn
            hollow in the label's colour.
    """
    columns = min(COLUMNS, len(panels))
    figure, axes = style.panels(columns, -(-len(panels) // columns), squeeze=False, sharey=sharey)
    if columns == COLUMNS:
        figure.set_size_inches(columns * NARROW, figure.get_size_inches()[1])
    flat, places = axes.ravel(), _places(panels.values())
    for one, (heading, series) in zip(flat, panels.items(), strict=False):
        for label, frame in series.items():
            _line(one, frame, x, y, label, places[label], UNITS[unit])
            for place, height in (published or {}).get(heading, {}).get(label, ()):
                one.plot(place / UNITS[unit], height, label="published", **style.published(places[label]))
        for frame in series.values() if mark else ():
            chosen = frame[frame[mark].astype(bool)]
            one.plot(chosen[x] / UNITS[unit], chosen[y], color=style.BLACK, label=mark_label, **RING)
        one.set(xlabel=_with_unit(xlabel, unit), yscale="log" if log_y else "linear")
        if log_y:  # plain numbers, not powers of ten
            one.yaxis.set_major_formatter(LogFormatter())
            one.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1.5, 0.6)))
    for left in axes[:, 0]:
        left.set_ylabel(ylabel)
    for unused in flat[len(panels) :]:
        unused.set_visible(False)
    _headings(figure, flat, tuple(panels) if len(panels) > 1 else (title,), title)
    style.legend_beside(axes[0][-1], _ours_first(flat), LEGEND)
    return figure, name, caption, _joined({(h, k): f for h, own in panels.items() for k, f in own.items()})


def scatter_fit(
    name: str,
    points: Series,
    fits: Mapping[str, Callable[[np.ndarray], np.ndarray]],
    x: str,
    y: str,
    title: str,
    *,
    caption: str = "",
    xlabel: str = "loss, nats per token",
    ylabel: str = "accuracy, %",
    scale: float = 100.0,
    apart: bool = True,
) -> Drawn:
    """Draw points and the curve fitted to them, such as accuracy against loss.

    Args:
        name: name of the figure's files.
        points: label -> frame with columns `x` and `y`, and low and high where there is an interval.
        fits: label of points -> curve: takes places (n,), returns heights (n,) in the units of `y`, NaN where
            it is not defined.
        x: column of the horizontal axis.
        y: column of the vertical axis.
        title: the finding, above the panel or panels.
        caption: text below.
        xlabel: name and unit of the horizontal axis.
        ylabel: name and unit of the vertical axis.
        scale: multiplies what is shown vertically: 100 turns fractions into percent.
        apart: whether each label has a panel of its own, for sets whose places lie far from each other.
    """
    apart = apart and len(points) > 1
    figure, axes = style.panels(len(points) if apart else 1, squeeze=False, sharey=apart)
    parts = {}
    for position, (label, frame) in enumerate(points.items()):
        one, look = axes[0][position if apart else 0], style.look(position)
        whiskers = _whiskers(frame, y, scale)
        one.errorbar(frame[x], scale * frame[y], yerr=whiskers, label=label, **look | {"linestyle": "none"})
        parts[label] = frame.assign(kind="measured")
        if label in fits:
            grid = np.linspace(frame[x].min(), frame[x].max(), GRID)
            curve = pd.DataFrame({x: grid, y: fits[label](grid), "kind": "fitted"})
            one.plot(grid, scale * curve[y], label=f"{label}, fitted", **look | {"marker": ""})
            parts[label] = pd.concat([parts[label], curve], ignore_index=True)
    for one in axes[0]:
        one.set_xlabel(xlabel)
    axes[0][0].set_ylabel(ylabel)
    _headings(figure, axes[0], tuple(points) if apart else (title,), title)
    style.legend_beside(axes[0][-1], list(axes[0]), LEGEND)
    return figure, name, caption, pd.concat(parts, names=["series"]).reset_index(level=0)


def _line(axes: Axes, frame: pd.DataFrame, x: str, y: str, label: str, position: int, unit: float) -> None:
    """Draw one series, with a band where it has an interval."""
    look, place = style.look(position), frame[x] / unit
    axes.plot(place, frame[y], label=label, **look)
    if {"low", "high"} <= set(frame.columns):
        axes.fill_between(place, frame["low"], frame["high"], color=look["color"], alpha=0.15, lw=0)


def _whiskers(frame: pd.DataFrame, y: str, scale: float) -> np.ndarray | None:
    """Return how far the intervals reach below and above: (2, n); None without intervals."""
    if not {"low", "high"} <= set(frame.columns):
        return None
    # An end may pass the value by rounding.
    return scale * np.clip([frame[y] - frame["low"], frame["high"] - frame[y]], 0, None)


def _places(groups: Sequence[Mapping[str, object]]) -> dict[str, int]:
    """Return the number of each label, which decides its look."""
    return {label: i for i, label in enumerate(dict.fromkeys(key for own in groups for key in own))}


def _ours_first(axes: Sequence[Axes]) -> list[Axes]:
    """Return panels in the order in which the legend reads them: the one with most labels first."""
    return sorted(axes, key=lambda one: -len(one.get_legend_handles_labels()[1]))


def _with_unit(label: str, unit: str) -> str:
    """Return the name of an axis with its unit."""
    return f"{label}, {unit}" if unit else label


def _headings(figure: object, axes: Sequence[Axes], headings: Sequence[str], title: str) -> None:
    """Write the panels' titles, and one above them where there are several panels."""
    if len(headings) == 1:
        headings = (style.fit(title, style.PANEL[0]),)
    for one, heading in zip(axes, headings, strict=False):
        one.set_title(heading)
    if len(headings) > 1:
        width = min(COLUMNS, len(headings)) * (NARROW if len(headings) >= COLUMNS else style.PANEL[0])
        figure.suptitle(style.fit(title, width), fontsize=10)


def _joined(parts: Mapping[tuple[str, str], pd.DataFrame]) -> pd.DataFrame:
    """Return all frames as one with the columns panel and series."""
    return pd.concat(parts, names=["panel", "series"]).reset_index(level=[0, 1]).reset_index(drop=True)
