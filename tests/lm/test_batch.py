"""Processors that are drawn from by their rule give the tokens of the processors themselves."""

import pytest
from transformers import MinPLogitsWarper, TopKLogitsWarper, TopPLogitsWarper, TypicalLogitsWarper

from replication.lm import batch
from replication.lm.engine import generate
from replication.lm.truncated import Rule


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
