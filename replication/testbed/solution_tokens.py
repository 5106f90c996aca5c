"""What the tokens of a written solution are: kinds of words, and what was got wrong where it goes wrong."""

import re
from collections.abc import Sequence

from replication.testbed import story_commitments
from replication.testbed.worlds import Problem

WORD_TYPES = ("function", "content", "number", "operator", "punctuation")
ERROR_TYPES = ("calculation", "one step missing", "semantic misunderstanding", "degeneration")
FUNCTION_WORDS = frozenset("a an the of is are at by what to in on and or it that this left".split())
ANSWER = "The answer is"
_NUMBER, _OPERATOR, _WORD = re.compile(r"\d"), re.compile(r"[-+*/=<>]"), re.compile(r"[^\W\d_]")
_FORM = re.compile(r"( [A-Z][a-z ]*: [-+*/=\d, ]+\.)* The answer is -?\d+\.")


def starts(pieces: Sequence[str]) -> list[int]:
    """Return where each token's text begins in the whole text, in characters."""
    places = [0]
    for piece in pieces:
        places.append(places[-1] + len(piece))
    return places[:-1]


def token_at(pieces: Sequence[str], place: int) -> int:
    """Return the index of the token that holds a character; the last token for a place behind the end."""
    begins = starts(pieces)
    return max((i for i, start in enumerate(begins) if start <= place and pieces[i]), default=0)


def word_type(pieces: Sequence[str], index: int) -> str:
    """Return what a token belongs to, one of `WORD_TYPES`.

    A part of a word counts as the whole word; a blank as what follows it.
    """
    piece = pieces[index]
    if not piece.strip():
        return word_type(pieces, index + 1) if index + 1 < len(pieces) else "punctuation"
    if _NUMBER.search(piece):
        return "number"
    if _OPERATOR.search(piece):
        return "operator"
    if not _WORD.search(piece):
        return "punctuation"
    return "function" if _word(pieces, index).lower() in FUNCTION_WORDS else "content"


def _word(pieces: Sequence[str], index: int) -> str:
    """Return the whole word that a token is a part of."""
    text, place = "".join(pieces), starts(pieces)[index]
    place += len(pieces[index]) - len(pieces[index].lstrip())
    return next((m[0] for m in re.finditer(r"[^\W\d_]+", text) if m.start() <= place < m.end()), "")


def error_type(problem: Problem, text: str, place: int) -> str:
    """Return what is wrong at the first wrong character of a solution, one of `ERROR_TYPES`.

    A text of another form than solutions have is a degeneration; one that gives the answer before its time
    lacks a step; a wrong digit behind "=" or in the answer is a calculation; a wrong word, operator or
    operand is a misunderstanding.
    """
    text = text.rstrip()
    if not _FORM.fullmatch(text):
        return "degeneration"
    sentence = max(text.rfind(". ", 0, place) + 2, 1)
    done = any(one[:sentence] == text[:sentence] and one[sentence:].startswith(ANSWER)
               for one in story_commitments.derivations(problem))  # fmt: skip
    if text[sentence:].startswith(ANSWER) and not done:
        return "one step missing"
    before = text[:place].rstrip("0123456789")
    return "calculation" if before.endswith(("=", "answer is ")) else "semantic misunderstanding"
