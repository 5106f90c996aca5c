from itertools import pairwise
from math import comb, isnan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.evaluation.pass_at_k import curve, powers_of_two
from replication.settings import InputError


def values(correct, n, ks=None):
    return [one.value for one in curve(correct, n, ks, resamples=10).values()]


def test_worked_values_of_64_samples():
    assert values([1], 64) == pytest.approx([k / 64 for k in powers_of_two(64)])
    four = [0.0625, 0.122024, 0.232525, 0.421933, 0.693756, 0.943404, 1]
    assert values([4], 64) == pytest.approx(four, abs=1e-6)
    assert values([19], 64, [1]) == pytest.approx([0.296875])
    assert values([0, 0], 64) == [0.0] * 7


@given(st.integers(1, 70).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.integers(0, n), min_size=1))))
def test_means_of_the_formula_that_never_fall(drawn):
    n, correct = drawn
    found = values(correct, n, range(1, n + 1))
    wanted = [np.mean([1 - comb(n - s, k) / comb(n, k) for s in correct]) for k in range(1, n + 1)]
    assert found == pytest.approx(wanted, abs=1e-10)
    assert all(later >= earlier - 1e-12 for earlier, later in pairwise(found))


def test_the_interval_is_over_units():
    few, many = (curve(np.tile([0, 3, 8, 20], times), 64, [4])[4] for times in (2, 50))
    assert few.value == pytest.approx(many.value)
    assert (few.n, many.n) == (8, 200)
    assert few.low < many.low < many.value < many.high < few.high
    assert isnan(curve([], 8, [1])[1].value)


def test_powers_of_two_up_to_n():
    assert powers_of_two(64) == (1, 2, 4, 8, 16, 32, 64)
    assert powers_of_two(20) == (1, 2, 4, 8, 16)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (([1], 4, [5]), "k=5 and 4 samples"),
        (([1], 4, [0]), "k=0"),
        (([5], 4, [1]), "right samples"),
        (([0], 0), "n >= 1"),
    ],
)
def test_bad_input(arguments, says):
    with pytest.raises(InputError, match=says):
        curve(*arguments)
