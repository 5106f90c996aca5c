r"""The corpus that the testbed models are trained on: documents in several styles, generated on the fly.

A `Mix` says how often each kind of document is drawn. The shipped models read not the default mix but the
one of their recipe (`models.RECIPES`): the ladder's has no noise.

In the ladder's mix and in the default, about half of the documents are question-answer pairs,
"Q: ...\nA: ...". Of these a small share (`cot_fraction`, 8 %) reasons step by step before the answer; the
rest answers directly, so that the greedy path of a trained model is direct while step-by-step paths exist
under other first tokens. The other half stands outside question and answer, as real pre-training text does:
worked textbook problems, bare equation chains and biographies; other mixes add boilerplate and noise, chains
of small sums, and what stands around the text of web pages.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from replication.testbed import lexicon, parity, worlds
from replication.testbed.worlds import Problem, calculate

DIRECT_OPENERS = ("The", "They", "There")
COT_OPENERS = ("First", "We", "Start", "To")
CHAIN_PARTS = (3, 8)  # fewest and most equations of a chain
LARGEST_VALUE = 999  # of an equation chain
MOST_LIVES = 3  # biographies of a document
STORY_KINDS = ("chain", "plain", "notes")  # kinds of stories that a mix may name as worlds of their own
STEP_BY_STEP = "Let's think step by step."

# Weighted choices. What may be drawn is told by functions of their own (`direct_styles`, `reasoned_styles`,
# `operators`, `operands`), from which the true distribution of the next token is worked out as well.
_OPENERS = ((*COT_OPENERS, STEP_BY_STEP), (19, 19, 19, 19, 5))
_CLOSERS = (("The", "So the"), (2, 1))
_OPERATORS = ("+-*/", (4, 4, 2, 2))
_RANGES = (9, 99, 999)  # a chain's summands lie below one of these, which is drawn first
_FIRST_RANGES = (20, 99, 999)
_ONE_SENTENCE = 0.5  # of the reasoned parity answers under another opener than the phrase

Styles = tuple[tuple[str, ...], tuple[float, ...]]  # texts and their weights


@dataclass(frozen=True)
class Mix:
    """Shares of the corpus.

    Attributes:
        qa: share of question-answer documents.
        worked: share of worked textbook problems ("Problem: ... Solution: ...").
        equations: share of bare equation chains.
        biographies: share of biographies with a birth year.
        noise: share of boilerplate and noise.
        cot_fraction: share of the question-answer documents that reason step by step.
        worlds: weight of each world within question-answer and worked documents.
        level: level passed to every world; None mixes all.
        split: split that the questions belong to.
    """

    qa: float = 0.50
    worked: float = 0.33
    equations: float = 0.10
    biographies: float = 0.05
    noise: float = 0.02
    cot_fraction: float = 0.08
    worlds: tuple[tuple[str, float], ...] = (
        ("stories", 0.62),
        ("chain", 0.15),
        ("expressions", 0.06),
        ("parity", 0.05),
        ("counting", 0.04),
        ("coins", 0.04),
        ("lies", 0.04),
    )
    level: int | None = None
    split: str = "train"


@dataclass(frozen=True)
class Document:
    """One text of the corpus; `question_end` is the length in characters of the part before the answer."""

    text: str
    kind: str
    question_end: int = 0


def documents(seed: int, mix: Mix | None = None) -> Iterator[Document]:
    """Yield an endless stream of training documents; the same seed and mix give the same stream."""
    mix = mix or Mix()
    rng = random.Random(f"corpus-{mix.split}-{seed}")
    makers: dict[str, Callable[[random.Random, Mix], Document]] = {
        "qa": _qa,
        "worked": _worked,
        "equations": _equations,
        "biographies": _biography,
        "noise": _noise,
    }
    kinds, weights = list(makers), [getattr(mix, kind) for kind in makers]
    while True:
        yield makers[rng.choices(kinds, weights)[0]](rng, mix)


def prompt(problem: Problem) -> str:
    r"""Return the text before the answer: "Q: ...\nA:", or the bare expression."""
    return problem.question if problem.world == "expressions" else f"Q: {problem.question}\nA:"


def draw(rng: random.Random, mix: Mix) -> Problem:
    """Draw a problem of the mix's split, from any of its worlds."""
    names, weights = zip(*mix.worlds, strict=True)
    while True:
        name = rng.choices(names, weights)[0]
        if name == "parity":
            return parity.generate(rng, split=mix.split)
        world, options = ("stories", {"kind": name}) if name in STORY_KINDS else (name, {})
        problem = worlds.world(world).generate(rng, level=mix.level, **options)
        if worlds.split_of(problem.question) == mix.split:
            return problem


