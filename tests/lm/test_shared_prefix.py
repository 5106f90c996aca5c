"""Rows that share a prefix have the logits that they would have each with a copy of it."""

import numpy as np
import pytest
import torch

from replication.lm import session as module
from replication.lm.session import Session
from replication.lm.shared_prefix import SharedPrefix

# Rows that are taken, one list after the other; the first makes several rows of each prompt.
ORDERS = (
    [[0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4], list(range(15)), [14, 1, 2, 13, 4], [4, 0]],
    [[4, 4, 4, 4, 1, 1, 0], [6, 5, 4, 3, 2, 1, 0], [0, 0, 1, 6, 6, 6], [5, 2], [0]],
    [[2] * 6, [0, 5], [1, 1, 1, 1, 0], [3]],
)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("changes", [{}, {"num_key_value_heads": 4}, {"num_key_value_heads": 1}])
@torch.inference_mode()
def test_logits_equal_those_of_copies(make_lm, prompts, monkeypatch, order, changes):
    lm, steps = make_lm("llama", **changes), 2 * len(order)

    def run():
        session, found, token = Session(lm, prompts, steps), [], 4
        for index in order:
            session.select(torch.tensor(index))
            for _ in range(2):
                token += 1
                session.step(torch.arange(token, token + len(index)))
                found.append(session.logits)
        return found, session

    ours, own = run()
    assert isinstance(own._held.prefix, SharedPrefix)
    with monkeypatch.context() as patch:
        patch.setattr(module, "lean", lambda model: None)
        theirs, plain = run()
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, atol=1e-4, rtol=1e-5)
    assert torch.equal(own.ids, plain.ids)


@torch.inference_mode()
def test_a_prefix_that_no_row_continues_is_dropped(make_lm, prompts):
    session = Session(make_lm("llama"), prompts, 4)
    session.select(torch.arange(5).repeat_interleave(3))
    prefix = session._held.prefix
    assert len(prefix._layers[0][0]) == 5
    session.select(torch.tensor([0, 3, 6, 9]))  # four of five are more than three quarters
    assert len(prefix._layers[0][0]) == 5
    session.select(torch.tensor([3, 1]))
    assert [len(one) for pair in prefix._layers for one in pair] == [2] * 4
    assert np.array_equal(prefix._owner, [1, 0])


@torch.inference_mode()
def test_what_counts_as_branching(make_lm, prompts):
    def prefix(*order):
        session = Session(make_lm("llama"), prompts, 4)
        for index in order:
            session.select(torch.tensor(index))
        return session._held.prefix

    assert prefix([0, 0, 0, 1, 1, 1]) is not None
    assert prefix([3, 3]) is not None
    assert prefix([0, 1, 2, 3, 4], [3, 1], [0, 0, 1]) is None
