"""The kinds of figures that the notebooks share.

Each function returns what `Report.figure` takes: the figure, its name, its caption, and the frame of the
numbers that it shows.
"""

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from replication.reporting import style

Drawn = tuple[Figure, str, str, pd.DataFrame]
BESIDE = 2.0  # inches for the legend beside panels
NARROW = 3.2  # inches of each of several panels, so that they fit a column of text
LABELS = 40  # characters of the names below a panel of bars


def curves(
    name: str,
    series: Mapping[str, pd.DataFrame],
    x: str,
    *,
    title: str,
    caption: str = "",
    xlabel: str = "",
    ylabel: str = "accuracy, %",
    published: Mapping[str, Sequence[tuple[float, float]]] | None = None,
) -> Drawn:
    """Draw one line per series with its interval.

    Args:
        name: name of the figure's files.
        series: label -> frame with columns `x`, accuracy, low, high (fractions).
        x: column of the horizontal axis.
        title: the finding, above the panel.
        caption: text below.
        xlabel: name of the horizontal axis, `x` by default.
        ylabel: name of the vertical axis.
        published: label of a series -> published points (x, percent), drawn hollow in its colour.
    """
    figure, axes = style.panels()
    _lines(axes, series, x, published or {})
    axes.set(title=style.fit(title, style.PANEL[0]), xlabel=xlabel or x, ylabel=ylabel)
    _whole(axes, [frame[x] for frame in series.values()])
    style.legend_beside(axes, [axes], BESIDE)
    return figure, name, caption, pd.concat(series, names=["series"]).reset_index(level=0)


def curve_panels(
    name: str,
    panels: Mapping[str, Mapping[str, pd.DataFrame]],
    x: str,
    *,
    title: str = "",
    caption: str = "",
    xlabel: str = "",
    ylabel: str = "accuracy, %",
    published: Mapping[str, Mapping[str, Sequence[tuple[float, float]]]] | None = None,
) -> Drawn:
    """Draw `curves` of several tasks side by side, on one vertical axis.

    Args:
        name: name of the figure's files.
        panels: title of the panel -> (label -> frame as in `curves`).
        x: column of the horizontal axis.
        title: the finding, above all panels.
        caption: text below.
        xlabel: name of the horizontal axis, `x` by default.
        ylabel: name of the vertical axis.
        published: title of the panel -> (label -> published points).
    """
    figure, axes = style.panels(len(panels), squeeze=False, sharey=True)
    width = len(panels) * (NARROW if len(panels) > 2 else style.PANEL[0])
    figure.set_size_inches(width, style.PANEL[1])
    for one, (heading, series) in zip(axes[0], panels.items(), strict=True):
        _lines(one, series, x, (published or {}).get(heading, {}))
        one.set(title=heading, xlabel=xlabel or x)
        _whole(one, [frame[x] for frame in series.values()])
    axes[0][0].set_ylabel(ylabel)
    if title:
        figure.suptitle(style.fit(title, width), fontsize=10)
    style.legend_beside(axes[0][-1], list(axes[0]), BESIDE)
    flat = {(heading, label): frame for heading, own in panels.items() for label, frame in own.items()}
    data = pd.concat(flat, names=["panel", "series"]).reset_index(level=[0, 1])
    return figure, name, caption, data


def _lines(
    axes: Axes,
    series: Mapping[str, pd.DataFrame],
    x: str,
    published: Mapping[str, Sequence[tuple[float, float]]],
) -> None:
    """Draw each series with its interval and its published points."""
    for position, (label, frame) in enumerate(series.items()):
        look = style.look(position)
        if frame.empty:  # its columns hold objects, which cannot be filled between
            axes.plot([], [], label=label, **look)
            continue
        axes.plot(frame[x], 100 * frame["accuracy"], label=label, **look)
        if len(frame):  # the columns of an empty frame are no numbers
            low, high = 100 * frame["low"], 100 * frame["high"]
            axes.fill_between(frame[x], low, high, color=look["color"], alpha=0.15)
        for place, height in published.get(label, ()):
            axes.plot(place, height, label=f"{label}, published", **style.published(position))


