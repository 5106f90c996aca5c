"""The pass over needed tokens gives what transformers' pass gives, in value and gradient."""

import pytest
import torch
from torch.nn import functional

from replication.lm import fused, packed

IGNORED = packed.IGNORED


def model(**changes):
    from transformers import LlamaConfig, LlamaForCausalLM

    settings = {
        "vocab_size": 61,
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "max_position_embeddings": 64,
        "initializer_range": 0.4,
        "pad_token_id": 0,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return LlamaForCausalLM(LlamaConfig(**settings | changes))


def plain(llama, ids, targets, positions=None):
    """Return the losses by transformers' pass."""
    logits = llama(input_ids=ids, position_ids=positions, use_cache=False).logits
    found = functional.cross_entropy(
        logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="none"
    )
    return found.view(targets.shape)


def gradients(llama, losses, weights):
    """Return the gradient of weighted losses, parameter by parameter."""
    llama.zero_grad()
    (losses * weights).sum().backward()
    return [p.grad.clone() for p in llama.parameters()]


def check_same(llama, ids, targets, layout, positions=None):
    """Compare losses and gradients, with a weight of 0 on some tokens.

    Weights are float64, but transformers takes norms in float32: the last digits differ.
    """
    weights = torch.rand(targets.shape, generator=torch.Generator().manual_seed(1)).double()
    weights *= weights > 0.4
    expected, found = plain(llama, ids, targets, positions), packed.losses(llama, layout, targets)
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)
    pairs = zip(*(gradients(llama, one, weights) for one in (found, expected)), strict=True)
    for ours, theirs in pairs:
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)


@pytest.fixture
def batch():
    """Two blocks: documents of 5 and 4 tokens and padding; one of 7, its last two not predicted."""
    ids = torch.randint(3, 61, (2, 10), generator=torch.Generator().manual_seed(0))
    positions = torch.tensor([[0, 1, 2, 3, 4, 0, 1, 2, 3, 0], [0, 1, 2, 3, 4, 5, 6, 0, 0, 0]])
    targets = torch.full((2, 10), IGNORED)
    for row, column in ((0, 0), (0, 1), (0, 3), (0, 5), (0, 6), (0, 7), (1, 0), (1, 1), (1, 2), (1, 3)):
        targets[row, column] = ids[row, column + 1]
    return ids, positions, targets


@pytest.mark.parametrize("tied", [True, False])
def test_documents_are_read_as_transformers_reads_them(batch, tied, monkeypatch):
    monkeypatch.setattr(fused, "FEWEST", 3)  # several blocks of rows
    monkeypatch.setattr(fused, "LOGITS", 1)
    ids, positions, targets = batch
    layout = packed.documents(ids, positions, targets)
    assert len(layout.ids) == 4 + 3 + 4  # up to the last predicting token of each
    check_same(model(tie_word_embeddings=tied).double(), ids, targets, layout, positions)


def test_rows_without_positions_are_one_document_each(batch):
    ids, _, targets = batch
    check_same(model().double(), ids, targets, packed.documents(ids, None, targets))


