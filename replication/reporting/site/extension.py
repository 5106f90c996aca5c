"""Sphinx extension of the site: formulas as MathML, alternative texts, signatures without links."""

import html
import re
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

from replication.reporting.html import formula, sanitise

ALTERNATIVE = 250
NO_CAPTION = "Figure"


def setup(app: Sphinx) -> dict[str, bool]:
    """Register everything; called by Sphinx."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    app.connect("doctree-read", _finish)
    app.connect("html-page-context", _label_captions, priority=900)  # behind the theme's own
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _inline(writer: Any, node: nodes.Element) -> None:
    """Write a formula within a line."""
    writer.body.append(sanitise(formula(node.astext())))
    raise nodes.SkipNode


def _block(writer: Any, node: nodes.Element) -> None:
    """Write a formula on its own line, which scrolls by itself when it is too wide."""
    writer.body.append(f'<div class="math wide">{sanitise(formula(node.astext(), display=True))}</div>\n')
    raise nodes.SkipNode


def _finish(app: Sphinx, document: nodes.document) -> None:
    """Mend a page that has been read."""
    _describe_images(document)
    for signature in document.findall(addnodes.desc_signature):
        # Links of type names are looked up among all objects: minutes for hints that need none.
        for link in list(signature.findall(addnodes.pending_xref)):
            link.replace_self(link.children)


def _label_captions(app: Sphinx, page: str, template: str, context: dict[str, Any], document: Any) -> None:
    """Say which level the headings of the navigation have, which Sphinx leaves open."""
    for name, value in context.items():
        if name.endswith("navigation_tree") and isinstance(value, str):
            context[name] = value.replace('role="heading"', 'role="heading" aria-level="2"')


def _describe_images(document: nodes.document) -> None:
    """Give every image without alternative text the caption that follows it, else its section's title."""
    heading, waiting = NO_CAPTION, []
    for node in document.findall():
        if isinstance(node, nodes.title | nodes.image):
            _describe(waiting, heading)
            waiting = []
        if isinstance(node, nodes.title):
            heading = node.astext()
        elif isinstance(node, nodes.image) and not node.get("alt"):
            waiting = [node]
        elif waiting and isinstance(node, nodes.raw) and (text := plain_text(node.astext())):
            waiting[0]["alt"] = f"{heading}: {text}"[:ALTERNATIVE]
            waiting = []
        elif waiting and isinstance(node, nodes.literal_block):
            _describe(waiting, heading)
            waiting = []
    _describe(waiting, heading)


def _describe(images: list[nodes.image], text: str) -> None:
    """Set the alternative text of images."""
    for image in images:
        image["alt"] = text[:ALTERNATIVE]


def plain_text(markup: str) -> str:
    """Return the text of HTML on one line."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", markup)).split())
