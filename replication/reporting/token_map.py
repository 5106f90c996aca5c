"""The tokens of a text, shaded by class or by score: as HTML for notebooks and as a figure.

Colour never tells alone. Classes bear a letter and an underline of their own, scores rise from light to
strong, selected tokens are bold and underlined. The site keeps no styles of HTML, so that there the figure
is what shows the shades; letters, bold and underlines stay in both.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib import font_manager
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from replication.reporting import style
from replication.reporting.markdown import escape_html, visible
from replication.reporting.plots import Drawn
from replication.settings import InputError

LETTERS = "ABCDEFG"
# Tints of the palette on which black text keeps a contrast above 7 to 1.
TINTS = ("#a9d6f2", "#f5c98a", "#8fd3bd", "#f3b391", "#e6bfd4", "#f4ea8e", "#cfcfcf")
SHADES = ("#dfedf9", "#c3dcf2", "#a3caec", "#7fb4e3", "#5b9fdb")
# Each class's underline: as CSS, and as dash and width of the figure's line.
UNDERLINES = (
    ("solid 1px", "-", 1.0),
    ("dashed 1px", "--", 1.2),
    ("dotted 2px", ":", 1.6),
    ("double 1px", "-.", 1.2),
    ("wavy 1px", (0, (6, 1)), 1.2),
    ("solid 3px", "-", 2.4),
    ("dashed 3px", "--", 2.4),
)
LEVELS = 5
NEWLINE = "↵"

WIDTH, MARGIN = 8.4, 0.15  # inches
FONT, ADVANCE = "DejaVu Sans Mono", 1233 / 2048  # the width of its characters, in em
# Six pixels a character on the screen and fifteen in files: rounding to pixels moves no character.
CHARACTER = 6 / style.SCREEN_DPI
SIZE = 72 * CHARACTER / ADVANCE
COLUMNS = int((WIDTH - 2 * MARGIN) / CHARACTER)
LINE = 0.27  # inches from one line to the next
MISSING = "\ufffd"


@dataclass(frozen=True)
class Look:
    """How tokens of a class or level are shown.

    Attributes:
        label: its name in the legend.
        letter: stands for it in text.
        colour: of the background, "" for none.
        underline: CSS, dash and width; None for none.
    """

    label: str
    letter: str
    colour: str
    underline: tuple[str, object, float] | None = None


@dataclass(frozen=True)
class TokenMap:
    """Tokens and how each is shown; made by `classes` or `levels`, displayed as HTML by notebooks.

    Attributes:
        tokens: the texts, which joined are the whole text.
        places: number of each token's look, -1 for none.
        strong: which tokens are selected, thus bold and underlined.
        looks: the looks, in the order of the legend.
        lettered: whether letters are written at the runs of a look.
        title: above the text.
        caption: below it.
        data: a row per token.
    """

    tokens: tuple[str, ...]
    places: tuple[int, ...]
    strong: tuple[bool, ...]
    looks: tuple[Look, ...]
    lettered: bool
    title: str
    caption: str
    data: pd.DataFrame

    def _repr_mimebundle_(self, **options: object) -> dict[str, str]:
        """Return what a notebook displays."""
        return bundle(self)


class Piece(NamedTuple):
    """A part of a token on one line of the figure."""

    line: int
    column: int
    text: str
    token: int


def classes(
    tokens: Sequence[str],
    names: Sequence[str | None],
    *,
    title: str = "",
    caption: str = "",
    order: Sequence[str] = (),
) -> TokenMap:
    """Return tokens shaded by class.

    Args:
        tokens: texts of the tokens.
        names: class of each token; None or "" for none, which stays plain.
        title: what is shown, above the text.
        caption: text below.
        order: the classes of the legend, in order; by default those that occur, as they come first.

    Raises:
        InputError: no tokens, another number of names, more classes than looks, a class outside `order`.
    """
    _check(tokens, names, "classes")
    named = ["" if name is None else str(name) for name in names]
    known = list(order) or list(dict.fromkeys(name for name in named if name))
    if len(known) > len(LETTERS):
        raise InputError(f"A map of tokens shows at most {len(LETTERS)} classes, got {len(known)}.")
    if strangers := sorted(set(named) - {*known, ""}):
        raise InputError(f"The order of the classes lacks {', '.join(strangers)}: name every class.")
    looks = tuple(map(Look, known, LETTERS, TINTS, UNDERLINES))
    places = tuple(known.index(name) if name else -1 for name in named)
    data = pd.DataFrame({"token": list(tokens), "class": named})
    return TokenMap(tuple(tokens), places, (False,) * len(places), looks, True, title, caption, data)


def levels(
    tokens: Sequence[str],
    values: Sequence[float | None],
    *,
    selected: Sequence[bool] | None = None,
    edges: Sequence[float] = (),
    title: str = "",
    caption: str = "",
) -> TokenMap:
    """Return tokens shaded in five levels of a score.

    Args:
        tokens: texts of the tokens.
        values: score of each token; NaN or None for none, which stays plain.
        selected: which tokens are selected: bold, underlined and shaded, all others plain, also those with
            NaN or None; by default all that have a score are shaded, and none is bold.
        edges: the four scores at which the next level starts; by default the quintiles of what is shaded.
        title: what is shown, above the text.
        caption: text below.

    Raises:
        InputError: no tokens, another number of values or flags, edges that are not four ascending numbers.
    """
    _check(tokens, values, "values")
    scores = np.array([math.nan if value is None else float(value) for value in values])
    if selected is not None:
        _check(tokens, selected, "flags of selection")
    flags = [False] * len(scores) if selected is None else selected
    strong = np.array([flag == flag and bool(flag) for flag in flags])  # NaN selects nothing
    shaded = ~np.isnan(scores) & (strong if selected is not None else True)
    borders = _edges(scores[shaded], edges)
    found = np.where(shaded, np.searchsorted(borders, scores, side="right"), -1)
    looks = tuple(Look(label, str(place + 1), SHADES[place]) for place, label in enumerate(_ranges(borders)))
    data = pd.DataFrame({"token": list(tokens), "value": scores, "level": found + 1, "selected": strong})
    places = tuple(found.tolist())
    return TokenMap(tuple(tokens), places, tuple(strong.tolist()), looks, False, title, caption, data)


def _check(tokens: Sequence[str], given: Sequence[object], what: str) -> None:
    """Raise `InputError` unless there are tokens and as many of `given`."""
    if not len(tokens):
        raise InputError("A map of tokens needs at least one token.")
    if len(tokens) != len(given):
        raise InputError(f"A map of {len(tokens)} tokens needs as many {what}, got {len(given)}.")


def _edges(values: np.ndarray, edges: Sequence[float]) -> np.ndarray:
    """Return the four inner edges of the levels; zeros where there is no value to take quintiles of."""
    if len(edges):
        found = np.asarray(edges, float)
        if found.shape != (LEVELS - 1,) or not (np.diff(found) > 0).all():
            raise InputError(f"Five levels need four ascending edges, got {list(edges)}.")
        return found
    return np.quantile(values, np.arange(1, LEVELS) / LEVELS) if len(values) else np.zeros(LEVELS - 1)


def _ranges(borders: np.ndarray) -> list[str]:
    """Return the names of the levels."""
    numbers = [f"{round(border, 2) + 0.0:.2f}" for border in borders]  # no "-0.00"
    inner = [f"{low} to {high}" for low, high in pairwise(numbers)]
    return [f"below {numbers[0]}", *inner, f"from {numbers[-1]}"]


def bundle(shown: TokenMap) -> dict[str, str]:
    """Return a map as HTML and as plain text, all text escaped."""
    parts = [
        f"<p><b>{escape_html(shown.title)}</b></p>" if shown.title else "",
        f"<p>{' '.join(_sample(look, shown.lettered) for look in shown.looks)}{_key(shown)}</p>",
        f'<p style="white-space:pre-wrap;font-family:monospace;line-height:2">{_html(shown)}</p>',
        f"<p>{escape_html(shown.caption)}</p>" if shown.caption else "",
    ]
    lines = [visible(shown.title), _legend(shown), _plain(shown), visible(shown.caption)]
    page = f'<div style="color:#000;background:#fff;padding:4px">{"".join(parts)}</div>'
    return {"text/html": page, "text/plain": "\n".join(line for line in lines if line)}


def _css(look: Look) -> str:
    """Return the inline style of a look."""
    line = "" if look.underline is None else f";text-decoration:underline {look.underline[0]}"
    return f"background:{look.colour};color:#000;margin-right:1px{line}"


def _sample(look: Look, lettered: bool) -> str:
    """Return a look's entry in the legend of HTML."""
    letter = f"<sup>{look.letter}</sup>" if lettered else ""
    return f'{letter}<span style="{_css(look)};padding:0 3px">{escape_html(look.label)}</span>'


