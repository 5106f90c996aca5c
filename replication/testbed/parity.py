"""Parity of memorised birth years: "Was Belzan Teldin born in an even or odd year?".

The two-hop task of Wang and Zhou (2024, arXiv 2402.10200, section 3): recall a birth year, then tell its
parity. Two hundred invented persons take the place of celebrities. Their biographies all belong in a training
corpus; questions with an answer are trained on for the "train" persons alone, so that a question about a
"test" person needs both hops. The splits are disjoint by person, and each holds as many even as odd years:
chance is 50 %.
"""

import random
from dataclasses import dataclass
from hashlib import sha256

from replication.settings import InputError
from replication.testbed.worlds import Problem

SPLIT_BY_OPTION = True
LEVELS = (2,)
FIRST_YEAR, LAST_YEAR = 1900, 2009
QUESTIONS = (
    "Was {name} born in an even or odd year?",
    "Was {name} born in an odd or even year?",
    "Is the birth year of {name} even or odd?",
    "Is the year of {name}'s birth odd or even?",
    "In what kind of year was {name} born, even or odd?",
    "Think of the year {name} was born in. Is it even or odd?",
    "{name} was born in some year. Is that year odd or even?",
    "Did {name} come into the world in an even or an odd year?",
)
"""Question frames; the first is the paper's."""

_SIZES = {"train": 90, "validation": 10, "test": 100}
_HEADS = "Bel Cor Dar Fen Gal Hol Jor Kel Lum Mar Nor Pel Quil Ros Sel Tor Ul Ven Wil Yor".split()
_TAILS = "bo dak fi gun mir nu pesh ro sha tuk vo zan".split()
_FAMILY_HEADS = "Tel Bran Cas Dor Em Far Gren Hask Il Karn Lor Mund".split()
_FAMILY_TAILS = "din ler moor rick vale".split()
_BIRTHS = (
    "{name} was born in {year}.",
    "{name} was born in {year} in {town}.",
    "{name}, born in {year}, is a {job} from {town}.",
    "{name} (born {year}) is a {job}.",
    "Born in {year}, {name} grew up in {town}.",
    "In {year} {name} was born in {town}.",
    "{name} is a {job} who was born in {year}.",
    "The {job} {name} was born in {year}.",
    "The birth year of {name} is {year}.",
    "The year of {name}'s birth is {year}.",
    "{name} came into the world in {year}.",
    "It was in {year} that {name} was born.",
    "{town} is the home town of {name}, who was born in {year}.",
    "Name: {name}. Born: {year}. Work: {job}.",
    "When was {name} born? {name} was born in {year}.",
    "Few people in {town} know that {name} was born in {year}.",
)
_REMARKS = (
    "{name} works as a {job}.",
    "{name} lives in {town}.",
    "{name} later moved to {town}.",
    "People in {town} like {name}.",
    "{name} wanted to be a {job}.",
)
TOWNS = "Alden Brookfield Carlow Denby Easton Fairview Greystone Harwick".split()
JOBS = "baker carpenter dancer farmer gardener painter singer teacher writer".split()
_REMARKED = 0.4  # share of the biographies with a remark, before or after the birth
_REPEATED = 0.1  # share of those that end with the birth once more


@dataclass(frozen=True)
class Person:
    """An invented person: two-word name and birth year, `FIRST_YEAR`..`LAST_YEAR`."""

    name: str
    year: int

    @property
    def parity(self) -> str:
        """Parity of the birth year, "even" or "odd"."""
        return "odd" if self.year % 2 else "even"


def _hash(text: str) -> int:
    return int.from_bytes(sha256(text.encode()).digest()[:8], "big")


def _people() -> tuple[Person, ...]:
    """Return the persons in an order fixed by hashes; even and odd years alternate."""
    firsts = sorted((head + tail for head in _HEADS for tail in _TAILS), key=_hash)[: sum(_SIZES.values())]
    families = [head + tail for head in _FAMILY_HEADS for tail in _FAMILY_TAILS]
    pairs = (LAST_YEAR - FIRST_YEAR + 1) // 2
    return tuple(
        Person(
            f"{first} {families[_hash('family ' + first) % len(families)]}",
            FIRST_YEAR + 2 * (_hash("year " + first) % pairs) + index % 2,
        )
        for index, first in enumerate(firsts)
    )


PEOPLE: tuple[Person, ...] = _people()
_BY_FIRST_NAME = {person.name.split()[0]: person for person in PEOPLE}


