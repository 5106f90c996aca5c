"""Stories whose solutions commit themselves: the problems, all their solutions, the first error."""

import random
import re

import pytest

from replication.tasks.base import load_task
from replication.testbed import stories, worlds
from replication.testbed import story_commitments as told

LEVELS = {"moves": 3, "portions": 2}


@pytest.fixture(scope="module")
def problems():
    return [
        problem
        for kind, level in LEVELS.items()
        for problem in worlds.sample("stories", "train", 200, 0, level=level, kind=kind)
    ]


def test_steps_lead_to_the_answer(problems):
    assert all(stories.solve(problem) == problem.answer for problem in problems)


def test_moves_are_read_off_the_question(problems):
    for problem in problems[:200]:
        first, *events = problem.question.split(". ")[:-1]
        value = int(re.search(r"\d+", first)[0])
        for event in events:
            sign = 1 if re.search(r"brings|come back", event) else -1
            value += sign * int(re.search(r"\d+", event)[0])
        assert str(value) == problem.answer


def test_portions_are_read_off_the_question(problems):
    parts = {word.lower(): number for number, word in told.SHARES.items()}
    for problem in problems[200:]:
        whole = now = int(re.search(r"\d+", problem.question)[0])
        gifts = re.findall(
            r"(half|a third|a quarter|a fifth) of (them|the rest|all)", problem.question, re.IGNORECASE
        )
        assert len(gifts) == 2
        for part, base in gifts:
            now -= (whole if base == "all" else now) // parts[part.lower()]
        assert str(now) == problem.answer
        assert 0 < now < whole


def test_every_solution_is_right_and_gives_the_answer(problems):
    task = load_task("stories:level=2")
    for problem in problems:
        texts = told.derivations(problem)
        assert sum(texts.values()) == pytest.approx(1)
        assert sum(p for text, p in texts.items() if told.ONCE in text) == pytest.approx(told.AT_ONCE)
        for text in texts:
            assert task.grade(task.extract(text).value, problem.answer)
            assert told.error(problem, text) is None
            for equation in re.findall(r"[-+/\d]+=\d+", text):
                left, right = equation.split("=")
                assert eval(left) == int(right)


def test_solutions_are_drawn_by_their_probabilities(problems):
    rng = random.Random(0)
    drawn = [told.derive(rng, problems[0]) for _ in range(2000)]
    texts = told.derivations(problems[0])
    assert set(drawn) == set(texts)
    once = sum(told.ONCE in text for text in drawn) / len(drawn)
    assert once == pytest.approx(told.AT_ONCE, abs=0.03)


def test_the_first_error_is_the_first_impossible_character():
    problem = worlds.Problem("stories", "?", "8", ("5+4=9", "9-1=8"), level=2)
    right = " More: 5+4=9. Less: 9-1=8. The answer is 8."
    assert told.error(problem, right) is None
    assert told.error(problem, right + "  ") is None
    for wrong, place in (
        ("Less: 5-4=1. Less: 1-1=0. The answer is 0.", 1),
        ("More: 5-4=1. Less: 1-1=0. The answer is 0.", 8),
        ("More: 5+4=8. Less: 8-1=7. The answer is 7.", 11),
        ("More: 5+4=9. The answer is 9.", 15),
        ("More: 5+4=9.", 13),
        ("At once: 5+4-1=9. The answer is 9.", 16),
        ("", 0),
    ):
        text = f" {wrong}" if wrong else ""
        assert told.error(problem, text) == place, wrong


def test_words_of_the_whole_and_of_the_rest_differ():
    problem = worlds.Problem("stories", "?", "15", ("36/4=9", "36-9=27", "36/3=12", "27-12=15"), level=2)
    texts = told.derivations(problem)
    assert " Of all: 36/4=9, 36-9=27. Of the whole: 36/3=12, 27-12=15. The answer is 15." in texts
    assert " At once: 36-9-12=15. The answer is 15." in texts
    assert not any("Of the rest" in text for text in texts)
    wrong = " Of all: 36/4=9, 36-9=27. Of the rest: 27/3=9, 27-9=18. The answer is 18."
    assert told.error(problem, wrong) == wrong.index("rest")


def test_splits_are_disjoint_and_repeat():
    for kind, level in LEVELS.items():
        train, test = (
            {p.question for p in worlds.sample("stories", split, 300, 0, level=level, kind=kind)}
            for split in ("train", "test")
        )
        assert not train & test
    again = worlds.sample("stories", "test", 5, 0, level=3, kind="moves")
    assert again == worlds.sample("stories", "test", 5, 0, level=3, kind="moves")
