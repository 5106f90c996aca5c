"""Min-p against hand-worked rows and transformers' warper, and what transformers' default top-50 does."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import LlamaConfig, LlamaForCausalLM, MinPLogitsWarper, TopPLogitsWarper

from replication.decoding.min_p import MinP, keep, threshold
from replication.decoding.truncation import tempered
from replication.settings import InputError

INF = math.inf
rows = st.lists(st.integers(-2000, 2000), min_size=2, max_size=40).map(lambda v: [i / 100 for i in v])
shares = st.floats(1e-4, 1)


def kept(probabilities, p):
    """Return how many tokens of a row of probabilities survive."""
    return int(keep(torch.tensor([probabilities], dtype=torch.float64).log(), p).sum())


def random_rows(count=100, width=200, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn((count, width), generator=generator, dtype=torch.float64) * 3


@pytest.mark.parametrize(("p", "count"), [(0.1, 5), (0.2, 3), (0.3, 2), (0.6, 1)])
def test_check_1_worked_row(p, count):
    row = [0.5, 0.25, 0.125, 0.0625, 0.0625]
    assert kept(row, p) == count
    if p == 0.2:
        left = MinP(p)(None, torch.tensor([row]).log()).softmax(-1)[0]
        assert left.tolist() == pytest.approx([4 / 7, 2 / 7, 1 / 7, 0, 0])


@pytest.mark.parametrize("temperature", [0.5, 2, 3])
@pytest.mark.parametrize("p", [0.02, 0.1, 0.3])
def test_check_2_logit_form_is_the_probability_form(temperature, p):
    logits = random_rows()
    probabilities = (logits / temperature).softmax(-1)
    bound = p * probabilities.amax(-1, keepdim=True)
    window = logits >= logits.amax(-1, keepdim=True) - temperature * math.log(1 / p)
    far = ((probabilities / bound).log() * temperature).abs() > 1e-5
    for found in (keep(logits, p, temperature), MinP(p).keep(logits / temperature)):
        assert torch.equal(found[far], (probabilities >= bound)[far])
        assert torch.equal(found[far], window[far])
    assert far.float().mean() > 0.999


@pytest.mark.parametrize("temperature", [0.5, 2, 3])
def test_check_3_the_set_at_p_and_t_is_that_at_p_to_the_t_and_1(temperature):
    logits = random_rows()
    far = (logits - threshold(logits, 0.1, temperature)).abs() > 1e-4
    assert torch.equal(keep(logits, 0.1, temperature)[far], keep(logits, 0.1**temperature)[far])


@pytest.mark.parametrize(("temperature", "count", "window"), [(1, 3, 2.303), (2, 3, 4.605), (3, 4, 6.908)])
def test_check_4_the_window_widens_with_temperature(temperature, count, window):
    logits = torch.tensor([[5.0, 4, 3, 0]])
    assert 5 - threshold(logits, 0.1, temperature).item() == pytest.approx(window, abs=1e-3)
    assert keep(logits, 0.1, temperature).sum() == MinP(0.1).keep(logits / temperature).sum() == count


def test_check_5_confident_and_flat_rows():
    for row, by_min_p, by_top_p in (([0.9, 0.06, 0.03, 0.01], 1, 2), ([0.3, 0.25, 0.25, 0.2], 4, 4)):
        logits = torch.tensor([row]).log()
        assert kept(row, 0.1) == by_min_p
        assert (TopPLogitsWarper(0.95)(None, logits) > -INF).sum() == by_top_p


@pytest.mark.parametrize(("least", "width", "count"), [(3, 8, 3), (9, 5, 5)])
def test_check_6_of_the_oracle_smallest_number_of_tokens(least, width, count):
    logits = torch.arange(float(width))[None]
    found = MinPLogitsWarper(1.0, min_tokens_to_keep=least)(None, logits)
    assert (found > -INF).sum() == count
    assert keep(logits, 1.0).sum() == 1


@given(rows, shares)
def test_check_7_the_largest_is_kept_and_a_constant_changes_nothing(row, p):
    logits = torch.tensor([row], dtype=torch.float64)
    found = keep(logits, p)
    assert found[logits == logits.max()].all()
    assert MinP(p)(None, logits).argmax() == logits.argmax()
    far = (logits - threshold(logits, p)).abs() > 1e-3
    assert torch.equal(keep(logits + 37.5, p)[far], found[far])


@given(rows, shares)
def test_check_8_bound_on_the_number_of_tokens(row, p):
    logits = torch.tensor([row], dtype=torch.float64)
    largest = logits.softmax(-1).max().item()
    assert keep(logits, p).sum().item() <= math.floor(1 / (p * largest) * (1 + 1e-5))


@pytest.fixture(scope="module")
def model():
    """A random model of 300 tokens."""
    torch.manual_seed(1)
    sizes = {"vocab_size": 300, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1}
    config = LlamaConfig(**sizes, num_attention_heads=2, bos_token_id=1, eos_token_id=2, pad_token_id=0)
    return LlamaForCausalLM(config).eval()


def sampled_scores(model, **options):
    """Return the scores of the first token that transformers' `generate` samples from: (300,)."""
    ids = torch.tensor([[5, 6, 7]])
    output = model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        do_sample=True,
        max_new_tokens=1,
        output_scores=True,
        return_dict_in_generate=True,
        **options,
    )
    return output.scores[0][0]


