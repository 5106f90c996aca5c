"""Verdicts by rule, and their file."""

import json
import math
import multiprocessing
from dataclasses import fields

import numpy as np
import pytest

from replication.evaluation import claims
from replication.evaluation.claims import (
    ClaimResult,
    ClaimsFile,
    Estimate,
    describe,
    judge,
    met,
    result,
    rule,
    unmet_reason,
    untestable,
)
from replication.evaluation.paired import difference
from replication.papers import Claim, Precondition
from replication.settings import InputError

GREATER = {"kind": "greater", "estimate": "A minus B", "null": 0.0, "margin": 0.1}
LESS = {"kind": "less", "estimate": "A minus B", "null": 0.0, "margin": -0.1}
PLAIN = {"kind": "greater", "estimate": "A minus B"}
WITHIN = {"kind": "within", "estimate": "A minus B", "low": -0.1, "high": 0.1}


def claim(name="C1", notebook="01_first", test=GREATER, requires=None):
    return Claim(name, f"Statement {name}.", "Table 1", notebook, test, "20 against 10", requires)


class Card:
    key = "toy"
    preconditions = (
        Precondition("P1", "It can add.", {"kind": "greater", "estimate": "accuracy", "null": 0.75}),
        Precondition("P2", "It is direct.", {"kind": "less", "estimate": "share", "null": 0.45}),
    )


@pytest.mark.parametrize(
    ("low", "high", "test", "verdict"),
    [
        (0.11, 0.30, GREATER, "reproduced"),
        (0.10, 0.30, GREATER, "partly"),
        (0.01, 0.30, GREATER, "partly"),
        (0.01, 0.05, GREATER, "partly"),
        (0.00, 0.30, GREATER, "inconclusive"),
        (-0.05, 0.30, GREATER, "inconclusive"),
        (-0.05, 0.10, GREATER, "inconclusive"),
        (-0.05, 0.09, GREATER, "not reproduced"),
        (0.00, 0.09, GREATER, "not reproduced"),
        (-0.20, 0.00, GREATER, "not reproduced"),
        (-0.20, -0.10, GREATER, "not reproduced"),
        (0.01, 0.30, PLAIN, "reproduced"),
        (0.00, 0.30, PLAIN, "inconclusive"),
        (-0.10, 0.30, PLAIN, "inconclusive"),
        (-0.10, 0.00, PLAIN, "not reproduced"),
        (0.00, 0.00, PLAIN, "not reproduced"),
        (-0.30, -0.11, LESS, "reproduced"),
        (-0.30, -0.10, LESS, "partly"),
        (-0.30, -0.01, LESS, "partly"),
        (-0.30, 0.00, LESS, "inconclusive"),
        (-0.10, 0.05, LESS, "inconclusive"),
        (-0.09, 0.05, LESS, "not reproduced"),
        (0.00, 0.20, LESS, "not reproduced"),
        (-0.10, 0.10, WITHIN, "reproduced"),
        (-0.11, 0.05, WITHIN, "inconclusive"),
        (0.05, 0.30, WITHIN, "inconclusive"),
        (0.10, 0.30, WITHIN, "inconclusive"),
        (-0.30, 0.30, WITHIN, "inconclusive"),
        (0.11, 0.30, WITHIN, "not reproduced"),
        (-0.30, -0.11, WITHIN, "not reproduced"),
    ],
)
def test_every_branch_and_boundary(low, high, test, verdict):
    word, reason = judge(test, Estimate((low + high) / 2, low, high, 100))
    assert word == verdict
    assert "n = 100" in reason
    assert reason.endswith(".")


@pytest.mark.parametrize("test", [GREATER, LESS, WITHIN])
def test_less_is_the_mirror_of_greater_and_nothing_is_not_testable(test):
    empty = Estimate(math.nan, 0.0, 1.0, 5), Estimate(0.5, 0.4, math.nan, 5), Estimate(0.5, 0.4, 0.6, 0)
    for estimate in empty:
        assert judge(test, estimate)[0] == "not testable"
    rng = np.random.default_rng(0)
    for low, width in zip(rng.uniform(-0.3, 0.3, 50), rng.uniform(0, 0.3, 50), strict=True):
        estimate = Estimate(low + width / 2, low, low + width, 10)
        assert judge(GREATER, estimate)[0] == judge(LESS, -estimate)[0]


