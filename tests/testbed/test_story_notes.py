"""Notes of a stock: right by the oracle, in words that no other story has."""

import random
import re
from collections import Counter
from itertools import pairwise

import pytest

from replication.testbed import stories, story_notes, story_plain, worlds

OWN = ("In:", "Arrived:", "Returned:", "Out:", "Shipped:", "Broken:")


def drawn(level, number=300):
    rng = random.Random(level)
    return [story_notes.notes(rng, level) for _ in range(number)]


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_answers_are_the_oracle_s(level):
    for problem in drawn(level):
        assert (problem.world, problem.level, len(problem.steps)) == ("stories", level, level)
        assert stories.solve(problem) == problem.answer
        steps = [worlds.parse_step(text) for text in problem.steps]
        assert all(b.left == a.result for a, b in pairwise(steps))
        assert 2 <= steps[0].left <= 20
        assert all(s.op in "+-" and 1 <= s.right <= 9 and 0 <= s.result <= story_plain.LARGEST for s in steps)


@pytest.mark.parametrize("level", [1, 3, 5])
def test_the_question_tells_each_step(level):
    gains, losses = (
        {text.split(":")[0] for text in words} for words in (story_notes.GAINS, story_notes.LOSSES)
    )
    for problem in drawn(level, 100):
        entries = re.findall(r"(\w+): (\d+)\.", problem.question)
        told = [("+" if word in gains else "-", int(n)) for word, n in entries]
        assert told == [(s.op, s.right) for s in map(worlds.parse_step, problem.steps)]
        assert all(word in gains | losses for word, _ in entries)
        start = problem.steps[0].split("+")[0].split("-")[0]
        assert problem.question.startswith(f"{problem.subject} has {start} {problem.noun}. ")
        assert problem.question.endswith(f"How many {problem.noun} does {problem.subject} have now?")


def test_every_entry_occurs_about_as_often_as_the_others_of_its_side():
    found = Counter(word for p in drawn(4, 1000) for word in re.findall(r"\w+:", p.question))
    assert set(found) == set(OWN)
    for side in (OWN[:3], OWN[3:]):
        assert min(found[word] for word in side) > 0.8 * max(found[word] for word in side)


def test_no_other_story_has_these_words():
    rng = random.Random(8)
    for kind in [*stories.MIXED, "plain"]:
        for _ in range(1500):
            level = rng.choice((1, 2, 3)) if kind == "groups" else None
            question = stories.generate(rng, level, kind).question
            assert not any(word in question for word in OWN), question


def test_stories_make_them_by_kind_alone():
    rng = random.Random(1)
    for level in stories.LEVELS:
        problem = stories.generate(rng, level, "notes")
        assert len(re.findall(r"(\w+:) \d+\.", problem.question)) == problem.level == level
    mixed = [stories.generate(random.Random(seed)) for seed in range(300)]
    assert not any(word in problem.question for problem in mixed for word in OWN)
    sample = worlds.sample("stories", "test", 20, seed=0, level=3, kind="notes")
    assert all("has" in p.question and len(p.steps) == 3 for p in sample)


def test_the_same_seed_gives_the_same_notes():
    assert drawn(2, 20) == drawn(2, 20)
