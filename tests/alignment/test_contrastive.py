"""Contrastive scores are a distribution over the vocabulary, and those of two models' own logits."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from replication.alignment import contrastive
from replication.settings import InputError

POSITIVE = torch.tensor([0.7, 0.2, 0.1]).log()
NEGATIVE = torch.tensor([0.2, 0.5, 0.3]).log()


@pytest.mark.parametrize(
    ("beta", "expected", "digits"),
    [
        (1.0, (0.95579, 0.03121, 0.01300), 1e-5),
        (0.5, (0.8767, 0.0847, 0.0386), 1e-4),
        (2.0, (0.9950, 0.0037, 0.0013), 1e-4),
        (0.0, (0.7, 0.2, 0.1), 1e-6),
    ],
)
def test_scores_worked_by_hand(beta, expected, digits):
    tokens = torch.arange(3)
    found = contrastive.contrastive_scores(POSITIVE.expand(3, 3), NEGATIVE.expand(3, 3), tokens, beta)
    np.testing.assert_allclose(found, expected, atol=digits)


@pytest.mark.parametrize(("beta", "z"), [(1.0, 2.563333), (0.5, 1.493806)])
def test_the_normaliser_sums_over_the_vocabulary(beta, z):
    score = contrastive.contrastive_log_probs(POSITIVE, NEGATIVE, beta).exp()
    bare = POSITIVE.exp() ** (1 + beta) * NEGATIVE.exp() ** -beta
    assert (bare / score).tolist() == pytest.approx([z] * 3, abs=1e-5)


@given(st.integers(0, 2**16), st.floats(0, 3), st.floats(-20, 20))
def test_scores_are_probabilities_that_no_constant_moves(seed, beta, constant):
    draw = torch.Generator().manual_seed(seed)
    positive, negative = (torch.randn(4, 11, generator=draw) for _ in range(2))
    found = contrastive.contrastive_log_probs(positive, negative, beta).exp()
    torch.testing.assert_close(found.sum(-1), torch.ones(4))
    assert ((found > 0) & (found < 1)).all()
    moved = contrastive.contrastive_log_probs(positive + constant, negative - constant, beta).exp()
    torch.testing.assert_close(moved, found, atol=1e-4, rtol=1e-3)
    same = contrastive.contrastive_log_probs(positive, positive, beta)
    torch.testing.assert_close(same, positive.log_softmax(-1), atol=1e-4, rtol=1e-4)


def test_ids_that_both_models_exclude_stay_excluded():
    positive, negative = (torch.cat([row, torch.tensor([-torch.inf])]) for row in (POSITIVE, NEGATIVE))
    found = contrastive.contrastive_log_probs(positive, negative).exp()
    assert found.tolist() == pytest.approx([0.95579, 0.03121, 0.01300, 0.0], abs=1e-5)


def test_bad_betas_and_vocabularies_are_refused(make_lm):
    for beta in (-0.1, float("nan"), float("inf")):
        with pytest.raises(InputError, match="beta"):
            contrastive.contrastive_log_probs(POSITIVE, NEGATIVE, beta)
    with pytest.raises(InputError, match="3 and 2 ids"):
        contrastive.contrastive_log_probs(POSITIVE, NEGATIVE[:2])
    with pytest.raises(InputError, match=r"61 ids and .* 62"):
        contrastive.check_models(make_lm(0), make_lm(1, 62))


def test_other_tokenizers_are_refused(make_lm):
    positive, negative = make_lm(0), make_lm(1)
    negative.tokenizer.add_tokens(["another"])
    with pytest.raises(InputError, match="different tokenizers"):
        contrastive.score_responses(positive, negative, [[1]], [[3]])


@pytest.fixture(scope="module")
def models(make_lm):
    return make_lm(0), make_lm(1)


def test_responses_score_as_in_a_direct_pass_whatever_the_batches(models, make_pairs):
    pairs = make_pairs(5)
    prompts, responses = [p.prompt for p in pairs], [p.rejected for p in pairs]
    found = contrastive.score_responses(*models, prompts, responses, beta=0.7)
    small = contrastive.score_responses(*models, prompts, responses, 0.7, token_budget=1, logit_budget=1)
    for pair, one, alone in zip(pairs, found, small, strict=True):
        ids = torch.tensor([[*pair.prompt, *pair.rejected]])
        with torch.inference_mode():
            p, n = (lm.model(input_ids=ids).logits[0, len(pair.prompt) - 1 : -1] for lm in models)
        tokens = torch.tensor(pair.rejected)
        expected = contrastive.contrastive_scores(p, n, tokens, 0.7)
        np.testing.assert_allclose(one.score, expected, atol=1e-5)
        np.testing.assert_allclose(alone.score, expected, atol=1e-5)
        logs = p.log_softmax(-1)[torch.arange(len(tokens)), tokens]
        np.testing.assert_allclose(one.positive, logs, atol=1e-5)
        ratio = p.log_softmax(-1) - n.log_softmax(-1)
        np.testing.assert_allclose(one.kl, (p.softmax(-1) * ratio).sum(-1), atol=1e-5)
        assert one.score.dtype == np.float32
    assert contrastive.mean_kl(found) == pytest.approx(np.concatenate([c.kl for c in found]).mean())


def test_two_models_of_one_mind_differ_by_nothing(models):
    (found,) = contrastive.score_responses(models[0], models[0], [[3, 4]], [[5, 6, 2]], beta=2.0)
    np.testing.assert_allclose(found.score, np.exp(found.positive), rtol=1e-5)
    assert contrastive.mean_kl([found]) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("prompts", "responses", "message"),
    [([[3]], [], "do not fit"), ([[]], [[3]], "empty"), ([[3]], [[]], "empty"), ([[3]], [[99]], "outside")],
)
def test_unusable_texts_are_refused(models, prompts, responses, message):
    with pytest.raises(InputError, match=message):
        contrastive.score_responses(*models, prompts, responses)


def test_no_scores_have_no_mean():
    with pytest.raises(InputError, match="no scores"):
        contrastive.mean_kl([])
