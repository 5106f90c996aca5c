"""The coins world: flips counted by the solver, faces tracked by the steps."""

import random

import pytest

from replication.settings import InputError
from replication.testbed import coins, worlds


def drawn(n=500, seed=1, **options):
    """Return `n` problems."""
    rng = random.Random(seed)
    return [coins.generate(rng, **options) for _ in range(n)]


def as_problem(question):
    """Return a problem with this question, for the solver."""
    return worlds.Problem("coins", question, "", ())


@pytest.mark.parametrize("canonical", [False, True])
def test_solver_agrees_on_500_problems(canonical):
    problems = drawn(canonical=canonical)
    assert all(coins.solve(problem) == problem.answer for problem in problems)
    assert all(problem.question.endswith("?") and "{" not in problem.question for problem in problems)
    assert {problem.level for problem in problems} == {2, 3, 4}


@pytest.mark.parametrize("frame", coins.FRAMES)
def test_every_wording_is_understood(frame, monkeypatch):
    monkeypatch.setattr(coins, "FRAMES", (frame,))
    assert all(coins.solve(problem) == problem.answer for problem in drawn(100))


@pytest.mark.parametrize("level", coins.LEVELS)
def test_level_is_the_number_of_persons(level):
    for problem in drawn(30, level=level):
        assert problem.level == len(problem.steps) == level
        names = [step.split()[0] for step in problem.steps]
        assert len(set(names)) == level
        assert all(name in problem.question for name in names)


@pytest.mark.parametrize("canonical", [False, True])
@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_answers_are_balanced(level, canonical):
    share = sum(p.answer == "yes" for p in drawn(3000, level=level, canonical=canonical)) / 3000
    assert 0.45 < share < 0.55


def test_steps_turn_the_coin_only_when_someone_flips():
    for problem in drawn(200, canonical=True):
        face = "heads"
        for step in problem.steps:
            did, result = step.split(": ")
            assert (result != face) == did.endswith(" flips")
            face = result
        assert problem.answer == ("yes" if face == "heads" else "no")


def test_canonical_wording_is_the_papers():
    problem = drawn(1, level=1, canonical=True)[0]
    name = problem.steps[0].split()[0]
    did = "flips" if "flips:" in problem.steps[0] else "does not flip"
    assert problem.question == f"A coin is heads up. {name} {did} the coin. Is the coin still heads up?"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (
            "A coin is heads up. Tom flips the coin. Ana does not flip the coin. Is the coin still heads up?",
            "no",
        ),
        ("A coin is heads up. Tom flips the coin. Ana flips the coin. Is the coin still heads up?", "yes"),
        ("There is a coin that shows tails. Tom flips it. Does it show heads now?", "yes"),
    ],
)
def test_solver_by_hand(question, answer):
    assert coins.solve(as_problem(question)) == answer


def test_splits_are_disjoint_and_samples_deterministic():
    samples = {split: worlds.sample("coins", split, 200, 5, 2, canonical=True) for split in worlds.SPLITS}
    assert len({problem.question for problems in samples.values() for problem in problems}) == 600
    assert samples["test"] == worlds.sample("coins", "test", 200, 5, 2, canonical=True)


@pytest.mark.parametrize("level", [0, 7, -1])
def test_levels_out_of_range_are_refused(level):
    with pytest.raises(InputError, match="1 to 6"):
        coins.generate(random.Random(0), level)


def test_solver_refuses_other_questions():
    with pytest.raises(InputError, match="Not a question about a coin"):
        coins.solve(as_problem("How many apples are there?"))
