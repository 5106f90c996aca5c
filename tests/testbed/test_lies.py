"""The lies world: the solver follows the claims back, the steps go forward."""

import random

import pytest

from replication.settings import InputError
from replication.testbed import lies, worlds


def drawn(n=500, seed=1, **options):
    """Return `n` problems."""
    rng = random.Random(seed)
    return [lies.generate(rng, **options) for _ in range(n)]


def as_problem(question):
    """Return a problem with this question, for the solver."""
    return worlds.Problem("lies", question, "", ())


@pytest.mark.parametrize("canonical", [False, True])
def test_solver_agrees_on_500_problems(canonical):
    problems = drawn(canonical=canonical)
    assert all(lies.solve(problem) == problem.answer for problem in problems)
    assert all(problem.question.endswith("?") and "{" not in problem.question for problem in problems)
    assert {problem.level for problem in problems} == {3, 4, 5}


@pytest.mark.parametrize("frame", lies.FRAMES)
def test_every_wording_is_understood(frame, monkeypatch):
    monkeypatch.setattr(lies, "FRAMES", (frame,))
    assert all(lies.solve(problem) == problem.answer for problem in drawn(100))


@pytest.mark.parametrize("level", lies.LEVELS)
def test_level_is_the_number_of_persons(level):
    for problem in drawn(30, level=level):
        assert problem.level == len(problem.steps) == level
        names = [step.split()[0] for step in problem.steps]
        assert len(set(names)) == level
        assert all(name in problem.question for name in names)
        assert problem.subject == names[-1]


@pytest.mark.parametrize("level", lies.LEVELS)
def test_answers_are_balanced(level):
    assert 0.45 < sum(problem.answer == "yes" for problem in drawn(3000, level=level)) / 3000 < 0.55


def test_each_step_follows_from_the_one_before():
    for problem in drawn(200):
        truthful = problem.steps[0].endswith("tells the truth")
        for step in problem.steps[1:]:
            claim, verdict = step.split(": ")
            truthful = claim.endswith("tells the truth") == truthful
            assert verdict.endswith("tells the truth") == truthful
        assert problem.answer == ("yes" if truthful else "no")


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (
            "Ana tells the truth. Tom says Ana lies. Eve says Tom tells the truth. Does Eve tell the truth?",
            "no",
        ),
        ("Ana lies. Tom says Ana lies. Does Tom tell the truth?", "yes"),
        (
            "Ana is honest. Tom claims that Ana is a liar. Eve claims that Tom is a liar. Is Eve honest?",
            "yes",
        ),
        ("Ana lies. According to Tom, Ana tells the truth. Does Tom tell the truth?", "no"),
    ],
)
def test_solver_by_hand(question, answer):
    assert lies.solve(as_problem(question)) == answer


def test_canonical_wording_is_the_papers():
    first, second, question = drawn(1, level=2, canonical=True)[0].question.replace("?", ".").split(". ")
    ana, tom = first.split()[0], second.split()[0]
    assert first in (f"{ana} tells the truth", f"{ana} lies")
    assert second in (f"{tom} says {ana} tells the truth", f"{tom} says {ana} lies")
    assert question == f"Does {tom} tell the truth."


def test_splits_are_disjoint_and_samples_deterministic():
    samples = {split: worlds.sample("lies", split, 200, 5, 3, canonical=True) for split in worlds.SPLITS}
    assert len({problem.question for problems in samples.values() for problem in problems}) == 600
    assert samples["test"] == worlds.sample("lies", "test", 200, 5, 3, canonical=True)


@pytest.mark.parametrize("level", [0, 1, 7])
def test_levels_out_of_range_are_refused(level):
    with pytest.raises(InputError, match="2 to 6"):
        lies.generate(random.Random(0), level)


@pytest.mark.parametrize(
    "question",
    ["Is it raining?", "Tom says Ana lies. Ana says Tom lies. Does Ana tell the truth?", "Ana lies. Is Bo?"],
)
def test_solver_refuses_other_questions(question):
    with pytest.raises(InputError, match="Not a web of lies"):
        lies.solve(as_problem(question))