@pytest.mark.parametrize(
    ("low", "high", "room", "test", "verdict"),
    [
        (-0.01, 0.01, 0.0, PLAIN, "not testable"),  # both sides right everywhere
        (-0.01, 0.01, 0.0, GREATER, "not testable"),
        (-0.01, 0.01, 0.05, PLAIN, "inconclusive"),  # there was room
        (-0.01, 0.01, 0.05, GREATER, "not reproduced"),
        (-0.01, 0.01, None, PLAIN, "inconclusive"),
        (-0.20, -0.05, 0.0, PLAIN, "not reproduced"),  # a loss is one, room or not
        (-0.01, 0.01, 0.0, LESS, "not testable"),
        (0.05, 0.20, 0.0, LESS, "not reproduced"),
        (0.02, 0.30, 0.4, PLAIN, "reproduced"),
        (-0.01, 0.01, 0.0, WITHIN, "reproduced"),  # one-sided claims only
    ],
)
def test_without_room_nothing_can_be_shown(low, high, room, test, verdict):
    word, reason = judge(test, Estimate((low + high) / 2, low, high, 100), room)
    assert word == verdict
    assert ("no amount of data" in reason) == (verdict == "not testable")
    assert "more data" not in reason or verdict == "inconclusive"


def test_the_reason_without_room_names_the_bound():
    word, reason = judge(PLAIN, Estimate(0.0, -0.01, 0.01, 200), 0.0)
    assert word == "not testable"
    assert reason == (
        "Measured 0.00 [-0.01, 0.01], n = 200: there is no room, the largest value possible here is 0.00 and "
        "the claim asks for more than 0.00, so that no amount of data could show it."
    )


def test_unknown_kind_is_refused():
    with pytest.raises(InputError, match="greater, less or within, got 'near'"):
        judge({"kind": "near"}, Estimate(0, 0, 0, 1))


@pytest.mark.parametrize(
    ("estimate", "test", "text"),
    [
        (Estimate(0.3127, 0.268, 0.361, 500), GREATER,
         "Measured 0.31 [0.27, 0.36], n = 500: the whole interval lies above the margin 0.10."),
        (Estimate(0.05, 0.02, 0.08, 500), GREATER,
         "Measured 0.05 [0.02, 0.08], n = 500: "
         "the interval lies above 0.00 but not above the margin 0.10."),
        (Estimate(-0.001, -0.02, 0.08, 9), GREATER,
         "Measured 0.00 [-0.02, 0.08], n = 9: the whole interval lies below the margin 0.10."),
        (Estimate(0.004, 0.002, 0.04, 9), PLAIN,
         "Measured 0.004 [0.002, 0.040], n = 9: the whole interval lies above the margin 0.000."),
        (Estimate(0.05, -0.02, 0.12, 9), PLAIN,
         "Measured 0.05 [-0.02, 0.12], n = 9: "
         "the interval spans the margin 0.00, more data would be needed."),
        (Estimate(0.0, -0.02, 0.02, 9), WITHIN,
         "Measured 0.00 [-0.02, 0.02], n = 9: the whole interval lies within [-0.10, 0.10]."),
    ],
)  # fmt: skip
def test_reasons_are_plain_sentences(estimate, test, text):
    assert judge(test, estimate)[1] == text


def test_rules_read_as_one_line():
    assert rule(GREATER) == "A minus B > 0.10 (partly: > 0.00)"
    assert rule(LESS) == "A minus B < -0.10 (partly: < 0.00)"
    assert rule(PLAIN) == "A minus B > 0.00"
    assert rule(WITHIN) == "A minus B in [-0.10, 0.10]"
    assert rule({"kind": "greater", "estimate": "x", "null": 0.125}) == "x > 0.125"


@pytest.mark.parametrize(
    ("n", "first", "second", "expected"),
    [
        (600, 0.55, 0.15, "reproduced"),
        (600, 0.30, 0.30, "not reproduced"),
        (6, 0.60, 0.40, "inconclusive"),
    ],
)
def test_synthetic_data_with_known_outcome(n, first, second, expected):
    rng = np.random.default_rng(0)
    pairs = [(rng.random(n) < first, rng.random(n) < second) for _ in range(40)]
    words = [judge(GREATER, difference(*pair, resamples=500))[0] for pair in pairs]
    assert words.count(expected) >= 32


def test_no_effect_is_hardly_ever_called_reproduced():
    rng = np.random.default_rng(1)
    words = [
        judge(PLAIN, difference(rng.random(n) < 0.4, rng.random(n) < 0.4, resamples=500, seed=n))[0]
        for n in range(5, 105)
    ]
    assert words.count("reproduced") <= 7


@pytest.mark.parametrize(
    ("test", "value", "expected"),
    [
        ({"kind": "greater", "null": 0.75}, 0.75, True),
        ({"kind": "greater", "null": 0.75}, 0.74, False),
        ({"kind": "greater", "null": 0.5, "margin": 0.75}, 0.74, False),
        ({"kind": "less", "null": 0.45}, 0.45, True),
        ({"kind": "less", "null": 0.45}, 0.46, False),
        ({"kind": "within", "low": 0.1, "high": 0.2}, 0.2, True),
        ({"kind": "within", "low": 0.1, "high": 0.2}, 0.21, False),
        ({"kind": "greater", "null": 0.0}, math.nan, False),
    ],
)
def test_preconditions_are_met_by_value(test, value, expected):
    assert met(test, Estimate(value, value - 0.1, value + 0.1, 20)) is expected


