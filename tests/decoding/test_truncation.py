"""What all truncation rules share, and the rules inside transformers' `generate` and the package's engine."""

import importlib.util
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transformers import LogitsProcessor, TemperatureLogitsWarper

from replication.decoding.eta_sampling import Epsilon, Eta
from replication.decoding.experiment import describe
from replication.decoding.min_p import MinP
from replication.decoding.top_nsigma import TopNSigma
from replication.decoding.truncation import (
    Truncation,
    check,
    critical_temperature,
    kept_mass,
    sigma_distance,
    tempered,
)
from replication.lm import engine
from replication.settings import InputError

INF = math.inf
RULES = (TopNSigma(1.0), TopNSigma(2.0, ddof=0), MinP(0.1), Epsilon(0.01), Eta(0.02), Eta(0.02, alpha=1.0))
FAMILIES = ("llama", "mistral", "qwen2", "gemma", "gpt2", "phi")
T = 1.7

rows = st.lists(st.integers(-3000, 3000), min_size=2, max_size=40).map(lambda v: [i / 100 for i in v])


class Top(Truncation):
    """Keeps the largest logits: the smallest rule there is."""

    def __init__(self, offset=0.0, name="top"):
        self.offset, self.name = float(offset), name

    def keep(self, scores):
        return scores >= scores.amax(-1, keepdim=True) - self.offset


def random_rows(count=100, width=300, seed=0):
    return torch.randn((count, width), generator=torch.Generator().manual_seed(seed)) * 3


# Checks


@pytest.mark.parametrize("bad", [math.nan, INF])
def test_nan_and_plus_infinity_are_refused_by_all(bad):
    logits = torch.tensor([[1.0, 2.0, 3.0], [1.0, bad, 3.0]])
    for call in (check, critical_temperature, sigma_distance, lambda x: kept_mass(x, x > 0)):
        with pytest.raises(InputError, match="neither NaN nor"):
            call(logits)
    for rule in RULES:
        for call in (rule.keep, lambda x, rule=rule: rule(None, x)):
            with pytest.raises(InputError, match="neither NaN nor"):
                call(logits)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_a_row_without_a_finite_entry_is_refused(dtype):
    logits = torch.tensor([[1.0, 2.0], [-INF, -INF]], dtype=dtype)
    for call in (check, *(rule.keep for rule in RULES)):
        with pytest.raises(InputError, match="at least one finite entry in every row"):
            call(logits)


@pytest.mark.parametrize(
    "logits", [torch.zeros(3), torch.zeros((2, 0)), torch.zeros((2, 3), dtype=torch.int64)]
)
def test_what_is_no_batch_of_logits_is_refused(logits):
    for call in (check, critical_temperature, sigma_distance, *(rule.keep for rule in RULES)):
        with pytest.raises(InputError, match="floating-point logits"):
            call(logits)


def test_masked_entries_and_empty_batches_pass():
    check(torch.tensor([[-INF, 1.0]]))
    for rule in RULES:
        assert rule.keep(torch.zeros((0, 5))).shape == rule(None, torch.zeros((0, 5))).shape == (0, 5)


# The processor


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_call_puts_the_rest_at_minus_infinity_in_a_new_tensor(rule):
    for logits in (random_rows(), random_rows().to(torch.bfloat16), random_rows().double()):
        before = logits.clone()
        result = rule(torch.zeros((100, 4), dtype=torch.long), logits)
        assert torch.equal(logits, before)
        assert result.dtype == logits.dtype
        assert torch.equal(result, logits.masked_fill(~rule.keep(logits), -INF))
        assert 1 <= rule.keep(logits).sum(-1).min() < 300


@pytest.mark.parametrize("rule", RULES, ids=repr)
def test_a_batch_gives_the_sets_of_its_rows(rule):
    logits = torch.cat([random_rows(40), random_rows(40, seed=1) * 0.02, random_rows(40, seed=2) * 50 + 900])
    logits[::3, ::4] = -INF
    alone = torch.cat([rule.keep(row[None]) for row in logits])
    assert torch.equal(rule.keep(logits), alone)
    assert torch.equal(rule(None, logits) > -INF, alone)
    order = torch.randperm(len(logits), generator=torch.Generator().manual_seed(0))
    assert torch.equal(rule.keep(logits[order]), alone[order])


@given(rows, st.sampled_from(RULES))
def test_never_empty_and_the_largest_survives(row, rule):
    logits = torch.tensor([row])
    assert rule.keep(logits)[logits == logits.max()].all()
    larger = rule.keep(torch.cat([logits, torch.full((1, 5), -INF)], dim=1))
    assert torch.equal(larger[:, : len(row)], rule.keep(logits))
    assert not larger[:, len(row) :].any()


