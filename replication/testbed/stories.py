"""The world of word problems: everyday stories in one to five calculation steps on whole numbers.

The scenarios lie in `story_change`, `story_longer`, `story_totals` and `story_events` (sums and differences) and in
`story_groups` (products, quotients, rates, fractions). `kind="chain"` is the plainest form: a start of 2..20
followed by `level` gains and losses of 1..9.
"""

import random
from functools import cache
from itertools import pairwise

from replication.settings import InputError
from replication.testbed import story_change, story_events, story_groups, story_longer, story_totals
from replication.testbed.story_parts import Scenario, Unsuitable
from replication.testbed.worlds import Problem, parse_step

LEVELS = {1: 0.3, 2: 0.35, 3: 0.2, 4: 0.1, 5: 0.05}
KINDS = ("chain", "change", "groups")
_MIX = {
    1: (0.08, 0.47, 0.45),
    2: (0.08, 0.42, 0.5),
    3: (0.12, 0.53, 0.35),
    4: (0.15, 0.65, 0.2),
    5: (0.15, 0.75, 0.1),
}
_TRIES = 1000


@cache
def scenarios(kind: str, level: int) -> tuple[tuple[Scenario, ...], tuple[float, ...]]:
    """Return the scenarios of a kind that serve a level, and their weights."""
    if kind == "chain":
        pool = (Scenario(story_events.chain, frozenset(LEVELS)),)
    elif kind == "change":
        pool = (
            story_change.SCENARIOS + story_longer.SCENARIOS + story_totals.SCENARIOS + story_events.SCENARIOS
        )
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
        level: number of calculation steps, 1..5; None draws it with the weights of `LEVELS`.
        kind: one of `KINDS`; None mixes them.
        options: none are known; anything given is refused.

    Raises:
        InputError: unknown level, kind or option.
    """
    if options:
        raise InputError(f"stories know no option {sorted(options)[0]!r}: use level and kind")
    if level is None:
        level = rng.choices(tuple(LEVELS), tuple(LEVELS.values()))[0]
    elif level not in LEVELS:
        raise InputError(f"stories need a level from 1 to 5, got {level!r}")
    if kind is not None and kind not in KINDS:
        raise InputError(f"unknown kind of story {kind!r}: use one of {', '.join(KINDS)}")
    for _ in range(_TRIES):
        pool, weights = scenarios(kind or rng.choices(KINDS, _MIX[level])[0], level)
        if not pool:
            continue
        try:
            return rng.choices(pool, weights)[0].make(rng, level)
        except Unsuitable:
            continue
    raise InputError(f"no story of kind {kind!r} has {level} steps")


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