def test_unmet_preconditions_are_named_with_their_value():
    good, bad = Estimate(0.9, 0.8, 0.95, 40), Estimate(0.62, 0.5, 0.7, 40)
    assert unmet_reason(Card, claim(), {"P1": good, "P2": -good}) == ""
    reason = unmet_reason(Card, claim(), {"P1": good, "P2": bad})
    assert reason == (
        "Precondition not met: P2 (It is direct) asks for at most 0.45, measured 0.62 [0.50, 0.70], n = 40."
    )
    assert unmet_reason(Card, claim(requires=("P1",)), {"P1": good}) == ""
    assert unmet_reason(Card, claim(requires=()), {}) == ""
    with pytest.raises(InputError, match="C1 needs precondition\\(s\\) P2"):
        unmet_reason(Card, claim(), {"P1": good})
    assert describe(Card.preconditions[0], claims.NOTHING).endswith("measured nothing")


def test_fields_are_the_contract():
    names = "paper claim statement source published measured ci_low ci_high n test verdict reason notebook"
    assert [field.name for field in fields(ClaimResult)] == names.split()


def test_a_claim_without_measurement_is_stored_with_nulls(tmp_path):
    file = ClaimsFile(tmp_path / "claims.json")
    file.replace("01_first", [result("toy", claim(), Estimate(math.nan, math.nan, math.nan, 0))], ["C1"])
    entry = json.loads(file.path.read_text())[0]
    assert (entry["measured"], entry["ci_low"], entry["n"]) == (None, None, 0)
    assert entry["verdict"] == "not testable"


def entries(names, notebook):
    return [untestable("toy", claim(name, notebook), f"from {notebook}") for name in names]


def test_two_notebooks_merge_in_the_order_of_the_paper(tmp_path):
    file = ClaimsFile(tmp_path / "toy" / "claims.json")
    order = ["C1", "C2", "C3"]
    assert file.read() == []
    file.replace("02_second", entries(["C3", "C2"], "02_second"), order)
    file.replace("01_first", entries(["C1"], "01_first"), order)
    assert [entry["claim"] for entry in file.read()] == order
    before = file.path.read_bytes()
    file.replace("01_first", entries(["C1"], "01_first"), order)
    assert file.path.read_bytes() == before
    file.replace("02_second", entries(["C3"], "02_second"), order)
    assert [entry["claim"] for entry in file.read()] == ["C1", "C3"]
    file.replace("01_first", entries(["C1"], "01_first"), ["C1"])
    assert [entry["claim"] for entry in file.read()] == ["C1"]


def test_a_file_that_holds_no_claims_is_refused(tmp_path):
    file = ClaimsFile(tmp_path / "claims.json")
    for text in ("not json", '[{"claim": "C1"}]', "3"):
        file.path.write_text(text)
        with pytest.raises(InputError, match="delete it"):
            file.read()


def write_often(path, notebook, name, start):
    start.wait()
    for _ in range(20):
        ClaimsFile(path).replace(notebook, entries([name], notebook), ["C1", "C2"])


def test_two_processes_lose_nothing(tmp_path):
    context = multiprocessing.get_context("fork")
    start = context.Event()
    path = tmp_path / "claims.json"
    workers = [
        context.Process(target=write_often, args=(path, notebook, name, start))
        for notebook, name in (("01_first", "C1"), ("02_second", "C2"))
    ]
    for worker in workers:
        worker.start()
    start.set()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert [entry["claim"] for entry in ClaimsFile(path).read()] == ["C1", "C2"]


@pytest.mark.parametrize(
    ("low", "high", "reach"),
    [
        (0.30, 0.40, {"reproduced"}),
        (0.12, 0.40, {"reproduced", "partly"}),
        (0.01, 0.40, {"partly", "inconclusive"}),
        (-0.3, -0.2, {"not reproduced"}),
        (-0.2, 0.08, {"not reproduced", "inconclusive"}),
    ],
)
def test_verdicts_within_reach_of_a_small_move(low, high, reach):
    test = {"kind": "greater", "null": 0.0, "margin": 0.1}
    assert claims.within_reach(test, Estimate((low + high) / 2, low, high, 50), 0.03) == reach


def test_nothing_measured_reaches_no_other_verdict():
    test = {"kind": "within", "low": -0.1, "high": 0.1}
    assert claims.within_reach(test, Estimate(math.nan, math.nan, math.nan, 0), 0.5) == {"not testable"}
    assert claims.within_reach(test, Estimate(0.0, -0.05, 0.09, 9), 0.03) == {"reproduced", "inconclusive"}
