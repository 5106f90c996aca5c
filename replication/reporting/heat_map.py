"""Tokens of a text coloured by a measure, one of several at a time, with every value in reach without colour.

A token's value stands in its hover text and in the table below the text. Radio buttons choose the measure
without any script; a page that has no radio buttons shows all measures, one below the other.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pandas as pd

from replication.reporting.markdown import escape, escape_html, table, visible
from replication.reporting.tables import EMPTY as MISSING
from replication.reporting.view import (
    EMPTY,
    View,
    attribute,
    framed,
    lines_html,
    sentence,
    table_html,
    table_plain,
    token_html,
    token_text,
)
from replication.settings import InputError

LEVELS = 7
MOST = 8  # measures that the style sheet knows
PROMPT_END = "‖"


@dataclass(frozen=True)
class Measure:
    """A number per token.

    Attributes:
        name: such as "Δ".
        values: one per token; NaN or None for tokens that have none.
        meaning: one sentence, plain text.
        low: value of the lightest colour; None takes the smallest one.
        high: value of the strongest colour; None takes the largest one, or the 95 % quantile of the amounts
            where colours are centred.
        centred: colours part at zero, which negative values are shown with a hue of their own for.
    """

    name: str
    values: Sequence[float | None]
    meaning: str = ""
    low: float | None = None
    high: float | None = None
    centred: bool = False

    @property
    def numbers(self) -> np.ndarray:
        """The values (n,) float64, NaN for missing ones."""
        return np.array([math.nan if value is None else float(value) for value in self.values])

    @property
    def edges(self) -> np.ndarray:
        """The borders (LEVELS + 1,) of the levels."""
        known = self.numbers[np.isfinite(self.numbers)]
        if self.centred:
            # A single outlier would leave all others in the middle.
            usual = float(np.quantile(np.abs(known), 0.95)) if len(known) else 0.0
            most = max(usual, 1e-9) if self.high is None else self.high
            return np.linspace(-most, most, LEVELS + 1)
        ends = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
        low = ends[0] if self.low is None else self.low
        high = ends[1] if self.high is None else self.high
        return np.linspace(low, max(high, low + 1e-9), LEVELS + 1)

    def levels(self) -> np.ndarray:
        """Return the level (n,) of each token, -1 without a value; values beyond the ends take the ends'."""
        numbers = self.numbers
        found = np.clip(np.searchsorted(self.edges, np.nan_to_num(numbers), side="right") - 1, 0, LEVELS - 1)
        return np.where(np.isnan(numbers), -1, found)

    def look(self, level: int) -> str:
        """Return the class of a level."""
        return f"tv-{'d' if self.centred else 's'}{level}"


USUAL = {
    "probability": Measure("probability", (), "of the token, given all before it", 0.0, 1.0),
    "delta": Measure("Δ", (), "largest minus second largest probability at the token's place", 0.0, 1.0),
    "entropy": Measure("entropy", (), "of the prediction, in nats", 0.0),
    "loss": Measure("loss", (), "minus the logarithm of the token's probability, in nats", 0.0),
    "reference": Measure("reference loss", (), "loss of the reference model, in nats", 0.0),
    "excess": Measure(
        "excess loss", (), "loss of the model minus loss of the reference, in nats; above zero (orange) the "
        "reference knows better", centred=True,
    ),
    "critical": Measure("1 - s", (), "contrastive estimation, near 1 where the token is critical", 0.0, 1.0),
    "positive": Measure("P of the positive model", (), "probability under it", 0.0, 1.0),
    "negative": Measure("P of the negative model", (), "probability under it", 0.0, 1.0),
    "kl": Measure("KL", (), "of the positive model's prediction from the negative's, in nats", 0.0),
}  # fmt: skip
"""Column of a table of tokens -> how it is shown."""


def measures(frame: pd.DataFrame, names: Sequence[str]) -> list[Measure]:
    """Return columns of a table of tokens as measures, see `USUAL`.

    Raises:
        InputError: a column that is not there or not known.
    """
    if missing := [name for name in names if name not in frame.columns or name not in USUAL]:
        raise InputError(f"The table of tokens has no {', '.join(missing)}: choose from {', '.join(USUAL)}.")
    return [replace(USUAL[name], values=tuple(frame[name])) for name in names]


