"""A prefill that is found gives the very paths that a computed one gives."""

import copy
from dataclasses import replace

import pandas as pd
import pytest
import torch
from transformers import TopPLogitsWarper

from replication.lm.engine import generate
from replication.lm.prefills import Prefills
from replication.lm.session import Session

OPTIONS = {"do_sample": True, "temperature": 2.0, "processors": [TopPLogitsWarper(0.9)], "max_new_tokens": 7}


@pytest.mark.parametrize("architecture", ["llama", "gpt2", "qwen2", "mistral-window"])
@pytest.mark.parametrize("budget", [None, 60])
def test_same_paths_found_or_computed(make_lm, prompts, architecture, budget):
    lm, prefills = make_lm(architecture), Prefills()
    plain = generate(lm, prompts, branches=3, token_budget=budget, **OPTIONS)
    for options in (OPTIONS | {"temperature": 0.5, "max_new_tokens": 5}, OPTIONS, OPTIONS):
        again = generate(lm, prompts, branches=3, token_budget=budget, prefills=prefills, **options)
    pd.testing.assert_frame_equal(again, plain)
    # Sliding layers forget: their prompts are computed every time.
    assert (prefills.found == 0) == (architecture == "mistral-window")


def test_the_logits_are_the_models(make_lm, prompts):
    lm, prefills = make_lm("llama"), Prefills()
    first, again = (Session(lm, prompts, 4, prefills) for _ in range(2))
    assert torch.equal(first.logits, again.logits)
    for session in (first, again):
        session.step(torch.full((len(prompts),), 5))
    assert torch.equal(first.logits, again.logits)
    assert prefills.found == 1


def test_other_prompts_or_another_model_are_computed(make_lm, prompts):
    lm, prefills = make_lm("llama"), Prefills()
    Session(lm, prompts, 4, prefills)
    Session(lm, prompts[::-1], 4, prefills)
    other = replace(lm, model=copy.deepcopy(lm.model))
    other.model.get_output_embeddings().weight.data.neg_()
    assert not torch.equal(Session(other, prompts, 4, prefills).logits, Session(lm, prompts, 4).logits)
    assert prefills.found == 0


def test_no_more_is_kept_than_the_limit_allows(make_lm, prompts):
    lm = make_lm("llama")
    small = Prefills(limit=100)
    for _ in range(2):
        Session(lm, prompts, 4, small)
    assert small.found == 0
    whole = Prefills()
    Session(lm, prompts, 4, whole)
    (one,) = whole._kept.values()
    four = Prefills(limit=4 * one.size)
    for i in range(6):
        Session(lm, [[*prompt[:-1], i + 3] for prompt in prompts], 4, four)
    assert len(four._kept) == 4
