import numpy as np
import pytest

from replication.studies.distributions import (
    SAMPLERS,
    TEMPERATURES,
    about,
    kept,
    least_certain,
    next_token,
    probabilities,
)
from replication.studies.samplers import Sampler


def test_four_logits_by_hand():
    found = kept([2.0, 1.0, 0.0, -3.0], [0, 3], (Sampler("min-p", 0.1), Sampler("top-nσ", 1.0)), (1.0, 4.0))
    assert found["count"].tolist() == [3, 4, 3, 3]
    both = [flags.tolist() for flags in found["kept"]]
    assert both == [[True, False], [True, True], [True, False], [True, False]]
    weights = np.exp([2.0, 1.0, 0.0, -3.0])
    assert found["mass"][0] == pytest.approx(1 - weights[3] / weights.sum())


def test_every_rule_at_every_temperature():
    found = kept(np.arange(60) / 5, range(5))
    assert len(found) == len(SAMPLERS) * len(TEMPERATURES)
    assert (found["count"] >= 1).all()
    assert found["mass"].between(0, 1 + 1e-9).all()


def test_probabilities_follow_the_temperature():
    assert probabilities(np.array([0.0, 2.0]), 2.0) == pytest.approx([1 / (1 + np.e), np.e / (1 + np.e)])


def test_next_token_of_a_model(experiment):
    lm = experiment.model()
    row = next_token(lm, [1, 2, 3], temperatures=(1.0, 2.0))
    assert row.logits.shape == (lm.vocabulary,)
    assert len(row.tokens) == len(row.probabilities[1.0]) == len(row.kept["kept"].iloc[0])
    assert (np.diff(row.probabilities[2.0]) <= 0).all()
    assert sorted(row.kept["temperature"].unique()) == [1.0, 2.0]
    assert row.probabilities[1.0][0] == pytest.approx(probabilities(row.logits, 1.0).max())
    assert about(lm, [1, 2, 3]).startswith("Model ")
    assert "n = 1 distribution" in about(lm, [1, 2, 3])


def test_the_least_certain_place(experiment):
    lm = experiment.model()
    ids = [1, 2, 3, 4, 5, 6]
    entropies = []
    for place in range(2, 6):
        p = probabilities(next_token(lm, ids[:place], SAMPLERS[:1], (1.0,)).logits, 1.0)
        entropies.append(-(p * np.log(p)).sum())
    assert least_certain(lm, ids, 2) == ids[: 2 + int(np.argmax(entropies))]
