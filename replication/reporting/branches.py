"""The branches of one question, shaded by a score that is also a number and a bar: it reads in grey too."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from replication.reporting.markdown import escape_html, visible
from replication.settings import InputError

if TYPE_CHECKING:
    import pandas as pd

BAR = 8
# Light to strong blue; text stays black on each (contrast at least 7 to 1).
LIGHT, STRONG = (255, 255, 255), (140, 190, 235)
STYLE = "text-align:left;vertical-align:top;padding:2px 6px;color:#000"


def bar(score: float) -> str:
    """Return a bar of eight places for a score in [0, 1], such as "██████··"; "" without a score."""
    if math.isnan(score):
        return ""
    full = round(min(1.0, max(0.0, score)) * BAR)
    return "█" * full + "·" * (BAR - full)


def shade(score: float) -> str:
    """Return the background of a score in [0, 1] as "#rrggbb"; white without a score."""
    part = 0.0 if math.isnan(score) else min(1.0, max(0.0, score))
    return "#" + "".join(f"{round(a + (b - a) * part):02x}" for a, b in zip(LIGHT, STRONG, strict=True))


def bundle(frame: "pd.DataFrame", score: str, span: Sequence[str], caption: str) -> dict[str, str]:
    """Return the branches as HTML and as plain text.

    Args:
        frame: one row per branch; all columns but those of `span` are shown, text escaped.
        score: column in [0, 1] that shades the row; NaN or None where a branch has none.
        span: () or (text column, start column, end column): characters start to end of the text are set in
            bold and, in plain text, between ⟦ and ⟧; rows without a span have None or a negative start.
        caption: shown above.

    Raises:
        InputError: a column that the frame lacks.
    """
    if missing := [name for name in (score, *span) if name not in frame.columns]:
        raise InputError(f"A table of branches needs the column(s) {', '.join(missing)}.")
    shown = [name for name in frame.columns if name not in span[1:]]
    records = frame.to_dict("records")
    head = "".join(f'<th style="{STYLE}">{escape_html(name)}</th>' for name in shown)
    body = "".join(_row(record, shown, score, span) for record in records)
    lines = [" | ".join(_plain(record, name, score, span) for name in shown) for record in records]
    title = f"<caption>{escape_html(caption)}</caption>" if caption else ""
    page = f'<table style="border-collapse:collapse">{title}<tr>{head}</tr>{body}</table>'
    return {"text/html": page, "text/plain": "\n".join([visible(caption), " | ".join(map(visible, shown)),
    *lines])}


def number(value: Any) -> float:
    """Return a score as float, NaN for None and other missing values."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan


def _row(record: dict[str, Any], shown: Sequence[str], score: str, span: Sequence[str]) -> str:
    """Return one HTML row."""
    style = f"{STYLE};background:{shade(number(record[score]))}"
    cells = "".join(f'<td style="{style}">{_html(record, name, score, span)}</td>' for name in shown)
    return f"<tr>{cells}</tr>"


def _html(record: dict[str, Any], name: str, score: str, span: Sequence[str]) -> str:
    """Return one cell as HTML."""
    if span and name == span[0]:
        before, inside, after = map(escape_html, _parts(record, span))
        return f"{before}<b>{inside}</b>{after}" if inside else before + after
    return escape_html(_value(record[name], name == score))


def _plain(record: dict[str, Any], name: str, score: str, span: Sequence[str]) -> str:
    """Return one cell as plain text."""
    if span and name == span[0]:
        before, inside, after = map(visible, _parts(record, span))
        return f"{before}⟦{inside}⟧{after}" if inside else before + after
    return visible(_value(record[name], name == score))


def _parts(record: dict[str, Any], span: Sequence[str]) -> tuple[str, str, str]:
    """Return the text before, inside and after the span."""
    text, start, end = str(record[span[0]]), number(record[span[1]]), number(record[span[2]])
    if not 0 <= start < end:
        return text, "", ""
    return text[: int(start)], text[int(start) : int(end)], text[int(end) :]


def _value(value: Any, is_score: bool) -> str:
    """Return a cell's value as text; scores with three decimals and their bar."""
    if is_score:
        score = number(value)
        return "—" if math.isnan(score) else f"{score:.3f} {bar(score)}"
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "—"
    if isinstance(value, bool) or type(value).__name__ == "bool_":
        return "yes" if value else "no"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
