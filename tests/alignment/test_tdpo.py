"""TDPO on numbers worked by hand, in its limits, and where its gradients flow."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from replication.alignment import tdpo
from replication.alignment.dpo import dpo_loss
from replication.alignment.preferences import log_ratios

POLICY = torch.tensor([[[0.5, 0.3, 0.2], [0.6, 0.3, 0.1]], [[0.5, 0.3, 0.2], [0.2, 0.3, 0.5]]]).log()
REFERENCE = torch.tensor([[[0.4, 0.4, 0.2], [0.7, 0.2, 0.1]], [[0.4, 0.4, 0.2], [0.3, 0.3, 0.4]]]).log()
TOKENS = torch.tensor([[0, 0], [1, 2]])
ALL = torch.ones(2, 2, dtype=torch.bool)


def parts():
    ratio = log_ratios(
        POLICY.gather(-1, TOKENS[..., None])[..., 0], REFERENCE.gather(-1, TOKENS[..., None])[..., 0], ALL
    )
    return (*ratio.split(1), *tdpo.sequential_kl(REFERENCE, POLICY, ALL).split(1))


def test_a_pair_worked_by_hand():
    chosen, rejected, chosen_kl, rejected_kl = parts()
    assert chosen.item() == pytest.approx(0.068993, abs=1e-6)
    assert rejected.item() == pytest.approx(-0.064539, abs=1e-6)
    assert chosen_kl.item() == pytest.approx(0.0526, abs=5e-5)
    assert rejected_kl.item() == pytest.approx(0.0582, abs=5e-5)
    assert dpo_loss(chosen, rejected, 0.1).item() == pytest.approx(0.686493, abs=1e-6)
    assert tdpo.tdpo1_loss(*parts(), 0.1).item() == pytest.approx(0.686770, abs=1e-6)
    assert tdpo.tdpo2_loss(*parts(), 0.1, 0.5).item() == pytest.approx(0.686631, abs=1e-6)


def test_the_reference_itself_loses_log_2_and_its_divergence_has_no_gradient():
    logits = REFERENCE.clone().requires_grad_()
    found = tdpo.sequential_kl(REFERENCE, logits, ALL)
    found.sum().backward()
    torch.testing.assert_close(found, torch.zeros(2), atol=1e-6, rtol=0)
    torch.testing.assert_close(logits.grad, torch.zeros_like(logits), atol=1e-6, rtol=0)
    nothing = torch.zeros(1)
    for loss in (tdpo.tdpo1_loss, tdpo.tdpo2_loss):
        assert loss(nothing, nothing, nothing, nothing).item() == pytest.approx(math.log(2))


@given(st.integers(0, 2**16), st.integers(1, 5))
def test_prompt_and_padding_add_nothing(seed, extra):
    draw = torch.Generator().manual_seed(seed)
    first, second = (torch.randn(2, 4, 5, generator=draw) for _ in range(2))
    mask = torch.rand(2, 4, generator=draw) < 0.6
    found = tdpo.sequential_kl(first, second, mask)
    assert (found >= -1e-6).all()
    wide = [torch.nn.functional.pad(t, (0, 0, 0, extra), value=1.0) for t in (first, second)]
    wide[0][:, 4:, 0] = 9.0
    more = tdpo.sequential_kl(*wide, torch.nn.functional.pad(mask, (0, extra)))
    torch.testing.assert_close(more, found)


def test_alpha_0_is_dpo_in_value_and_gradient():
    values = [part.clone().requires_grad_() for part in parts()]
    plain = dpo_loss(*values[:2], 0.1)
    loss = tdpo.tdpo2_loss(*values, 0.1, 0.0)
    torch.testing.assert_close(loss, plain)
    expected = torch.autograd.grad(plain, values[:2])
    found = torch.autograd.grad(loss, values, allow_unused=True)
    torch.testing.assert_close(found[:2], expected)
    assert found[2] is None
    assert not found[3]


def test_the_variants_agree_at_alpha_1_in_value_and_not_in_gradient():
    values = [part.clone().requires_grad_() for part in parts()]
    one, two = tdpo.tdpo1_loss(*values, 0.1), tdpo.tdpo2_loss(*values, 0.1, 1.0)
    torch.testing.assert_close(one, two)
    z = 0.1 * (values[0] - values[1] - values[3] + values[2])
    scale = 0.1 * torch.sigmoid(-z)
    first, second = torch.autograd.grad(one, values[2:], retain_graph=True)
    torch.testing.assert_close(second, scale)
    torch.testing.assert_close(first, -scale)
    first, second = torch.autograd.grad(tdpo.tdpo2_loss(*values, 0.1, 0.5), values[2:], allow_unused=True)
    z = 0.1 * (values[0] - values[1] - 0.5 * (values[3] - values[2]))
    assert first is None
    torch.testing.assert_close(second, 0.5 * 0.1 * torch.sigmoid(-z))


@pytest.mark.parametrize("loss", [tdpo.tdpo1_loss, tdpo.tdpo2_loss])
def test_swapped_responses_turn_the_logit(loss):
    chosen, rejected, chosen_kl, rejected_kl = parts()
    one = loss(chosen, rejected, chosen_kl, rejected_kl).double()
    other = loss(rejected, chosen, rejected_kl, chosen_kl).double()
    logit = torch.log(torch.expm1(one)).neg()  # L = log(1 + exp(-z))
    torch.testing.assert_close(other, torch.log1p(torch.exp(logit)), atol=1e-6, rtol=0)


def test_rewards_hold_the_divergence():
    ratio = torch.tensor([1.0], requires_grad=True)
    found = tdpo.rewards(ratio, torch.tensor([0.5]), 0.1)
    assert found.item() == pytest.approx(0.15)
    assert not found.requires_grad
