"""DPO and iterative RPO on numbers worked by hand, and in their limits."""

import math

import pytest
import torch

from replication.alignment import dpo
from replication.alignment.preferences import log_ratios
from replication.settings import InputError

CHOSEN, REJECTED = torch.tensor([-10.0 + 11.0]), torch.tensor([-12.0 + 11.5])


def test_a_pair_worked_by_hand():
    difference = (CHOSEN - REJECTED).requires_grad_()
    loss = dpo.dpo_loss(difference, torch.zeros(1), beta=0.1)
    loss.backward()
    assert loss.item() == pytest.approx(0.620957, abs=1e-6)
    assert difference.grad.item() == pytest.approx(-0.046257, abs=1e-6)
    assert dpo.dpo_loss(CHOSEN, REJECTED, 0.1).item() == pytest.approx(0.620957, abs=1e-6)


def test_a_policy_that_is_the_reference_loses_log_2_with_a_gradient():
    chosen = torch.zeros(3, requires_grad=True)
    loss = dpo.dpo_loss(chosen, torch.zeros(3), 0.1)
    loss.sum().backward()
    torch.testing.assert_close(loss, torch.full((3,), math.log(2)))
    assert (chosen.grad < 0).all()
    assert not dpo.implicit_rewards(chosen, 0.1).any()
    assert dpo.dpo_loss(CHOSEN, REJECTED, 1e-9).item() == pytest.approx(math.log(2), abs=1e-6)


def test_a_likelihood_term_adds_alpha_times_the_loss_per_token():
    def loss(alpha):
        return dpo.rpo_loss(CHOSEN, REJECTED, torch.tensor([-10.0]), torch.tensor([5]), 0.1, alpha).item()

    assert loss(1.0) == pytest.approx(2.620957, abs=1e-6)
    assert loss(0.0) == pytest.approx(dpo.dpo_loss(CHOSEN, REJECTED, 0.1).item())
    assert loss(3.0) - loss(2.0) == pytest.approx(loss(1.0) - loss(0.0))


def test_swapped_responses_turn_the_logit():
    one, other = dpo.dpo_loss(CHOSEN, REJECTED, 0.1), dpo.dpo_loss(REJECTED, CHOSEN, 0.1)
    torch.testing.assert_close(other - one, 0.1 * (CHOSEN - REJECTED))  # -log σ(-z) + log σ(z) = z
    torch.testing.assert_close(dpo.dpo_loss(CHOSEN, REJECTED, 0.1, smoothing=0.25), 0.75 * one + 0.25 * other)


def test_a_shared_prefix_is_pushed_by_the_likelihood_term_alone():
    shared = torch.tensor([-1.0, -2.0], requires_grad=True)
    own = torch.tensor([-0.5, -0.7, -0.1])
    chosen, rejected = torch.cat([shared, own[:2]]), torch.cat([shared, own[2:]])
    ratios = [log_ratios(p, torch.full_like(p, -1.0), p < 0) for p in (chosen, rejected)]
    (gradient,) = torch.autograd.grad(dpo.dpo_loss(*ratios, 0.1), shared, retain_graph=True)
    torch.testing.assert_close(gradient, torch.zeros(2))
    loss = dpo.rpo_loss(*ratios, chosen.sum(), torch.tensor(4), 0.1, alpha=2.0)
    (gradient,) = torch.autograd.grad(loss, shared)
    torch.testing.assert_close(gradient, torch.full((2,), -2.0 / 4))


def test_pairs_walk_both_lists():
    assert dpo.walk("ab", (1, 2, 3), 4) == [("a", 1), ("b", 2), ("a", 3), ("b", 1)]
    assert dpo.walk("ab", (), 4) == dpo.walk("", (1,), 4) == []
    assert dpo.walk("a", (1,), 2) == [("a", 1), ("a", 1)]
    with pytest.raises(InputError, match="1 or more"):
        dpo.walk("a", (1,), 0)
