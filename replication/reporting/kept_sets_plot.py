"""Kept sets as a picture: a panel per temperature, a row per rule, a square per token that is kept."""

import io
from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from replication.reporting import style
from replication.reporting.kept_sets import kept_view
from replication.reporting.view import View

SHOWN = 24  # tokens of a panel
PANEL = (2.5, 2.3)


def kept_plot(kept: pd.DataFrame, probabilities: dict[float, np.ndarray]) -> Figure:
    """Return a figure of kept sets; a square is filled where a token is kept and empty where it is cut.

    Args:
        kept: as in `kept_sets.kept_view`.
        probabilities: temperature -> (n,) probabilities of the same tokens, drawn as a line above the rows.
    """
    temperatures: Sequence[float] = sorted(probabilities)
    figure, panels = style.panels(len(temperatures), squeeze=False, sharey=True)
    figure.set_size_inches(PANEL[0] * len(temperatures), PANEL[1])
    values = dict(zip(kept["rule"], kept["value"], strict=True))
    rules = list(values)[::-1]  # the first one on top
    for axes, temperature in zip(panels[0], temperatures, strict=True):
        own = kept[kept["temperature"] == temperature].set_index("rule")
        for row, rule in enumerate(rules):
            for column, flag in enumerate(own.loc[rule, "kept"][:SHOWN]):
                face = style.BLUE if flag else "white"
                corner = (column + 0.6, row + 0.1)
                axes.add_patch(Rectangle(corner, 0.8, 0.8, facecolor=face, edgecolor=style.GREY, lw=0.5))
        line = probabilities[temperature][:SHOWN]
        ranks, heights = np.arange(1, len(line) + 1), len(rules) + 0.2 + 1.6 * line
        axes.plot(ranks, heights, color="black", marker="", linestyle="-")
        axes.set(xlim=(0.3, len(line) + 0.7), ylim=(0, len(rules) + 2), title=f"T = {temperature:g}")
        axes.set_xlabel("rank of the token")
        axes.grid(visible=False)
    labels = [f"{rule} {values[rule]:.4g}" for rule in rules]
    panels[0][0].set_yticks([*(np.arange(len(rules)) + 0.5), len(rules) + 1], [*labels, "probability"])
    return figure


def picture(figure: Figure) -> bytes:
    """Return a figure as PNG for the screen and close it; the bytes depend on the figure only."""
    from matplotlib import pyplot as plt

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=style.SCREEN_DPI, metadata={"Software": None})
    plt.close(figure)
    return buffer.getvalue()


def pictured(
    logits: np.ndarray,
    tokens: Sequence[str],
    kept: pd.DataFrame,
    probabilities: dict[float, np.ndarray],
    *,
    title: str,
    note: str = "",
) -> View:
    """Return the view of kept sets with its picture.

    Args:
        logits: as in `kept_view`.
        tokens: as in `kept_view`.
        kept: as in `kept_view`.
        probabilities: as in `kept_plot`.
        title: as in `kept_view`.
        note: as in `kept_view`.
    """
    png = picture(kept_plot(kept, probabilities))
    return kept_view(logits, tokens, kept, title=title, note=note, png=png)
