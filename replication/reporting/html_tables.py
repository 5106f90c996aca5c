"""Parts of pages made by the package itself: tables, pictures, links. All texts are escaped here."""

import re
from collections.abc import Iterable, Sequence

from replication.reporting.markdown import escape_html

TOGETHER = re.compile(r"\[-?[\d.]+, -?[\d.]+\]|n = \d+|[✔◐✘?○] (?:not )?[a-z]+")
RIGHT = ' style="text-align: right"'


def table(header: Sequence[str], rows: Iterable[Sequence[object]], right: Iterable[int] = ()) -> str:
    """Return an HTML table; the first cell of a row is its heading.

    It scrolls inside the page where it is too wide, by the keyboard too.

    Args:
        header: names of the columns.
        rows: cells of any type, shown as text.
        right: positions of columns set to the right (numbers).
    """
    aligned = set(right)
    head = "".join(f'<th scope="col">{escape_html(name)}</th>' for name in header)
    lines = "\n".join("<tr>" + "".join(_cells(row, aligned)) + "</tr>" for row in rows)
    return f'<table tabindex="0">\n<thead><tr>{head}</tr></thead>\n<tbody>\n{lines}\n</tbody>\n</table>'


def _cells(row: Sequence[object], right: set[int]) -> Iterable[str]:
    """Yield the cells of a row."""
    for position, cell in enumerate(row):
        side = RIGHT if position in right else ""
        if position == 0:
            yield f'<th scope="row"{side}>{escape_html(cell)}</th>'
        else:
            yield f"<td{side}>{_unbroken(escape_html(cell))}</td>"


def _unbroken(text: str) -> str:
    """Return text whose intervals, counts and verdicts stay on one line."""
    return TOGETHER.sub(lambda found: found[0].replace(" ", "&nbsp;"), text)


def picture(address: str, text: str) -> str:
    """Return an image with the text that stands for it."""
    return f'<p><img src="{escape_html(address)}" alt="{escape_html(text)}"></p>'


def link(address: str, text: str) -> str:
    """Return a link."""
    return f'<a href="{escape_html(address)}">{escape_html(text)}</a>'
