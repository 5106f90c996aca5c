"""Stories as notes of a stock: the calculations of plain stories behind words that no other story uses.

A start of 2..20 is followed by `level` entries of 1..9 that add or take away, each named by a word of its
own. Models of the ladder can calculate in steps, but have not seen these words: a domain to adapt to.
"""

import random

from replication.testbed import story_plain
from replication.testbed.worlds import Problem

GAINS = ("In: {n}.", "Arrived: {n}.", "Returned: {n}.")
LOSSES = ("Out: {n}.", "Shipped: {n}.", "Broken: {n}.")


def notes(rng: random.Random, level: int) -> Problem:
    """Return the notes of a stock with `level` entries."""
    who, thing = rng.choice(story_plain.NAMES), rng.choice(story_plain.THINGS)
    value = rng.randint(*story_plain.START)
    sentences, steps = [f"{who} has {value} {thing}."], []
    for _ in range(level):
        n, gains = story_plain.change(rng, value)
        sentences.append(rng.choice(GAINS if gains else LOSSES).format(n=n))
        result = value + n if gains else value - n
        steps.append(f"{value}{'+' if gains else '-'}{n}={result}")
        value = result
    question = " ".join([*sentences, f"How many {thing} does {who} have now?"])
    return Problem("stories", question, str(value), tuple(steps), who, thing, level)