def test_a_common_beginning_is_read_once():
    ids = torch.randint(3, 61, (4, 9), generator=torch.Generator().manual_seed(0))
    ids[2, :6], ids[3, :4] = ids[0, :6], ids[1, :4]
    ids[2, 6], ids[3, 4] = ids[0, 6] % 58 + 3, ids[1, 4] % 58 + 3  # others than in the chosen text
    targets = torch.full((4, 9), IGNORED)
    for row, (start, end) in enumerate(((4, 8), (3, 6), (4, 7), (3, 8))):  # a shared response token too
        targets[row, start:end] = ids[row, start + 1 : end + 1]
    layout = packed.texts(ids, targets, paired=True)
    assert len(layout.ids) == (8 + 6) + (7 - 6) + (8 - 4)
    assert len(packed.texts(ids, targets).ids) == 8 + 6 + 7 + 8
    llama = model().double()
    check_same(llama, ids, targets, layout)
    whole = llama(input_ids=ids, use_cache=False).logits[targets != IGNORED]
    torch.testing.assert_close(packed.logits(llama, layout), whole, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("paired", [False, True])
def test_rows_of_similar_length_are_attended_together(paired):
    lengths = (3, 20, 12, 0, 4, 19, 11, 5)
    ids = torch.randint(3, 61, (8, 24), generator=torch.Generator().manual_seed(0))
    if paired:
        ids[4:, :3] = ids[:4, :3]
    targets = torch.full(ids.shape, IGNORED)
    for row, length in enumerate(lengths):
        targets[row, max(0, length - 2) : length] = ids[row, max(0, length - 2) + 1 : length + 1]
    layout = packed.texts(ids, targets, paired)
    assert layout.shapes == ((3, 5), (2, 12), (2, 20))  # the shortest first, none without a token
    assert len(layout.slots) == 3 * 5 + 2 * 12 + 2 * 20
    check_same(model().double(), ids, targets, layout)
    even = packed.texts(ids[:2], torch.where(torch.arange(24) < 9, ids[:2], IGNORED))
    assert even.shapes == ((2, 9),)


def test_float32_is_as_near_to_the_truth_as_transformers_is(batch):
    ids, positions, targets = batch
    llama = model()
    ours = packed.losses(llama, packed.documents(ids, positions, targets), targets)
    torch.testing.assert_close(ours, plain(llama, ids, targets, positions), rtol=1e-5, atol=1e-5)


def test_a_batch_with_nothing_to_predict_has_losses_of_zero_and_a_gradient(batch):
    ids, positions, _ = batch
    targets = torch.full_like(ids, IGNORED)
    llama = model()
    losses = packed.losses(llama, packed.documents(ids, positions, targets), targets)
    losses.sum().backward()
    assert not losses.any()
    assert not llama.lm_head.weight.grad.any()


@pytest.mark.parametrize(
    ("changes", "known"),
    [
        ({}, True),
        ({"num_key_value_heads": 1}, False),
        ({"attention_dropout": 0.1}, False),
        ({"attention_bias": True}, False),
        ({"mlp_bias": True}, False),
        ({"hidden_act": "gelu"}, False),
        ({"rope_parameters": {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 1e4}}, False),
    ],
)
def test_only_plain_llamas_are_known(changes, known):
    assert packed.fits(model(**changes)) == known


def test_other_passes_are_left_to_transformers():
    from transformers import GPT2Config, GPT2LMHeadModel

    assert not packed.fits(GPT2LMHeadModel(GPT2Config(n_embd=16, n_layer=1, n_head=2, vocab_size=61)))
    assert not packed.fits(model().bfloat16())
    assert not packed.fits(torch.nn.DataParallel(model()))
    with torch.autocast("cpu", torch.bfloat16):
        assert not packed.fits(model())
    checkpointing = model()
    checkpointing.activation_checkpointing_enable()
    assert not packed.fits(checkpointing)


def random(*shape):
    return torch.randn(shape, dtype=torch.float64, requires_grad=True)


def test_gradients_are_those_of_finite_differences(monkeypatch):
    monkeypatch.setattr(fused, "FEWEST", 2)  # rows at a time
    monkeypatch.setattr(fused, "LOGITS", 1)
    torch.manual_seed(0)
    check = torch.autograd.gradcheck
    assert check(fused.Norm.apply, (random(5, 6), random(6), 1e-6))
    targets, weight, hidden = torch.tensor([0, 6, 3, 3, 2]), random(7, 4), random(5, 4)
    for kept in (0, fused.KEPT):  # computed anew, and kept
        monkeypatch.setattr(fused, "KEPT", kept)
        assert check(fused.token_losses, (hidden, weight, targets))
        assert check(lambda h, w: fused.token_losses(h, w, targets)[::2], (hidden, weight))  # some rows
        assert check(lambda h, w: fused.token_losses(h, w, targets)[4:], (hidden, weight))  # one block
    turn = torch.polar(torch.ones(5, 3, dtype=torch.float64), torch.randn(5, 3, dtype=torch.float64))
    assert check(lambda x: fused.Rotation.apply(x * 1.0, turn, turn.conj().resolve_conj()), random(5, 6))
    slots, places, twins = torch.tensor([0, 1, 0, 2]), torch.tensor([0, 1, 3]), torch.tensor([0])

    def there_and_back(x):
        inside = fused.Spread.apply(x, slots, places, twins, torch.tensor([2]))
        return fused.Gather.apply(inside * torch.arange(1.0, 5.0)[:, None], places), inside

    # What is laid out twice has to get both gradients; fillings have none.
    assert check(there_and_back, random(3, 2))


def test_a_second_backward_pass_gives_the_same():
    torch.manual_seed(0)
    hidden, weight, targets = random(5, 4), random(7, 4), torch.tensor([0, 6, 3, 3, 2])
    loss = fused.token_losses(hidden, weight, targets).sum()
    first = torch.autograd.grad(loss, (hidden, weight), retain_graph=True)
    assert all(map(torch.equal, first, torch.autograd.grad(loss, (hidden, weight))))


def test_losses_of_sure_predictions_keep_their_digits():
    hidden, weight = torch.eye(2) * 15, torch.eye(2)
    found = fused.token_losses(hidden, weight, torch.tensor([0, 1]))
    assert torch.allclose(found, functional.cross_entropy(hidden, torch.tensor([0, 1]), reduction="none"))
    assert (found > 0).all()


def test_a_meter_counts_the_tokens_that_were_read(batch, tmp_path, monkeypatch):
    from replication.lm import meter

    counting = meter.Meter(tmp_path / "costs.json")
    monkeypatch.setattr(meter, "_running", counting)
    ids, positions, targets = batch
    packed.losses(model().train(), packed.documents(ids, positions, targets), targets)
    assert counting.stages[""]["work"] == {"2x16x61": [0, 0, 11, 1]}
