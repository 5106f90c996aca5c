"""Figures on tuning effort and on quality against diversity, in the form of `plots`."""

from collections.abc import Mapping, Sequence

import pandas as pd
from matplotlib import patheffects

from replication.reporting import style
from replication.reporting.plots import Drawn

LEGEND = 2.0  # inches for the legend beside the panel


def best_of(
    name: str,
    series: Mapping[str, pd.DataFrame],
    *,
    title: str,
    caption: str = "",
    ylabel: str = "difference, percentage points",
    published: Sequence[tuple[float, float, float]] = (),
) -> Drawn:
    """Draw differences against the number N of settings tried, on a logarithmic axis, with a line at 0.

    Args:
        name: name of the figure's files.
        series: label -> frame with columns N, accuracy (the difference), low, high (fractions).
        title: what is shown, above the panel.
        caption: text below.
        ylabel: name of the vertical axis.
        published: (N, low, high) of published ranges, fractions, drawn as black bars with open ends.
    """
    figure, axes = style.panels()
    axes.axhline(0, color=style.GREY, lw=1)
    for position, (label, frame) in enumerate(series.items()):
        look = style.look(position)
        axes.plot(frame["N"], 100 * frame["accuracy"], label=label, **look)
        if position == 0:
            low, high = 100 * frame["low"], 100 * frame["high"]
            axes.fill_between(frame["N"], low, high, color=look["color"], alpha=0.15)
    for number, low, high in published:
        ends = {"marker": "_", "markersize": 8, "lw": 1.0, "linestyle": "-", "zorder": 3}
        axes.plot([number] * 2, [100 * low, 100 * high], color=style.BLACK, label="published", **ends)
    ticks = sorted({int(n) for frame in series.values() for n in frame["N"]})
    axes.set_xscale("log")
    axes.set_xticks(ticks, [str(tick) for tick in ticks], fontsize=7)
    axes.minorticks_off()
    axes.set(title=style.fit(title, style.PANEL[0]), xlabel="settings N per sampler", ylabel=ylabel)
    style.legend_beside(axes, [axes], LEGEND)
    return figure, name, caption, pd.concat(series, names=["series"]).reset_index(level=0)


def trade_off(name: str, series: Mapping[str, pd.DataFrame], *, title: str, caption: str = "") -> Drawn:
    """Draw accuracy against distinct solutions, a line per sampler through its temperatures.

    The temperatures are written beside the points of the last sampler.

    Args:
        name: name of the figure's files.
        series: label -> frame with columns temperature, distinct (per path), accuracy, low, high (fractions),
            in the order in which the line goes.
        title: what is shown, above the panel.
        caption: text below.
    """
    figure, axes = style.panels()
    for position, (label, frame) in enumerate(series.items()):
        look = style.look(position)
        low, high = (
            gap.clip(lower=0) for gap in (frame["accuracy"] - frame["low"], frame["high"] - frame["accuracy"])
        )
        x, y = 100 * frame["distinct"], 100 * frame["accuracy"]
        axes.errorbar(x, y, yerr=[100 * low, 100 * high], label=label, lw=1.2, elinewidth=0.8, **look)
    for number, row in enumerate(frame.to_dict("records")):
        place = (100 * row["distinct"], 100 * row["accuracy"])
        # In turn on the left and on the right: neighbours lie close to each other.
        side = {"xytext": (5, 0), "ha": "left"} if number % 2 else {"xytext": (-5, 0), "ha": "right"}
        text = axes.annotate(f"T = {row['temperature']:g}", place, textcoords="offset points",
                             va="center", fontsize=7.5, zorder=5, **side)  # fmt: skip
        text.set_path_effects([patheffects.withStroke(linewidth=2.5, foreground="white")])
    axes.set(xlabel="distinct solutions per path, %", ylabel="accuracy, %")
    axes.set_title(style.fit(title, style.PANEL[0]))
    style.legend_beside(axes, [axes], LEGEND)
    return figure, name, caption, pd.concat(series, names=["series"]).reset_index(level=0)
