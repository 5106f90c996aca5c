import numpy as np
import pytest

from replication.studies.distributions import SAMPLERS, TEMPERATURES, kept, probabilities
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
