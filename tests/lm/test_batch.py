"""Processors that are drawn from by their rule give the tokens of the processors themselves."""

import copy
from dataclasses import replace

import pytest
import torch
from transformers import MinPLogitsWarper, TopKLogitsWarper, TopPLogitsWarper, TypicalLogitsWarper

from replication.lm import batch
from replication.lm.engine import generate
from replication.lm.truncated import Rule
from replication.settings import InputError


class Own:
    """A processor of the package that names its rule."""

    rule = Rule("min-p", 0.2)


@pytest.mark.parametrize(
    ("processors", "rule"),
    [
        ([], Rule("none")),
        ([TopKLogitsWarper(5)], Rule("top-k", 5)),
        ([TopPLogitsWarper(0.9)], Rule("top-p", 0.9)),
        ([MinPLogitsWarper(0.1)], Rule("min-p", 0.1)),
        ([Own()], Rule("min-p", 0.2)),
        ([TopPLogitsWarper(0.0)], None),
        ([TopPLogitsWarper(0.9, min_tokens_to_keep=2)], None),
        ([TopKLogitsWarper(5, filter_value=-1e9)], None),
        ([TypicalLogitsWarper(0.9)], None),
        ([TopKLogitsWarper(5), TopPLogitsWarper(0.9)], None),
        ([lambda ids, scores: scores], None),
    ],
)
def test_rule_of_processors(processors, rule):
    assert batch.rule_of(processors) == rule


@pytest.mark.parametrize(
    "processors", [[], [TopKLogitsWarper(5)], [TopPLogitsWarper(0.8)], [MinPLogitsWarper(0.2)]]
)
@pytest.mark.parametrize("temperature", [0.7, 3.0])
def test_same_tokens_with_and_without_the_rule(make_lm, prompts, monkeypatch, processors, temperature):
    options = {"branches": 6, "do_sample": True, "temperature": temperature, "max_new_tokens": 8}
    lm = make_lm("llama")
    fast = generate(lm, prompts, processors=processors, **options)
    monkeypatch.setattr(batch, "rule_of", lambda processors: None)
    slow = generate(lm, prompts, processors=processors, **options)
    assert [list(tokens) for tokens in fast["tokens"]] == [list(tokens) for tokens in slow["tokens"]]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"processors": [TypicalLogitsWarper(0.9)]},
        {"do_sample": True},
        {"do_sample": True, "processors": [TopPLogitsWarper(0.9)]},
        {"do_sample": True, "processors": [TypicalLogitsWarper(0.9)]},
    ],
)
def test_a_model_that_says_nan_is_refused(make_lm, prompts, options):
    lm = make_lm("llama")
    broken = copy.deepcopy(lm.model)
    broken.get_output_embeddings().weight.data[3] = torch.nan
    with pytest.raises(InputError, match="neither NaN nor"):
        generate(replace(lm, model=broken), prompts, max_new_tokens=3, **options)


def test_greedy_takes_the_first_of_equals_and_refuses_what_is_no_logit():
    rows = torch.tensor([[0.0, 2.0, 2.0], [-torch.inf, -1.0, -3.0]])
    assert batch.greedy(rows).place.squeeze(1).tolist() == [1, 1]
    for bad in (torch.nan, torch.inf):
        with pytest.raises(InputError, match="neither NaN nor"):
            batch.greedy(torch.tensor([[0.0, bad, 1.0]]))
    with pytest.raises(InputError, match="at least one finite"):
        batch.greedy(torch.full((1, 3), -torch.inf))
