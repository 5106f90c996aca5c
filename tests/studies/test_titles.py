"""Titles follow the numbers that their figures draw."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from replication.evaluation.claims import NOTHING, Estimate
from replication.studies import eta_sampling_titles, min_p_titles, rho1_titles


def frame(**columns):
    return pd.DataFrame(columns)


def outcomes(**accuracies):
    """One path for each of 40 questions, at T = 3; the first questions are right."""
    rows = [
        {"question": f"q{i}", "correct": i < 40 * accuracy, "sampler": name, "temperature": 3.0}
        for name, accuracy in accuracies.items()
        for i in range(40)
    ]
    return pd.DataFrame(rows)


def test_min_p_and_top_p_at_the_highest_temperature():
    assert min_p_titles.at_last(outcomes(**{"min-p 0.1": 0.9, "top-p 0.9": 0.1})) == (
        "min-p 0.1 is 80 points above top-p 0.9 at T = 3"
    )
    same = outcomes(**{"min-p 0.1": 0.5, "top-p 0.9": 0.5})
    assert min_p_titles.at_last(same) == "min-p 0.1 and top-p 0.9 cannot be told apart at T = 3"


def test_up_to_where_half_of_the_paths_are_right():
    rows = frame(temperature=[1.0, 2.0, 3.0], accuracy=[0.9, 0.5, 0.4])
    curves = {"min-p 0.1": rows, "top-p 0.9": rows.assign(accuracy=0.1)}
    assert min_p_titles.half_right(curves) == (
        "At least half of the paths are right with min-p 0.1: up to T = 2, with top-p 0.9: at none"
    )


def test_best_of_n_says_both_ends():
    rows = frame(N=[24, 1], accuracy=[0.0, -0.058])
    assert min_p_titles.best_of({"best of the three": rows}).endswith(
        "-5.8 points at N = 1, 0.0 points at N = 24"
    )


def test_published_ranges_are_those_of_the_task():
    published = frame(task=["GSM8K", "GPQA"], N=[1, 1], low=[-0.16, -0.04], high=[-0.04, 0.04])
    assert min_p_titles.ranges(published) == [(1.0, -0.16, -0.04)]


def test_kept_tokens_span_the_prefixes():
    found = {"a": (frame(), {"η": 3, "ε": 1}), "b": (frame(), {"η": 33, "ε": 1})}
    assert eta_sampling_titles.kept(found) == "Tokens kept over 2 prefixes: η: 3 to 33, ε: 1 to 1"


def test_mass_and_spread():
    gap = Estimate(-0.02, -0.03, -0.01, 50)
    assert eta_sampling_titles.mass({"C0a": gap, "C0b": NOTHING}) == (
        "Mass on impossible tokens at high entropy is 2.0 points below that at low entropy"
    )
    assert "cannot be told apart" in eta_sampling_titles.mass({"C0a": Estimate(0.0, -0.1, 0.1, 50)})
    assert eta_sampling_titles.mass({"C0a": "unknown"}) == "Mass on impossible tokens"
    values = np.log(10) * np.linspace(0, 10, 101)
    assert eta_sampling_titles.spread(values).endswith("span 9.0 powers of ten")


def test_recall_is_that_of_the_last_bin():
    rows = frame(bin=["one token", "3 and more"], accuracy=[1.0, 0.72])
    panels = {"recall": {"ε": rows, "η": rows.assign(accuracy=[1.0, 0.87])}}
    assert (
        eta_sampling_titles.recall(panels) == "True tokens kept at an entropy of 3 and more: ε: 72 %, η: 87 %"
    )
    assert eta_sampling_titles.recall({"recall": {}}) == "No bin has a text"


def test_what_lies_beyond_the_figure_is_named():
    panels = {"0 to 1": {"typical": frame(sampler=["sampling", "typical 0.2"], tv=[0.0, 0.7])}}
    assert eta_sampling_titles.beyond(panels, 0.1) == "beyond the right end: typical 0.2"
    assert eta_sampling_titles.beyond(panels, 0.8) == "all settings are shown"


def test_the_largest_share_of_a_panel():
    panels = {"in the loop": {"plain": frame(bin=["greedy", "η"], accuracy=[0.0, 0.012])}}
    assert eta_sampling_titles.loops(panels, "in the loop") == "Largest share in the loop: plain: 1.2 % (η)"


def test_pages_by_kind_by_excess_and_by_time():
    assert rho1_titles.share(["a", "b", None, "a"], ("a",), "are a") == "50 % of the page's tokens are a"
    assert rho1_titles.kept([0.5, -1.0, 2.0], [True, False, True]) == (
        "67 % of the page is kept, from an excess loss of 0.50 nats on"
    )
    assert rho1_titles.kept([0.5], [False]) == "0 % of the page is kept"
    assert rho1_titles.learning([0.05, 0.2], 2000) == (
        "After 2 thousand tokens: excess loss of 0.1 nats or more at 50 % of the page"
    )


def test_losses_of_classes_and_of_single_tokens():
    curves = {"H->L": frame(value=[7.94, 1.06]), "none": frame(value=[np.nan, np.nan])}
    assert rho1_titles.ends(curves) == "Mean loss, nats: H->L 7.9 to 1.1"
    panels = {"L->L": {"token 1": frame(value=[0.1, 3.9, 0.2])}}
    assert "by up to 3.8 nats" in rho1_titles.swings(panels)


def test_slm_against_clm():
    claims = {"C6a": Estimate(0.06, 0.05, 0.07, 60), "C6b": Estimate(-1.26, -1.5, -1.0, 60)}
    assert rho1_titles.losses(claims) == (
        "SLM is 0.06 nats below CLM on target text; SLM is 1.26 nats above CLM on selected tokens"
    )
    assert rho1_titles.worlds(Estimate(0.15, 0.08, 0.23, 200)) == (
        "SLM is 15 points above CLM on the mean of the worlds"
    )


@pytest.mark.parametrize(
    ("estimate", "said"),
    [
        (Estimate(16, 7.27, 16, 60), "SLM reaches CLM's final accuracy 16 times earlier [7, 16]"),
        (Estimate(1, 1, 1, 60), "SLM does not reach the final accuracy of CLM earlier"),
        (NOTHING, "SLM does not reach the final accuracy of CLM earlier"),
    ],
)
def test_how_much_earlier(estimate, said):
    assert rho1_titles.earlier(estimate) == said


def test_the_best_ratio_and_the_selection_that_changes():
    curve = frame(ratio=[40.0, 60.0, 100.0], accuracy=[0.55, 0.52, 0.11])
    assert rho1_titles.best_ratio(curve) == "Highest at 40 %: 55 % right; all tokens: 11 %"
    assert rho1_titles.turnover(frame(value=[0.2, 0.1, 0.02])).endswith(
        "20.0 % in the first third, 2.0 % in the last"
    )


def test_a_bump_of_one_seed_has_no_other_to_compare():
    losses = np.array([[[1.0, 1.0], [2.0, 1.0], [1.0, 1.0]]])
    found = SimpleNamespace(losses=losses, reference=np.zeros(2), page=np.zeros(2, dtype=int))
    assert (
        rho1_titles.bump(found)
        == "Bump of the loss where tokens are chosen, nats: chosen by the learner: 1.000"
    )