def heat_map(
    tokens: Sequence[str], measures: Sequence[Measure], *, title: str, note: str = "", start: int = 0
) -> View:
    """Return a heat map of tokens.

    Args:
        tokens: texts of the tokens, which joined are the whole text; an empty one is shown by a sign.
        measures: at most 8; the first one is shown first.
        title: plain text.
        note: plain text, below the title.
        start: place of the first token of the response, before which a sign is set; 0 for none.

    Raises:
        InputError: no tokens, no measure or too many, another number of values than of tokens.
    """
    _check(tokens, measures)
    header = ["#", "token", *(one.name for one in measures)]
    cells = [[number(value) for value in one.numbers] for one in measures]
    values = list(zip(*cells, strict=True))
    numbered = list(enumerate(zip(tokens, values, strict=True), 1))
    right = [0, *range(2, len(header))]
    rows = [[str(i), escape(token_text(text)), *own] for i, (text, own) in numbered]
    shown = [[str(i), token_html(text), *own] for i, (text, own) in numbered]
    plain = [[str(i), token_text(text), *own] for i, (text, own) in numbered]
    panels = "".join(_panel(tokens, one, place, start) for place, one in enumerate(measures))
    summary = f"<summary>All values as a table ({len(tokens)} tokens)</summary>"
    body = f"{_picks(measures)}{panels}<details>{summary}{table_html(header, shown, right)}</details>"
    heading = f'<p class="tv-note">{escape_html(note)}</p>' if note else ""
    about = [f"{one.name}: {one.meaning}" for one in measures if one.meaning]
    above = [f"**{escape(title)}**", escape(note), "\n".join(f"- {escape(line)}" for line in about)]
    return View(
        title,
        framed(title, heading + body, "tv-heat"),
        "\n\n".join([*filter(None, above), table(list(map(escape, header)), rows, right)]),
        "\n".join([*filter(None, map(visible, (title, note, *about))), table_plain(header, plain)]),
        # As objects: text columns of pandas refuse what is no valid Unicode.
        pd.DataFrame({"token": pd.Series(list(tokens), dtype=object)}).assign(
            **{one.name: one.numbers for one in measures}
        ),
    )


def _check(tokens: Sequence[str], measures: Sequence[Measure]) -> None:
    """Raise `InputError` unless there are tokens, measures, and as many values of each."""
    if not len(tokens):
        raise InputError("A heat map needs at least one token.")
    if not 1 <= len(measures) <= MOST:
        raise InputError(f"A heat map shows 1 to {MOST} measures, got {len(measures)}.")
    for one in measures:
        if len(one.values) != len(tokens):
            raise InputError(
                f"A heat map of {len(tokens)} tokens needs as many values of {one.name}, "
                f"got {len(one.values)}."
            )


def heat_view(
    found: pd.DataFrame | str, names: Sequence[str], *, title: str, note: str = "", start: int = 0
) -> View:
    """Return the heat map of columns of a table of tokens; a sentence instead of a table is shown as it is.

    Args:
        found: with a column token and those of `names`, see `USUAL`.
        names: columns to show.
        title: as in `heat_map`.
        note: as in `heat_map`.
        start: as in `heat_map`.

    Raises:
        InputError: as `heat_map` and `measures`.
    """
    if isinstance(found, str):
        return sentence(title, found)
    return heat_map(list(found["token"]), measures(found, names), title=title, note=note, start=start)


def number(value: float) -> str:
    """Return a value with three significant places at most, "—" for none, never "-0.000"."""
    if math.isnan(value):
        return MISSING
    if abs(value) >= 100 or (value and abs(value) < 1e-3):
        return f"{value:.1e}"
    return f"{round(value, 3) + 0.0:.3f}"


def _picks(measures: Sequence[Measure]) -> str:
    """Return the radio buttons that choose a measure, "" for a single one."""
    if len(measures) == 1:
        return ""
    buttons = "".join(
        f'<label><input type="radio" name="measure" class="tv-pick-{place}"{"" if place else " checked"}> '
        f"{escape_html(one.name)}</label>"
        for place, one in enumerate(measures)
    )
    return f"<fieldset><legend>Colour shows</legend>{buttons}</fieldset>"


def _panel(tokens: Sequence[str], measure: Measure, place: int, start: int) -> str:
    """Return the text coloured by one measure, below its meaning and its legend."""
    edges = [number(edge) for edge in measure.edges]
    inner = [f"{low} to {high}" for low, high in pairwise(edges[1:-1])]
    ranges = [f"below {edges[1]}", *inner, f"from {edges[-2]}"]
    legend = "".join(f'<span class="{measure.look(i)}">{one}</span> ' for i, one in enumerate(ranges))
    meaning = f": {escape_html(measure.meaning)}" if measure.meaning else ""
    spans = []
    for index, (text, value, level) in enumerate(zip(tokens, measure.numbers, measure.levels(), strict=True)):
        split = f'<span class="tv-split" title="here the response begins">{PROMPT_END}</span>'
        spans.append((split if start and index == start else "") + _token(text, value, level, index, measure))
    return (
        f'<div class="tv-panel-{place}"><p><b>{escape_html(measure.name)}</b>{meaning}</p>'
        f'<p class="tv-legend">{legend}</p><p class="tv-text">{"".join(spans)}</p></div>'
    )


def _token(text: str, value: float, level: int, index: int, measure: Measure) -> str:
    """Return one token with its colour and its hover text."""
    told = f"token {index + 1} “{token_text(text)}”: {measure.name} {number(value)}"
    look = "tv-empty" if not text else f"tv-t {measure.look(level)}" if level >= 0 else "tv-t"
    inside = lines_html(text) or EMPTY
    return f'<span class="{look}" title="{attribute(told)}">{inside}</span>'
