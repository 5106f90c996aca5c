import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional

from replication.pretraining.token_losses import (
    entropy,
    row_losses,
    selective_loss,
    targets,
    token_losses,
)
from replication.settings import InputError


def case(seed=0, rows=3, width=7, vocabulary=11):
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows, width, vocabulary, generator=generator) * 3
    return logits, torch.randint(0, vocabulary, (rows, width), generator=generator)


def test_targets_are_the_labels_one_to_the_left():
    labels = torch.tensor([[5, 6, -100, 7], [1, 2, 3, 4]])
    assert targets(labels).tolist() == [[6, -100, 7, -100], [2, 3, 4, -100]]


def test_losses_equal_a_plain_loop_in_float64():
    logits, labels = case()
    labels[1, 3] = -100
    found = token_losses(logits, targets(labels))
    for row in range(3):
        for column in range(7):
            label = labels[row, column + 1] if column < 6 else -100
            wanted = 0.0
            if label != -100:
                line = logits[row, column].double()
                wanted = math.log(line.exp().sum()) - float(line[label])
            assert float(found[row, column]) == pytest.approx(wanted, abs=1e-6)


def test_the_mean_is_the_loss_of_transformers():
    from transformers.loss.loss_utils import ForCausalLMLoss

    logits, labels = case()
    labels[0, :3] = -100
    wanted = ForCausalLMLoss(logits, labels, vocab_size=11)
    target = targets(labels)
    assert selective_loss(token_losses(logits, target), target != -100) == pytest.approx(wanted)


def test_half_precision_logits_are_worked_on_in_float32():
    logits, labels = case(rows=40, width=50)
    half, target = logits.bfloat16(), targets(labels)
    found = token_losses(half, target)
    assert found.dtype == torch.float32
    assert torch.equal(found, token_losses(half.float(), target))
    # A loss worked out in bfloat16 has so few values that ranks are full of ties.
    coarse = functional.cross_entropy(half.flatten(0, 1), target.flatten(), reduction="none")
    assert len(found.unique()) > 1900
    assert len(coarse.unique()) < 900


def test_raw_logits_are_no_losses():
    # Adding a constant to all logits of a position changes no loss; a difference of raw logits would move.
    logits, labels = case()
    moved = logits + torch.arange(7.0)[:, None]
    assert torch.allclose(
        token_losses(logits, targets(labels)), token_losses(moved, targets(labels)), atol=1e-5
    )


def test_logits_that_were_sliced_are_refused():
    logits, labels = case()
    with pytest.raises(InputError, match="leave the logits whole"):
        token_losses(logits[:, :-1], targets(labels))
    with pytest.raises(InputError, match="shape"):
        targets(labels[0])


def test_gradient_at_the_logits():
    logits, labels = case()
    logits.requires_grad_()
    keep = torch.rand(3, 7, generator=torch.Generator().manual_seed(1)) < 0.5
    keep[:, -1] = False
    selective_loss(token_losses(logits, targets(labels)), keep).backward()
    onehot = functional.one_hot(labels.roll(-1, 1), 11)
    wanted = (logits.detach().softmax(-1) - onehot) / keep.sum()
    assert torch.equal(logits.grad[~keep], torch.zeros_like(logits.grad[~keep]))
    assert torch.allclose(logits.grad[keep], wanted[keep], atol=1e-6)


def test_a_loss_that_is_not_finite_does_no_harm_where_it_is_not_kept():
    losses = torch.tensor([[1.0, math.inf, math.nan, 3.0]])
    keep = torch.tensor([[True, False, False, True]])
    assert float(selective_loss(losses, keep)) == 2.0
    with pytest.raises(InputError, match="No token is kept"):
        selective_loss(losses, torch.zeros_like(keep))


def test_losses_of_rows_are_the_same():
    logits, labels = case()
    wanted = token_losses(logits, targets(labels))[:, :-1].flatten()
    found = row_losses(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
    assert torch.allclose(found, wanted, atol=1e-6)


def test_entropy_of_known_distributions():
    logits = torch.tensor([[0.7, 0.2, 0.1, 0.0], [0.25] * 4]).log()
    assert entropy(logits).tolist() == pytest.approx([0.80182, 1.38629], abs=1e-5)
    assert float(entropy(torch.full((3, 5), -2.0)).mean()) == pytest.approx(math.log(5), abs=1e-6)


@given(st.integers(0, 50), st.floats(-20, 20))
def test_entropy_is_that_of_torch(seed, shift):
    logits, _ = case(seed)
    wanted = torch.distributions.Categorical(logits=logits.double()).entropy()
    assert torch.allclose(entropy(logits + shift).double(), wanted, atol=1e-5)


def test_entropy_in_blocks(monkeypatch):
    logits, _ = case(rows=8)
    whole = entropy(logits)
    monkeypatch.setattr("replication.lm.measures.BLOCK", 30)
    assert torch.equal(entropy(logits), whole)
    assert entropy(logits[:0]).shape == (0, 7)
