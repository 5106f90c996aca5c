"""Titles say what the interval of a difference allows, and nothing more."""

import pytest

from replication.evaluation.claims import NOTHING, Estimate
from replication.evaluation.wording import versus


@pytest.mark.parametrize(
    ("gap", "said"),
    [
        (Estimate(0.24, 0.20, 0.28, 200), "min-p is 24 points above top-p at T = 3"),
        (Estimate(-0.24, -0.28, -0.20, 200), "min-p is 24 points below top-p at T = 3"),
        (Estimate(0.02, -0.01, 0.05, 200), "min-p and top-p cannot be told apart at T = 3"),
        (Estimate(0.02, 0.0, 0.05, 200), "min-p and top-p cannot be told apart at T = 3"),
        (NOTHING, "min-p against top-p at T = 3: not measured"),
    ],
)
def test_the_interval_decides_what_is_said(gap, said):
    assert versus("min-p", "top-p", gap, "at T = 3") == said


def test_units_and_decimals():
    gap = Estimate(0.0312, 0.01, 0.05, 9)
    assert versus("SLM", "CLM", gap, unit="nats", scale=1, decimals=2) == "SLM is 0.03 nats above CLM"
    assert versus("SLM", "CLM", -gap, unit="", scale=10, decimals=1) == "SLM is 0.3 below CLM"
