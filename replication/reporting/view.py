"""`View`: something to look into, as a page that works by itself and as what shows where pages do not.

A view is HTML with its own style and, where sliders need it, its own script: nothing is loaded, and without
scripts, styles or colours all its information is still there. Beside the HTML go Markdown, plain text and,
for some views, a picture; a notebook's front end takes what it can show.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from replication.files import write_atomic
from replication.reporting import tables
from replication.reporting.markdown import escape, escape_html, visible

if TYPE_CHECKING:
    import pandas as pd

HERE = Path(__file__).resolve().parent
EMPTY = "∅"
NEWLINE = "↵"
SPACE = "␣"


@dataclass(frozen=True)
class View:
    """A view in every form.

    Attributes:
        title: plain text.
        html: a fragment of HTML, all generated text in it escaped.
        markdown: the same information as Markdown.
        plain: the same as text.
        data: the numbers that are shown, one row each.
        png: a picture, b"" for none.
    """

    title: str
    html: str
    markdown: str
    plain: str
    data: "pd.DataFrame"
    png: bytes = b""

    def _repr_mimebundle_(self, **options: object) -> dict[str, str | bytes]:
        """Return what a notebook displays; front ends choose."""
        forms: dict[str, str | bytes] = {
            "text/html": self.html,
            "text/markdown": self.markdown,
            "text/plain": self.plain,
        }
        return forms | ({"image/png": self.png} if self.png else {})

    def save(self, folder: Path, name: str) -> "View":
        """Write `<name>.html` (a page that opens by double click), `.md`, `.csv` and, with a picture, `.png`.

        Each file appears whole or not at all. Returns the view, so that a cell can end with this call.

        Raises:
            InputError: a name that cannot be a file's.
        """
        from replication.reporting.html import page

        tables.check_name(name)
        contents = {"html": page(self.title, self.html), "md": self.markdown, "csv": tables.to_csv(self.data)}
        contents |= {"png": self.png} if self.png else {}
        for ending, content in contents.items():
            write_atomic(folder / f"{name}.{ending}", content)
        return self


def sentence(title: str, text: str) -> View:
    """Return a view that says in a sentence why there is nothing to look into."""
    import pandas as pd

    page = framed(title, f"<p>{escape_html(text)}</p>")
    markdown = f"**{escape(title)}**\n\n{escape(text)}"
    return View(title, page, markdown, f"{visible(title)}\n{visible(text)}", pd.DataFrame({"reason": [text]}))


@cache
def style() -> str:
    """Return the style sheet of all views, without comments."""
    return (HERE / "view.css").read_text(encoding="utf-8")


def framed(title: str, body: str, kind: str = "", attributes: str = "") -> str:
    """Return the HTML of a view: its style, its title and a body that is already safe.

    In it lies a form, so that radio buttons do not mix with those of another view; "dialog" is the method
    that sends nothing anywhere.

    Args:
        title: plain text, escaped here.
        body: safe HTML.
        kind: a further class.
        attributes: further attributes, safe.
    """
    classes = f"tv {kind}".strip()
    head = f"<p><b>{escape_html(title)}</b></p>" if title else ""
    inside = f'<form method="dialog">{head}{body}</form>'
    return f'<style>\n{style()}</style>\n<div class="{classes}"{attributes}>{inside}</div>'


def attribute(text: object) -> str:
    """Return generated text for the value of an attribute in double quotes."""
    return html.escape(visible(text), quote=True).replace("$", "&#36;")


def token_text(text: str) -> str:
    """Return a token on one line: signs for nothing, for mere spaces and for line ends."""
    if not text.strip(" "):
        return SPACE * len(text) or EMPTY
    return visible(text).replace(f" {NEWLINE} ", NEWLINE)


def lines_html(text: str) -> str:
    """Return text for HTML, its line ends shown and kept."""
    return f"{NEWLINE}<br>".join(map(escape_html, text.replace("\r\n", "\n").split("\n")))


def token_html(text: str) -> str:
    """Return a token for HTML, its spaces kept."""
    return f"<code>{escape_html(token_text(text))}</code>"


def table_html(header: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Return an HTML table of cells that are already safe.

    Args:
        header: names of the columns, escaped here.
        rows: safe HTML.
        right: positions of the columns of numbers.
    """
    kinds = [' class="tv-n"' if place in right else "" for place in range(len(header))]
    head = "".join(f"<th{kind}>{escape_html(name)}</th>" for name, kind in zip(header, kinds, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{cell}</td>" for cell, kind in zip(row, kinds, strict=True)) + "</tr>"
        for row in rows
    )
    return (
        f'<div class="tv-wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
    )


def table_plain(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table as text, columns parted by " | "."""
    return "\n".join(" | ".join(line) for line in [header, *rows])
