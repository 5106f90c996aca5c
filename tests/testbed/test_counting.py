"""The counting world: running sums over the things that were asked for."""

import random
import re
from itertools import pairwise

import pytest

from replication.settings import InputError
from replication.testbed import counting, worlds


def drawn(n=500, seed=1, **options):
    """Return `n` problems."""
    rng = random.Random(seed)
    return [counting.generate(rng, **options) for _ in range(n)]


def as_problem(question):
    """Return a problem with this question, for the solver."""
    return worlds.Problem("counting", question, "", ())


def listed(question):
    """Return, for each category, how many of its kinds stand in the question."""
    words = set(re.findall(r"[a-z]+", question))
    return {
        kind: sum(one in words or many in words for one, many in things.items())
        for kind, things in counting.CATEGORIES.items()
    }


@pytest.mark.parametrize("canonical", [False, True])
def test_solver_agrees_on_500_problems(canonical):
    problems = drawn(canonical=canonical)
    assert all(counting.solve(problem) == problem.answer for problem in problems)
    assert all(problem.question.endswith("?") and "{" not in problem.question for problem in problems)
    assert {problem.level for problem in problems} == set(counting.LEVELS)


@pytest.mark.parametrize("frame", counting.FRAMES)
def test_every_wording_is_understood(frame, monkeypatch):
    monkeypatch.setattr(counting, "FRAMES", (frame,))
    for problem in drawn(100):
        assert counting.solve(problem) == problem.answer
        assert not problem.subject or problem.question.startswith(problem.subject)


@pytest.mark.parametrize("level", counting.LEVELS)
def test_level_is_the_number_of_kinds_listed(level):
    for problem in drawn(100, level=level):
        assert sum(listed(problem.question).values()) == problem.level == level


def test_steps_are_running_sums_over_the_asked_kind():
    for problem in drawn():
        steps = [worlds.parse_step(step) for step in problem.steps]
        assert all(step.op == "+" and step.holds for step in steps)
        assert all(after.left == before.result for before, after in pairwise(steps))
        assert len(steps) == listed(problem.question)[problem.noun] - 1 >= 1
        assert problem.answer == str(steps[-1].result)
        assert 2 <= steps[-1].result <= 5 * counting.LARGEST_COUNT


def test_distractors_come_from_one_other_category_and_only_on_request():
    for problem in drawn(200, distractors=True):
        kinds = [kind for kind, number in listed(problem.question).items() if number]
        assert len(kinds) == 2
        assert problem.noun in kinds
    for problem in drawn(200, distractors=False):
        assert listed(problem.question)[problem.noun] == problem.level
    mixed = [listed(problem.question)[problem.noun] < problem.level for problem in drawn(2000, level=4)]
    assert 0.45 < sum(mixed) / 2000 < 0.55


def test_digits_and_number_words():
    assert all(re.search(r"\d", problem.question) for problem in drawn(100, digits=True))
    assert not any(re.search(r"\d", problem.question) for problem in drawn(100, digits=False))
    assert not any(re.search(r"\d", problem.question) for problem in drawn(100, canonical=True))


def test_articles_and_plurals_are_right():
    text = " ".join(problem.question for problem in drawn(1000))
    assert not re.search(r"\ba [aeiou]", text)
    assert not re.search(r"\ban [^aeiou]", text)
    plurals = {many for things in counting.CATEGORIES.values() for many in things.values()}
    singulars = {one for things in counting.CATEGORIES.values() for one in things}
    assert not plurals & set(re.findall(r"\b(?:an?|1) (\w+)", text))
    assert not singulars & set(re.findall(r"\b(?:two|three|four|five|six|[2-6]) (\w+)", text))


def test_things_belong_to_one_category_and_to_nothing_else():
    forms = [form for things in counting.CATEGORIES.values() for pair in things.items() for form in pair]
    assert len(forms) == len(set(forms))


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("I have two apples, a drum and three pears. How many fruits do I have?", "5"),
        ("I have two apples, a drum and three pears. How many musical instruments do I have?", "1"),
        ("How many animals are there in this list: 2 mice, 1 cow and 12 goats?", "15"),
    ],
)
def test_solver_by_hand(question, answer):
    assert counting.solve(as_problem(question)) == answer


def test_canonical_wording_is_the_benchmarks():
    for problem in drawn(50, level=3, canonical=True):
        item = r"(?:an?|two|three|four|five|six) \w+"
        kind = re.escape(problem.noun)
        assert re.fullmatch(
            f"I have {item}, {item}, and {item}. How many {kind} do I have\\?", problem.question
        )


def test_no_answer_is_common():
    answers = [problem.answer for problem in drawn(2000)]
    assert max(answers.count(answer) for answer in set(answers)) < 300


def test_splits_are_disjoint_and_samples_deterministic():
    samples = {split: worlds.sample("counting", split, 200, 5, canonical=True) for split in worlds.SPLITS}
    assert len({problem.question for problems in samples.values() for problem in problems}) == 600
    assert samples["test"] == worlds.sample("counting", "test", 200, 5, canonical=True)


@pytest.mark.parametrize(
    "options", [{"level": 1}, {"level": 6}, {"level": 0}, {"level": 2, "distractors": True}]
)
def test_levels_out_of_range_are_refused(options):
    with pytest.raises(InputError, match="counting world needs a level"):
        drawn(1, **options)


def test_solver_refuses_other_questions():
    with pytest.raises(InputError, match="Not a question about counting"):
        counting.solve(as_problem("Is the coin still heads up?"))
