"""Pairs are checked, log-probabilities masked and summed, divergences exact."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from replication.alignment import preferences
from replication.alignment.preferences import IGNORED, Pair
from replication.settings import InputError

PAIR = Pair("q", (3, 4), (5, 2), (6, 7, 2))


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([], "no preference pair"),
        ([replace(PAIR, rejected=())], "empty side"),
        ([replace(PAIR, prompt=())], "empty side"),
        ([replace(PAIR, weights=(0.5, 0.5))], "2 weights for 3"),
        ([replace(PAIR, weights=(0.5, 1.5, 0.5))], "outside"),
        ([replace(PAIR, weights=(0.5, float("nan"), 0.5))], "outside"),
    ],
)
def test_unusable_pairs_are_refused(pairs, message):
    with pytest.raises(InputError, match=message):
        preferences.check(pairs)


def test_over_long_pairs_are_counted_and_refused():
    preferences.check([PAIR], longest=5)
    with pytest.raises(InputError, match="1 of 2 pairs have more than 4 tokens"):
        preferences.check([PAIR, replace(PAIR, rejected=(6, 2))], longest=4)


def test_weights_are_attached_and_checked():
    (found,) = preferences.weighted([PAIR], [[0.25, 0.5, 1.0]])
    assert found.weights == (0.25, 0.5, 1.0)
    with pytest.raises(InputError, match="do not fit"):
        preferences.weighted([PAIR], [])
    with pytest.raises(InputError, match="2 weights for 3"):
        preferences.weighted([PAIR], [[1.0, 1.0]])


def test_digests_tell_content_and_weights():
    other = replace(PAIR, weights=(0.5, 0.5, 0.5))
    assert preferences.digest([PAIR]) != preferences.digest([other])
    assert preferences.digest([PAIR], weights=False) == preferences.digest([other], weights=False)
    assert preferences.digest([PAIR]) != preferences.digest([replace(PAIR, chosen=(5, 3))])


def test_log_probs_of_targets_and_zero_where_there_is_none():
    logits = torch.randn(2, 3, 7, generator=torch.Generator().manual_seed(0))
    targets = torch.tensor([[1, IGNORED, 6], [0, 2, IGNORED]])
    found = preferences.token_log_probs(logits.bfloat16(), targets)
    assert found.dtype == torch.float32
    direct = logits.bfloat16().float().log_softmax(-1)
    for i, j in ((0, 0), (0, 2), (1, 0), (1, 1)):
        assert found[i, j].item() == pytest.approx(direct[i, j, targets[i, j]].item(), abs=1e-6)
    assert found[0, 1] == found[1, 2] == 0


@given(st.integers(0, 2**16), st.floats(-5, 5))
def test_what_lies_outside_the_response_changes_no_ratio(seed, constant):
    draw = torch.Generator().manual_seed(seed)
    policy, reference = (torch.randn(2, 6, generator=draw) for _ in range(2))
    mask = torch.rand(2, 6, generator=draw) < 0.5
    first = preferences.log_ratios(policy, reference, mask)
    moved = torch.where(mask, policy, policy + constant)
    assert torch.equal(preferences.log_ratios(moved, reference, mask), first)
    padded = [torch.nn.functional.pad(t, (0, 3), value=constant) for t in (policy, reference)]
    more = preferences.log_ratios(*padded, torch.nn.functional.pad(mask, (0, 3)))
    torch.testing.assert_close(more, first)


@given(st.integers(0, 2**16))
def test_a_divergence_is_never_negative_and_0_of_the_same(seed):
    draw = torch.Generator().manual_seed(seed)
    first, second = (3 * torch.randn(4, 9, generator=draw) for _ in range(2))
    assert (preferences.forward_kl(first, second) >= -1e-6).all()
    torch.testing.assert_close(preferences.forward_kl(first, first + 2.0), torch.zeros(4), atol=1e-6, rtol=0)


def test_a_divergence_survives_probabilities_that_underflow():
    first, second = torch.tensor([0.0, -400.0, 0.0]), torch.tensor([0.0, 1.0, 0.0])
    found = preferences.forward_kl(first, second)
    p, q = first.double().softmax(-1), second.double().log_softmax(-1)
    assert found.isfinite()
    assert found.item() == pytest.approx(float((p * (first.double().log_softmax(-1) - q)).sum()), abs=1e-6)


def test_the_logistic_loss_and_its_smoothing():
    z = torch.tensor([0.3, -2.0])
    plain = torch.log1p(torch.exp(-z))
    torch.testing.assert_close(preferences.logistic(z), plain)
    torch.testing.assert_close(preferences.logistic(z, 0.2), 0.8 * plain + 0.2 * (plain + z))
