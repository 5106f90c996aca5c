r"""The noisy corpus of continual pretraining: question pages as the web has them, every character labelled.

A page is a question with an answer, often between lines of furniture. The answer is a right solution in steps
("useful"), the same with a wrong number in it, or the bare right answer ("direct"). What makes a token worth
learning is known here by construction, so that a method that chooses tokens can be held against it.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from replication.settings import InputError
from replication.testbed import corpus, furniture
from replication.testbed.worlds import Problem, Step, calculate, parse_step

QUESTION, USEFUL, WRONG, DIRECT = "question", "useful", "wrong", "direct"
LABELS = (QUESTION, USEFUL, WRONG, DIRECT, furniture.BOILERPLATE, furniture.RANDOM)
ANSWER = "The answer is"
MISREAD = 0.5  # of the wrong stories: a gain taken for a loss or the reverse; the others are slips
SLIPS = (-10, -3, -2, -1, 1, 2, 3, 10)
OPPOSITE = {"+": "-", "-": "+"}
OTHER = {"yes": "no", "no": "yes", "even": "odd", "odd": "even"}
NOTES = (("notes", 1.0),)
GENERAL = (("notes", 0.3), ("coins", 0.2), ("lies", 0.15), ("counting", 0.2), ("parity", 0.15))

Pieces = tuple[tuple[str, str], ...]  # texts and their labels


@dataclass(frozen=True)
class Web:
    """Shares of the pages.

    Attributes:
        useful: weight of pages whose answer is a right solution in steps.
        wrong: weight of pages whose solution has a wrong number, and whatever follows from it.
        direct: weight of pages that give the bare answer.
        furniture: probability of one to three lines before the question, and again behind the answer.
        worlds: weight of each world, as in `corpus.Mix`.
        level: level of the questions; None mixes all.
        split: split that the questions belong to.
        tool: solutions in steps call a calculator, see `tool_call`.
    """

    useful: float = 0.45
    wrong: float = 0.30
    direct: float = 0.25
    furniture: float = 0.4
    worlds: tuple[tuple[str, float], ...] = NOTES
    level: int | None = None
    split: str = "train"
    tool: bool = False

    def clean(self) -> "Web":
        """Return the same questions with right solutions and nothing around them: curated data."""
        return replace(self, useful=1.0, wrong=0.0, direct=0.0, furniture=0.0)


@dataclass(frozen=True)
class Page:
    """A page in labelled pieces.

    Attributes:
        pieces: texts and their labels, in order.
        kind: "useful", "wrong" or "direct", by its answer.
        problem: what is asked.
    """

    pieces: Pieces
    kind: str
    problem: Problem = field(repr=False)

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(text for text, _ in self.pieces)

    def label_at(self, ends: list[int]) -> list[str]:
        """Return the label of the character before each end, ends ascending and within the text."""
        found, borders, place = [], [], 0
        for text, label in self.pieces:
            place += len(text)
            borders.append((place, label))
        number = 0
        for end in ends:
            while borders[number][0] < end:
                number += 1
            found.append(borders[number][1])
        return found


def pages(seed: int, web: Web | None = None) -> Iterator[Page]:
    """Yield an endless stream of pages; the same seed and shares give the same stream.

    Raises:
        InputError: no kind of answer has a positive weight.
    """
    web = web or Web()
    kinds, weights = (USEFUL, WRONG, DIRECT), (web.useful, web.wrong, web.direct)
    if not sum(weights) > 0 or min(weights) < 0:
        raise InputError(f"Pages need weights >= 0 of useful, wrong and direct answers, got {weights}.")
    rng = random.Random(f"web-{web.split}-{seed}")
    mix = corpus.Mix(worlds=web.worlds, level=web.level, split=web.split)
    while True:
        problem = corpus.draw(rng, mix)
        kind = rng.choices(kinds, weights)[0]
        question = (corpus.prompt(problem), QUESTION)
        pieces = [*_lines(rng, web), question, *_answer(rng, problem, kind, web.tool)]
        if behind := _lines(rng, web):
            text, label = behind[-1]
            pieces += [("\n", furniture.BOILERPLATE), *behind[:-1], (text.rstrip("\n"), label)]
        yield Page(tuple(piece for piece in pieces if piece[0]), kind, problem)


def _lines(rng: random.Random, web: Web) -> list[tuple[str, str]]:
    """Return the lines on one side of a page's text, often none."""
    if rng.random() >= web.furniture:
        return []
    return [piece for _ in range(rng.randint(1, 3)) for piece in furniture.line(rng)]


