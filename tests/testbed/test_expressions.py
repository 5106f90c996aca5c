"""The expressions world: shapes, reductions, bounds, an independent evaluation."""

import random
import re

import pytest

from replication.settings import InputError
from replication.testbed import expressions, worlds

EQUATION = re.compile(r"(-?\d+)([-+*])(-?\d+)=(-?\d+)")


def drawn(n=500, seed=1, **options):
    """Return `n` problems."""
    rng = random.Random(seed)
    return [expressions.generate(rng, **options) for _ in range(n)]


def as_problem(question):
    """Return a problem with this question, for the solver."""
    return worlds.Problem("expressions", question, "", ())


def test_solver_and_python_agree_on_500_problems():
    for problem in drawn():
        assert problem.question.endswith(" =")
        assert re.fullmatch(r"[-+*() \d]+", problem.question[:-2])
        python = eval(problem.question[:-2])  # digits, operators and brackets only
        assert expressions.solve(problem) == problem.answer == str(python)


def test_steps_are_true_bounded_and_end_in_the_answer():
    for problem in drawn():
        equations = [EQUATION.fullmatch(step).groups() for step in problem.steps]
        for left, op, right, result in equations:
            assert worlds.calculate(int(left), op, int(right)) == int(result)
            assert abs(int(result)) < expressions.BOUND
        assert equations[-1][-1] == problem.answer
        operands = re.findall(r"(?<![\d)] )-?\d+|(?<=[-+*] )-?\d+", problem.question)
        assert all(abs(int(operand)) <= 9 for operand in operands)


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("length", [2, 3, 4])
def test_depth_and_length_give_the_stated_shape(depth, length):
    for problem in drawn(50, depth=depth, length=length, canonical=True):
        text = problem.question[:-2]
        binary = re.findall(r" [-+*] ", text)
        assert len(binary) == problem.level == len(problem.steps) == expressions.operators(depth, length)
        assert text.count("(") == text.count(")") == (0, 1, 3)[depth]
        lists = re.findall(r"\(([^()]+)\)", text) or [text]
        assert all(len(re.split(r" [-+*] ", operands)) == length for operands in lists)


@pytest.mark.parametrize("level", expressions.LEVELS)
def test_level_is_the_number_of_operators(level):
    assert {len(problem.steps) for problem in drawn(50, level=level)} == {level}


def test_usual_lengths_give_the_listed_levels():
    assert {problem.level for problem in drawn()} == set(expressions.LEVELS)


def test_outer_bracket_is_optional_unless_canonical():
    assert {problem.question[:2] == "((" for problem in drawn(50, depth=2)} == {True, False}
    assert all(problem.question[:2] == "((" for problem in drawn(50, depth=2, canonical=True))


def test_products_come_first_and_brackets_from_left_to_right():
    class Script(random.Random):
        """Gives the operands and operators of ((3 + -2 * 4) - (4 * 2 - 1))."""

        numbers, operators = iter([3, -2, 4, 4, 2, 1]), iter(["+", "*", "*", "-"])

        def randint(self, low, high):
            return next(self.numbers)

        def choices(self, population, k):
            return [next(self.operators) for _ in range(k)]

        def choice(self, options):
            return "-" if options == "+-*" else options[0]

    problem = expressions.generate(Script(), depth=2, length=3, canonical=True)
    assert problem.question == "((3 + -2 * 4) - (4 * 2 - 1)) ="
    assert problem.steps == ("-2*4=-8", "3+-8=-5", "4*2=8", "8-1=7", "-5-7=-12")
    assert problem.answer == "-12"


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("(3 + -2) * (4 - 1) =", "3"),
        ("3 - 2 - 1 =", "0"),
        ("3--2*-4 =", "-5"),
        ("7 =", "7"),
        ("((2)) * 5 =", "10"),
    ],
)
def test_solver_by_hand(question, answer):
    assert expressions.solve(as_problem(question)) == answer


@pytest.mark.parametrize("question", ["", "3 + =", "(3 + 2 =", "3 + 2", "3 / 2 =", "3 2) =", "3 + 2) ="])
def test_solver_refuses_what_is_no_expression(question):
    with pytest.raises(InputError, match="Cannot read the expression"):
        expressions.solve(as_problem(question))


def test_no_answer_is_common():
    answers = [problem.answer for problem in drawn(1000)]
    assert max(answers.count(answer) for answer in set(answers)) < 60


def test_splits_are_disjoint_and_samples_deterministic():
    samples = {
        split: worlds.sample("expressions", split, 200, 5, depth=0, length=3) for split in worlds.SPLITS
    }
    questions = [problem.question for problems in samples.values() for problem in problems]
    assert len(set(questions)) == 600
    assert samples["test"] == worlds.sample("expressions", "test", 200, 5, depth=0, length=3)
    assert all(worlds.split_of(problem.question) == "test" for problem in samples["test"])


@pytest.mark.parametrize("options", [{"level": 6}, {"depth": 3}, {"length": 5}, {"level": 5, "depth": 0}])
def test_impossible_shapes_are_refused(options):
    with pytest.raises(InputError, match="No expression has"):
        drawn(1, **options)
