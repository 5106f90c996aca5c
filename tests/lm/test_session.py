import numpy as np
import pytest
import torch

from replication.lm.session import Session
from replication.settings import InputError


@torch.inference_mode()
def test_logits_of_steps_equal_whole_passes(lm, prompts):
    session = Session(lm, prompts, 4)
    rows = [list(prompt) for prompt in prompts]

    def expected():
        return [lm.model(torch.tensor([row])).logits[0, -1] for row in rows]

    for tokens, keep in (([5, 6, 7, 8, 9], [4, 1, 1, 0]), ([10, 11, 12, 13], [2, 3]), ([20, 21], [0, 1])):
        for found, wanted in zip(session.logits, expected(), strict=True):
            np.testing.assert_allclose(found, wanted, atol=2e-4)
        session.step(torch.tensor(tokens))
        rows = [[*row, token] for row, token in zip(rows, tokens, strict=True)]
        session.select(torch.tensor(keep))
        rows = [rows[i] for i in keep]
    assert [row.tolist()[-len(wanted) :] for row, wanted in zip(session.ids, rows, strict=True)] == rows


def test_model_without_a_key_value_cache(make_lm):
    import dataclasses

    class Cacheless(torch.nn.Module):
        def forward(self, input_ids):
            return input_ids

    lm = dataclasses.replace(make_lm("llama"), model=Cacheless())
    with pytest.raises(InputError, match="no key-value cache"):
        Session(lm, [[1]], 1)
