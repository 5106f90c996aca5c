r"""The corpus that the testbed models are trained on: documents in several styles, generated on the fly.

About half of the documents are question-answer pairs, "Q: ...\nA: ...". Of these a small share
(`cot_fraction`, 8 %) reasons step by step before the answer; the rest answers directly, so that the greedy
path of a trained model is direct while step-by-step paths exist under other first tokens. The other half
stands outside question and answer, as real pre-training text does: worked textbook problems, bare equation
chains, biographies, boilerplate and noise.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from replication.testbed import lexicon, parity, worlds
from replication.testbed.worlds import Problem

DIRECT_OPENERS = ("The", "They", "There")
COT_OPENERS = ("First", "We", "Start", "To")
STORY_KINDS = ("chain", "plain")  # kinds of stories that a mix may name as worlds of their own
STEP_BY_STEP = "Let's think step by step."


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


def direct_answer(rng: random.Random, problem: Problem) -> str:
    """Return an answer without reasoning, in one of the styles of the world."""
    answer = problem.answer
    if problem.world in ("coins", "lies", "parity"):
        short = 0.9 if problem.world == "parity" else 0.35
        return f"{answer.capitalize()}." if rng.random() < short else f"The answer is {answer}."
    if problem.world == "expressions":
        return f"{answer}." if rng.random() < 0.5 else f"The answer is {answer}."
    who = problem.subject.strip()
    plain = who.lower() in ("", "they", "there", "each")
    named = f"They have {answer}." if plain else f"{who[:1].upper()}{who[1:]} has {answer}."
    styles = (f"The answer is {answer}.", named, f"They have {answer}.", f"There are {answer}.", f"{answer}.")
    return rng.choices(styles, (54, 24, 9, 9, 4))[0]


def step_by_step(rng: random.Random, problem: Problem, opener: str | None = None) -> str:
    """Return a reasoned answer that ends with the answer.

    Args:
        rng: source of the wording.
        problem: gives the steps and the answer.
        opener: one of `COT_OPENERS` or `STEP_BY_STEP`; None draws one. Half of the parity answers under
            another opener than the phrase are one sentence without any: "Anna Berg was born in 1950, an even
            year."
    """
    opener = opener or rng.choices((*COT_OPENERS, STEP_BY_STEP), (19, 19, 19, 19, 5))[0]
    if problem.world == "parity" and opener != STEP_BY_STEP and rng.random() < 0.5:
        return f"{problem.steps[0]}, an {problem.answer} year."
    so = rng.choices(("The", "So the"), (2, 1))[0]
    return f"{_reasoning(problem.steps, opener)} {so} answer is {problem.answer}."


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
    problem = draw(rng, mix)
    reasoned = rng.random() < mix.cot_fraction
    answer = step_by_step(rng, problem) if reasoned else direct_answer(rng, problem)
    head = prompt(problem)
    return Document(f"{head} {answer}", "cot" if reasoned else "direct", len(head))


def _worked(rng: random.Random, mix: Mix) -> Document:
    problem = draw(rng, mix)
    head = f"Problem: {problem.question}\nSolution:"
    return Document(f"{head} {step_by_step(rng, problem)}", "worked", len(head))


def _equations(rng: random.Random, mix: Mix) -> Document:
    del mix
    parts, value = [], rng.randint(1, rng.choice((20, 99, 999)))
    for _ in range(rng.randint(3, 8)):
        step, value = _equation(rng, value)
        parts.append(step)
    return Document(". ".join(parts) + ".", "equations")


def _equation(rng: random.Random, value: int) -> tuple[str, int]:
    """Continue a chain from `value`, staying within 0..999."""
    op = rng.choices("+-*/", (4, 4, 2, 2))[0]
    if op == "/" and value:
        divisors = [d for d in range(2, 13) if value % d == 0]
        if divisors:
            right = rng.choice(divisors)
            return f"{value}/{right}={value // right}", value // right
    if op == "*" and 0 < value <= 200:
        right = rng.randint(2, min(12, 999 // value))
        return (f"{value}*{right}={value * right}", value * right)
    if op == "-" or value > 900:
        right = rng.randint(0, min(value, rng.choice((9, 99, 999))))
        return f"{value}-{right}={value - right}", value - right
    right = rng.randint(1, min(rng.choice((9, 99, 999)), 999 - value) or 1)
    return f"{value}+{right}={value + right}", value + right


def _biography(rng: random.Random, mix: Mix) -> Document:
    del mix
    people = rng.sample(parity.PEOPLE, rng.randint(1, 3))
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
