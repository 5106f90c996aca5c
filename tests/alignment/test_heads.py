"""The response head gives what the whole forward pass gives, and goes without a trace."""

import copy

import pytest
import torch

from replication.alignment import heads
from replication.alignment.preferences import IGNORED, token_log_probs
from replication.lm import packed

IDS = torch.tensor([[3, 4, 5, 6, 2], [7, 8, 2, 0, 0]])
LABELS = torch.tensor([[IGNORED, IGNORED, 5, 6, 2], [IGNORED, 8, 2, IGNORED, IGNORED]])


def other_models(name):
    import transformers as hf

    torch.manual_seed(0)
    small = {
        "vocab_size": 61,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
        "initializer_range": 0.4,
    }
    if name == "gpt2":
        return hf.GPT2LMHeadModel(hf.GPT2Config(**small, n_embd=16, n_layer=2, n_head=2, n_positions=32))
    layers = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2,
              "num_key_value_heads": 2, "head_dim": 8}  # fmt: skip
    return hf.Gemma2ForCausalLM(hf.Gemma2Config(**small, **layers, final_logit_softcapping=2.0))


@pytest.fixture(params=["llama", "gpt2", "gemma2"])
def model(request, make_model):
    return (make_model() if request.param == "llama" else other_models(request.param)).eval()


def test_it_equals_the_whole_pass_in_value_and_gradient(model):
    full = model(input_ids=IDS).logits[:, :-1]
    direct = token_log_probs(full, LABELS[:, 1:])
    direct.sum().backward()
    expected = [p.grad.clone() for p in model.parameters()]
    mask = LABELS[:, 1:] != IGNORED
    logits = full[mask].detach()
    heads.add_response_head(model)
    for distribution in (False, True):
        model.zero_grad()
        found, own = heads.forward(model, IDS, LABELS, distribution)
        torch.testing.assert_close(found, direct, atol=1e-5, rtol=1e-5)
        assert not found[~mask].any()
        found.sum().backward()
        for p, gradient in zip(model.parameters(), expected, strict=True):
            torch.testing.assert_close(p.grad, gradient, atol=1e-4, rtol=1e-4)
        if distribution:
            torch.testing.assert_close(own, logits, atol=1e-5, rtol=1e-5)


def test_an_ordinary_pass_stays_what_it_was(model):
    with torch.inference_mode():
        before = model(input_ids=IDS).logits
        heads.add_response_head(model)
        torch.testing.assert_close(model(input_ids=IDS).logits, before)
        assert model(input_ids=IDS, labels=LABELS).loss.isfinite()
        assert model.generate(IDS[:1], max_new_tokens=2, do_sample=False).shape[1] >= 6


def test_a_copy_is_safe_once_the_heads_are_removed(make_model):
    model = make_model().eval()
    with torch.inference_mode():
        before = model(input_ids=IDS).logits
    heads.add_response_head(model)
    heads.remove_heads(model)
    clone = copy.deepcopy(model)
    with torch.no_grad():
        clone.get_output_embeddings().weight.zero_()
        assert not clone(input_ids=IDS).logits.any()
        torch.testing.assert_close(model(input_ids=IDS).logits, before)
    heads.remove_heads(clone)  # a second time does nothing


def test_values_are_spread_over_a_mask():
    mask = torch.tensor([[True, False], [True, True]])
    assert heads.spread(torch.tensor([1.0, 2.0, 3.0]), mask).tolist() == [[1, 0], [2, 3]]


def test_a_head_keeps_no_model_from_the_faster_passes(make_model):
    model = make_model().eval()
    assert packed.fits(model)
    heads.add_response_head(model)
    assert packed.fits(model)
    model.model.layers[0].register_forward_hook(lambda *_: None)
    assert not packed.fits(model)


def test_a_head_on_a_forward_pass_of_its_own_does_not_hide_it(make_model):
    model = make_model().eval()
    plain = model.forward
    model.forward = lambda *args, **options: plain(*args, **options)
    assert not packed.fits(model)
    heads.add_response_head(model)
    assert not packed.fits(model)
