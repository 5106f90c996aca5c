"""cDPO on numbers worked by hand, in both reductions, and in its limits."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from replication.alignment import cdpo
from replication.alignment.dpo import dpo_loss
from replication.settings import InputError

CHOSEN = torch.tensor([[0.2, -0.1, 0.0]])
REJECTED = torch.tensor([[0.4, -0.2, 0.3]])
WEIGHTS = 1 - torch.tensor([[0.9, 0.1, 0.5]])


HAND = [(0.1, 0.688657, 0.713347), (1.0, 0.649159, 0.913015)]


@pytest.mark.parametrize(("gamma", "weighted", "plain"), HAND)
def test_a_pair_worked_by_hand(gamma, weighted, plain):
    assert (WEIGHTS * REJECTED).sum().item() == pytest.approx(0.01, abs=1e-6)
    assert cdpo.cdpo_loss(CHOSEN, REJECTED, WEIGHTS, gamma).item() == pytest.approx(weighted, abs=1e-6)
    assert dpo_loss(CHOSEN.sum(-1), REJECTED.sum(-1), gamma).item() == pytest.approx(plain, abs=1e-6)


def test_by_token_each_column_of_the_padded_rows_counts():
    def loss(*rows):
        return cdpo.cdpo_loss(*rows, gamma=0.1, reduction="token").item()

    rows = (CHOSEN, REJECTED, WEIGHTS)
    assert loss(*rows) == pytest.approx(0.691670, abs=1e-6)
    # A prompt position adds log 2 and dilutes the mean.
    assert loss(*(torch.nn.functional.pad(row, (1, 0)) for row in rows)) == pytest.approx(0.692039, abs=1e-6)


def test_the_defaults_are_those_of_paper_and_released_code():
    rows = (CHOSEN, REJECTED, WEIGHTS)
    assert cdpo.cdpo_loss(*rows) == cdpo.cdpo_loss(*rows, 1.0, "sequence")
    assert cdpo.cdpo_loss(*rows, reduction="token") == cdpo.cdpo_loss(*rows, 0.1, "token")
    with pytest.raises(InputError, match="reduction"):
        cdpo.cdpo_loss(*rows, reduction="batch")


def test_weights_of_1_are_dpo_and_of_0_leave_the_chosen_side():
    rejected = REJECTED.clone().requires_grad_()
    ones, zeros = torch.ones(1, 3), torch.zeros(1, 3)
    assert cdpo.cdpo_loss(CHOSEN, rejected, ones, 0.3).item() == pytest.approx(
        dpo_loss(CHOSEN.sum(-1), REJECTED.sum(-1), 0.3).item()
    )
    loss = cdpo.cdpo_loss(CHOSEN, rejected, zeros, 0.3)
    loss.backward()
    assert loss.item() == pytest.approx(math.log1p(math.exp(-0.03)))
    assert not rejected.grad.any()


@given(st.lists(st.floats(0, 1), min_size=3, max_size=3), st.sampled_from(["sequence", "token"]))
def test_the_reference_itself_loses_log_2(weights, reduction):
    nothing = torch.zeros(1, 3)
    loss = cdpo.cdpo_loss(nothing, nothing, torch.tensor([weights]), reduction=reduction)
    assert loss.item() == pytest.approx(math.log(2), abs=1e-6)


@given(st.integers(0, 2**16), st.integers(1, 4))
def test_padding_changes_nothing_by_sequence(seed, extra):
    draw = torch.Generator().manual_seed(seed)
    rows = [torch.rand(2, 5, generator=draw) for _ in range(3)]
    wide = [torch.nn.functional.pad(row, (0, extra)) for row in rows]
    torch.testing.assert_close(cdpo.cdpo_loss(*wide), cdpo.cdpo_loss(*rows))


def test_a_shared_prefix_is_pushed_up_by_its_scores():
    scores = torch.tensor([0.9, 0.6, 0.2, 0.3])
    shared = torch.zeros(2, requires_grad=True)
    own = torch.zeros(2, requires_grad=True)
    chosen = torch.cat([shared, torch.tensor([0.1, 0.0])])[None]
    rejected = torch.cat([shared, own])[None]
    loss = cdpo.cdpo_loss(chosen, rejected, 1 - scores[None], 1.0)
    weight = torch.sigmoid(torch.tensor(-0.1))
    found = torch.autograd.grad(loss.sum(), (shared, own))
    torch.testing.assert_close(found[0], -weight * scores[:2])  # d(score) = s on what is shared
    torch.testing.assert_close(found[1], weight * (1 - scores[2:]))  # and -(1 - s) on the rest
    plain = cdpo.cdpo_loss(chosen, rejected, torch.ones(1, 4), 1.0)
    torch.testing.assert_close(torch.autograd.grad(plain.sum(), shared)[0], torch.zeros(2))


def test_weights_are_constants():
    weights = WEIGHTS.clone().requires_grad_()
    rejected = REJECTED.clone().requires_grad_()
    cdpo.cdpo_loss(CHOSEN, rejected, weights).sum().backward()
    assert weights.grad is None
    assert rejected.grad.any()


def test_the_end_of_text_is_scored_or_weighs_1():
    scores = [0.9, 0.25, 0.75]
    np.testing.assert_allclose(cdpo.token_weights(scores, ends=True), [0.1, 0.75, 0.25], atol=1e-7)
    np.testing.assert_allclose(cdpo.token_weights(scores, True, "one"), [0.1, 0.75, 1.0], atol=1e-7)
    np.testing.assert_allclose(cdpo.token_weights(scores, False, "one"), [0.1, 0.75, 0.25], atol=1e-7)
    with pytest.raises(InputError, match="ending"):
        cdpo.token_weights(scores, True, "none")
    with pytest.raises(InputError, match="probabilities"):
        cdpo.token_weights([-0.1], True)
    with pytest.raises(InputError, match="probabilities"):
        cdpo.token_weights([float("nan")], True)
