import numpy as np
import pytest
import torch

from replication.lm import scoring
from replication.lm.engine import generate
from replication.lm.paths import VALUES
from replication.lm.scoring import plain_head, score
from replication.settings import InputError


def reference(lm, sequence):
    """Return log-probability, top-1, top-2, entropy and rank of every token but the first, in float64."""
    with torch.inference_mode():
        logits = lm.model(torch.tensor([sequence])).logits[0, :-1].double()
    log_p = logits.log_softmax(-1)
    target = torch.tensor(sequence[1:])[:, None]
    best = log_p.exp().topk(2).values
    rank = (logits > logits.gather(1, target)).sum(-1)
    return [log_p.gather(1, target)[:, 0], best[:, 0], best[:, 1], -(log_p.exp() * log_p).sum(-1), rank]


@pytest.mark.parametrize("name", ["llama", "mistral-window", "gemma", "gpt2", "phi", "gemma2", "granite"])
@pytest.mark.parametrize("blocks", [scoring.LOGIT_BUDGET, 263 * 3])
def test_equals_the_whole_logits(make_lm, prompts, monkeypatch, name, blocks):
    lm = make_lm(name)
    monkeypatch.setattr(scoring, "LOGIT_BUDGET", blocks)
    for found, sequence in zip(score(lm, prompts), prompts, strict=True):
        expected = reference(lm, sequence)
        for values, wanted in zip(
            (found.logprob, found.top1, found.top2, found.entropy), expected, strict=False
        ):
            np.testing.assert_allclose(values, wanted, atol=2e-5)
        assert found.rank.tolist() == expected[-1].tolist()
        assert found.start == 1


@pytest.mark.parametrize(
    ("name", "plain"), [("llama", True), ("gpt2", True), ("phi", True), ("gemma2", False)]
)
def test_processed_logits_are_recognised(make_lm, name, plain):
    assert plain_head(make_lm(name)) is plain


def test_unknown_post_processing_is_found_by_trying(make_lm, prompts):
    import types

    lm = scoring_model = make_lm("llama", rms_norm_eps=1e-5)
    head = lm.model.get_output_embeddings()
    original = type(lm.model).forward

    def forward(self, *args, **kwargs):
        output = original(self, *args, **kwargs)
        output.logits = output.logits * 0.5
        return output

    lm.model.forward = types.MethodType(forward, lm.model)
    assert head is not None
    assert plain_head(scoring_model) is False
    expected = reference(lm, prompts[0])[0]
    np.testing.assert_allclose(score(lm, prompts[:1])[0].logprob, expected, atol=2e-5)


def test_start_selects_the_tail(make_lm, prompts):
    lm = make_lm("phi")
    whole = score(lm, prompts)
    starts = [2, 3, 1, 5, 100]
    for found, all_of_it, start, prompt in zip(
        score(lm, prompts, start=starts), whole, starts, prompts, strict=True
    ):
        assert found.start == min(start, len(prompt))
        np.testing.assert_allclose(found.logprob, all_of_it.logprob[start - 1 :], atol=1e-6)
        assert len(found.rank) == max(0, len(prompt) - start)


def test_does_not_depend_on_the_budget(make_lm, prompts):
    lm = make_lm("qwen2")
    for one, other in zip(score(lm, prompts), score(lm, prompts, token_budget=1), strict=True):
        np.testing.assert_allclose(one.logprob, other.logprob, atol=2e-5)


def test_agrees_with_the_engine(lm, prompts):
    table = generate(lm, prompts, branches=3, first="top-k", max_new_tokens=8)
    sequences = [prompts[int(row.question)] + row.tokens.tolist() for row in table.itertuples()]
    starts = [len(prompts[int(question)]) for question in table.question]
    for row, found in zip(table.itertuples(), score(lm, sequences, start=starts), strict=True):
        for name in VALUES:
            np.testing.assert_allclose(getattr(row, name), getattr(found, name), atol=1e-4)
        assert not found.rank[1:].any()
        assert found.rank[0] == row.branch


def test_logits_come_in_blocks(make_lm, prompts, monkeypatch):
    lm = make_lm("llama")
    sizes = []
    original = scoring.measure
    monkeypatch.setattr(scoring, "measure", lambda x, t: (sizes.append(x.numel()), original(x, t))[1])
    monkeypatch.setattr(scoring, "LOGIT_BUDGET", 4 * lm.width)
    score(lm, prompts)
    assert max(sizes) <= 4 * lm.width
    assert sum(sizes) == lm.width * sum(len(prompt) - 1 for prompt in prompts)


@pytest.mark.parametrize(
    ("sequences", "start", "message"),
    [([[]], 0, "empty"), ([[1, 9999]], 0, "outside"), ([[1, 2]], -1, "start"), ([[1, 2]], [1, 2], "start")],
)
def test_bad_input(make_lm, sequences, start, message):
    with pytest.raises(InputError, match=message):
        score(make_lm("llama"), sequences, start=start)


def test_single_token_has_nothing_to_score(make_lm):
    assert len(score(make_lm("llama"), [[5]])[0].logprob) == 0


@pytest.mark.parametrize("name", ["llama", "gpt2", "phi", "gemma2"])
@pytest.mark.parametrize("blocks", [scoring.LOGIT_BUDGET, 263 * 3])
def test_logits_at_places_are_those_of_the_forward_pass(make_lm, prompts, monkeypatch, name, blocks):
    lm = make_lm(name)
    monkeypatch.setattr(scoring, "LOGIT_BUDGET", blocks)
    places = [[], *([1, len(prompt)] for prompt in prompts[1:])]
    found = scoring.logits_at(lm, prompts, places, token_budget=40)
    assert found[0].shape == (0, lm.width)
    for own, prompt in zip(found[1:], prompts[1:], strict=True):
        with torch.inference_mode():
            expected = lm.model(torch.tensor([prompt])).logits[0, [0, len(prompt) - 1]]
        torch.testing.assert_close(own, expected.float(), atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("places", [[0], [2, 1], [1, 1], [99]])
def test_places_out_of_range_or_order_are_refused(make_lm, places):
    with pytest.raises(InputError, match=r"Sequence 0 needs ascending places between 1 and 3\."):
        scoring.logits_at(make_lm("llama"), [[5, 6, 7]], [places])