def test_repr_equality_and_hash():
    assert repr(Top()) == "Top(offset=0.0)"
    assert repr(Top(2, name="x")) == "Top(offset=2.0, name='x')"
    assert Top(2) == Top(2.0)
    assert Top(2) != Top(1)
    assert MinP(0.1) != TopNSigma(0.1)
    assert MinP(0.1) != "MinP(p=0.1)"
    twin = type("Top", (Top,), {})()
    assert repr(twin) == repr(Top())
    assert twin != Top()
    assert len({MinP(0.1), MinP(np.float64(0.1)), MinP(0.2)}) == 2
    assert [describe(rule) for rule in RULES] == [repr(rule) for rule in RULES]


def test_a_rule_without_a_keep_cannot_be_made():
    with pytest.raises(TypeError, match="abstract method"):
        Truncation()


def test_tempered_divides_before_the_rules():
    logits = random_rows()
    division, rule = tempered(2, MinP(0.1))
    assert isinstance(division, TemperatureLogitsWarper)
    assert rule == MinP(0.1)
    assert torch.equal(tempered(2, MinP(0.1))(None, logits), MinP(0.1)(None, logits / 2))


@pytest.mark.parametrize("temperature", [0, -1, math.nan, INF, "hot"])
def test_temperature_out_of_range(temperature):
    with pytest.raises(InputError, match="temperature needs a number > 0"):
        tempered(temperature)
    with pytest.raises(InputError, match="temperature needs a number > 0"):
        kept_mass(torch.zeros((1, 2)), torch.ones((1, 2), dtype=torch.bool), temperature)


# Measures of a row


def test_critical_temperature_and_distance_of_figure_1():
    bulk = torch.distributions.Normal(0.25, 2.13).icdf((torch.arange(128_255) + 0.5) / 128_255)
    logits = torch.cat([bulk, torch.tensor([21.4])])[None]
    assert critical_temperature(logits).item() == pytest.approx(1.80, abs=5e-3)
    assert sigma_distance(logits).item() == pytest.approx(9.9, abs=0.05)


@given(rows)
def test_measures_agree_with_numpy_over_finite_entries(row):
    x = np.array(row)
    logits = torch.tensor([[*row, -INF, -INF]])
    critical = (x.max() - x.mean()) / math.log(len(x))
    assert critical_temperature(logits).item() == pytest.approx(critical, rel=1e-4, abs=1e-5)
    if np.ptp(x) > 0.1:
        for ddof in (0, 1):
            distance = (x.max() - x.mean()) / x.std(ddof=ddof)
            assert sigma_distance(logits, ddof).item() == pytest.approx(distance, rel=1e-3)
        assert sigma_distance(logits).item() <= (len(x) - 1) / math.sqrt(len(x)) * 1.001


def test_the_distance_is_the_same_at_every_temperature_and_the_critical_one_scales():
    logits = random_rows()
    assert torch.allclose(sigma_distance(logits / 7), sigma_distance(logits), rtol=1e-4)
    assert torch.allclose(critical_temperature(logits * 7), 7 * critical_temperature(logits), rtol=1e-4)


@pytest.mark.parametrize("width", [4, 100])
def test_distance_of_one_token_above_equal_ones(width):
    logits = torch.tensor([[3.0] + [0.0] * (width - 1)])
    assert sigma_distance(logits).item() == pytest.approx((width - 1) / math.sqrt(width), rel=1e-5)


def test_rows_without_a_spread_have_no_distance():
    assert sigma_distance(torch.zeros((1, 4))).isnan().all()
    assert critical_temperature(torch.zeros((1, 4))).item() == 0
    assert critical_temperature(torch.tensor([[-INF, 2.0]])).isnan().all()


def test_kept_mass():
    logits = torch.tensor([[0.5, 0.25, 0.125, 0.125], [0.1, 0.2, 0.3, 0.4]]).log()
    keep = torch.tensor([[True, False, True, False], [True] * 4])
    assert kept_mass(logits, keep).tolist() == pytest.approx([0.625, 1.0])
    squares = np.array([0.5, 0.25, 0.125, 0.125]) ** 2
    assert kept_mass(logits, keep, 0.5)[0].item() == pytest.approx(squares[[0, 2]].sum() / squares.sum())


@pytest.mark.parametrize("keep", [torch.ones((1, 2), dtype=torch.bool), torch.ones((2, 2))])
def test_kept_mass_refuses_other_sets(keep):
    with pytest.raises(InputError, match="a bool per logit"):
        kept_mass(torch.zeros((2, 2)), keep)


# Inside transformers' generate and the engine, on tiny random models of six architectures


