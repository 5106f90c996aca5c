"""True next tokens of biographies: persons, their facts, the frames of sentences and the end.

A document tells of one to three different persons. Every frame of a biography names its person, so that the
text shows where a biography starts; whether it is over shows in what comes next. Which outlines of the
current biography are left, follows from its frames so far; its town and its job stay what they are once told.

Left out are the places at the very beginning where the text might still become a document of another kind.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from replication.testbed import corpus, parity
from replication.testbed.support_trie import Coder, Position, follow, matrix

# How documents of other kinds begin; those that begin with a digit, a sign or a small letter are unlike any
# biography from the first character on.
_OTHERS = (
    "Q: ",
    "Problem: ",
    "Posts: ",
    "Re: ",
    "All rights",
    "Last edited",
    "Click here",
)


class Unit(NamedTuple):
    """A frame with its town and job; None where the frame has no such slot."""

    frame: str
    town: str | None
    job: str | None


def units() -> tuple[Unit, ...]:
    """Return every frame with every town and job that it may name."""
    frames = dict.fromkeys(frame for outline in parity.outlines() for frame in outline)
    return tuple(
        Unit(frame, town, job)
        for frame in frames
        for town in (parity.TOWNS if "{town}" in frame else [None])
        for job in (parity.JOBS if "{job}" in frame else [None])
    )


def ahead(told: tuple[Unit, ...]) -> tuple[float, np.ndarray]:
    """Return how the biography of one person goes on.

    Args:
        told: its units so far; none before the biography begins.

    Returns:
        The probability that it is over, and (units,) float64 the probability of every one of `units()`.
    """
    frames = tuple(unit.frame for unit in told)
    left = {o: p for o, p in parity.outlines().items() if o[: len(frames)] == frames}
    total = sum(left.values())
    town = next((unit.town for unit in told if unit.town), None)
    job = next((unit.job for unit in told if unit.job), None)
    following: dict[str, float] = {}
    for outline, probability in left.items():
        if len(outline) > len(frames):
            frame = outline[len(frames)]
            following[frame] = following.get(frame, 0.0) + probability / total
    shares = [
        following.get(unit.frame, 0.0)
        * _share(unit.town, town, parity.TOWNS)
        * _share(unit.job, job, parity.JOBS)
        for unit in units()
    ]
    return left.get(frames, 0.0) / total, np.array(shares)


def _share(value: str | None, known: str | None, choices: Sequence[str]) -> float:
    """Return the probability of a town or job, given the one told before."""
    if value is None:
        return 1.0
    return 1 / len(choices) if known is None else float(value == known)


class Reader:
    """Knows the tokens of all units of all persons, for one tokenizer."""

    def __init__(self, coder: Coder):
        """Encode them all: persons x units rows and the end as last row, without and with a space before."""
        self._coder = coder
        self._units = units()
        self._ahead = cache(ahead)
        texts = [
            unit.frame.format(name=person.name, year=person.year, town=unit.town, job=unit.job)
            for person in parity.PEOPLE
            for unit in self._units
        ]
        self._first = matrix([*coder.pieces(texts), coder.end])
        self._later = matrix([*coder.pieces([f" {text}" for text in texts]), coder.end])

    def positions(self, text: str, ids: Sequence[int]) -> list[Position]:
        """Return the truth from where the text is a biography for sure up to the end token.

        Args:
            text: a document of biographies.
            ids: its tokens.

        Raises:
            InputError: the text is none of the corpus, or the tokenizer joins a sentence with the next.
        """
        people: list[int] = []
        told: tuple[Unit, ...] = ()
        found, start = list[Position](), len(self._coder.start)
        while True:
            table = self._later if people else self._first
            own, row = follow(table, self._weights(people, told), ids, start)
            found += own
            start += len(own)
            person, unit = divmod(row, len(self._units))
            if person == len(parity.PEOPLE):  # the last row, the end
                return found[self._unsure(text) :]
            if people and people[-1] == person:
                told = (*told, self._units[unit])
            else:
                people, told = [*people, person], (self._units[unit],)

    def _weights(self, people: list[int], told: tuple[Unit, ...]) -> np.ndarray:
        """Return the probability of every row as the next unit: (persons x units + 1,) float64."""
        weights = np.zeros((len(parity.PEOPLE), len(self._units)))
        over, stop = 1.0, 0.0
        if people:
            over, weights[people[-1]] = self._ahead(told)
            stop = 1 / (corpus.MOST_LIVES - len(people) + 1)
        if stop < 1:
            fresh = np.setdiff1d(np.arange(len(parity.PEOPLE)), people)
            weights[fresh] = over * (1 - stop) / len(fresh) * self._ahead(())[1]
        return np.append(weights.ravel(), over * stop)

    def _unsure(self, text: str) -> int:
        """Return the number of places at the beginning whose prefix may open another kind of document."""
        offsets = self._coder.backend.encode(text, add_special_tokens=False).offsets
        prefixes = [text[:end] for _, end in offsets]
        sure = (not any(_alike(prefix, other) for other in _OTHERS) for prefix in prefixes)
        return 1 + next(i for i, yes in enumerate(sure) if yes)


def _alike(text: str, other: str) -> bool:
    return text.startswith(other) or other.startswith(text)