def _key(shown: TokenMap) -> str:
    """Return the legend's entry for selected tokens, "" where none is."""
    return " <b><u>selected</u></b>" if any(shown.strong) else ""


def _html(shown: TokenMap) -> str:
    """Return the tokens as HTML, a letter before each run of a class."""
    made, before = [], -1
    for text, place, strong in zip(shown.tokens, shown.places, shown.strong, strict=True):
        inside = f"{NEWLINE}<br>".join(map(escape_html, _split(text)))
        inside = f"<b><u>{inside}</u></b>" if strong else inside
        if place >= 0:
            inside = f'<span style="{_css(shown.looks[place])}">{inside}</span>'
            if shown.lettered and place != before:
                inside = f"<sup>{shown.looks[place].letter}</sup>{inside}"
        made.append(inside)
        before = place
    return "".join(made)


def _legend(shown: TokenMap) -> str:
    """Return the legend as one line of text."""
    if any(shown.strong):
        return "⟦selected⟧"
    return ", ".join(f"{look.letter} = {visible(look.label)}" for look in shown.looks)


def _plain(shown: TokenMap) -> str:
    """Return the text with each run of a look, or of selected tokens, between ⟦ and ⟧."""
    kinds = shown.strong if any(shown.strong) else [place + 1 for place in shown.places]
    made = []
    for kind, run in groupby(zip(kinds, shown.tokens, strict=True), key=lambda pair: pair[0]):
        text = "".join(token for _, token in run)
        inside = f"{NEWLINE}\n".join(map(visible, _split(text)))
        letter = "" if any(shown.strong) else f"{shown.looks[kind - 1].letter}:"
        made.append(f"⟦{letter}{inside}⟧" if kind else inside)
    return "".join(made)