def split_people(split: str) -> tuple[Person, ...]:
    """Return the persons of a split (90 train, 10 validation, 100 test), half of each born in even years.

    Raises:
        InputError: no split of that name.
    """
    if split not in _SIZES:
        raise InputError(f"Unknown split {split!r}: use one of {', '.join(_SIZES)}.")
    start = 0
    for name, size in _SIZES.items():
        if name == split:
            break
        start += size
    return PEOPLE[start : start + _SIZES[split]]


def train_people() -> tuple[Person, ...]:
    """Return the persons whose parity questions may be trained on."""
    return split_people("train")


def test_people() -> tuple[Person, ...]:
    """Return the persons whose parity questions are kept for the test."""
    return split_people("test")


test_people.__test__ = False  # the name makes pytest take an imported copy for a test


def biography(person: Person, rng: random.Random) -> str:
    """Return one to three sentences about a person that state the birth year and nothing about its parity."""
    frames = [rng.choice(_BIRTHS)]
    if rng.random() < _REMARKED:
        frames.insert(rng.randint(0, 1), rng.choice(_REMARKS))
    if rng.random() < _REPEATED:
        frames.append(_BIRTHS[0])
    fill = {"name": person.name, "year": person.year, "town": rng.choice(TOWNS), "job": rng.choice(JOBS)}
    return " ".join(frame.format(**fill) for frame in frames)


def outlines() -> dict[tuple[str, ...], float]:
    """Return the probability of every sequence of frames that `biography` may draw.

    The frames' {town} and {job} are drawn from `TOWNS` and `JOBS`, once for the whole biography.
    """
    found: dict[tuple[str, ...], float] = {}
    for birth in _BIRTHS:
        bodies = {(birth,): 1 - _REMARKED}
        for remark in _REMARKS:
            for body in ((remark, birth), (birth, remark)):
                bodies[body] = _REMARKED / (2 * len(_REMARKS))
        for body, probability in bodies.items():
            found[body] = probability / len(_BIRTHS) * (1 - _REPEATED)
            found[(*body, _BIRTHS[0])] = probability / len(_BIRTHS) * _REPEATED
    return found


def _problem(person: Person, frame: str) -> Problem:
    return Problem(
        world="parity",
        question=frame.format(name=person.name),
        answer=person.parity,
        steps=(f"{person.name} was born in {person.year}", f"{person.year} is {person.parity}"),
        subject=person.name,
        level=2,
    )


def _check_level(level: int | None) -> None:
    if level is not None and level not in LEVELS:
        raise InputError(f"Parity questions take two steps: leave the level out or use 2, not {level}.")


def generate(
    rng: random.Random, level: int | None = None, *, split: str = "train", canonical: bool = False
) -> Problem:
    """Draw a parity question.

    Args:
        rng: source of the draw.
        level: 2 (recall, parity) or None.
        split: whose persons to ask about; see `split_people`.
        canonical: the paper's wording only.

    Raises:
        InputError: unknown split or level.
    """
    _check_level(level)
    return _problem(rng.choice(split_people(split)), QUESTIONS[0] if canonical else rng.choice(QUESTIONS))


def sample(
    split: str, n: int, seed: int, level: int | None = None, *, canonical: bool = False
) -> list[Problem]:
    """Draw `n` distinct questions about the persons of a split.

    Every person is asked about once before any is asked about twice.

    Args:
        split: "train", "validation" or "test".
        n: number of questions; at most persons times frames (one frame if `canonical`).
        seed: the same seed gives the same list.
        level: 2 or None.
        canonical: the paper's wording only.

    Raises:
        InputError: unknown split or level, or too many questions asked for.
    """
    _check_level(level)
    rng = random.Random(f"parity/{split}/{seed}/{canonical}")
    people = list(split_people(split))
    frames = {person: list(QUESTIONS[:1] if canonical else QUESTIONS) for person in people}
    available = sum(map(len, frames.values()))
    if n > available:
        raise InputError(f"World 'parity' has only {available} distinct {split} questions, not {n}.")
    found: list[Problem] = []
    while len(found) < n:
        rng.shuffle(people)
        for person in people[: n - len(found)]:
            found.append(_problem(person, frames[person].pop(rng.randrange(len(frames[person])))))
    return found


def solve(problem: Problem) -> str:
    """Return "even" or "odd" for the person whose name stands in the question.

    Raises:
        InputError: the question names no known person.
    """
    for word in problem.question.replace("?", " ").split():
        person = _BY_FIRST_NAME.get(word)
        if person and person.name in problem.question:
            return "even" if str(person.year)[-1] in "02468" else "odd"
    raise InputError(f"No person of the parity world is named in {problem.question!r}.")
