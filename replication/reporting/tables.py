"""Tables: one frame becomes a CSV for programs and a Markdown table for readers."""

import math
import numbers
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replication.evaluation.claims import Estimate, plain
from replication.files import write_atomic
from replication.reporting.markdown import escape, table
from replication.settings import InputError

if TYPE_CHECKING:
    import pandas as pd

NAME = re.compile(r"[a-z0-9][a-z0-9_]*")
EMPTY = "—"


def cell(estimate: Estimate, percent: bool = True) -> str:
    """Return "46.0 [41.7, 50.4]" (percent) or "0.46 [0.42, 0.50]"; a dash when nothing was measured."""
    if not estimate.usable:
        return EMPTY
    scale, decimals = (100, 1) if percent else (1, 2)
    value, low, high = (plain(scale * x, decimals) for x in (estimate.value, estimate.low, estimate.high))
    return f"{value} [{low}, {high}]"


def check_name(name: str) -> str:
    """Return the id of a table or figure; `InputError` when it cannot be a file name like "table_4"."""
    if not NAME.fullmatch(name):
        raise InputError(f"The id {name!r} needs small letters, digits and '_' only, such as 'table_4'.")
    return name


def to_markdown(frame: "pd.DataFrame", percent: bool = True, decimals: int = 2) -> str:
    """Return a frame as a Markdown table, every text escaped.

    Args:
        frame: cells may be text, numbers, booleans, None and `Estimate`; the index is not shown.
        percent: whether estimates are shown as percentages.
        decimals: of floating-point numbers.

    Returns:
        Markdown; numbers and estimates set to the right, "—" for missing values, never "-0.00".
    """
    columns = [list(frame[name]) for name in frame.columns]
    right = [place for place, values in enumerate(columns) if values and all(map(_is_number, values))]
    rows = [[_text(value, percent, decimals) for value in row] for row in zip(*columns, strict=True)]
    return table([escape(name) for name in frame.columns], rows, right)


def to_csv(frame: "pd.DataFrame") -> str:
    """Return a frame as CSV: line feeds, six significant digits, no index.

    An `Estimate` column `x` becomes `x`, `x_low`, `x_high` and `x_n`, as fractions.
    """
    import pandas as pd

    columns: dict[str, list[Any]] = {}
    for name in frame.columns:
        values = list(frame[name])
        if any(isinstance(value, Estimate) for value in values):
            for ending, field in (("", "value"), ("_low", "low"), ("_high", "high"), ("_n", "n")):
                columns[f"{name}{ending}"] = [getattr(value, field, None) for value in values]
        else:
            columns[str(name)] = [_plain_number(value) for value in values]
    return pd.DataFrame(columns).to_csv(index=False, float_format="%.6g", lineterminator="\n")


def save(
    frame: "pd.DataFrame", folder: Path, name: str, caption: str, percent: bool = True, note: str = ""
) -> str:
    """Write `<name>.csv` and `<name>.md` in `folder`, each whole or not at all; return the Markdown.

    The note, Markdown too, stands behind the caption.

    Raises:
        InputError: a name that cannot be a file's.
    """
    check_name(name)
    body = captioned(to_markdown(frame, percent), caption, note)
    write_atomic(folder / f"{name}.csv", to_csv(frame))
    write_atomic(folder / f"{name}.md", body)
    return body


def captioned(body: str, caption: str, note: str = "") -> str:
    """Return a Markdown table under its caption and a note."""
    above = heading(caption, note)
    return f"{above}\n\n{body}" if above else body


def heading(caption: str, note: str) -> str:
    """Return a caption and the note behind it, either of which may be "", as Markdown."""
    return " ".join(part for part in (f"**{caption}**" if caption else "", note) if part)


def _is_number(value: Any) -> bool:
    """Tell whether a cell is set to the right."""
    number = isinstance(value, numbers.Real) and not _is_flag(value)
    return number or value is None or isinstance(value, Estimate)


def _is_flag(value: Any) -> bool:
    """Tell whether a cell is a truth value, Python's or NumPy's."""
    return isinstance(value, bool) or type(value).__name__ in ("bool_", "bool")


def _missing(value: Any) -> bool:
    """Tell whether a cell is None, NaN or one of pandas' missing values."""
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return True
    return isinstance(value, numbers.Real) and math.isnan(value)


def _text(value: Any, percent: bool, decimals: int) -> str:
    """Return one cell as Markdown."""
    if _missing(value):
        return EMPTY
    if isinstance(value, Estimate):
        return cell(value, percent)
    if _is_flag(value):
        return "yes" if value else "no"
    if isinstance(value, numbers.Integral):
        return str(int(value))
    if isinstance(value, numbers.Real):
        return plain(float(value), decimals)
    return escape(value)


def _plain_number(value: Any) -> Any:
    """Return a cell for CSV: no negative zero, text on UTF-8's terms."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    return value + 0.0 if isinstance(value, float) else value
