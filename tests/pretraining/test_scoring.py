import pytest
import torch

from replication.pretraining import scoring
from replication.pretraining.scoring import score
from replication.pretraining.token_losses import entropy, targets, token_losses


@pytest.fixture
def batch():
    ids = torch.randint(1, 61, (5, 9), generator=torch.Generator().manual_seed(0))
    labels = ids.clone()
    labels[0, 4:] = labels[2, 1] = -100
    return ids, targets(labels)


def whole(model, ids, target):
    with torch.no_grad():
        logits = model.eval()(input_ids=ids).logits
    return token_losses(logits, target), entropy(logits).masked_fill(target == -100, 0)


@pytest.mark.parametrize("budget", [2**24, 61 * 3, 1])
@pytest.mark.parametrize("plain", [True, False])
def test_pieces_give_the_scores_of_a_whole_pass(batch, make_model, monkeypatch, budget, plain):
    model = make_model()
    monkeypatch.setattr(scoring, "CPU_LOGITS", budget)
    monkeypatch.setattr(scoring, "CPU_TOKENS", 20)  # two rows
    monkeypatch.setattr(scoring, "plain_head", lambda lm: plain)
    for found, wanted in zip(score(model, *batch, entropy=True), whole(model, *batch), strict=True):
        assert torch.allclose(found, wanted, atol=1e-5)
        assert not found.requires_grad


def test_a_model_that_changes_its_logits_behind_the_output_layer(batch):
    from transformers import Gemma2Config, Gemma2ForCausalLM

    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "head_dim": 8}
    config = Gemma2Config(
        vocab_size=61, num_attention_heads=2, num_key_value_heads=2, final_logit_softcapping=0.5, **sizes
    )
    model = Gemma2ForCausalLM(config)
    assert torch.allclose(score(model, *batch)[0], whole(model, *batch)[0], atol=1e-5)


def test_dropout_is_off_and_the_mode_comes_back(batch):
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=61, n_positions=16, n_embd=16, n_layer=1, n_head=2))
    model.train()
    first, none = score(model, *batch)
    assert torch.equal(first, score(model, *batch)[0])
    assert none is None
    assert model.training
    assert torch.allclose(first, whole(model, *batch)[0], atol=1e-5)
    # In training mode the same model gives other losses each time.
    model.train()
    with torch.no_grad():
        noisy = token_losses(model(input_ids=batch[0]).logits, batch[1])
    assert float((noisy - first).abs().max()) > 1e-3


def test_padding_on_the_right_changes_nothing(batch, make_model):
    ids, target = batch
    wide = torch.nn.functional.pad(ids, (0, 3), value=0), torch.nn.functional.pad(target, (0, 3), value=-100)
    found, short = score(make_model(), *wide)[0], score(make_model(), *batch)[0]
    assert torch.allclose(found[:, :9], short, atol=1e-5)
    assert not bool(found[:, 9:].any())