def bars(
    name: str,
    groups: Mapping[str, Mapping[str, object]],
    *,
    title: str,
    caption: str = "",
    ylabel: str = "accuracy, %",
    top: float | None = 100,
    published: Mapping[str, Mapping[str, float]] | None = None,
) -> Drawn:
    """Draw groups of bars with intervals.

    Args:
        name: name of the figure's files.
        groups: group label -> (bar label -> Estimate).
        title: the finding, above the panel.
        caption: text below.
        ylabel: name of the vertical axis.
        top: upper end of the vertical axis in percent; None fits it to the bars.
        published: group label -> (bar label -> percent), drawn as hollow points.
    """
    figure, axes = style.panels()
    labels = list(dict.fromkeys(label for group in groups.values() for label in group))
    width, rows = 0.8 / len(labels), []
    for position, label in enumerate(labels):
        for place, (group, cells) in enumerate(groups.items()):
            if label not in cells:
                continue
            e = cells[label]
            x = place + (position - (len(labels) - 1) / 2) * width
            whiskers = [[100 * max(0.0, e.value - e.low)], [100 * max(0.0, e.high - e.value)]]  # rounding
            colour = style.look(position)["color"]
            axes.bar(x, 100 * e.value, width, yerr=whiskers, color=colour, label=label)
            if (height := (published or {}).get(group, {}).get(label)) is not None:
                axes.plot(x, height, label="published", **(style.published(position) | {"color": "black"}))
            rows.append((group, label, e.value, e.low, e.high, e.n))
    room = max(6, LABELS // max(1, len(groups)))
    names = [textwrap.fill(group, room, break_long_words=False) for group in groups]
    axes.set(title=style.fit(title, style.PANEL[0]), ylabel=ylabel, ylim=(0, top))
    axes.set_xticks(range(len(groups)), names)
    style.legend_beside(axes, [axes], 1.3)  # bars fill the panel
    return figure, name, caption, pd.DataFrame(rows, columns=["group", "bar", "value", "low", "high", "n"])


def branches(name: str, frame: pd.DataFrame, *, title: str, caption: str = "") -> Drawn:
    """Draw Δ of every branch of one question, reasoned and direct ones told apart by hatching and colour.

    Args:
        name: name of the figure's files.
        frame: a row per branch with columns branch, answer, delta (NaN for none) and has_cot.
        title: the finding, above the panel.
        caption: text below.
    """
    figure, axes = style.panels()
    shown = frame[["branch", "answer", "delta", "has_cot"]]
    for row in shown.itertuples():
        look = {"color": style.look(int(row.has_cot))["color"], "hatch": "//" if row.has_cot else ""}
        height = 0.0 if np.isnan(row.delta) else row.delta
        axes.bar(row.branch, height, edgecolor="white", **look)
        text = row.answer if isinstance(row.answer, str) else "none"
        axes.annotate(text, (row.branch, height), ha="center", va="bottom", fontsize=8, parse_math=False)
    for position, label in enumerate(("direct", "reasoned")):
        colour = style.look(position)["color"]
        axes.bar(0, 0, color=colour, hatch="//" * position, edgecolor="white", label=label)
    axes.set(xlabel="branch (rank of the first token)", ylabel="Δ of the answer", ylim=(0, 1.12))
    axes.set(title=style.fit(title, style.PANEL[0]), xticks=shown["branch"])
    style.legend_beside(axes, [axes], BESIDE)
    return figure, name, caption, shown


def histogram(name: str, frame: pd.DataFrame, *, title: str, caption: str = "") -> Drawn:
    """Draw the distribution of Δ over direct and over reasoned branches, in twenty bins.

    Args:
        name: name of the figure's files.
        frame: a row per branch with columns delta (NaN is left out) and has_cot.
        title: the finding, above the panel.
        caption: text below.
    """
    figure, axes = style.panels()
    edges = np.linspace(0, 1, 21)
    rows = {}
    for position, (label, flag) in enumerate((("direct", False), ("reasoned", True))):
        values = frame.loc[frame["has_cot"] == flag, "delta"].dropna()
        rows[label] = np.histogram(values, edges)[0]
        share = rows[label] / max(1, rows[label].sum())
        look = style.look(position)
        look.pop("marker")
        axes.stairs(100 * share, edges, label=f"{label} ({len(values)} branches)", lw=2, **look)
    axes.set(xlabel="Δ of the answer", ylabel="share of the branches, %")
    axes.set_title(style.fit(title, style.PANEL[0]))
    style.legend_beside(axes, [axes], BESIDE)
    return figure, name, caption, pd.DataFrame({"from": edges[:-1], "to": edges[1:], **rows})


def losses(name: str, series: Mapping[str, pd.DataFrame], *, title: str, caption: str = "") -> Drawn:
    """Draw validation losses against training tokens, both axes logarithmic.

    Args:
        name: name of the figure's files.
        series: model -> frame with columns tokens and validation (nats per token) among others.
        title: the finding, above the panel.
        caption: text below.
    """
    figure, axes = style.panels()
    for position, (label, frame) in enumerate(series.items()):
        look = style.look(position) | {"marker": ""}
        axes.plot(frame["tokens"] / 1e6, frame["validation"], label=label, **look)
    axes.set(xlabel="training tokens, millions", ylabel="validation loss, nats per token")
    axes.set(title=style.fit(title, style.PANEL[0]), xscale="log", yscale="log")
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axis.set_minor_formatter(NullFormatter())
    style.legend_beside(axes, [axes], BESIDE)
    return figure, name, caption, pd.concat(series, names=["model"]).reset_index(level=0)


def _whole(axes: Axes, values: Sequence[pd.Series]) -> None:
    """Put no ticks between whole numbers where the horizontal axis has no others."""
    found = [float(value) for own in values for value in own]
    if all(value == round(value) for value in found):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