def _split(text: str) -> list[str]:
    """Return the lines of a token's text."""
    return text.replace("\r\n", "\n").split("\n")


def figure(name: str, shown: TokenMap) -> Drawn:
    """Draw a map, its lines in a fixed width and as many as it takes.

    Args:
        name: name of the figure's files.
        shown: the map.
    """
    style.apply()
    key = list(_key_pieces(shown))
    below = key[-1].line + 1.4 if key else 0.0
    pieces = list(wrapped(shown.tokens))
    top = LINE if shown.title else 0.0
    lines = below + pieces[-1].line + 1
    height = 2 * MARGIN + top + lines * LINE
    drawing = plt.figure(figsize=(WIDTH, height))
    # Everything has its place. Set afterwards: saving would bring the style's own layout back to a figure
    # that was made without one.
    drawing.set_layout_engine("none")
    # Notebooks crop figures to what is drawn: an unseen frame keeps the width.
    drawing.add_artist(Rectangle((0, 0), 1, 1, transform=drawing.transFigure, fill=False, lw=0))
    if shown.title:
        place = (MARGIN / WIDTH, 1 - MARGIN / height)
        drawing.text(*place, shown.title, fontsize=10, va="top", parse_math=False)
    width = COLUMNS * CHARACTER
    axes = drawing.add_axes((MARGIN / WIDTH, MARGIN / height, width / WIDTH, lines * LINE / height))
    axes.set(xlim=(0, COLUMNS), ylim=(lines, 0))
    axes.set_axis_off()
    for piece in key:
        place = piece.token if piece.token < len(shown.looks) else -1
        _draw(axes, shown, piece, 0.0, place, place < 0, shown.lettered)
    begun = (-1, -1)
    for piece in pieces:
        place = shown.places[piece.token]
        lettered = shown.lettered and begun != (piece.line, place)
        _draw(axes, shown, piece, below, place, shown.strong[piece.token], lettered)
        begun = (piece.line, place)
    return drawing, name, shown.caption, shown.data


def _key_pieces(shown: TokenMap) -> Iterator[Piece]:
    """Yield the legend's entries, the last one "selected" where a token is."""
    labels = [f" {look.label} " for look in shown.looks] + (["selected"] if any(shown.strong) else [])
    line = column = 0
    for number, label in enumerate(map(_drawable, labels)):
        text = label[:COLUMNS]
        if column + len(text) > COLUMNS:
            line, column = line + 1, 0
        yield Piece(line, column, text, number)
        column += len(text) + 2


def wrapped(tokens: Sequence[str], columns: int = COLUMNS) -> Iterator[Piece]:
    """Yield the tokens as pieces on lines of at most `columns` characters.

    A token that does not fit starts a new line; only one longer than a line is cut.
    """
    line = column = 0
    for number, token in enumerate(tokens):
        parts = _split(token)
        for part, ends in zip(parts, [True] * (len(parts) - 1) + [False], strict=True):
            text = _drawable(part) + (NEWLINE if ends else "")
            if column and column + len(text) > columns:
                line, column = line + 1, 0
            for start in range(0, len(text), columns):
                if start:
                    line, column = line + 1, 0
                yield Piece(line, column, text[start : start + columns], number)
                column += len(text[start : start + columns])
            if ends:
                line, column = line + 1, 0


def _drawable(text: str) -> str:
    """Return text of a line with a sign in place of each character that the font lacks."""
    font = font_manager.get_font(font_manager.findfont(FONT))
    return "".join(c if font.get_char_index(ord(c)) else MISSING for c in visible(text))


def _draw(
    axes: Axes, shown: TokenMap, piece: Piece, below: float, place: int, strong: bool, lettered: bool
) -> None:
    """Draw a piece with its shade, line and letter; lines of the text are one unit high."""
    top, width = below + piece.line, len(piece.text)
    if place >= 0:
        look = shown.looks[place]
        corner = (piece.column, top + 0.22)
        axes.add_patch(Rectangle(corner, width, 0.68, facecolor=look.colour, edgecolor="white", lw=0.7))
        if lettered:
            text = axes.text(piece.column, top + 0.2, look.letter, fontsize=6, family=FONT, va="baseline")
            text.set_gid("letter")
    line = ("", "-", 1.0) if strong else shown.looks[place].underline if place >= 0 else None
    if line is not None:
        ends = (piece.column + 0.12, piece.column + width - 0.12)
        look = {"linestyle": line[1], "lw": line[2], "color": "black", "marker": ""}
        axes.plot(ends, [top + 0.86] * 2, solid_capstyle="butt", **look)
    weight = "bold" if strong else "normal"
    axes.text(
        piece.column, top + 0.69, piece.text, fontsize=SIZE, family=FONT, weight=weight, parse_math=False
    )
