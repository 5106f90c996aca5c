"""Multi-step arithmetic: "((3 + -2 * 4) - (4 - 1 * 2)) =".

In the style of BIG-bench's multistep arithmetic, as in Wang and Zhou (2024, arXiv 2402.10200, table 6), where
a task is named by a depth d and a length l. Here l is the number of operands in a bracket (the paper does not
say whether it counts operands or operators), and d is how deep brackets are nested:

    d = 0    3 + -2 * 4 =
    d = 1    5 - (3 + -2 * 4) =                     one bracket beside a single number; not used by the paper
    d = 2    ((3 + -2 * 4) - (4 - 1 * 2)) =         the form of BIG-bench Hard's `multistep_arithmetic_two`

The question is the bare expression. Steps reduce it bracket by bracket, from left to right, products first.
"""

import random
import re
from dataclasses import dataclass, field

from replication.settings import InputError
from replication.testbed.worlds import Problem, Step, calculate

DEPTHS = (0, 1, 2)
LENGTHS = (2, 3, 4)
USUAL_LENGTHS = (3, 4)
LARGEST_OPERAND = 9
BOUND = 1_000
"""Every operand, intermediate result and answer has an absolute value below this."""
LEVELS = (2, 3, 4, 5, 7)
"""Operators of the shapes with `USUAL_LENGTHS`."""

_OPERATORS = "+-*"
_NUMBER = re.compile(r"-?\d+")


def operators(depth: int, length: int) -> int:
    """Return the number of operators in an expression of this depth and length, its level."""
    return (length - 1, length, 2 * length - 1)[depth]


@dataclass
class _Reduction:
    """Evaluates flat lists of operands and keeps the steps."""

    steps: list[Step] = field(default_factory=list)

    def apply(self, left: int, op: str, right: int) -> int:
        result = calculate(left, op, right)
        self.steps.append(Step(left, op, right, result))
        return result

    def flat(self, operands: list[int], ops: list[str]) -> int:
        """Return the value of `operands` joined by `ops`: products from left to right, then the rest."""
        values, rest = [operands[0]], []
        for op, operand in zip(ops, operands[1:], strict=True):
            if op == "*":
                values[-1] = self.apply(values[-1], op, operand)
            else:
                values.append(operand)
                rest.append(op)
        total = values[0]
        for op, value in zip(rest, values[1:], strict=True):
            total = self.apply(total, op, value)
        return total


def _bracket(rng: random.Random, length: int) -> tuple[list[int], list[str]]:
    operands = [rng.randint(-LARGEST_OPERAND, LARGEST_OPERAND) for _ in range(length)]
    return operands, rng.choices(_OPERATORS, k=length - 1)


def _text(operands: list[int], ops: list[str]) -> str:
    tail = "".join(f" {op} {value}" for op, value in zip(ops, operands[1:], strict=True))
    return f"{operands[0]}{tail}"


def _draw(rng: random.Random, depth: int, length: int, outer: bool) -> tuple[str, list[Step]]:
    """Return an expression and its reduction; values are not yet checked against the bound."""
    work = _Reduction()
    first = _bracket(rng, length)
    value = work.flat(*first)
    if depth == 0:
        return _text(*first), work.steps
    op = rng.choice(_OPERATORS)
    if depth == 1:
        number, bracket_first = rng.randint(-LARGEST_OPERAND, LARGEST_OPERAND), rng.random() < 0.5
        work.apply(*((value, op, number) if bracket_first else (number, op, value)))
        bracket = f"({_text(*first)})"
        return (f"{bracket} {op} {number}" if bracket_first else f"{number} {op} {bracket}"), work.steps
    second = _bracket(rng, length)
    work.apply(value, op, work.flat(*second))
    text = f"({_text(*first)}) {op} ({_text(*second)})"
    return (f"({text})" if outer else text), work.steps


def generate(
    rng: random.Random,
    level: int | None = None,
    *,
    depth: int | None = None,
    length: int | None = None,
    canonical: bool = False,
) -> Problem:
    """Draw an expression.

    Args:
        rng: source of the draw.
        level: number of operators; None allows any.
        depth: 0, 1 or 2; None allows any.
        length: operands per bracket, 2..4; None draws one of `USUAL_LENGTHS`.
        canonical: write the outer bracket of depth 2 always, as BIG-bench does, instead of half of the time.

    Raises:
        InputError: no expression has this level, depth and length.
    """
    shapes = [
        (d, n)
        for d in (DEPTHS if depth is None else (depth,))
        for n in (USUAL_LENGTHS if length is None else (length,))
        if d in DEPTHS and n in LENGTHS and level in (None, operators(d, n))
    ]
    if not shapes:
        raise InputError(
            f"No expression has level {level}, depth {depth} and length {length}: use depth 0, 1 or 2, "
            "length 2, 3 or 4, and as level length-1, length or 2*length-1 (depth 0, 1, 2) or none."
        )
    depth, length = rng.choice(shapes)
    while True:
        text, steps = _draw(rng, depth, length, outer=canonical or rng.random() < 0.5)
        if all(abs(step.result) < BOUND for step in steps):
            break
    return Problem(
        world="expressions",
        question=f"{text} =",
        answer=str(steps[-1].result),
        steps=tuple(map(str, steps)),
        level=len(steps),
    )


def solve(problem: Problem) -> str:
    """Return the value of the expression in the question, read by a recursive-descent parser.

    Raises:
        InputError: the question is not an expression of integers, + - * and brackets that ends in "=".
    """
    text = problem.question.replace(" ", "")
    try:
        value, end = _sum(text, 0)
    except (IndexError, ValueError) as error:
        raise InputError(f"Cannot read the expression {problem.question!r}.") from error
    if text[end:] != "=":
        raise InputError(f"Cannot read the expression {problem.question!r} beyond {text[:end]!r}.")
    return str(value)


def _sum(text: str, at: int) -> tuple[int, int]:
    value, at = _product(text, at)
    while text[at] in "+-":
        sign = 1 if text[at] == "+" else -1
        right, at = _product(text, at + 1)
        value += sign * right
    return value, at


def _product(text: str, at: int) -> tuple[int, int]:
    value, at = _operand(text, at)
    while text[at] == "*":
        right, at = _operand(text, at + 1)
        value *= right
    return value, at


def _operand(text: str, at: int) -> tuple[int, int]:
    if text[at] == "(":
        value, at = _sum(text, at + 1)
        if text[at] != ")":
            raise ValueError("a bracket is not closed")
        return value, at + 1
    number = _NUMBER.match(text, at)
    if number is None:
        raise ValueError(f"a number is missing at {at}")
    return int(number[0]), number.end()