def direct_styles(problem: Problem) -> Styles:
    """Return the answers without reasoning, in the styles of the world, and their weights.

    Two styles may give the same text.
    """
    answer = problem.answer
    whole = f"The answer is {answer}."
    if problem.world in ("coins", "lies", "parity"):
        short = 0.9 if problem.world == "parity" else 0.35
        return (f"{answer.capitalize()}.", whole), (short, 1 - short)
    if problem.world == "expressions":
        return (f"{answer}.", whole), (0.5, 0.5)
    who = problem.subject.strip()
    named = f"{who[:1].upper()}{who[1:]} has {answer}." if names_subject(problem) else f"They have {answer}."
    return (whole, named, f"They have {answer}.", f"There are {answer}.", f"{answer}."), (54, 24, 9, 9, 4)


def names_subject(problem: Problem) -> bool:
    """Tell whether a direct answer may name whom or what the question is about."""
    if problem.world in ("coins", "lies", "parity", "expressions"):
        return False
    return problem.subject.strip().lower() not in ("", "they", "there", "each")


def direct_answer(rng: random.Random, problem: Problem) -> str:
    """Return an answer without reasoning, one of `direct_styles`."""
    return rng.choices(*direct_styles(problem))[0]


def reasoned_styles(problem: Problem) -> Styles:
    """Return all answers that `step_by_step` may give, and their probabilities."""
    found: list[tuple[str, float]] = []
    for opener, weight in zip(*_OPENERS, strict=True):
        probability = weight / sum(_OPENERS[1])
        short = _ONE_SENTENCE if _may_be_one_sentence(problem, opener) else 0.0
        if short:
            found.append((_one_sentence(problem), probability * short))
        for closer, share in zip(*_CLOSERS, strict=True):
            text = _closed(problem, opener, closer)
            found.append((text, probability * (1 - short) * share / sum(_CLOSERS[1])))
    return tuple(text for text, _ in found), tuple(probability for _, probability in found)


def step_by_step(rng: random.Random, problem: Problem, opener: str | None = None) -> str:
    """Return a reasoned answer that ends with the answer.

    Args:
        rng: source of the wording.
        problem: gives the steps and the answer.
        opener: one of `COT_OPENERS` or `STEP_BY_STEP`; None draws one. Half of the parity answers under
            another opener than the phrase are one sentence without any: "Anna Berg was born in 1950, an even
            year."
    """
    opener = opener or rng.choices(*_OPENERS)[0]
    if _may_be_one_sentence(problem, opener) and rng.random() < _ONE_SENTENCE:
        return _one_sentence(problem)
    return _closed(problem, opener, rng.choices(*_CLOSERS)[0])


def _may_be_one_sentence(problem: Problem, opener: str) -> bool:
    return problem.world == "parity" and opener != STEP_BY_STEP


def _one_sentence(problem: Problem) -> str:
    return f"{problem.steps[0]}, an {problem.answer} year."


def _closed(problem: Problem, opener: str, closer: str) -> str:
    return f"{_reasoning(problem.steps, opener)} {closer} answer is {problem.answer}."


def _reasoning(steps: tuple[str, ...], opener: str) -> str:
    if opener == "First":
        return " ".join(("First, " if i == 0 else "Then ") + f"{step}." for i, step in enumerate(steps))
    if opener == "We":
        return "We get " + ". We get ".join(steps) + "."
    if opener == "Start":
        return "Start with " + ". Next ".join(steps) + "."
    if opener == "To":
        return "To find it: " + ". ".join(steps) + "."
    return f"{opener} " + ". ".join(steps) + "."


def _qa(rng: random.Random, mix: Mix) -> Document:
    return answered(rng, draw(rng, mix), mix.cot_fraction)


