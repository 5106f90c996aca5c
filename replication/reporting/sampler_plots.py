"""The kinds of figures that the notebooks on truncation sampling share.

Each function returns what `Report.figure` takes: the figure, its name, its caption, and the frame of the
numbers that it shows.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from replication.reporting import style
from replication.reporting.plots import Drawn

Series = Mapping[str, pd.DataFrame]
BINS = 60
NARROW = 3.2  # inches of each of three panels, so that they fit a column of text
LEGEND = 1.5  # inches for the legend beside the panels
LINE_LOOKS = ("--", ":", "-.", (0, (5, 1)))


def lines(
    name: str,
    panels: Mapping[str, Series] | Series,
    x: str,
    *,
    title: str = "",
    caption: str = "",
    xlabel: str = "",
    ylabel: str = "exact match, %",
    scale: float = 100.0,
    log_x: bool = False,
    log_y: bool = False,
    marks: Mapping[str, float] | None = None,
    levels: Mapping[str, float] | None = None,
    published: Mapping[str, Sequence[tuple[float, float]]] | None = None,
) -> Drawn:
    """Draw one line per series with its interval, in one panel or in several panels.

    Args:
        name: name of the figure's files.
        panels: label -> frame with columns `x`, accuracy, low, high; or panel title -> such a mapping.
        x: column of the horizontal axis.
        title: what is shown, above the only panel, or above all of them.
        caption: text below.
        xlabel: name of the horizontal axis, `x` by default.
        ylabel: name of the vertical axis.
        scale: multiplies the values: 100 turns fractions into percent.
        log_x: logarithmic horizontal axis, ticks at the values.
        log_y: logarithmic vertical axis.
        marks: label -> place of a vertical line.
        levels: label -> height (in the axis' units) of a horizontal line.
        published: label of a series -> published points (x, height), drawn hollow in its colour.
    """
    single = all(isinstance(value, pd.DataFrame) for value in panels.values())
    drawn: Mapping[str, Series] = {"": panels} if single else panels
    columns = 2 if len(drawn) == 4 else len(drawn)
    figure, axes = style.panels(columns, len(drawn) // columns, squeeze=False, sharex=True, sharey=True)
    inches = columns * (NARROW if columns > 2 else style.PANEL[0])
    figure.set_size_inches(inches, figure.get_size_inches()[1])
    places = {label: i for i, label in enumerate(dict.fromkeys(k for own in drawn.values() for k in own))}
    for one, (heading, series) in zip(axes.flat, drawn.items(), strict=True):
        for label, frame in series.items():
            _line(one, frame, x, label, places[label], scale)
            for place, height in (published or {}).get(label, ()):
                one.plot(place, height, label="published", **style.published(places[label]))
        _rules(one, marks or {}, levels or {})
        one.set_title(style.fit(title, inches) if single else heading)
        if log_x:
            _log_ticks(one, sorted({value for frame in series.values() for value in frame[x]}))
        if log_y:
            one.set_yscale("log")
    for one in axes[-1]:
        one.set_xlabel(xlabel or x)
    for one in axes[:, 0]:
        one.set_ylabel(ylabel)
    if title and not single:
        figure.suptitle(style.fit(title, inches), fontsize=10)
    style.legend_beside(axes[0][-1], list(axes.flat), LEGEND)
    flat = {(heading, label): frame for heading, own in drawn.items() for label, frame in own.items()}
    data = pd.concat(flat, names=["panel", "series"]).reset_index(level=[0, 1])
    return figure, name, caption, data.drop(columns="panel") if single else data


def histogram(
    name: str,
    values: np.ndarray,
    lines: Mapping[str, float],
    *,
    title: str,
    caption: str = "",
    xlabel: str = "logit",
    normal: tuple[float, float] | None = None,
) -> Drawn:
    """Draw the density of the logits of one step with named vertical lines.

    Args:
        name: name of the figure's files.
        values: (V,) finite logits.
        lines: label -> place.
        title: what is shown, above the panel.
        caption: text below.
        xlabel: name of the horizontal axis.
        normal: mean and standard deviation of a normal density to draw over the bars.
    """
    figure, axes = style.panels()
    density, edges = np.histogram(values, BINS, density=True)
    axes.stairs(density, edges, fill=True, color=style.SKY, alpha=0.7, label=f"{len(values)} tokens")
    if normal is not None:
        mean, sigma = normal
        grid = np.linspace(edges[0], edges[-1], 300)
        height = np.exp(-(((grid - mean) / sigma) ** 2) / 2) / (sigma * np.sqrt(2 * np.pi))
        axes.plot(grid, height, color=style.BLUE, marker="", label="normal density")
    _rules(axes, lines, {})
    axes.set(title=style.fit(title, style.PANEL[0]), xlabel=xlabel, ylabel="density")
    style.legend_beside(axes, [axes], LEGEND)
    return figure, name, caption, pd.DataFrame({"from": edges[:-1], "to": edges[1:], "density": density})


def probabilities(
    name: str,
    frame: pd.DataFrame,
    cuts: Mapping[str, int],
    *,
    title: str,
    caption: str = "",
    published: Sequence[float] = (),
) -> Drawn:
    """Draw the largest probabilities of one step as bars, with a line behind the last token of each cut.

    Args:
        name: name of the figure's files.
        frame: a row per token, most probable first, with columns token and probability.
        cuts: label -> number of tokens in front of the line.
        title: what is shown, above the panel.
        caption: text below.
        published: the largest published probabilities in order, drawn hollow.
    """
    figure, axes = style.panels()
    axes.bar(range(len(frame)), frame["probability"], color=style.BLUE)
    if len(published):
        look = style.published(0) | {"color": style.BLACK}
        axes.plot(range(len(published)), published, label="published", **look)
    axes.set_xticks(range(len(frame)))
    axes.set_xticklabels([_shown(token) for token in frame["token"]], rotation=90, parse_math=False)
    _rules(axes, {label: number - 0.5 for label, number in cuts.items() if number <= len(frame)}, {})
    beyond = [f"{label}: {number}" for label, number in cuts.items() if number > len(frame)]
    for text in beyond:
        axes.plot([], [], " ", label=f"{text} tokens")
    axes.set(title=style.fit(title, style.PANEL[0]), ylabel="probability", ylim=(0, 1.02))
    axes.grid(axis="x", visible=False)
    style.legend_beside(axes, [axes], LEGEND)
    return figure, name, caption, frame


def trace(
    name: str,
    frame: pd.DataFrame,
    *,
    title: str,
    caption: str = "",
    levels: Mapping[str, float] | None = None,
) -> Drawn:
    """Draw the σ-distance along a text, a point per token, by the number of tokens that could follow.

    Args:
        name: name of the figure's files.
        frame: a row per step with columns token, distance and valid (number of possible tokens, NaN where it
            is unknown).
        title: what is shown, above the panel.
        caption: text below.
        levels: label -> height of a horizontal line.
    """
    figure, left = style.panels()
    figure.set_size_inches(2 * style.PANEL[0], style.PANEL[1])
    x = np.arange(len(frame))
    left.plot(x, frame["distance"], color=style.GREY, lw=0.8)
    kinds = {
        "one possible token": frame["valid"] == 1,
        "several": frame["valid"] > 1,
        "unknown": frame["valid"].isna(),
    }
    for position, (label, chosen) in enumerate(kinds.items()):
        if chosen.any():
            look = style.look(position) | {"linestyle": "none"}
            left.plot(x[chosen.to_numpy()], frame.loc[chosen, "distance"], label=label, **look)
    _rules(left, {}, levels or {})
    left.set_xticks(x)
    left.set_xticklabels([_shown(t) for t in frame["token"]], rotation=90, fontsize=7, parse_math=False)
    left.set(title=style.fit(title, 2 * style.PANEL[0]), ylabel="σ-distance of the maximum")
    left.grid(axis="x", visible=False)
    style.legend_beside(left, [left], LEGEND)
    return figure, name, caption, frame


def _line(axes: Axes, frame: pd.DataFrame, x: str, label: str, position: int, scale: float) -> None:
    """Draw one series with its interval."""
    look = style.look(position)
    axes.plot(frame[x], scale * frame["accuracy"], label=label, **look)
    low, high = scale * frame["low"], scale * frame["high"]
    axes.fill_between(frame[x], low, high, color=look["color"], alpha=0.12, lw=0)


def _rules(axes: Axes, marks: Mapping[str, float], levels: Mapping[str, float]) -> None:
    """Draw named vertical and horizontal lines."""
    for kind, (draw, places) in enumerate(((axes.axvline, marks), (axes.axhline, levels))):
        for position, (label, place) in enumerate(places.items()):
            # Black and grey are no series' colours in figures with lines.
            upright = (style.VERMILLION, style.GREEN, style.PURPLE, style.BLACK)
            level = (style.BLACK, style.GREY, style.PURPLE, style.GREEN)
            colour = (upright if kind == 0 else level)[position % 4]
            colour = style.GREY if kind == 0 and len(marks) == 1 else colour
            draw(place, color=colour, linestyle=LINE_LOOKS[position % 4], lw=1.2, label=label)


def _log_ticks(axes: Axes, values: Sequence[float]) -> None:
    """Make the horizontal axis logarithmic, with ticks at the values shown and no others."""
    axes.set_xscale("log")
    axes.set_xticks(values)
    axes.set_xticklabels([f"{value:.3g}" for value in values], rotation=45 if len(values) > 8 else 0)
    axes.set_xticks([], minor=True)


def _shown(token: str) -> str:
    """Return a token's text with its blanks visible."""
    return token.replace(" ", "␣").replace("\n", "↵") or "∅"
