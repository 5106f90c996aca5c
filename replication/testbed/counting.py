"""Object counting: "I have two apples, a drum, and three pears. How many fruits do I have?".

The form of BIG-bench Hard's `object_counting` as used by Wang and Zhou (2024, arXiv 2402.10200, table 6).
Some questions list things of a second category too, which do not count. Steps are running sums over what
was asked for.
"""

import random
import re
from dataclasses import dataclass

from replication.settings import InputError
from replication.testbed.lexicon import NAMES
from replication.testbed.worlds import Problem, Step

LEVELS = (2, 3, 4, 5)
LARGEST_COUNT = 6
"""Most things of one kind."""

CATEGORIES: dict[str, dict[str, str]] = {
    "fruits": {
        "apple": "apples",
        "banana": "bananas",
        "grape": "grapes",
        "orange": "oranges",
        "peach": "peaches",
        "pear": "pears",
        "plum": "plums",
        "strawberry": "strawberries",
    },
    "vegetables": {
        "cabbage": "cabbages",
        "carrot": "carrots",
        "cauliflower": "cauliflowers",
        "onion": "onions",
        "potato": "potatoes",
        "radish": "radishes",
        "turnip": "turnips",
    },
    "animals": {
        "cow": "cows",
        "duck": "ducks",
        "frog": "frogs",
        "goat": "goats",
        "mouse": "mice",
        "rabbit": "rabbits",
        "snail": "snails",
        "donkey": "donkeys",
    },
    "musical instruments": {
        "accordion": "accordions",
        "clarinet": "clarinets",
        "drum": "drums",
        "flute": "flutes",
        "guitar": "guitars",
        "piano": "pianos",
        "trumpet": "trumpets",
        "violin": "violins",
    },
    "pieces of furniture": {
        "armchair": "armchairs",
        "bed": "beds",
        "bench": "benches",
        "chair": "chairs",
        "couch": "couches",
        "desk": "desks",
        "stool": "stools",
        "table": "tables",
    },
}
"""Plural of each thing by category (itself a plural)."""

_WORDS = "zero one two three four five six".split()
_COUNTS = {"a": 1, "an": 1} | {word: number for number, word in enumerate(_WORDS)}
_KIND_OF = {form: kind for kind, things in CATEGORIES.items() for pair in things.items() for form in pair}
_ITEM = re.compile(rf"\b(\d+|{'|'.join(_COUNTS)}) ({'|'.join(_KIND_OF)})\b")
_ASKED = re.compile(r"\b[Hh]ow many (" + "|".join(CATEGORIES) + r")\b")


@dataclass(frozen=True)
class _Frame:
    """Wording; `owner` tells whether the person named in it has the things."""

    text: str
    owner: bool = False


FRAMES = (
    _Frame("I have {items}. How many {kind} do I have?"),
    _Frame("{name} has {items}. How many {kind} does {name} have?", owner=True),
    _Frame("{name} owns {items}. How many {kind} does {name} own in total?", owner=True),
    _Frame("{name} can see {items}. How many {kind} can {name} see?"),
    _Frame("A picture shows {items}. How many {kind} does the picture show?"),
    _Frame("We counted {items} today. How many {kind} did we count?"),
    _Frame("Here is what {name} drew: {items}. How many {kind} did {name} draw altogether?"),
    _Frame("How many {kind} are there in this list: {items}?"),
)
"""Wordings; the first is the paper's."""


def generate(
    rng: random.Random,
    level: int | None = None,
    *,
    distractors: bool | None = None,
    digits: bool | None = None,
    canonical: bool = False,
) -> Problem:
    """Draw a counting question.

    Args:
        rng: source of the draw.
        level: kinds of things listed, distractors included, 2..5; None allows any.
        distractors: whether some of them belong to a second category, which needs three kinds or more;
            None: half the time.
        digits: numbers as digits or as words; None: either, but words if `canonical`.
        canonical: the wording, list style and number words of BIG-bench Hard.

    Raises:
        InputError: the level is outside 2..5, or distractors are asked for with two kinds.
    """
    levels = LEVELS[1:] if distractors else LEVELS
    if level is not None and level not in levels:
        raise InputError(
            f"The counting world needs a level (kinds of things) of {levels[0]} to 5"
            f"{' with distractors' if distractors else ''}, got {level}."
        )
    level = level or rng.choice(levels)
    if distractors is None:
        distractors = level > 2 and rng.random() < 0.5
    if digits is None:
        digits = not canonical and rng.random() < 0.5
    frame = FRAMES[0] if canonical else rng.choice(FRAMES)
    kind, other = rng.sample(list(CATEGORIES), 2)
    asked = rng.randint(2, level - 1) if distractors else level
    things = rng.sample(list(CATEGORIES[kind]), asked) + rng.sample(list(CATEGORIES[other]), level - asked)
    rng.shuffle(things)
    amounts = {thing: _amount(rng) for thing in things}
    items = _joined([_item(thing, number, digits) for thing, number in amounts.items()], canonical)
    name = rng.choice(NAMES)
    steps = _sums([number for thing, number in amounts.items() if thing in CATEGORIES[kind]])
    return Problem(
        world="counting",
        question=frame.text.format(items=items, kind=kind, name=name),
        answer=str(steps[-1].result),
        steps=tuple(map(str, steps)),
        subject=name if frame.owner else "",
        noun=kind,
        level=level,
    )


def _amount(rng: random.Random) -> int:
    """Return 1 a third of the time, as in BIG-bench's lists, else 2..6."""
    return 1 if rng.random() < 1 / 3 else rng.randint(2, LARGEST_COUNT)


def _item(thing: str, number: int, digits: bool) -> str:
    plural = CATEGORIES[_KIND_OF[thing]][thing]
    if digits:
        return f"{number} {thing if number == 1 else plural}"
    if number == 1:
        return f"{'an' if thing[0] in 'aeiou' else 'a'} {thing}"
    return f"{_WORDS[number]} {plural}"


def _joined(items: list[str], comma_before_and: bool) -> str:
    comma = "," if comma_before_and and len(items) > 2 else ""
    return f"{', '.join(items[:-1])}{comma} and {items[-1]}"


def _sums(numbers: list[int]) -> list[Step]:
    """Return the running sums of two or more numbers."""
    steps, total = [], numbers[0]
    for number in numbers[1:]:
        steps.append(Step(total, "+", number, total + number))
        total += number
    return steps


def solve(problem: Problem) -> str:
    """Return the count, from the list and the category as they stand in the question.

    Raises:
        InputError: the text is not a question of this world.
    """
    asked = _ASKED.search(problem.question)
    found = _ITEM.findall(problem.question)
    if asked is None or not found:
        raise InputError(f"Not a question about counting things: {problem.question!r}.")
    numbers = [number for number, thing in found if _KIND_OF[thing] == asked[1]]
    return str(sum(_COUNTS.get(number) or int(number) for number in numbers))
