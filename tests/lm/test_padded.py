"""A model with more ids than its tokenizer: what no text has is never chosen, and takes part in no number."""

import pytest
import torch
from transformers import MinPLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from replication.decoding.eta_sampling import Epsilon, Eta
from replication.decoding.min_p import MinP
from replication.decoding.top_nsigma import TopNSigma
from replication.lm.beam import beam
from replication.lm.engine import generate
from replication.lm.scoring import logits_at, score
from replication.settings import InputError

RULES = [(), (TopNSigma(3.0),), (MinP(0.01),), (Epsilon(1e-3),), (Eta(1e-3),), (TopKLogitsWarper(200),),
         (TopPLogitsWarper(0.99),), (MinPLogitsWarper(0.01),)]  # fmt: skip


@pytest.fixture(scope="module")
def padded(make_lm):
    """A model of 320 ids with a tokenizer of 263, whose idle ids have the largest logits."""
    lm = make_lm("llama", vocab_size=320)
    with torch.no_grad():
        lm.model.lm_head.weight[263:] *= 5
    return lm


def test_the_idle_ids_would_be_chosen(padded, prompts):
    assert padded.width == 320
    assert padded.choices == padded.vocabulary == 263
    assert int(padded.model(torch.tensor([prompts[0]])).logits[0, -1].argmax()) >= 263


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: type(rule[0]).__name__ if rule else "all")
def test_no_rule_draws_them(padded, prompts, rule):
    table = generate(
        padded, prompts, branches=8, do_sample=True, temperature=2.0, processors=rule, max_new_tokens=12
    )
    assert max(int(row.max()) for row in table.tokens) < 263


def test_neither_greedy_nor_branches_nor_beams_take_them(padded, prompts, greedy):
    table = generate(padded, prompts, max_new_tokens=8)
    assert [row.tolist() for row in table.tokens] == [greedy(padded, prompt, 8) for prompt in prompts]
    every = generate(padded, prompts[:1], first="top-k", branches=263, max_new_tokens=1)
    assert sorted(int(row[0]) for row in every.tokens) == list(range(263))
    with pytest.raises(InputError, match="264 branches need as many tokens, the model has 263"):
        generate(padded, prompts[:1], first="top-k", branches=264, max_new_tokens=1)
    beams = beam(padded, prompts, num_beams=3, max_new_tokens=6)
    assert max(int(row.max()) for row in beams.tokens) < 263


def test_numbers_are_those_of_the_real_ids(padded, prompts):
    ids = prompts[0]
    wanted = padded.model(torch.tensor([ids])).logits[0, :, :263]
    (found,) = logits_at(padded, [ids], [range(1, len(ids) + 1)])
    assert torch.allclose(found, wanted, atol=1e-4)
    logs = wanted[:-1].log_softmax(-1)
    (scores,) = score(padded, [ids])
    given = logs.gather(-1, torch.tensor(ids[1:])[:, None])[:, 0]
    assert scores.logprob == pytest.approx(given.numpy(), abs=1e-3)
    assert scores.entropy == pytest.approx(-(logs.exp() * logs).sum(-1).numpy(), abs=1e-3)
    with pytest.raises(InputError, match="outside the model's 263"):
        score(padded, [[1, 300]])
