"""Web of lies: "Ana tells the truth. Tom says Ana lies. Eve says Tom lies. Does Eve tell the truth?".

The form of BIG-bench Hard's `web_of_lies` as used by Wang and Zhou (2024, arXiv 2402.10200, table 6) with
three, four and five persons. Everybody either always lies or never does; steps settle one person after
the other.
"""

import random
import re
from dataclasses import dataclass
from itertools import pairwise

from replication.settings import InputError
from replication.testbed.lexicon import NAMES
from replication.testbed.worlds import Problem

LEVELS = (2, 3, 4, 5, 6)
USUAL_LEVELS = (3, 4, 5)
"""The paper's numbers of persons, drawn when no level is asked for."""
_NAME = re.compile(r"\b[A-Z]\w+")
_LYING = re.compile(r"\b(lies|liar|dishonest)\b")
_NO_NAMES = {"According", "Does", "Is", "We"}


@dataclass(frozen=True)
class _Frame:
    """Wording: the known fact, a claim, what is said of the truthful and of liars, the question."""

    known: str
    claim: str
    truth: str
    lie: str
    question: str


FRAMES = (
    _Frame(
        "{name} {word}.",
        "{speaker} says {name} {word}.",
        "tells the truth",
        "lies",
        "Does {name} tell the truth?",
    ),
    _Frame(
        "{name} always {word}.",
        "{speaker} says that {name} always {word}.",
        "tells the truth",
        "lies",
        "Does {name} always tell the truth?",
    ),
    _Frame(
        "{name} is {word}.",
        "{speaker} claims that {name} is {word}.",
        "honest",
        "a liar",
        "Is {name} honest?",
    ),
    _Frame(
        "{name} {word}.",
        "According to {speaker}, {name} {word}.",
        "tells the truth",
        "lies",
        "Does {name} tell the truth?",
    ),
    _Frame(
        "We know that {name} is {word}.",
        "{speaker} says that {name} is {word}.",
        "honest",
        "dishonest",
        "Is {name} honest?",
    ),
)
"""Wordings; the first is the paper's."""


def generate(rng: random.Random, level: int | None = None, *, canonical: bool = False) -> Problem:
    """Draw a web of lies; "yes" and "no" are equally likely.

    Args:
        rng: source of the draw.
        level: number of persons, 2..6; None draws one of `USUAL_LEVELS`.
        canonical: the paper's wording only.

    Raises:
        InputError: the level is outside 2..6.
    """
    if level is not None and level not in LEVELS:
        raise InputError(f"The lies world needs a level (persons) of 2 to 6 (the paper 3 to 5), got {level}.")
    level = level or rng.choice(USUAL_LEVELS)
    frame = FRAMES[0] if canonical else rng.choice(FRAMES)
    names = rng.sample(NAMES, level)
    truthful = rng.random() < 0.5
    sentences = [frame.known.format(name=names[0], word=frame.truth if truthful else frame.lie)]
    steps = [f"{names[0]} {_verb(truthful)}"]
    for name, speaker in pairwise(names):
        claim = rng.random() < 0.5
        word = frame.truth if claim else frame.lie
        sentences.append(frame.claim.format(speaker=speaker, name=name, word=word))
        truthful = truthful == claim
        steps.append(f"{speaker} says {name} {_verb(claim)}: {speaker} {_verb(truthful)}")
    sentences.append(frame.question.format(name=names[-1]))
    answer = "yes" if truthful else "no"
    return Problem("lies", " ".join(sentences), answer, tuple(steps), subject=names[-1], level=level)


def _verb(truthful: bool) -> str:
    return "tells the truth" if truthful else "lies"


def solve(problem: Problem) -> str:
    """Return "yes" or "no" by following the claims back from the person asked about to the known one.

    Raises:
        InputError: the text is not a question of this world.
    """
    *statements, question = re.split(r"(?<=[.?])\s+", problem.question)
    about: dict[str, tuple[str, bool]] = {}
    for statement in statements:
        *speaker, name = _names(statement) or [""]
        about[speaker[0] if speaker else name] = (name, not _LYING.search(statement))
    lies, person, seen = 0, (_names(question) or [""])[-1], set()
    while person in about and person not in seen:
        seen.add(person)
        target, claim = about[person]
        lies += not claim
        if target == person:
            return "no" if lies % 2 else "yes"
        person = target
    raise InputError(f"Not a web of lies: {problem.question!r}.")


def _names(sentence: str) -> list[str]:
    return [word for word in _NAME.findall(sentence) if word not in _NO_NAMES]