def test_check_9_the_default_top_50_stays_on(model):
    def finite(**options):
        return int((sampled_scores(model, **options) > -INF).sum())

    assert finite() == 50
    assert finite(top_k=0) == 300
    # So flat a model that the window of min-p holds everything.
    assert finite(min_p=0.1) <= 50 < finite(min_p=0.1, top_k=0)
    assert finite(logits_processor=[MinP(0.1)]) == 50
    assert finite(logits_processor=[MinP(0.1)], top_k=0) > 50


def test_the_order_in_generate_and_its_remedy(model):
    raw = sampled_scores(model, top_k=0)[None]
    t, p = 2.0, 0.9
    before, after = keep(raw, p)[0], keep(raw, p, t)[0]
    assert before.sum() < after.sum() < 300
    # A processor comes before the temperature of generate: the window does not widen.
    plain = sampled_scores(model, logits_processor=[MinP(p)], temperature=t, top_k=0)
    assert torch.equal(plain > -INF, before)
    mended = sampled_scores(model, logits_processor=tempered(t, MinP(p)), temperature=1.0, top_k=0)
    library = sampled_scores(model, min_p=p, temperature=t, top_k=0)
    assert torch.equal(mended > -INF, after)
    assert torch.equal(mended, library)


@given(rows, shares, st.floats(0.2, 20))
def test_agrees_with_transformers(row, p, temperature):
    logits = torch.tensor([row], dtype=torch.float64)
    wanted = MinPLogitsWarper(p)(None, logits / temperature) > -INF
    far = (logits - threshold(logits, p, temperature)).abs() > 1e-4
    assert torch.equal(keep(logits, p, temperature)[far], wanted[far])


@given(rows, shares, st.floats(0, 1), st.floats(0.2, 20))
def test_nested_in_p_and_in_temperature(row, p, share, temperature):
    logits = torch.tensor([row])
    found = keep(logits, p, temperature)
    assert not (found & ~keep(logits, max(p * share, 1e-5), temperature)).any()
    assert not (found & ~keep(logits, p, temperature * 1.5)).any()


def test_p_1_keeps_ties_of_the_largest_and_equal_logits_are_all_kept():
    assert keep(torch.tensor([[1.0, 3, 3, 2]]), 1).tolist() == [[False, True, True, False]]
    assert keep(torch.full((1, 6), -4.0), 1).all()


def test_two_tokens():
    logits = torch.tensor([[0.0, math.log(0.25)]])
    assert [int(keep(logits, p).sum()) for p in (0.24, 0.26)] == [2, 1]


def test_masked_entries_stay_out_whatever_the_window():
    logits = torch.tensor([[2.0, -INF, 1.0, -INF]])
    for p, temperature in ((0.1, 1.0), (1e-300, 1e300)):
        assert keep(logits, p, temperature).tolist() == [[True, False, True, False]]
    assert MinP(0.1)(None, logits).tolist() == [[2.0, -INF, 1.0, -INF]]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_low_precision_is_worked_on_in_float32(dtype):
    logits = random_rows(100, 2000, seed=2).to(dtype)
    wanted = keep(logits.float(), 0.1)
    assert not torch.equal(logits >= logits.amax(-1, keepdim=True) + math.log(0.1), wanted)
    assert torch.equal(keep(logits, 0.1), wanted)
    result = MinP(0.1)(None, logits)
    assert result.dtype == dtype
    assert torch.equal(result, logits.masked_fill(~wanted, -INF))


def test_repr_and_the_rule_for_the_engine():
    assert repr(MinP(0.1)) == "MinP(p=0.1)"
    assert (MinP(0.1).rule.kind, MinP(0.1).rule.value) == ("min-p", 0.1)


@pytest.mark.parametrize("p", [0, -0.1, 1.01, math.nan, "some"])
def test_p_out_of_range(p):
    with pytest.raises(InputError, match="Min-p needs 0 < p <= 1"):
        MinP(p)
    with pytest.raises(InputError, match="Min-p needs 0 < p <= 1"):
        keep(torch.zeros((1, 3)), p)


@pytest.mark.parametrize("temperature", [0, -1.0, math.nan, INF])
def test_temperature_out_of_range(temperature):
    with pytest.raises(InputError, match="temperature needs a number > 0"):
        keep(torch.zeros((1, 3)), 0.1, temperature)
