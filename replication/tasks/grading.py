"""Is an answer right? One function for each kind of answer.

Numbers are compared exactly as decimals or fractions: 1,200 = 1200, 18.00 = 18, $5 = 5, 3/4 = 0.75, 50% = 50
(the percent sign is a unit, so 50% is not 0.5), 1e3 = 1000. Options and yes/no ignore letter case and a
closing period; "true" and "false" are accepted for "yes" and "no". LaTeX goes through `math-verify`.
"""

from replication.tasks import latex, numbers

_POLARITY = {"true": "yes", "false": "no"}


def number(value: str, gold: str) -> bool:
    """Tell whether two texts are the same number; a text that is not a number is never right."""
    left = numbers.normalise(value)
    return left is not None and left == numbers.normalise(gold)


def option(value: str, gold: str) -> bool:
    """Tell whether two options are the same word, letter case and a closing period ignored."""
    return _word(value) == _word(gold) != ""


def yes_no(value: str, gold: str) -> bool:
    """Tell whether two answers of a yes/no question agree."""
    left, right = (_POLARITY.get(_word(side), _word(side)) for side in (value, gold))
    return left == right in ("yes", "no")


def math(value: str, gold: str) -> bool:
    """Tell whether two LaTeX answers are mathematically equal."""
    return latex.equal(value, gold)


def _word(text: str) -> str:
    return text.strip().rstrip(".").strip().casefold()


GRADERS = {"number": number, "option": option, "yesno": yes_no, "latex": math}
