"""Kept sets against the true support, on logits and truths worked by hand."""

import numpy as np
import pandas as pd
import pytest
import torch

from replication.studies import support
from replication.studies.samplers import Sampler

LOGITS = torch.tensor([[3.0, 2.0, 1.0, 0.0], [3.0, 2.0, 1.0, 0.0], [0.0, 0.0, 5.0, 0.0]])
TRUTH = torch.tensor([[0.5, 0.5, 0.0, 0.0], [0.0, 0.7, 0.0, 0.3], [0.0, 0.0, 1.0, 0.0]])
PLACE = pd.DataFrame(
    {
        "kind": ["answers"] * 3,
        "text": [0, 0, 1],
        "index": [3, 4, 3],
        "entropy": [0.69, 0.61, 0.0],
        "valid": [2, 2, 1],
    }
)


@pytest.fixture
def evidence():
    return support.Evidence(LOGITS, TRUTH, PLACE)


def test_two_tokens_kept_out_of_four(evidence):
    rows = support.recovery(evidence, Sampler("top-k", 2))
    assert rows["kept"].tolist()[:2] == [2, 2]
    assert rows["recall"].tolist()[:2] == [1.0, 0.5]
    assert rows["precision"].tolist()[:2] == [1.0, 0.5]
    assert rows["f1"].tolist()[:2] == [1.0, 0.5]
    p = 1 / (1 + np.exp(-1.0))  # of the first of two tokens one apart
    np.testing.assert_allclose(rows["impossible"][:2], [0.0, p], atol=1e-6)
    np.testing.assert_allclose(rows["lost"][:2], [0.0, 0.3], atol=1e-6)


def test_plain_sampling_keeps_all_and_loses_nothing(evidence):
    rows = support.recovery(evidence, Sampler())
    assert rows["kept"].tolist() == [4, 4, 4]
    assert rows["recall"].tolist() == [1, 1, 1]
    assert rows["lost"].tolist() == [0, 0, 0]
    mass = LOGITS.softmax(-1)
    np.testing.assert_allclose(rows["impossible"][0], mass[0, 2:].sum(), atol=1e-6)


def test_temperature_spreads_the_mass(evidence):
    cold, hot = (support.recovery(evidence, Sampler(), t)["impossible"][2] for t in (0.5, 5.0))
    assert cold < 0.01 < hot


def test_blocks_do_not_matter(evidence, monkeypatch):
    whole = support.recovery(evidence, Sampler("min-p", 0.1), 2.0)
    monkeypatch.setattr(support, "BLOCK", 2)
    pd.testing.assert_frame_equal(whole, support.recovery(evidence, Sampler("min-p", 0.1), 2.0))


def test_the_text_is_the_unit(evidence):
    rows = support.recovery(evidence, Sampler("top-k", 2))
    e = support.estimate(rows, "recall")
    assert (e.value, e.n) == (pytest.approx((0.75 + 1.0) / 2), 2)


def test_tables_and_curves_hold_every_cell(evidence):
    samplers, temperatures = [Sampler(), Sampler("top-k", 2)], [1.0, 3.0]
    swept = support.sweep(evidence, samplers, temperatures)
    shown = support.table(swept, "kept")
    assert shown["sampler"].tolist() == ["sampling", "top-k 2"]
    assert [e.value for e in shown["T = 1"]] == [4.0, 3.0]  # the third row ties: top-k keeps all four
    drawn = support.curves(swept, "kept")
    assert drawn["sampling"]["temperature"].tolist() == [1.0, 3.0]
    assert set(drawn) == {"sampling", "top-k 2"}


def test_entropy_bins_hold_their_lower_edge(evidence):
    rows = support.recovery(evidence, Sampler())
    bins = support.by_entropy(rows, [0.0, 0.61, 0.69, 2.0, 9.0])
    assert {label: len(own) for label, own in bins.items()} == {
        "0 to 0.61": 1,
        "0.61 to 0.69": 1,
        "0.69 to 2": 1,
    }


def test_chosen_places(evidence):
    few = evidence.chosen(PLACE["entropy"] > 0.65)
    assert few.logits.shape == (1, 4)
    assert few.place["index"].tolist() == [3]
