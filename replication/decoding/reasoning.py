"""Does a response reason before it answers? Shared by the decoding methods.

Wang and Zhou (2024, arXiv 2402.10200, section 2.2) judged this by hand; these detectors are our stand-in.
Reasoning that follows the answer does not count.
"""

import re
from collections.abc import Callable

Detector = Callable[[str, int], bool]
"""(response text, first character of the answer) -> does reasoning precede the answer?"""

_OPERATOR = "[-+*/x\u00d7\u00f7\u2212]"
_EQUATION = re.compile(rf"\d[\d,.%]*\s*{_OPERATOR}\s*[$(]?-?\d[^=\n]*=\s*[$(]?-?\d")
_STATEMENT = re.compile(r"\d|[.!?:;,]\s|\n")


def in_numbers(text: str, start: int) -> bool:
    """Tell whether an equation with its result ("12+5=17") stands before character `start`."""
    return bool(_EQUATION.search(text[:start]))


def in_words(text: str, start: int) -> bool:
    """Tell whether a statement (finished clause, or number such as a year) stands before `start`."""
    return bool(_STATEMENT.search(text[:start].lstrip()))


DETECTORS: dict[str, Detector] = {
    "number": in_numbers,
    "latex": in_numbers,
    "option": in_words,
    "yesno": in_words,
}
"""Detector of each kind of task."""
