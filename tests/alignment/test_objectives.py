"""Objectives know their defaults and needs, refuse what they have no use for, and give the losses by name."""

import pytest
import torch

from replication.alignment.cdpo import cdpo_loss
from replication.alignment.dpo import dpo_loss, rpo_loss
from replication.alignment.objectives import METHODS, Objective, Scored
from replication.alignment.tdpo import tdpo1_loss, tdpo2_loss
from replication.settings import InputError


@pytest.fixture
def batch():
    draw = torch.Generator().manual_seed(0)
    mask = torch.tensor([[0, 1, 1, 1], [1, 1, 0, 0], [0, 1, 1, 0], [1, 1, 1, 1]]).bool()
    policy, reference = (-torch.rand(4, 4, generator=draw) * mask for _ in range(2))
    weights = torch.rand(4, 4, generator=draw) * mask
    return Scored(policy, mask, reference, weights, torch.rand(4, 4, generator=draw) * mask)


def test_each_name_gives_its_loss(batch):
    ratios = batch.policy - batch.reference
    chosen, rejected = ratios.sum(-1).chunk(2)
    kl = batch.kl.sum(-1).chunk(2)
    sums, lengths = batch.policy[:2].sum(-1), batch.mask[:2].sum(-1)
    expected = {
        "dpo": dpo_loss(chosen, rejected, 0.1),
        "rpo": rpo_loss(chosen, rejected, sums, lengths, 0.1, 1.0),
        "tdpo1": tdpo1_loss(chosen, rejected, *kl, 0.1),
        "tdpo2": tdpo2_loss(chosen, rejected, *kl, 0.1, 0.5),
        "cdpo": cdpo_loss(*ratios.chunk(2), batch.weights[2:], 1.0),
    }
    for name, loss in expected.items():
        torch.testing.assert_close(Objective(name).loss(batch), loss)
    sft = Objective("sft").loss(Scored(batch.policy[:2], batch.mask[:2]))
    torch.testing.assert_close(sft, -sums / lengths)
    assert set(expected) | {"sft"} == set(METHODS)
    by_token = Objective("cdpo", reduction="token")
    assert by_token.beta == 0.1
    torch.testing.assert_close(
        by_token.loss(batch), cdpo_loss(*ratios.chunk(2), batch.weights[2:], 0.1, "token")
    )


def test_needs():
    assert [m for m in METHODS if Objective(m).weighted] == ["cdpo"]
    assert [m for m in METHODS if not Objective(m).needs_reference] == ["sft"]
    assert [m for m in METHODS if Objective(m).needs_distribution] == ["tdpo1", "tdpo2"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "ppo"}, "Unknown method"),
        ({"method": "cdpo", "reduction": "batch"}, "Unknown reduction"),
        ({"method": "dpo", "reduction": "token"}, "Only cdpo"),
        ({"method": "dpo", "alpha": 1.0}, "no alpha"),
        ({"method": "rpo", "smoothing": 0.1}, "no label smoothing"),
        ({"method": "dpo", "smoothing": 0.5}, "share"),
        ({"method": "dpo", "beta": 0.0}, "beta needs"),
        ({"method": "tdpo2", "alpha": -1.0}, "alpha"),
    ],
)
def test_bad_objectives_are_refused(options, message):
    with pytest.raises(InputError, match=message):
        Objective(**options)
