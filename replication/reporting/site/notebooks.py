"""Executed notebooks made ready for Sphinx: code folded away, outputs plain text, images or safe HTML."""

import html
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from replication.reporting.html import markdown, sanitise

IMAGES = ("image/png", "image/jpeg")
DIRECTIVE = re.compile(r"(?m)^(\s*(?:`{3,}|~{3,}))\s*\{([^}\n]*)\}")
# Folders of the machine that ran the notebook, in the values that it was given.
INJECTED = "injected-parameters"
FOLDER = re.compile(r"""(?m)^(\w+ = ["'])(?:/|[A-Za-z]:[/\\])[^"'\n]*[/\\]""")
TABLE = re.compile(r"<table\b.*?</table>", re.DOTALL)
VIEW = re.compile(r'<div class="tv[ "]')
HEADING = re.compile(r"(?m)^#\s+(.+?)\s*$")


def read(path: Path) -> Any:
    """Return a notebook as nbformat 4."""
    import nbformat

    return nbformat.read(path, as_version=4)


def title(notebook: Any, fallback: str) -> str:
    """Return the notebook's first heading as safe HTML without a paragraph, or the escaped fallback."""
    for cell in notebook.cells:
        found = HEADING.search(cell.source) if cell.cell_type == "markdown" else None
        if found:
            return sanitise(markdown(found[1])).strip().removeprefix("<p>").removesuffix("</p>")
    return html.escape(fallback)


def staged(notebook: Any, head: str = "") -> Any:
    """Return the notebook as the site shows it.

    Text that a model wrote stays text: of each rich output one form is kept, HTML and Markdown pass the allow
    list of `reporting.html`, and what can act (scripts, widgets, SVG) goes. Markdown cells keep their
    formatting but neither directives nor HTML.

    Args:
        notebook: nbformat 4; it is changed.
        head: safe HTML for below the first cell, such as a line of links.
    """
    for cell in notebook.cells:
        if cell.cell_type == "code":
            if INJECTED in cell.metadata.get("tags", []):
                cell.source = FOLDER.sub(r"\1…/", cell.source)
            cell.metadata = {"tags": ["hide-input"]}
            cell.outputs = [shown for output in cell.outputs if (shown := _output(output)) is not None]
        elif cell.cell_type == "markdown":
            cell.source = DIRECTIVE.sub(r"\1\2", cell.source)
            cell.metadata = {}
    notebook.cells = [cell for cell in notebook.cells if cell.cell_type in ("code", "markdown")]
    if head:
        notebook.cells.insert(1, _raw(head))
    notebook.metadata = {"language_info": {"name": "python", "pygments_lexer": "python"}}
    return notebook


def _output(output: Any) -> Any:
    """Return an output in the one form that is shown, None when it has none."""
    if output.output_type not in ("display_data", "execute_result"):
        return output  # streams and errors are text
    output.data = _chosen(output.data)
    output.metadata = {}
    return output if output.data else None


def _chosen(data: Mapping[str, str]) -> dict[str, str]:
    """Return the richest safe form of an output.

    A picture goes before HTML, but for a view, which says more than its picture: its numbers stay, so that
    the site's own script can give it its sliders; without scripts its tables are there.
    """
    page = data.get("text/html", "")
    if VIEW.search(page):
        return {"text/html": sanitise(page, states=True).strip()}
    for kind in IMAGES:
        if kind in data:
            return {kind: data[kind]}
    if page:
        return {"text/html": wide_tables(sanitise(page))}
    if "text/markdown" in data:
        return {"text/html": wide_tables(sanitise(markdown(data["text/markdown"])))}
    return {"text/plain": data["text/plain"]} if "text/plain" in data else {}


def wide_tables(body: str) -> str:
    """Return safe HTML whose tables scroll by themselves when they are wider than the page."""
    return TABLE.sub(lambda found: f'<div class="wide">{found[0]}</div>', body)


def _raw(content: str) -> Any:
    """Return a cell of ready HTML."""
    from nbformat.v4 import new_raw_cell

    return new_raw_cell(content, metadata={"format": "text/html"})
