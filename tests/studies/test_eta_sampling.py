"""What is kept of texts, in bins of the entropy: rows worked by hand, and a tiny model."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from replication.decoding.eta_sampling import absolute_violations, relative_violations
from replication.decoding.experiment import Experiment
from replication.settings import InputError
from replication.studies import eta_sampling as study
from replication.studies.samplers import Sampler

SIZES = {
    "n_texts": 2,
    "n_wide": 2,
    "n_questions": 4,
    "samples": 2,
    "prompt_tokens": 6,
    "max_new_tokens": 8,
}


@pytest.fixture
def small(experiment):
    """An experiment with the sizes of this paper."""
    return Experiment(replace(experiment.settings, paper="eta_sampling", sizes=SIZES))


def test_thresholds_are_scaled_to_the_vocabulary():
    assert study.scaled(3e-4, 50257) == pytest.approx(3e-4)
    assert study.scaled(3e-4, 2048) == pytest.approx(0.007362, rel=1e-3)
    assert study.scaled(4e-3, 14) == study.LARGEST
    assert study.sampler("top-p", 0.95, 14).value == 0.95
    assert study.sampler("η", 6e-4, 2048).value == pytest.approx(0.014724, rel=1e-3)


def test_grids_run_from_the_value_that_cuts_least():
    logits = torch.randn(20, 500, generator=torch.Generator().manual_seed(0)) * 3
    for rule, own in study.grid(500).items():
        sizes = [float(s.keep(logits).sum()) for s in own]
        assert sizes == sorted(sizes, reverse=True), rule


def test_every_sampler_is_measured_once_and_holds_the_published_ones():
    labels = [s.label for s in study.every(2048)]
    assert len(labels) == len(set(labels))
    assert {s.label for s in study.published(2048).values()} <= set(labels)
    assert {"ε 0.0003", "η 0.0006", "sampling"} <= set(labels)
    assert len(study.every(50257)) == len(labels) - 2  # as printed is as scaled there


def test_kept_by_hand():
    p = torch.tensor([[0.5, 0.25, 0.125, 0.0625, 0.0625]])
    valid = torch.tensor([[True, True, False, True, False]])
    rows = study.kept(p.log(), valid, [Sampler("ε", 0.1), Sampler()], 0.2)
    cut, whole = rows["ε 0.1"].iloc[0], rows["sampling"].iloc[0]
    assert cut["kept"] == 3
    assert cut["tv"] == pytest.approx(0.125)
    q = np.array([4, 2, 1]) / 7
    assert cut["entropy_kept"] == pytest.approx(-(q * np.log(q)).sum(), abs=1e-6)
    assert (cut["precision"], cut["recall"]) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert cut["f1"] == pytest.approx(2 / 3)
    assert (whole["tv"], whole["recall"], whole["precision"]) == (0, 1, pytest.approx(0.6))
    assert whole["entropy_kept"] == pytest.approx(1.299651, abs=1e-5)


def test_violations_are_those_of_the_method_module():
    logits = torch.randn(200, 40, generator=torch.Generator().manual_seed(1)) * 2
    p, epsilon = logits.softmax(-1), 0.05
    chosen = [Sampler("top-p", 0.8), Sampler("ε", epsilon), Sampler("η", epsilon), Sampler("typical", 0.5)]
    rows = study.kept(logits, None, chosen, epsilon)
    for one in chosen:
        keep = one.keep(logits)
        found = rows[one.label]
        assert found["absolute"].tolist() == (absolute_violations(p, keep, epsilon) > 0).float().tolist()
        assert found["relative"].tolist() == (relative_violations(p, keep, epsilon**0.5) > 0).float().tolist()
        assert found["recall"].isna().all()
    assert rows["top-p 0.8"]["absolute"].any()
    assert rows["ε 0.05"]["relative"].any()
    assert not rows["ε 0.05"]["absolute"].any()
    assert not rows["η 0.05"][["absolute", "relative"]].to_numpy().any()


def test_bins_of_the_truth_and_of_the_model():
    values = np.array([0.0, 0.005, 0.01, 0.49, 0.5, 2.99, 3.0, 9.0, np.nan])
    assert study.true_bin(values).tolist() == [
        "one token", "one token", "0.01 to 0.5", "0.01 to 0.5", "0.5 to 1", "2 to 3", "3 and more",
        "3 and more", "unknown",
    ]  # fmt: skip
    assert study.model_bin(np.array([0.0, 0.01, 0.3, 7.5, 8.0])).tolist() == [
        "below 0.01", "0.01 to 0.25", "0.25 to 0.5", "7 to 8", "8 and more",
    ]  # fmt: skip


def test_places_of_a_model_without_known_texts(small):
    frame = study.places(small)
    lm = small.model()
    assert set(frame["bin"]) == {"unknown"}
    assert frame["f1"].isna().all()
    assert set(frame["text"]) == set(range(8))  # four times n_texts
    whole = study.overall(frame, "sampling", "kept")
    np.testing.assert_allclose(whole, lm.width)
    cut = study.overall(frame, study.published(lm.vocabulary)["top-p"].label, "tv")
    assert ((cut >= 0) & (cut <= 0.05 + 1e-6)).all()
    pd.testing.assert_frame_equal(frame, study.places(small))
    assert small.store.reused == 1


def test_means_are_over_places_then_texts():
    rows = pd.DataFrame(
        {
            "sampler": "a",
            "text": [0, 0, 1],
            "bin": ["low", "high", "low"],
            "heat": "x",
            "places": [3, 1, 2],
            "recall": [1.5, 1.0, 2.0],
        }
    )
    table = study.matrix(rows, "a", "recall", bins=["low", "high"])
    np.testing.assert_allclose(table.to_numpy(), [[0.5, 1.0], [1.0, np.nan]])
    np.testing.assert_allclose(study.in_bin(rows, "a", "recall", "high"), [1.0])
    np.testing.assert_allclose(study.overall(rows, "a", "recall"), [2.5 / 4, 1.0])
    with pytest.raises(InputError, match="Nothing was measured for 'b'"):
        study.matrix(rows, "b", "recall")


def test_grid_table_names_the_vocabulary():
    shown = study.grid_table(2048)
    assert shown.columns[2] == "at V = 2048"
    assert shown.loc[shown["rule"] == "ε", "GPT-2 large"].item() == "0.0003"