class Recorder(LogitsProcessor):
    """Notes, by context, the scores that a rule sees and the set that it keeps."""

    def __init__(self, inner):
        self.inner, self.seen = inner, {}

    def __call__(self, input_ids, scores):
        result = self.inner(input_ids, scores)
        for ids, before, after in zip(input_ids.tolist(), scores, result, strict=True):
            self.seen[tuple(ids)] = (before.clone(), after > -INF)
        return result


def tiny_models():
    """Return the module that makes tiny random models of several architectures."""
    path = Path(__file__).parents[1] / "lm" / "conftest.py"
    spec = importlib.util.spec_from_file_location("tiny_models", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def make_lm():
    torch.set_num_threads(1)
    return tiny_models().language_model


def hf_generate(lm, prompt, processors, tokens, **options):
    """Continue one prompt by transformers' plain `generate`; return the new ids."""
    ids = torch.tensor([prompt])
    output = lm.model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        do_sample=True,
        max_new_tokens=tokens,
        pad_token_id=lm.pad_id,
        logits_processor=processors,
        **{"top_k": 0, "temperature": 1.0} | options,
    )
    return output[0, len(prompt) :].tolist()


def same_sets(found, wanted):
    """Tell whether two records of a context agree, but for tokens that rounding decides about."""
    (scores, keep), (others, other_keep) = found, wanted
    edge = scores[keep].min()
    far = (scores - edge).abs() > 1e-3
    return torch.allclose(scores, others, atol=1e-4) and torch.equal(keep[far], other_keep[far])


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("rule", [TopNSigma(1.0), MinP(0.05), Epsilon(0.01), Eta(0.02)], ids=repr)
def test_generate_and_the_engine_keep_the_same_sets(make_lm, family, rule):
    lm = make_lm(family)
    prompt = lm.encode("Q: who?\nA: on")
    recorder = Recorder(rule)
    options = {"do_sample": True, "temperature": T, "max_new_tokens": 5}
    path = engine.generate(lm, [prompt], processors=[recorder], **options)["tokens"][0].tolist()
    assert len(recorder.seen) == len(path)
    for step, token in enumerate(path):
        context = [*prompt, *path[:step]]
        alone = Recorder(rule)
        hf_generate(lm, context, tempered(T, alone), 1)
        assert list(alone.seen) == [tuple(context)]
        assert same_sets(alone.seen[tuple(context)], recorder.seen[tuple(context)])
        assert recorder.seen[tuple(context)][1][token]
    # The engine draws from rules that it knows without calling them: the same tokens.
    assert engine.generate(lm, [prompt], processors=[rule], **options)["tokens"][0].tolist() == path


@pytest.mark.parametrize("family", FAMILIES)
def test_every_token_of_generate_comes_from_the_kept_set(make_lm, family):
    lm = make_lm(family)
    prompt = lm.encode("Tom has 12 pears")
    torch.manual_seed(0)
    for rule in (TopNSigma(1.0), MinP(0.05), Epsilon(0.01), Eta(0.02)):
        recorder = Recorder(rule)
        path = hf_generate(lm, prompt, tempered(T, recorder), 6)
        assert len(recorder.seen) == len(path)
        for step, token in enumerate(path):
            scores, keep = recorder.seen[(*prompt, *path[:step])]
            assert torch.equal(keep, rule.keep(scores[None])[0])
            assert keep[token]


def test_custom_processors_run_before_the_temperature_of_generate(make_lm):
    lm = make_lm("llama")
    prompt = lm.encode("x")
    ids = torch.tensor([prompt])
    with torch.inference_mode():
        raw = lm.model(ids).logits[0, -1].float()
    early, late = Recorder(MinP(0.05)), Recorder(MinP(0.05))
    hf_generate(lm, prompt, [early], 1, temperature=3.0)
    hf_generate(lm, prompt, tempered(3.0, late), 1)
    (scores, before), (divided, after) = early.seen[tuple(prompt)], late.seen[tuple(prompt)]
    assert torch.allclose(scores, raw, atol=1e-5)
    assert torch.allclose(divided, raw / 3, atol=1e-5)
    assert before.sum() < after.sum()
    # For top-nσ the order does not matter.
    sets = []
    for processors, temperature in (([TopNSigma(1.0)], 3.0), (tempered(3.0, TopNSigma(1.0)), 1.0)):
        recorder = Recorder(TopNSigma(10.0))
        hf_generate(lm, prompt, [*processors, recorder], 1, temperature=temperature)
        sets.append(recorder.seen[tuple(prompt)][0] > -INF)
    assert torch.equal(*sets)
    assert 1 <= sets[0].sum() < len(raw)
