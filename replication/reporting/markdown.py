"""Text made safe for Markdown and HTML, and tables of it.

Generated text may hold anything. `escape` turns every character that Markdown, HTML or a formula renderer
would act on into an entity, so that it shows as itself in a notebook, on the site and in a code host's view
alike.
"""

import html
import re
from collections.abc import Iterable, Sequence

from replication.evaluation.claims import INCONCLUSIVE, NOT_REPRODUCED, NOT_TESTABLE, PARTLY, REPRODUCED

SYMBOLS = {REPRODUCED: "✔", PARTLY: "◐", NOT_REPRODUCED: "✘", INCONCLUSIVE: "?", NOT_TESTABLE: "○"}
ACTIVE = "|`*_[]~\\!"
# A dollar sign alone in an element cannot pair up with another one to a formula, whatever renders the page.
DOLLAR = "<span>&#36;</span>"
DIRECTION_MARKS = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def visible(text: object) -> str:
    """Return text on one line: line ends as "↵", control and direction characters and surrogates replaced."""
    line = str(text).replace("\r\n", "\n").replace("\n", " ↵ ").replace("\t", " ")
    line = CONTROL.sub("\ufffd", DIRECTION_MARKS.sub("\ufffd", line))
    return line.encode("utf-8", "replace").decode("utf-8")


def escape(text: object) -> str:
    """Return generated text for a Markdown table cell: shown as it is, acting as nothing."""
    safe = html.escape(visible(text), quote=False)
    for character in ACTIVE:
        safe = safe.replace(character, f"&#{ord(character)};")
    return safe.replace("://", "&#58;//").replace("$", DOLLAR)


def escape_html(text: object) -> str:
    """Return generated text for HTML, dollar signs kept from starting a formula."""
    return html.escape(visible(text)).replace("$", DOLLAR)


def authored(text: object) -> str:
    """Return our own Markdown for a table cell: formatting stays, tags and broken rows do not."""
    return " ".join(str(text).split()).replace("<", "&lt;").replace("|", "\\|")


def verdict(word: str) -> str:
    """Return a verdict with a symbol, which reads without colour."""
    return f"{SYMBOLS.get(word, '')} {word}".strip()


def table(header: Sequence[str], rows: Iterable[Sequence[str]], right: Iterable[int] = ()) -> str:
    """Return a Markdown table of cells that are already safe.

    Args:
        header: names of the columns.
        rows: cells as text.
        right: positions of columns set to the right (numbers).
    """
    aligned = set(right)
    rule = ["---:" if place in aligned else "---" for place in range(len(header))]
    lines = [header, rule, *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"
