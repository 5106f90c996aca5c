"""What published sample sizes can show."""

import math

import numpy as np
import pytest
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_effectsize

from replication.evaluation.paired import mcnemar
from replication.evaluation.power import (
    detectable_difference,
    half_width,
    published_difference,
    published_proportion,
)
from replication.settings import InputError


def test_half_widths():
    assert half_width(0.25, 1319) == pytest.approx(0.0233, abs=2e-4)
    assert 0.09 < half_width(0.44, 100) < 0.10
    assert half_width(0.25, 100) > half_width(0.25, 400) > half_width(0.25, 1319)


def test_published_numbers_with_intervals():
    assert published_proportion(0.44, 100).low == pytest.approx(0.3467, abs=1e-3)
    difference = published_difference(0.251, 0.129, 1319)
    assert difference.value == pytest.approx(0.122)
    assert 0.08 < difference.low < difference.high < 0.16
    assert published_difference(0.51, 0.44, 100).low < 0


def test_newcombe_interval_is_made_of_two_wilson_intervals():
    first, second = published_proportion(0.7, 80), published_proportion(0.6, 80)
    below = math.hypot(first.value - first.low, second.high - second.value)
    above = math.hypot(first.high - first.value, second.value - second.low)
    estimate = published_difference(0.7, 0.6, 80)
    assert (estimate.low, estimate.high) == pytest.approx((0.1 - below, 0.1 + above), abs=1e-9)


def test_unpaired_detectable_difference_agrees_with_the_arcsine_approximation():
    gain = detectable_difference(0.25, 1319)
    effect = proportion_effectsize(0.25 + gain, 0.25)
    assert NormalIndPower().power(effect, 1319, 0.05) == pytest.approx(0.8, abs=0.01)


def test_paired_detectable_difference_has_its_power():
    rng = np.random.default_rng(0)
    n, psi = 300, 0.2
    gain = detectable_difference(0.3, n, paired=True, discordant=psi)
    noticed = 0
    for _ in range(400):
        change = rng.choice([1, -1, 0], n, p=[(psi + gain) / 2, (psi - gain) / 2, 1 - psi])
        noticed += mcnemar(change == 1, change == -1).p_value < 0.05
    assert 0.70 < noticed / 400 < 0.88
    assert gain < detectable_difference(0.3, n, paired=True)


def test_what_cannot_be_noticed_is_not_a_number():
    assert math.isnan(detectable_difference(0.9, 10))
    assert math.isnan(detectable_difference(1.0, 1000))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"p": 1.2, "n": 10}, "fraction between 0 and 1, got 1.2"),
        ({"p": 0.5, "n": 0}, "at least 1, got 0"),
        ({"p": 0.5, "n": 9, "discordant": 0.1}, "paired comparison"),
    ],
)
def test_faults(arguments, message):
    with pytest.raises(InputError, match=message):
        detectable_difference(**arguments)
