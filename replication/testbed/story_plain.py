"""Stories in the plainest words: few names, things and verbs, so that a tiny model can read them surely.

A start of 2..20 is followed by `level` gains and losses of 1..9; every value stays within 0..40. What
models find hard in them is the calculation, not the wording.
"""

import random

from replication.testbed.worlds import Problem

NAMES = ("Tom", "Anna", "Sam", "Mia", "Ben", "Lily", "Jack", "Emma", "Max", "Zoe", "Leo", "Ruby")
THINGS = (
    "apples",
    "books",
    "pens",
    "coins",
    "cards",
    "marbles",
    "stamps",
    "shells",
    "balls",
    "eggs",
    "toys",
    "cookies",
)
GAINS = (
    "{who} buys {n} more.",
    "{who} finds {n} more.",
    "{who} gets {n} more.",
    "{other} gives {who} {n} more.",
)
LOSSES = ("{who} loses {n}.", "{who} sells {n}.", "{who} gives away {n}.", "{who} gives {n} to {other}.")
START = (2, 20)
LARGEST = 40


def plain(rng: random.Random, level: int) -> Problem:
    """Return a plain story with `level` steps."""
    who, other = rng.sample(NAMES, 2)
    thing, value = rng.choice(THINGS), rng.randint(*START)
    sentences, steps = [f"{who} has {value} {thing}."], []
    for _ in range(level):
        n, gains = change(rng, value)
        sentences.append(rng.choice(GAINS if gains else LOSSES).format(who=who, other=other, n=n))
        result = value + n if gains else value - n
        steps.append(f"{value}{'+' if gains else '-'}{n}={result}")
        value = result
    question = " ".join([*sentences, f"How many {thing} does {who} have now?"])
    return Problem("stories", question, str(value), tuple(steps), who, thing, level)


def change(rng: random.Random, value: int) -> tuple[int, bool]:
    """Return how much `value` changes, 1..9, and whether it grows; it stays within 0..`LARGEST`."""
    n = rng.randint(1, 9)
    return n, value < n or (value + n <= LARGEST and rng.random() < 0.5)
