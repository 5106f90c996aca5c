"""Claims with the intervals of several runs: one strip per claim, each on its own scale."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from replication import papers as cards
from replication.evaluation.claims import rule
from replication.reporting import style
from replication.reporting.comparison import Aligned
from replication.reporting.markdown import SYMBOLS
from replication.reporting.runs import estimate
from replication.settings import InputError

WIDTH = 7.6
STRIP = 0.42  # inches above and below the rows of a strip: its heading and its scale
ROW = 0.17  # inches for one run
HEAD = 0.5
TEXT = 108


def forest(aligned: Sequence[Aligned], names: Sequence[str]) -> tuple[Figure, pd.DataFrame] | None:
    """Draw the claims of one paper: a point and its interval per run, the thresholds of the test as lines.

    Claims are on different scales (differences of accuracies, ratios, nats), so each has an axis of its own.

    Args:
        aligned: claims of one paper; those that no run measured are left out.
        names: of the runs.

    Returns:
        The figure and the numbers that it shows; None when nothing was measured.
    """
    shown = [one for one in aligned if any(estimate(entry) for entry in one.entries)]
    if not shown:
        return None
    style.apply()
    strip = STRIP + ROW * len(names)
    figure, axes = style.plt.subplots(
        len(shown), 1, squeeze=False, figsize=(WIDTH, HEAD + 0.17 * len(names) + strip * len(shown))
    )
    for one, place in zip(shown, axes[:, 0], strict=True):
        _strip(place, one, names)
    handles = {}
    for place in axes[:, 0]:
        for handle, label in zip(*place.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    figure.legend(list(handles.values()), list(handles), loc="outside upper left", ncols=2)
    return figure, _numbers(shown, names)


def _strip(axes: Axes, one: Aligned, names: Sequence[str]) -> None:
    """Draw one claim: the runs from top to bottom, the verdict's symbol at the right end."""
    for position, (name, entry) in enumerate(zip(names, one.entries, strict=True)):
        look = style.look(position) | {"linestyle": "none"}
        if found := estimate(entry):
            reach = [[max(0.0, found.value - found.low)], [max(0.0, found.high - found.value)]]  # rounding
            axes.errorbar(found.value, position, xerr=reach, **look)
        axes.plot([], [], label=name, **look)
        symbol = SYMBOLS[entry["verdict"]] if entry else "—"
        place = ("axes fraction", "data")
        axes.annotate(symbol, (1.01, position), xycoords=place, va="center", annotation_clip=False)
    for label, value, dash in thresholds(one.paper, one.claim, one.facts["test"]):
        axes.axvline(value, color=style.GREY, lw=1, ls=dash, label=label)
    heading = f"{one.claim}  {one.facts['test']}"
    axes.set_title(_short(heading), loc="left", fontsize=8, pad=3, parse_math=False)
    axes.set(ylim=(len(names) - 0.4, -0.6), yticks=[])
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    axes.margins(x=0.06)
    axes.tick_params(axis="x", labelsize=7)


def thresholds(paper: str, claim: str, test: str) -> list[tuple[str, float, Any]]:
    """Return (meaning, value, dash) of a stored claim's thresholds; [] when its paper has another rule now.

    Args:
        paper: key of the paper.
        claim: id of the claim.
        test: the rule as it was stored with the result.
    """
    try:
        found = cards.load(paper).claim(claim).test
    except InputError:
        return []
    if rule(found) != test:
        return []
    return lines_of(found)


def lines_of(test: Mapping[str, Any]) -> list[tuple[str, float, Any]]:
    """Return (meaning, value, dash) of the thresholds of a test."""
    if test["kind"] == "within":
        return [("ends of the band", float(test[end]), "-.") for end in ("low", "high")]
    null = float(test.get("null", 0.0))
    margin = float(test.get("margin", null))
    lines = [("margin: reproduced beyond it", margin, "--")]
    return lines if margin == null else [*lines, ("null value: no direction", null, ":")]


def _short(text: str) -> str:
    """Return a heading that fits above its strip."""
    return text if len(text) <= TEXT else text[: TEXT - 1].rstrip() + "…"


def _numbers(shown: Sequence[Aligned], names: Sequence[str]) -> pd.DataFrame:
    """Return what the figure shows, a row per claim and run."""
    rows = []
    for one in shown:
        for name, entry in zip(names, one.entries, strict=True):
            if (found := estimate(entry)) is not None and entry is not None:
                rows.append((one.claim, name, found.value, found.low, found.high, found.n, entry["verdict"]))
    return pd.DataFrame(rows, columns=["claim", "run", "value", "low", "high", "n", "verdict"])
