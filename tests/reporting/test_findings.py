"""A title follows from the numbers: each sentence is worked out by hand on a few points."""

import pandas as pd
import pytest

from replication.evaluation.claims import Estimate
from replication.reporting import findings

NAN = float("nan")


def curve(*accuracies, n=40):
    return pd.DataFrame({"k": range(1, len(accuracies) + 1), "accuracy": accuracies, "n": n})


TWO = {"a": curve(0.25, 0.5, 1.0), "b": curve(0.074, 0.38, 0.381)}


def test_ends_of_curves():
    assert findings.moves(TWO) == "a: 25 to 100 %; b: 7.4 to 38.1 %"
    assert findings.moves({"a": curve()}) == "nothing measured"
    assert findings.moves({"a": curve(2.54, 0.69)}, scale=1, unit=" nats") == "a: 2.5 to 0.7 nats"


def test_last_values():
    series = {"a": curve(0.5, 0.774), "b": curve(0.686), "none": curve()}
    assert findings.last(series, "accuracy", unit=" nats") == "a: 0.77 nats; b: 0.69 nats"


def test_values_at_a_place():
    assert findings.at(TWO, "k", 2) == "a: 50 %; b: 38 %"
    assert findings.at({"a": curve(0.5), **TWO}, "k", 3) == "a: 100 %; b: 38.1 %"
    assert findings.at({"short": curve(0.5)}, "k", 3) == "nothing measured"


def test_the_first_two_change_with_the_numbers():
    assert findings.leader(TWO, "k", 3) == "a: 100 %; next, b: 38.1 %"
    assert (
        findings.leader({"a": curve(0.1), "b": curve(0.2), "c": curve(0.0)}, "k", 1)
        == "b: 20 %; next, a: 10 %"
    )
    assert findings.leader({"a": curve(0.1)}, "k", 1) == "a: 10 %"


def test_ranges_over_panels():
    panels = {"left": TWO, "right": {"a": curve(0, 0, 0.031), "b": curve(0, 0, 0.381)}}
    assert findings.spans(panels, "k", 3) == "a: 3.1 to 100 %; b: 38.1 %"


def test_where_a_curve_comes_to_rest():
    series = {
        "jump": curve(0.2, 0.2, 1, 0.995, 1),
        "late": curve(1, 0, 0, 0, 1),
        "flat": curve(1, 1, 1, 1, 1),
    }
    assert findings.settled(series, "k") == "jump: k = 3; late: k = 5; flat: k = 1"


def test_gains_and_differences_have_signs():
    e = [Estimate(value, 0, 1, 50) for value in (0.25, 1.0, 0.62, 0.54)]
    groups = {
        "stories": {"x": e[0], "y": e[1]},
        "parity": {"x": e[2], "y": e[3]},
        "none": {"x": e[0], "y": e[0]},
    }
    assert findings.gains(groups, "x", "y") == "stories: +75; parity: -8; none: 0 points"
    assert findings.differences(curve(0.4, 0.3, 0.5), curve(0.325, 0.4, 0.5)) == "-7.5, +10, 0 points"


def test_medians_leave_out_what_is_missing():
    assert findings.medians({"a": [0.1, NAN, 0.3], "b": [NAN], "c": [1.0]}) == "a: 0.20; c: 1.00"


def test_only_series_that_never_move_are_constant():
    assert findings.constant({"a": curve(1, 1, 1), "b": curve(1, 1, 2)}) == "a"
    assert findings.constant({"b": curve(1, 2)}) == "none"


@pytest.mark.parametrize(("ns", "said"), [((40, 40), "n = 40"), ((1, 40), "n = 1 to 40")])
def test_the_number_of_questions(ns, said):
    series = {str(n): curve(0.5, n=n) for n in ns}
    assert findings.counted(series) == f"{said} questions"