def _answer(rng: random.Random, problem: Problem, kind: str, tool: bool) -> Pieces:
    """Return the labelled answer of a page."""
    if kind == DIRECT:
        return ((f" {ANSWER} {problem.answer}.", DIRECT),)
    opening = (f" {corpus.STEP_BY_STEP}", USEFUL)
    if problem.world == "stories":
        steps = [parse_step(text) for text in problem.steps]
        given = mistaken(rng, steps) if kind == WRONG else steps
        middle = [piece for was, step in zip(steps, given, strict=True) for piece in _step(was, step, tool)]
        answer = str(given[-1].result)
    else:
        middle = [(f" {step}.", USEFUL) for step in problem.steps]
        answer = wrong_answer(rng, problem.answer) if kind == WRONG else problem.answer
    label = USEFUL if answer == problem.answer else WRONG
    return (opening, *middle, (f" {ANSWER} ", USEFUL), (answer, label), (".", USEFUL))


def _step(right: Step, given: Step, tool: bool) -> Pieces:
    """Return a step as labelled pieces; what differs from the right step is wrong."""
    pairs = ((right.left, given.left), (right.op, given.op), (right.right, given.right))
    left, op, other = ((str(now), USEFUL if was == now else WRONG) for was, now in pairs)
    result = (str(given.result), USEFUL if right.result == given.result else WRONG)
    before, equals = (" ", "=") if not tool else (f" {TOOL_START}", TOOL_EQUALS)
    ending = "." if not tool else f"{TOOL_END}."
    return ((before, USEFUL), left, op, other, (equals, USEFUL), result, (ending, USEFUL))


def mistaken(rng: random.Random, steps: list[Step]) -> list[Step]:
    """Return a derivation of sums and differences with one mistake and all that follows from it.

    The mistake is a misread operation or a slip of calculation, at a step drawn uniformly. No number is
    below 0. In about 3 of 1,000 a later operation that had to be turned makes up for it, and the answer is
    right.
    """
    place, given = rng.randrange(len(steps)), list(steps)
    wrong = steps[place]
    if rng.random() < MISREAD and not (wrong.op == "+" and wrong.left < wrong.right):
        op = OPPOSITE[wrong.op]
        given[place] = Step(wrong.left, op, wrong.right, calculate(wrong.left, op, wrong.right))
    else:
        slips = [slip for slip in SLIPS if wrong.result + slip >= 0]
        given[place] = replace(wrong, result=wrong.result + rng.choice(slips))
    for later in range(place + 1, len(steps)):
        left, step = given[later - 1].result, steps[later]
        op = "+" if step.op == "-" and left < step.right else step.op
        given[later] = Step(left, op, step.right, calculate(left, op, step.right))
    return given


def wrong_answer(rng: random.Random, answer: str) -> str:
    """Return another answer of the same kind: the other option, or a number that is off by a slip.

    Raises:
        ValueError: an answer that is neither an option nor a whole number.
    """
    if answer in OTHER:
        return OTHER[answer]
    number = int(answer)
    return str(number + rng.choice([slip for slip in SLIPS if number < 0 or number + slip >= 0]))


TOOL_START, TOOL_EQUALS, TOOL_END = "<<", "=", ">>"


def tool_call(text: str) -> str | None:
    """Return what the calculator answers to a text that ends in an open call such as "<<12+5="; else None.

    A call that the calculator cannot carry out (no whole number as the result, not of that form) is answered
    by "error".
    """
    _, start, call = text.rpartition(TOOL_START)
    if not start or not call.endswith(TOOL_EQUALS) or TOOL_END in call:
        return None
    try:
        step = parse_step(f"{call}0")
        return f"{calculate(step.left, step.op, step.right)}{TOOL_END}"
    except ValueError:
        return f"error{TOOL_END}"
