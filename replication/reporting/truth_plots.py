"""The kinds of figures that compare kept sets with a known truth.

Each function returns what `Report.figure` takes: the figure, its name, its caption, and the frame of the
numbers that it shows.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from replication.reporting import style
from replication.reporting.plots import Drawn

LEGEND = 1.6  # inches for the legend beside the panels
COLUMNS = 2  # panels side by side
NARROW = 3.0  # inches of each of three panels, so that they fit a column of text
CUT_LOOKS = ("--", ":", "-.", (0, (5, 1)))
ALL_RANKS, FURTHER_RANKS = 100, 100  # ranks drawn one by one, and points drawn beyond them
SPREAD, STEP = 0.6, 0.2  # width that the series of one bin take up at most, and distance of two


def distributions(
    name: str,
    panels: Mapping[str, tuple[pd.DataFrame, Mapping[str, int]]],
    *,
    title: str,
    caption: str = "",
    smallest: float = 1e-7,
) -> Drawn:
    """Draw sorted probabilities of single steps, both axes logarithmic, with a line behind each cut.

    Args:
        name: name of the figure's files.
        panels: title -> (frame with columns rank, from 1 on, and probability; label -> tokens in front of the
            line).
        title: what is shown, above all panels.
        caption: text below.
        smallest: lower end of the vertical axis.
    """
    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    figure, axes = style.panels(columns, rows, squeeze=False, sharey=True)
    flat = axes.ravel()
    for one, (heading, (frame, cuts)) in zip(flat, panels.items(), strict=False):
        few = _thinned(frame)
        one.fill_between(few["rank"], few["probability"], smallest, step="mid", color=style.SKY, alpha=0.6)
        for position, (label, number) in enumerate(cuts.items()):
            colour = style.PALETTE[(position + 1) % len(style.PALETTE)]
            one.axvline(number + 0.5, color=colour, linestyle=CUT_LOOKS[position % 4], lw=1.4, label=label)
        one.set(xscale="log", yscale="log", ylim=(smallest, 1.5), xlim=(0.7, frame["rank"].max()))
        one.set_title(heading, fontsize=8, parse_math=False)
        one.set_xlabel("rank of the token")
    for left in axes[:, 0]:
        left.set_ylabel("probability")
    for unused in flat[len(panels) :]:
        unused.set_visible(False)
    figure.suptitle(style.fit(title, columns * style.PANEL[0]), fontsize=10)
    style.legend_beside(axes[0][-1], list(flat), LEGEND)
    thin = {k: (_thinned(frame), cuts) for k, (frame, cuts) in panels.items()}
    parts = [frame.assign(panel=k, **_kept(frame, cuts)) for k, (frame, cuts) in thin.items()]
    return figure, name, caption, pd.concat(parts, ignore_index=True)


def _thinned(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the first ranks and some of the others, evenly spread on a logarithmic axis."""
    last = len(frame)
    further = np.geomspace(min(ALL_RANKS + 1, last), last, FURTHER_RANKS).round()
    return frame[(frame["rank"] <= ALL_RANKS) | frame["rank"].isin(further)]


def _kept(frame: pd.DataFrame, cuts: Mapping[str, int]) -> dict[str, pd.Series]:
    """Return per cut whether each token lies in front of it."""
    return {f"kept by {label}": frame["rank"] <= number for label, number in cuts.items()}


def by_bin(
    name: str,
    panels: Mapping[str, Mapping[str, pd.DataFrame]],
    *,
    title: str,
    caption: str = "",
    xlabel: str = "entropy of the truth, nats",
    ylabel: str = "%",
) -> Drawn:
    """Draw points with intervals for each bin, the series of a bin side by side.

    Args:
        name: name of the figure's files.
        panels: panel's title -> (label -> frame with columns bin, accuracy, low, high: fractions).
        title: what is shown, above all panels.
        caption: text below.
        xlabel: name of the horizontal axis.
        ylabel: name of the vertical axis.
    """
    figure, axes = style.panels(len(panels), squeeze=False, sharey=True)
    width = len(panels) * (NARROW if len(panels) > 2 else style.PANEL[0])
    figure.set_size_inches(width, style.PANEL[1])
    for one, (heading, series) in zip(axes[0], panels.items(), strict=True):
        bins = list(dict.fromkeys(b for frame in series.values() for b in frame["bin"]))
        for position, (label, frame) in enumerate(series.items()):
            step = min(STEP, SPREAD / max(1, len(series) - 1))
            shift = step * (position - (len(series) - 1) / 2)
            x = [bins.index(b) + shift for b in frame["bin"]]
            y = 100 * frame["accuracy"]
            whiskers = np.clip([y - 100 * frame["low"], 100 * frame["high"] - y], 0, None)
            look = style.look(position) | {"linestyle": "none"}
            one.errorbar(x, y, yerr=whiskers, label=label, **look)
        one.set_xticks(range(len(bins)))
        one.set_xticklabels(bins, rotation=40, ha="right", fontsize=8)
        one.set(title=heading, xlabel=xlabel)
        one.grid(axis="x", visible=False)
    axes[0][0].set_ylabel(ylabel)
    figure.suptitle(style.fit(title, width), fontsize=10)
    style.legend_beside(axes[0][-1], list(axes[0]), LEGEND)
    flat = {(heading, label): frame for heading, own in panels.items() for label, frame in own.items()}
    data = pd.concat(flat, names=["panel", "series"]).reset_index(level=[0, 1])
    return figure, name, caption, data.reset_index(drop=True)


