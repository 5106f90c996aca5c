"""Coin flips: "A coin is heads up. Tom flips the coin. Ana does not flip the coin. Is it still heads up?".

The symbolic task of Wei et al. (2022, arXiv 2201.11903) as used by Wang and Zhou (2024, arXiv 2402.10200,
table 6) with two, three and four persons. Steps keep track of the face that lies up.
"""

import random
import re
from dataclasses import dataclass

from replication.settings import InputError
from replication.testbed.lexicon import NAMES
from replication.testbed.worlds import Problem

LEVELS = (1, 2, 3, 4, 5, 6)
USUAL_LEVELS = (2, 3, 4)
"""The paper's numbers of persons, drawn when no level is asked for."""
_OTHER = {"heads": "tails", "tails": "heads"}
_FACE = re.compile(r"\b(heads|tails)\b")
_FLIP = re.compile(r"\b(flips|turns)\b")


@dataclass(frozen=True)
class _Frame:
    """Wording: the start, someone who flips, someone who does not, the question."""

    start: str
    flips: str
    keeps: str
    question: str


FRAMES = (
    _Frame(
        "A coin is {face} up.",
        "{name} flips the coin.",
        "{name} does not flip the coin.",
        "Is the coin still {asked} up?",
    ),
    _Frame(
        "A coin lies {face} up on the table.",
        "{name} turns the coin over.",
        "{name} leaves the coin alone.",
        "Is the coin {asked} up now?",
    ),
    _Frame(
        "There is a coin that shows {face}.",
        "{name} flips it.",
        "{name} does not flip it.",
        "Does it show {asked} now?",
    ),
    _Frame(
        "A coin starts out {face} up.",
        "{name} flips the coin over.",
        "{name} doesn't touch the coin.",
        "In the end, is the coin {asked} up?",
    ),
    _Frame(
        "At first a coin is {face} up.",
        "Then {name} flips the coin.",
        "Then {name} just looks at the coin.",
        "Is {asked} up at the end?",
    ),
)
"""Wordings; the first is the paper's."""


def generate(rng: random.Random, level: int | None = None, *, canonical: bool = False) -> Problem:
    """Draw a coin question; "yes" and "no" are equally likely.

    Args:
        rng: source of the draw.
        level: number of persons, 1..6; None draws one of `USUAL_LEVELS`.
        canonical: the paper's wording, starting with heads.

    Raises:
        InputError: the level is outside 1..6.
    """
    if level is not None and level not in LEVELS:
        raise InputError(f"The coins world needs a level (persons) of 1 to 6 (paper: 2 to 4), got {level}.")
    level = level or rng.choice(USUAL_LEVELS)
    frame = FRAMES[0] if canonical else rng.choice(FRAMES)
    face = start = "heads" if canonical else rng.choice(("heads", "tails"))
    asked = start if frame is FRAMES[0] else rng.choice(("heads", "tails"))
    sentences, steps = [frame.start.format(face=start)], []
    for name in rng.sample(NAMES, level):
        flips = rng.random() < 0.5
        face = _OTHER[face] if flips else face
        sentences.append((frame.flips if flips else frame.keeps).format(name=name))
        steps.append(f"{name} {'flips' if flips else 'does not'}: {face}")
    sentences.append(frame.question.format(asked=asked))
    answer = "yes" if face == asked else "no"
    return Problem("coins", " ".join(sentences), answer, tuple(steps), subject="the coin", level=level)


def solve(problem: Problem) -> str:
    """Return "yes" or "no" from the number of sentences that tell of a flip.

    Raises:
        InputError: the text is not a question of this world.
    """
    sentences = re.split(r"(?<=[.?])\s+", problem.question)
    start, asked = _FACE.search(sentences[0]), _FACE.search(sentences[-1])
    if start is None or asked is None or len(sentences) < 3:
        raise InputError(f"Not a question about a coin: {problem.question!r}.")
    flips = sum(bool(_FLIP.search(sentence)) for sentence in sentences[1:-1])
    return "yes" if (flips % 2 == 0) == (start[1] == asked[1]) else "no"