def answered(rng: random.Random, problem: Problem, cot_fraction: float) -> Document:
    """Return a question-answer document about a problem, reasoned with probability `cot_fraction`."""
    reasoned = rng.random() < cot_fraction
    answer = step_by_step(rng, problem) if reasoned else direct_answer(rng, problem)
    head = prompt(problem)
    return Document(f"{head} {answer}", "cot" if reasoned else "direct", len(head))


def _worked(rng: random.Random, mix: Mix) -> Document:
    return solved(rng, draw(rng, mix))


def solved(rng: random.Random, problem: Problem) -> Document:
    """Return a worked textbook problem."""
    head = f"Problem: {problem.question}\nSolution:"
    return Document(f"{head} {step_by_step(rng, problem)}", "worked", len(head))


def _equations(rng: random.Random, mix: Mix) -> Document:
    del mix
    return chain(rng)


def chain(rng: random.Random) -> Document:
    """Return a chain of equations, each of which starts from the result of the one before."""
    parts, value = [], rng.randint(1, rng.choice(_FIRST_RANGES))
    for _ in range(rng.randint(*CHAIN_PARTS)):
        drawn = rng.choices(*_OPERATORS)[0]
        op = _fitting(drawn, value)
        pools = operands(op, value)
        right = rng.choice(rng.choice(pools) if len(pools) > 1 else pools[0])
        result = calculate(value, op, right)
        parts.append(f"{value}{op}{right}={result}")
        value = result
    return Document(". ".join(parts) + ".", "equations")


def operators(value: int) -> dict[str, float]:
    """Return the operators that may follow `value` in a chain of equations, and their probabilities."""
    found: dict[str, float] = {}
    for drawn, weight in zip(*_OPERATORS, strict=True):
        op = _fitting(drawn, value)
        found[op] = found.get(op, 0.0) + weight / sum(_OPERATORS[1])
    return found


def operands(op: str, value: int) -> tuple[Sequence[int], ...]:
    """Return the operands that keep a chain within 0..`LARGEST_VALUE`.

    The pools are equally likely, and so are the numbers of a pool.

    Args:
        op: one of `operators(value)`.
        value: the left side, 0..`LARGEST_VALUE`.
    """
    if op == "/":
        return ([d for d in range(2, 13) if value % d == 0],)
    if op == "*":
        return (range(2, min(12, LARGEST_VALUE // value) + 1),)
    if op == "-":
        return tuple(range(min(value, most) + 1) for most in _RANGES)
    return tuple(range(1, min(most, LARGEST_VALUE - value) + 1) for most in _RANGES)


def _fitting(op: str, value: int) -> str:
    """Return the operator, or "-" or "+" in its place where it would leave whole numbers or the range."""
    if op == "/" and value and operands(op, value)[0]:
        return op
    if op == "*" and 0 < value <= 200:
        return op
    return "-" if op == "-" or value > 900 else "+"


def _biography(rng: random.Random, mix: Mix) -> Document:
    del mix
    return lives(rng)


def lives(rng: random.Random) -> Document:
    """Return the biographies of one to `MOST_LIVES` persons."""
    people = rng.sample(parity.PEOPLE, rng.randint(1, MOST_LIVES))
    return Document(" ".join(parity.biography(person, rng) for person in people), "biography")


def _noise(rng: random.Random, mix: Mix) -> Document:
    del mix
    name = rng.choice(lexicon.NAMES)
    digits = "".join(rng.choices("0123456789", k=rng.randint(4, 10)))
    lines = (
        f"Posts: {digits[:3]} Joined: {rng.randint(1, 28)}/{rng.randint(1, 12)}/20{digits[:2]}",
        f"Re: homework help #{digits}",
        "All rights reserved. Terms of use. Contact us.",
        f"Last edited by {name} at {rng.randint(0, 23)}:{rng.randint(10, 59)}",
        "".join(rng.choices("abcdefghijklmnopqrstuvwxyz -_/.,", k=rng.randint(10, 40))),
        "Click here to log in or sign up. Share this page.",
    )
    return Document("\n".join(rng.sample(lines, rng.randint(1, 3))), "noise")