def trade_off(
    name: str,
    panels: Mapping[str, Mapping[str, pd.DataFrame]],
    x: str,
    y: str,
    *,
    title: str,
    caption: str = "",
    xlabel: str = "",
    ylabel: str = "",
    reach: float | None = None,
) -> Drawn:
    """Draw one curve per series in a panel each, a marker at every setting; vertical axes of their own.

    Args:
        name: name of the figure's files.
        panels: panel's title -> (label -> frame with columns `x` and `y`, in the order of the line).
        x: column of the horizontal axis.
        y: column of the vertical axis.
        title: what is shown, above all panels.
        caption: text below.
        xlabel: name of the horizontal axis, `x` by default.
        ylabel: name of the vertical axis, `y` by default.
        reach: right end of the horizontal axis; points beyond it are left out of the picture alone.
    """
    columns = min(COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    figure, axes = style.panels(columns, rows, squeeze=False)
    flat = axes.ravel()
    for one, (heading, series) in zip(flat, panels.items(), strict=False):
        for position, (label, frame) in enumerate(series.items()):
            shown = frame if reach is None else frame[frame[x] <= reach]
            one.plot(shown[x], shown[y], label=label, **style.look(position))
        one.set(title=heading, xlabel=xlabel or x)
    for left in axes[:, 0]:
        left.set_ylabel(ylabel or y)
    for unused in flat[len(panels) :]:
        unused.set_visible(False)
    figure.suptitle(style.fit(title, columns * style.PANEL[0]), fontsize=10)
    style.legend_beside(axes[0][-1], list(flat), LEGEND)
    parts = {(heading, label): frame for heading, own in panels.items() for label, frame in own.items()}
    data = pd.concat(parts, names=["panel", "series"]).reset_index(level=[0, 1])
    return figure, name, caption, data.reset_index(drop=True)


def cloud(
    name: str,
    frame: pd.DataFrame,
    x: str,
    y: str,
    *,
    group: str,
    title: str,
    caption: str = "",
    xlabel: str = "",
    ylabel: str = "",
    curves: Mapping[str, tuple[Sequence[float], Sequence[float]]] | None = None,
    smallest: float = 1e-6,
) -> Drawn:
    """Draw a point per row, coloured by group, the vertical axis logarithmic.

    Args:
        name: name of the figure's files.
        frame: a row per point; values below `smallest` are drawn there.
        x: column of the horizontal axis.
        y: column of the vertical axis.
        group: column that colours the points.
        title: what is shown, above the panel.
        caption: text below.
        xlabel: name of the horizontal axis, `x` by default.
        ylabel: name of the vertical axis, `y` by default.
        curves: label -> (places, heights) of lines drawn over the points.
        smallest: lower end of the vertical axis.
    """
    figure, axes = style.panels()
    for position, (label, own) in enumerate(frame.groupby(group, sort=False)):
        look = style.look(position) | {"linestyle": "none", "markersize": 3, "alpha": 0.35}
        axes.plot(own[x], own[y].clip(lower=smallest), label=str(label), mew=0, **look)
    for position, (label, (places, heights)) in enumerate((curves or {}).items()):
        axes.plot(places, heights, color=style.BLACK, linestyle=CUT_LOOKS[position % 4], label=label)
    axes.set(xlabel=xlabel or x, ylabel=ylabel or y, yscale="log", ylim=(smallest, 1.5))
    axes.set_title(style.fit(title, style.PANEL[0]))
    style.legend_beside(axes, [axes], LEGEND)
    for handle in axes.get_legend().legend_handles:
        handle.set(alpha=1.0, markersize=5)  # the points themselves are faint, for their number
    return figure, name, caption, frame[[group, x, y]]
