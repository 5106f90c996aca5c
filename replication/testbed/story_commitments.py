"""Stories whose solutions commit themselves in words before they calculate.

Each step of a solution starts with a word that fixes how an event of the story is read ("more" or "fewer",
"of all" or "of the rest"); only then comes the number. Or the solution takes the whole calculation at once,
which is shorter and harder. So a solution can be lost at a word, before any number is wrong.

Two kinds: "moves" (things come and go), "portions" (shares of what is there now, or of all there was).
`derivations` gives every correct solution of a problem, `error` the first place where a text leaves all of
them.
"""

import random
from itertools import product

from replication.testbed import story_plain
from replication.testbed.worlds import Problem, parse_step

KINDS = ("moves", "portions")
GAINS = ("{other} brings {n}.", "{n} come back.")
LOSSES = ("{other} takes {n}.", "{n} go away.")
SHARES = {2: "half", 3: "a third", 4: "a quarter", 5: "a fifth"}
MORE, FEWER = ("More", "Add", "Up"), ("Less", "Take", "Down")
ALL, REST = ("Of all", "Of the whole"), ("Of the rest", "Of what is left")
ONCE, AT_ONCE = "At once", 0.1  # words and share of the solutions that take the whole calculation in one step


def moves(rng: random.Random, level: int) -> Problem:
    """Return a story of `level` events that bring or take 1..9 things."""
    who, other = rng.sample(story_plain.NAMES, 2)
    thing, value = rng.choice(story_plain.THINGS), rng.randint(*story_plain.START)
    sentences, steps = [f"{who} has {value} {thing}."], []
    for _ in range(level):
        n, gains = story_plain.change(rng, value)
        event = rng.choice(GAINS if gains else LOSSES).format(who=who, other=other, n=n)
        sentences.append(event[:1].upper() + event[1:])
        result = value + n if gains else value - n
        steps.append(f"{value}{'+' if gains else '-'}{n}={result}")
        value = result
    question = " ".join([*sentences, f"How many {thing} does {who} have now?"])
    return Problem("stories", question, str(value), tuple(steps), who, thing, level)


def portions(rng: random.Random, level: int) -> Problem:
    """Return a story of `level` gifts, each a share of all there was or of what is left."""
    while True:
        found = _portions(rng, level)
        if found is not None:
            return found


def _portions(rng: random.Random, level: int) -> Problem | None:
    """Return a drawn story, None where a share does not come out even or too little is left."""
    who = rng.choice(story_plain.NAMES)
    thing, whole = rng.choice(story_plain.THINGS), rng.randint(6, 60)
    now, sentences, steps = whole, [f"{who} has {whole} {thing}."], []
    for place in range(level):
        part, of_all = rng.choice(tuple(SHARES)), place > 0 and rng.random() < 0.5
        base = whole if of_all else now
        if base % part or base // part >= now:
            return None
        given = base // part
        if not place:
            sentences.append(f"{SHARES[part].capitalize()} of them go away.")
        else:
            sentences.append(f"Then {SHARES[part]} of {f'all {who} had' if of_all else 'the rest'} go away.")
        steps += [f"{base}/{part}={given}", f"{now}-{given}={now - given}"]
        now -= given
    question = " ".join([*sentences, f"How many {thing} does {who} have left?"])
    return Problem("stories", question, str(now), tuple(steps), who, thing, level)


def derivations(problem: Problem) -> dict[str, float]:
    """Return every correct solution, as it follows the step-by-step phrase, with its probability.

    All but the share `AT_ONCE` go step by step; the words of a step are equally likely.
    """
    parts, found = _parts(problem), {}
    for words in product(*(phrases for phrases, _ in parts)):
        told = " ".join(f"{word}: {told}." for word, (_, told) in zip(words, parts, strict=True))
        found[f" {told} The answer is {problem.answer}."] = 1.0
    found = {text: (1 - AT_ONCE) / len(found) for text in found}
    return found | {f" {ONCE}: {_at_once(problem)}. The answer is {problem.answer}.": AT_ONCE}


def derive(rng: random.Random, problem: Problem) -> str:
    """Return one correct solution, drawn from `derivations`."""
    texts = derivations(problem)
    return rng.choices(tuple(texts), tuple(texts.values()))[0]


def _parts(problem: Problem) -> list[tuple[tuple[str, ...], str]]:
    """Return the steps of a solution: the words that may announce each, and its equations."""
    steps = [parse_step(text) for text in problem.steps]
    if steps[0].op != "/":
        return [(MORE if step.op == "+" else FEWER, str(step)) for step in steps]
    whole = steps[0].left
    return [
        (ALL if share.left == whole else REST, f"{share}, {rest}")
        for share, rest in zip(steps[::2], steps[1::2], strict=True)
    ]


def _at_once(problem: Problem) -> str:
    """Return the whole calculation as one equation."""
    steps = [parse_step(text) for text in problem.steps]
    changes = [step for step in steps if step.op != "/"]
    return f"{changes[0].left}{''.join(f'{step.op}{step.right}' for step in changes)}={problem.answer}"


def error(problem: Problem, text: str) -> int | None:
    """Return the first character of `text` at which no correct solution begins like it.

    Args:
        problem: of one of the two kinds.
        text: what follows the step-by-step phrase; blanks at its end do not count.

    Returns:
        None for a correct solution; the length of the text where it stops too early.
    """
    text = text.rstrip()
    if text in (known := derivations(problem)):
        return None
    return max(_common(text, one) for one in known)


def _common(first: str, second: str) -> int:
    """Return how many characters two texts have in common at their beginning."""
    shorter = min(len(first), len(second))
    return next((i for i in range(shorter) if first[i] != second[i]), shorter)
