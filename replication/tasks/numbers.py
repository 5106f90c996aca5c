"""Numbers in running text: where they stand and the one spelling under which equal numbers are equal strings.

What counts as a number (Wang and Zhou 2024, arXiv 2402.10200, do not say; the choice here):

- digits with optional thousands commas in groups of three, decimals and a short exponent: "1,200", "60.00",
  ".5", "2e3";
- neither currency nor percent signs nor a closing period belong to it: "$60.00." holds "60.00";
- a minus sign belongs to it unless a letter or another dash stands right before it, or, also across spaces, a
  digit, closing bracket or percent sign: "3-2" and "3 - 2" end in 2, "= -9" in -9;
- in "-$5" the sign stands before the currency, so the interval is the whole of "-$5";
- "50%" is 50, not 0.5: questions that ask for a percentage have such answers.

All patterns run in linear time, and only short numbers become Python integers.
"""

import re
from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

Interval = tuple[int, int]

_CURRENCY = "$€£¥"
_MINUS = "-\u2212"  # models also write the typographic minus sign; "-" first, for use inside [...]
_DIGITS = r"(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])|[0-9]+)(?:\.[0-9]+)?|(?<![\w.])\.[0-9]+"
_NUMBER = rf"(?:{_DIGITS})(?:[eE][+-]?[0-9]{{1,2}}(?!\w))?"
_FIND = re.compile(_NUMBER)
_FIND_FRACTION = re.compile(rf"{_NUMBER}(?:/(?:{_NUMBER})(?!/))?")
_WHOLE = re.compile(
    rf"(?P<sign>[{_MINUS}+]?)[ ]{{0,2}}[{_CURRENCY}]?[ ]{{0,2}}(?P<inner>[{_MINUS}+]?)"
    rf"(?:(?P<mixed>[0-9]{{1,30}}) )?(?P<number>{_NUMBER})"
    rf"(?:[ ]?/[ ]?(?P<below>{_NUMBER}))?[ ]?(?:%|percent|dollars)?\.?",
    re.IGNORECASE,
)
_LONGEST_FRACTION_PART = 30
_SPACES_BEFORE_SIGN = 16


def find(text: str, which: str = "last", fractions: bool = False) -> Interval | None:
    """Return the character interval of the first or last number of `text`, None where there is none.

    Args:
        text: any text.
        which: "first" or "last".
        fractions: take "3/4" as one number; otherwise its last number is "4".
    """
    matches = (_FIND_FRACTION if fractions else _FIND).finditer(text)
    match = next(matches, None) if which == "first" else next(iter(deque(matches, maxlen=1)), None)
    return None if match is None else (_signed_start(text, match.start()), match.end())


def find_all(text: str, fractions: bool = False) -> Iterator[Interval]:
    """Yield the character intervals of all numbers of `text`, in order."""
    for match in (_FIND_FRACTION if fractions else _FIND).finditer(text):
        yield _signed_start(text, match.start()), match.end()


def normalise(text: str) -> str | None:
    """Return the canonical spelling of a text that is one number and nothing else, None for any other text.

    Accepted around the number: a currency sign, "%", "percent", "dollars", a closing period; fractions
    ("3/4") and mixed numbers ("1 1/2"). The result has no commas, no leading or trailing zeros and no "-0"; a
    fraction with a finite decimal expansion becomes it ("3/4" is "0.75"), any other is reduced ("4/6" is
    "2/3").
    """
    match = _WHOLE.fullmatch(text.strip())
    if match is None or (match["sign"] and match["inner"]):
        return None
    negative = any(sign and sign in _MINUS for sign in (match["sign"], match["inner"]))
    if match["below"] is None:
        return None if match["mixed"] else _signed(_decimal(match["number"]), negative)
    parts = [match["mixed"] or "0", match["number"], match["below"]]
    if any(len(part) > _LONGEST_FRACTION_PART for part in parts):
        return None
    whole, above, below = (Fraction(Decimal(part.replace(",", ""))) for part in parts)
    return None if below == 0 else _signed(_fraction(whole + above / below), negative)


def _signed_start(text: str, start: int) -> int:
    """Return where the number starting at `start` begins with its minus sign, `start` when it has none."""
    place = start - 1 if start and text[start - 1] in _CURRENCY else start
    if not place or text[place - 1] not in _MINUS:
        return start
    sign = place - 1
    if not sign:
        return sign
    before = text[sign - 1]
    if before.isalpha() or before in _MINUS + "_":
        return start
    near = text[max(0, sign - _SPACES_BEFORE_SIGN) : sign].rstrip(" \t")[-1:]
    return start if near and (near.isdigit() or near in ")]}%") else sign


def _decimal(number: str) -> str:
    """Return an unsigned number without commas, exponent and superfluous zeros; exact at any length."""
    digits = format(Decimal(number.replace(",", "")), "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def _fraction(value: Fraction) -> str:
    """Return an unsigned fraction as a decimal where that is finite, else reduced as "2/3"."""
    above, below = value.as_integer_ratio()
    rest, places = below, 0
    for prime in (2, 5):
        power = 0
        while rest % prime == 0:
            rest, power = rest // prime, power + 1
        places = max(places, power)
    if rest != 1:
        return f"{above}/{below}"
    digits = str(above * 10**places // below).rjust(places + 1, "0")
    return _decimal(f"{digits[:-places]}.{digits[-places:]}" if places else digits)


def _signed(digits: str, negative: bool) -> str:
    return f"-{digits}" if negative and digits != "0" else digits
