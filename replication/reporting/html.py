"""Executed notebooks as HTML pages that need no network and run no script.

nbconvert's own page loads require.js, MathJax and mermaid from public servers. Here its body is taken,
formulas become MathML, everything that could run or load is removed by an allow list, and one style sheet is
put inline.
"""

import html
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from replication.reporting.view import style

TAGS = frozenset(
    "a abbr b blockquote br caption cite code col colgroup dd del details div dl dt em figcaption figure "
    "h1 h2 h3 h4 h5 h6 hr i img ins kbd li main mark ol p pre q s samp small span strong sub summary sup "
    "table tbody td tfoot th thead tr tt u ul var".split()
)
MATHML = frozenset(
    "math menclose merror mfenced mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow "
    "ms mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover none".split()
)
ATTRIBUTES = frozenset(
    "alt class colspan height id lang open rowspan scope start tabindex title width".split()
)
MATH_ATTRIBUTES = frozenset(
    "columnalign columnlines columnspacing depth dir display displaystyle fence form linethickness lspace "
    "mathvariant maxsize minsize movablelimits notation rowlines rowspacing rspace scriptlevel separator "
    "stretchy symmetric xmlns".split()
)
# What shaded tables and maps of tokens need; a value with a bracket or an escape could load something.
STYLED = frozenset("div p span td th".split())
CSS = frozenset(
    "background background-color border-collapse color font-family line-height margin-right padding "
    "text-align text-decoration vertical-align white-space".split()
)
LOST_IMAGE = re.compile(r"<img\b(?![^>]*\ssrc=)[^>]*>")
# A head that says nothing is read out as one all the same.
EMPTY_HEAD = re.compile(r"<th((?:\s[^>]*)?)>\s*</th>")
IMAGE = re.compile(r"data:image/(png|jpeg|gif|svg\+xml);base64,[A-Za-z0-9+/=\s]*")
STYLE = """
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.55 system-ui, sans-serif;
  color: #1b1b1b; background: #fff; }
h1, h2, h3 { line-height: 1.25; } a { color: #0b57a4; } a.anchor-link { display: none; }
img { max-width: 100%; height: auto; }
pre { overflow-x: auto; padding: .6rem .8rem; background: #f6f6f4; border-radius: 4px; font-size: .86rem; }
code { font-size: .92em; } .highlight pre { margin: 0; }
table { border-collapse: collapse; font-size: .92rem; display: block; overflow-x: auto; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid #d9d9d4; text-align: left; vertical-align: top; }
thead th, thead td { border-bottom: 2px solid #8a8a84; }
.prompt { color: #767670; font: .75rem monospace; } .output_area .prompt { display: none; }
.input_area, .output_subarea { margin: .2rem 0 .8rem; }
.output_subarea > pre { background: none; padding-left: 0; }
math { font-size: 1.08em; }
"""


def export(source: Path, target: Path, title: str = "", home: str = "") -> Path:
    """Write an executed notebook as one HTML file, whole or not at all; return its path.

    Args:
        source: the notebook.
        target: the HTML file.
        title: of the page; the file's stem when empty.
        home: relative address of the page to go back to, "" for none.
    """
    import nbformat

    from replication.files import write_atomic

    body = render(nbformat.read(source, as_version=4))
    back = f'<p><a href="{html.escape(home)}">All notebooks and the scoreboard</a></p>\n' if home else ""
    return write_atomic(target, page(title or source.stem, back + body))


def page(title: str, body: str) -> str:
    """Return a whole page around a body that is already safe."""
    from pygments.formatters import HtmlFormatter

    colours = HtmlFormatter(style="default").get_style_defs(".highlight")
    return (
        f'<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{html.escape(title)}</title>\n"
        '<meta name="viewport" content="width=device-width">\n'
        f"<style>{STYLE}{style()}{colours}</style>\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )


def render(notebook: Any) -> str:
    """Return the body of a page for a notebook (nbformat 4): safe HTML with formulas as MathML."""
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        template_name="basic", exclude_anchor_links=True, filters={"markdown2html": markdown}
    )
    exporter.embed_images = False
    body, _ = exporter.from_notebook_node(notebook)
    return sanitise(body)


def markdown(source: str) -> str:
    """Return Markdown as HTML, formulas as MathML; raw HTML passes and is left to `sanitise`."""
    from nbconvert.filters.markdown_mistune import MarkdownWithMath

    return MarkdownWithMath(renderer=_renderer()(escape=False, exclude_anchor_links=True)).render(source)


def _renderer() -> type:
    """Return nbconvert's renderer with formulas written as MathML."""
    from nbconvert.filters.markdown_mistune import IPythonRenderer

    class Renderer(IPythonRenderer):
        """Formulas become MathML; a missing attachment is no reason to lose the page."""

        def inline_math(self, body: str) -> str:
            return formula(body)

        def block_math(self, body: str) -> str:
            return formula(body, display=True)

        def latex_environment(self, name: str, body: str) -> str:
            return formula(rf"\begin{{{name}}}{body}\end{{{name}}}", display=True)

    return Renderer


def formula(latex: str, display: bool = False) -> str:
    """Return a formula as MathML; as its own source in <code> when it cannot be read."""
    from latex2mathml.converter import convert

    try:
        return convert(latex.strip(), display="block" if display else "inline")
    except Exception:  # the converter raises many kinds, also plain IndexError, for what it cannot read
        return f"<code>{html.escape(latex)}</code>"


def sanitise(body: str, states: bool = False) -> str:
    """Return HTML with only known tags and attributes: no script, no handler, nothing loaded from elsewhere.

    Links stay links (http, https, mailto or inside the page); an image stays when its data is in the page.

    Args:
        body: HTML from anywhere.
        states: whether views keep the numbers that a script of the page reads, for pages that have one.
    """
    import bleach
    from bleach.css_sanitizer import CSSSanitizer

    # The content of these is no text to show; buttons and sliders would do nothing.
    body = re.sub(r"(?is)<(script|style|template|iframe|object|noscript|fieldset)\b.*?</\1\s*>", "", body)
    cleaner = bleach.sanitizer.Cleaner(
        tags=TAGS | MATHML,
        attributes=_allowed_with_states if states else _allowed,
        protocols={"http", "https", "mailto", "data"},
        strip=True,
        strip_comments=True,
        css_sanitizer=CSSSanitizer(allowed_css_properties=CSS, allowed_svg_properties=[]),
    )
    return EMPTY_HEAD.sub(r"<td\1></td>", LOST_IMAGE.sub("", cleaner.clean(body)))


def _allowed_with_states(tag: str, name: str, value: str) -> bool:
    """Tell whether an attribute may stay where views keep their numbers."""
    return (tag == "div" and name == "data-state") or _allowed(tag, name, value)


def _allowed(tag: str, name: str, value: str) -> bool:
    """Tell whether an attribute may stay."""
    if name == "href":
        return tag == "a" and urlsplit(value.strip()).scheme in ("", "http", "https", "mailto")
    if name == "src":
        return tag == "img" and bool(IMAGE.fullmatch(value))
    if name == "style":
        return tag in STYLED and not set("(\\@") & set(value)
    return name in ATTRIBUTES or (tag in MATHML and name in MATH_ATTRIBUTES)
