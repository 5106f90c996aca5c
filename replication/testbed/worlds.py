"""Common ground of the testbed's worlds: problems, their arithmetic steps, splits and distinct samples."""

import hashlib
import importlib
import random
import re
from dataclasses import dataclass
from functools import cache
from types import ModuleType

from replication.settings import InputError

WORLDS = ("stories", "parity", "expressions", "coins", "lies", "counting")
SPLITS = ("train", "validation", "test")
# Names the questions of a seed. It rises when test questions were looked at while models were made, so that
# results are reported on questions that nobody has seen.
DRAW = 2
_PATIENCE = 20_000
_STEP = re.compile(r"(\d+)([-+*/])(\d+)=(\d+)")


@dataclass(frozen=True)
class Step:
    """One calculation on non-negative integers; `str(step)` is "12+5=17"."""

    left: int
    op: str
    right: int
    result: int

    def __str__(self) -> str:
        """Return the step as in a derivation, without spaces."""
        return f"{self.left}{self.op}{self.right}={self.result}"

    @property
    def holds(self) -> bool:
        """Whether the equation is true."""
        if self.op == "/":
            return self.right > 0 and self.left == self.right * self.result
        return calculate(self.left, self.op, self.right) == self.result


@dataclass(frozen=True)
class Problem:
    """A generated question with its answer and the oracle's derivation.

    Attributes:
        world: name of the world that made it.
        question: plain text, ending with "?" ("=" for expressions).
        answer: "14", "odd", "yes".
        steps: one short text per step of the derivation, e.g. ("12+5=17", "17-3=14").
        subject: whom or what the answer is about.
        noun: plural noun that is counted.
        level: number of steps (or flips, people, depth).
    """

    world: str
    question: str
    answer: str
    steps: tuple[str, ...]
    subject: str = ""
    noun: str = ""
    level: int = 1


def calculate(left: int, op: str, right: int) -> int:
    """Return `left op right`; a quotient must come out even.

    Raises:
        ValueError: unknown operator, or a division with a remainder.
    """
    if op == "+":
        return left + right
    if op == "-":
        return left - right
    if op == "*":
        return left * right
    if op == "/" and right and left % right == 0:
        return left // right
    raise ValueError(f"a step needs +, -, * or an exact quotient, got {left}{op}{right}")


def parse_step(text: str) -> Step:
    """Read a step such as "12+5=17".

    Raises:
        ValueError: the text is not of that form.
    """
    match = _STEP.fullmatch(text)
    if match is None:
        raise ValueError(f'a step needs the form "12+5=17", got {text!r}')
    left, op, right, result = match.groups()
    return Step(int(left), op, int(right), int(result))


def split_of(text: str) -> str:
    """Return a question's split: "train" for 18 of 20 hash values, "validation" and "test" for one each."""
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % 20
    return "train" if number < 18 else SPLITS[number - 17]


@cache
def world(name: str) -> ModuleType:
    """Return the module of a world, with its `generate` and `solve`.

    Raises:
        InputError: no world of that name.
    """
    if name not in WORLDS:
        raise InputError(f"Unknown world {name!r}: use one of {', '.join(WORLDS)}.")
    return importlib.import_module(f"replication.testbed.{name}")


def sample(
    name: str, split: str, n: int, seed: int, level: int | None = None, **options: object
) -> list[Problem]:
    """Draw `n` problems with distinct questions from one split of a world.

    Args:
        name: one of `WORLDS`.
        split: one of `SPLITS`.
        n: number of problems.
        seed: the same seed gives the same list.
        level: number of steps; None mixes levels.
        options: passed to the world's `generate`.

    Raises:
        InputError: unknown world or split, or the world has too few distinct questions.
    """
    if split not in SPLITS:
        raise InputError(f"Unknown split {split!r}: use one of {', '.join(SPLITS)}.")
    if getattr(world(name), "SPLIT_BY_OPTION", False):  # a world whose splits go by person, not by question
        return world(name).sample(split, n, seed, level, **options)
    generate = world(name).generate
    rng = random.Random(f"{name}/{split}/{DRAW}/{seed}/{level}/{sorted(options.items())}")
    found: dict[str, Problem] = {}
    misses = 0
    while len(found) < n:
        problem = generate(rng, level, **options)
        if problem.question in found or split_of(problem.question) != split:
            misses += 1
            if misses > _PATIENCE:
                raise InputError(f"World {name!r} has only {len(found)} distinct {split} questions, not {n}.")
            continue
        misses = 0
        found[problem.question] = problem
    return list(found.values())
