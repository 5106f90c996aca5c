"""Accuracy against k from the prefixes of one run."""

import numpy as np
import pandas as pd
import pytest

from replication.evaluation.curves import accuracy_curve, by_prefix
from replication.settings import InputError


def frame():
    return pd.DataFrame(
        {
            "question": ["a", "a", "a", "b", "b", "b"],
            "branch": [2, 0, 1, 0, 1, 2],
            "score": [0.9, 0.1, 0.5, 0.8, 0.3, 0.9],
            "right": [True, False, True, False, True, True],
        }
    )


def best_is_right(branches):
    return branches.loc[branches["score"].idxmax(), "right"]


def test_prefixes_are_sorted_by_branch_and_judged_one_by_one():
    outcomes = by_prefix(frame(), best_is_right)
    assert outcomes.index.tolist() == ["a", "b"]
    assert outcomes.columns.tolist() == [1, 2, 3]
    assert outcomes.to_numpy().tolist() == [[0, 1, 1], [0, 0, 1]]


def test_prefixes_equal_separate_runs():
    rng = np.random.default_rng(0)
    n, k = 20, 5
    data = pd.DataFrame({"question": np.repeat(np.arange(n), k), "branch": np.tile(np.arange(k), n)})
    data["score"], data["right"] = rng.random(n * k), rng.random(n * k) < 0.5
    outcomes = by_prefix(data, best_is_right, [1, 3, 5])
    for size in (1, 3, 5):
        alone = by_prefix(data[data["branch"] < size], best_is_right, [size])
        assert outcomes[size].tolist() == alone[size].tolist()


def test_a_missing_branch_is_refused():
    with pytest.raises(InputError, match="'a' needs branches 0 to 2"):
        by_prefix(frame().drop(index=2), best_is_right)


def test_curve_has_an_interval_per_step():
    curve = accuracy_curve(by_prefix(frame(), best_is_right))
    assert curve.columns.tolist() == ["k", "accuracy", "low", "high", "n"]
    assert curve["accuracy"].tolist() == [0.0, 0.5, 1.0]
    assert curve["n"].tolist() == [2, 2, 2]
    assert (curve["low"] <= curve["accuracy"]).all()
