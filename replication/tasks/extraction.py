"""Where the answer stands in a response: last number, last option, LaTeX, or after "So the answer is".

Source: Wang and Zhou (2024, arXiv 2402.10200), section 2.2 and appendix D. Intervals are character offsets,
so that a method can map them to the tokens they overlap.
"""

import re
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from replication.tasks import latex, numbers

YES, NO = "yes", "no"
MARKER = "So the answer is"
"""What is appended to a finished response to make the model state its answer (section 2.2)."""

_CLAUSE_END = re.compile(r"\n|\.(?![0-9])")
_POLARITY = {"yes": YES, "true": YES, "no": NO, "false": NO}


@dataclass(frozen=True)
class Answer:
    """An answer found in a text: its normalised value and the character interval [start, end)."""

    value: str
    start: int
    end: int


def number(text: str, which: str = "last", fractions: bool = False) -> Answer | None:
    """Return the first or last number of `text`."""
    span = numbers.find(text, which, fractions)
    if span is not None and numbers.normalise(text[slice(*span)]) is None:
        span = numbers.find(text, which)  # a fraction over zero, or with parts too long to divide
    return None if span is None else _number_at(text, span)


def option(text: str, options: Sequence[str], which: str = "last") -> Answer | None:
    """Return the first or last option that is a word of its own in `text`, in any letter case."""
    pattern = _option_pattern(tuple(options))
    match = pattern.search(text) if which == "first" else _last(pattern, text)
    return None if match is None else Answer(match[0].lower(), *match.span())


def math(text: str) -> Answer | None:
    r"""Return the last `\boxed{...}`, else the last `$...$`, else the last number."""
    span = latex.find(text)
    return None if span is None else Answer(latex.normalise(text[slice(*span)]), *span)


def clause(text: str) -> tuple[int, int]:
    """Return the interval of the first clause: up to a newline or a period that is not inside a number."""
    start = len(text) - len(text.lstrip())
    end = _CLAUSE_END.search(text, start)
    return start, len(text) if end is None else end.start()


def extract_after(text: str, marker: str = MARKER) -> tuple[int, int] | None:
    """Return the interval of the clause behind the last `marker` in `text`, None where there is no marker."""
    match = _last(re.compile(rf"(?ai:{re.escape(marker)})"), text)
    if match is None:
        return None
    start, end = clause(text[match.end() :])
    return match.end() + start, match.end() + end


def find_number(text: str, value: str, fractions: bool = False) -> Answer | None:
    """Return the last number of `text` that equals `value`; "8" is not found in "18", "60.00" is 60."""
    wanted = numbers.normalise(value)
    normalise = cache(numbers.normalise)
    for span in reversed(list(numbers.find_all(text, fractions))):
        if normalise(text[slice(*span)]) == wanted is not None:
            return _number_at(text, span)
    return None


def find_text(text: str, value: str) -> Answer | None:
    """Return the last place of `value` in `text` as words of its own, in any letter case."""
    match = _last(_option_pattern((value,)), text) if value else None
    return None if match is None else Answer(value, *match.span())


def yes_no_masses(
    probabilities: Mapping[str, float] | Iterable[tuple[str, float]],
) -> tuple[str | None, float]:
    """Return the answer of a yes/no question and its score, read from next-token probabilities.

    score = |mass(yes, true) - mass(no, false)|, letter case and surrounding white space ignored (appendix D).

    Args:
        probabilities: token text -> probability, as a mapping or as pairs (several tokens may have one text).

    Returns:
        "yes" or "no" with the score; None with 0.0 when the two masses are equal.
    """
    pairs = probabilities.items() if isinstance(probabilities, Mapping) else probabilities
    mass = {YES: 0.0, NO: 0.0}
    for text, probability in pairs:
        if (side := _POLARITY.get(text.strip().lower())) is not None:
            mass[side] += float(probability)
    margin = mass[YES] - mass[NO]
    return (None if margin == 0 else YES if margin > 0 else NO), abs(margin)


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    return next(iter(deque(pattern.finditer(text), maxlen=1)), None)


def _number_at(text: str, span: tuple[int, int]) -> Answer:
    value = numbers.normalise(text[slice(*span)])
    assert value is not None, "every number that is found can be normalised"  # noqa: S101
    return Answer(value, *span)


@lru_cache(maxsize=64)
def _option_pattern(options: tuple[str, ...]) -> re.Pattern[str]:
    words = "|".join(re.escape(word) for word in sorted(options, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?ai:{words})(?!\w)")
