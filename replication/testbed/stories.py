"""The world of word problems: everyday stories in one to five calculation steps on whole numbers.

The scenarios lie in `story_change`, `story_longer`, `story_tales`, `story_totals`, `story_events` (sums and
differences) and `story_groups` (products, quotients, rates, fractions). `kind="chain"` is a start of 2..20
followed by `level` gains and losses of 1..9, in many settings; `kind="plain"` is the same in few words (see
`story_plain`), `kind="notes"` in words that the ladder's models have not seen (see `story_notes`).
`kind="moves"` and `kind="portions"` have solutions that commit themselves in words (see `story_commitments`).
"""

import random
from dataclasses import replace
from functools import cache
from itertools import pairwise

from replication.settings import InputError
from replication.testbed import (
    lexicon,
    story_change,
    story_commitments,
    story_events,
    story_groups,
    story_longer,
    story_notes,
    story_plain,
    story_tales,
    story_totals,
)
from replication.testbed.story_parts import Scenario, Unsuitable
from replication.testbed.worlds import Problem, parse_step

LEVELS = {1: 0.3, 2: 0.35, 3: 0.2, 4: 0.1, 5: 0.05}
MIXED = ("chain", "change", "groups")
KINDS = (*MIXED, "plain", "notes", *story_commitments.KINDS)
_MIX = {
    1: (0.08, 0.47, 0.45),
    2: (0.08, 0.42, 0.5),
    3: (0.12, 0.53, 0.35),
    4: (0.15, 0.65, 0.2),
    5: (0.15, 0.75, 0.1),
}
_TRIES = 1000
_ASIDES = 0.08
_REMARKS = (
    "{who} likes to count things.",
    "{who} is {n} years old.",
    "{who} has always been good at math.",
    "{who} lives in a small town with a lot of friends.",
    "{who} has {n} friends who help from time to time.",
    "It was a sunny day.",
    "It is the middle of the week, and {who} has been busy.",
    "{who} was very happy about the weather.",
    "{who} decided to keep track of everything.",
    "It is {n} o'clock in the morning.",
    "{who} has a favorite color, which is {colour}.",
    "{who} is in grade {n}.",
    "Summer vacation has just started.",
    "Here is a story about {who}.",
)


@cache
def scenarios(kind: str, level: int) -> tuple[tuple[Scenario, ...], tuple[float, ...]]:
    """Return the scenarios of a kind that serve a level, and their weights."""
    if kind == "chain":
        pool: tuple[Scenario, ...] = (Scenario(story_events.chain, frozenset(LEVELS)),)
    elif kind == "plain":
        pool = (Scenario(story_plain.plain, frozenset(LEVELS)),)
    elif kind == "notes":
        pool = (Scenario(story_notes.notes, frozenset(LEVELS)),)
    elif kind == "moves":
        pool = (Scenario(story_commitments.moves, frozenset(LEVELS)),)
    elif kind == "portions":
        pool = (Scenario(story_commitments.portions, frozenset({1, 2})),)
    elif kind == "change":
        parts = (story_change, story_longer, story_tales, story_totals, story_events)
        pool = tuple(scenario for part in parts for scenario in part.SCENARIOS)
    else:
        pool = story_groups.SCENARIOS
    fitting = tuple(s for s in pool if level in s.levels)
    return fitting, tuple(s.weight for s in fitting)


def generate(
    rng: random.Random, level: int | None = None, kind: str | None = None, **options: object
) -> Problem:
    """Return a word problem.

    Args:
        rng: random source.
        level: number of calculation steps, 1..5 (in "portions" of gifts, of two steps each); None draws it
            with the weights of `LEVELS`.
        kind: one of `KINDS`; None mixes those of `MIXED`.
        options: none are known; anything given is refused.

    Raises:
        InputError: unknown level, kind or option.
    """
    if options:
        raise InputError(f"Stories know no option {sorted(options)[0]!r}: use level and kind.")
    if level is None:
        level = rng.choices(tuple(LEVELS), tuple(LEVELS.values()))[0]
    elif level not in LEVELS:
        raise InputError(f"Stories need a level from 1 to 5, got {level!r}.")
    if kind is not None and kind not in KINDS:
        raise InputError(f"Unknown kind of story {kind!r}: use one of {', '.join(KINDS)}.")
    for _ in range(_TRIES):
        drawn = kind or rng.choices(MIXED, _MIX[level])[0]
        pool, weights = scenarios(drawn, level)
        if not pool:
            continue
        try:
            problem = rng.choices(pool, weights)[0].make(rng, level)
        except Unsuitable:
            continue
        return with_aside(rng, problem) if drawn == "change" and rng.random() < _ASIDES else problem
    raise InputError(f"No story of kind {kind!r} has {level} steps.")


def with_aside(rng: random.Random, problem: Problem) -> Problem:
    """Return the problem with a remark before it that has nothing to do with the answer."""
    who = problem.subject
    if who not in lexicon.NAMES or not problem.question.startswith(who):
        return problem
    remark = rng.choice(_REMARKS).format(who=who, n=rng.randint(3, 12), colour=rng.choice(lexicon.COLOURS))
    return replace(problem, question=f"{remark} {problem.question}")


def solve(problem: Problem) -> str:
    """Return the answer recomputed from the steps: every equation is checked, the last result is the answer.

    Raises:
        ValueError: a step is wrong, or its result is used neither by a later step nor as the answer.
    """
    steps = [parse_step(text) for text in problem.steps]
    for step in steps:
        if not step.holds:
            raise ValueError(f"wrong step {step} in {problem.question!r}")
    for i, (step, _) in enumerate(pairwise(steps)):
        if not any(step.result in (later.left, later.right) for later in steps[i + 1 :]):
            raise ValueError(f"unused step {step} in {problem.question!r}")
    return str(steps[-1].result)
