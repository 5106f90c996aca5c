"""Published numbers of Rho-1 come to stand where the figures of this run have theirs."""

import numpy as np
import pandas as pd
import pytest

from replication import papers
from replication.studies import rho1_results, rho1_selection, rho1_trajectories


def published(name):
    entry = papers.load("rho1").published[name]
    return pd.DataFrame([list(row) for row in entry.rows], columns=list(entry.columns))


def test_classes_have_their_losses_at_their_billions():
    found = rho1_trajectories.published_curves(published("figure_3"))
    assert found["H->L"] == [(1.0, 3.34), (15.0, 2.51)]
    assert list(found) == ["H->H", "L->H", "H->L", "L->L"]


def test_ends_of_figure_6_stand_at_the_ends_of_this_run():
    found = rho1_selection.published_losses(published("figure_6"), np.array([0, 2048, 4096]))
    assert found["target"]["SLM"] == [(0.0, 1.097), (4096.0, 0.859)]
    assert set(found) == {"selected", "target", "unselected"}
    assert set(found["unselected"]) == {"CLM", "SLM"}


def test_figure_1_has_the_small_model_under_our_names():
    found = rho1_results.published_curves(published("figure_1"))
    assert found["SLM, 60 %"][0] == found["CLM"][0] == (0.0, 3.05)
    assert found["SLM, 60 %"][-1] == (15.0, 22.0)
    assert found["7B CLM"][-1] == (15.0, 32.5)


def test_rows_of_the_main_table_are_rows_of_table_1():
    known = published("table_1").drop_duplicates("model").set_index("model")["GSM8K"]
    found = {ours: known[theirs] for ours, theirs in rho1_results.PRINTED.items()}
    assert found == {"base": 2.9, "CLM": 6.4, "SLM, 60 %": 29.8}


def test_curves_in_percent():
    frame = pd.DataFrame(
        {"read": [0, 8], "accuracy": [0.1, 0.5], "low": [0.0, 0.4], "high": [0.2, 0.6], "n": 9}
    )
    found = rho1_results.in_percent({"CLM": frame})["CLM"]
    assert found["value"].tolist() == pytest.approx([10, 50])
    assert found["high"].tolist() == pytest.approx([20, 60])
    assert found["read"].tolist() == [0, 8]


def test_a_quarter_of_the_tokens_is_restless():
    spread = np.arange(8.0)
    assert rho1_trajectories.restless(spread) == 6
    assert (spread >= rho1_trajectories.restless(spread)).mean() == 0.25
