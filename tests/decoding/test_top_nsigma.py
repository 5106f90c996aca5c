"""The rule against hand-worked rows, a plain numpy rule and transformers' warpers; the closed forms."""

import math

import numpy as np
import pytest
import torch
import transformers as hf
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from replication.decoding import top_nsigma
from replication.decoding.top_nsigma import UNIFORM_BOUND, TopNSigma, keep, raw_threshold, threshold
from replication.settings import InputError

INF = math.inf
TEMPERATURES = (0.1, 0.7, 1.5, 3.0, 10.0, 100.0)
OUTLIERS = (0.41, 0.27, 0.135, 0.08, 0.05, 0.025, 0.015)
# T: top-p .9, min-p .1, top-k 20, top-nσ 1, ε 9e-4, η 9e-4, noise mass, noise mass after top-p
SYNTHETIC = {
    1: (4, 5, 20, 5, 7, 7, 0.0003, 0.0),
    1.5: (7, 7, 20, 5, 7, 7, 0.0790, 0.0),
    2: (59991, 7, 20, 5, 7, 20467, 0.6151, 0.5723),
    3: (91108, 7, 20, 5, 7, 128251, 0.9704, 0.9671),
    5: (103053, 7, 20, 5, 1, 128256, 0.9975, 0.9972),
    10: (109957, 103985, 20, 5, 1, 128256, 0.9996, 0.9996),
}
N_SWEEP = {0.5: 2, 1: 5, 1.5: 6, 2: 7, 3: 7, 5: 7, 5.5: 8, 6: 13, 7: 236}

rows = st.lists(st.integers(-4000, 4000), min_size=2, max_size=40).map(lambda v: [i / 100 for i in v])
ns = st.floats(0, 6)


def kept(row, *arguments):
    """Return the kept places of one row as a list."""
    return keep(torch.tensor([row], dtype=torch.float64), *arguments)[0].nonzero().flatten().tolist()


def random_rows(count=200, width=500, seed=0):
    return torch.randn((count, width), generator=torch.Generator().manual_seed(seed)) * 3


def plain(row, n, ddof=1):
    """Return the numpy float64 rule's threshold of one row: the oracle."""
    finite = np.asarray(row, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    return finite.max() - n * (finite.std(ddof=ddof) if len(finite) > ddof else 0.0)


def clear(logits, cut, gap=1e-4):
    """Return the rows without a logit so near the cut that rounding could decide about it."""
    chosen = ((logits - cut).abs() > gap).all(-1)
    assert chosen.float().mean() > 0.8
    return logits[chosen]


def published_like_row():
    bulk = norm.ppf((np.arange(128_249) + 0.5) / 128_249) * 2.13 + 0.25
    outliers = 21.4 + np.log(np.array(OUTLIERS) / OUTLIERS[0])
    return torch.from_numpy(np.concatenate([bulk, outliers]))[None]


# Unit checks 1 to 6 of the paper: the rule


def test_check_1_the_set_is_the_same_under_affine_maps():
    logits = clear(random_rows(), threshold(random_rows()))
    wanted = keep(logits)
    for temperature in TEMPERATURES:
        assert torch.equal(keep(logits / temperature), wanted)
    assert torch.equal(keep(logits * 2.7 + 31), wanted)
    assert torch.equal(keep(logits.log_softmax(-1)), wanted)


def test_check_2_worked_row():
    logits = torch.tensor([[10.0, 9, 0, -1]])
    assert logits.std().item() == pytest.approx(5.802298, abs=1e-6)
    assert threshold(logits).item() == pytest.approx(4.197702, abs=1e-5)
    assert threshold(logits, 0.1).item() == pytest.approx(9.419770, abs=1e-5)
    assert (kept([10, 9, 0, -1]), kept([10, 9, 0, -1], 0.1)) == ([0, 1], [0])


def test_check_3_the_divisor_matters_in_small_vocabularies():
    logits = torch.tensor([[1.0, 2, 3, 4]])
    assert threshold(logits, 1.7, 1).item() == pytest.approx(1.805309, abs=1e-5)
    assert threshold(logits, 1.7, 0).item() == pytest.approx(2.099342, abs=1e-5)
    assert (kept([1, 2, 3, 4], 1.7, 1), kept([1, 2, 3, 4], 1.7, 0)) == ([1, 2, 3], [2, 3])


@pytest.mark.parametrize("gap", [1e-3, 1.0, 500.0])
def test_check_4_two_tokens(gap):
    counts = [len(kept([gap, 0], n)) for n in (1.41, 1.42)]
    population = [len(kept([gap, 0], n, 0)) for n in (1.99, 2.01)]
    assert counts == population == [1, 2]


@pytest.mark.parametrize("width", [4, 25, 100])
@pytest.mark.parametrize("gap", [0.5, 20.0])
def test_check_5_one_token_above_equal_ones(width, gap):
    row = [gap] + [0.0] * (width - 1)
    assert threshold(torch.tensor([row])).item() == pytest.approx(gap - gap / math.sqrt(width), rel=1e-5)
    assert len(kept(row, math.sqrt(width) - 0.01)) == 1
    assert len(kept(row, math.sqrt(width) + 0.01)) == width


@pytest.mark.parametrize("value", [0.0, -7.3, 1e4])
def test_check_6_equal_logits_are_all_kept_and_n_0_keeps_the_largest(value):
    for n in (0, 0.5, 3):
        assert kept([value] * 7, n) == list(range(7))
    assert kept([1, 5, 5, 4.9], 0) == [1, 2]


# Unit checks 7 to 11: relation to other samplers, distributions, masked rows


def test_check_7_at_t_1_the_set_is_that_of_min_p():
    logits = random_rows(seed=1).double()
    for n in (0.5, 1.0, 2.0):
        logits = clear(logits, threshold(logits, n))
        for row in logits:
            warper = hf.MinPLogitsWarper(math.exp(-n * row.std().item()))
            assert torch.equal(warper(None, row[None]) > -INF, keep(row[None], n))


@pytest.fixture(scope="module")
def figure_1():
    """Logits (1, 128256) float64 that copy Figure 1a and 1b: Gaussian quantiles and seven outliers."""
    return published_like_row()


def test_check_8_statistics_of_the_synthetic_row(figure_1):
    assert figure_1.std().item() == pytest.approx(2.13483, abs=1e-5)
    assert ((figure_1.max() - figure_1.mean()) / figure_1.std()).item() == pytest.approx(9.9066, abs=1e-4)


@pytest.mark.parametrize("temperature", SYNTHETIC)
def test_check_8_kept_tokens_by_temperature(figure_1, temperature):
    scores = figure_1 / temperature
    samplers = {
        "top-p": hf.TopPLogitsWarper(0.9),
        "min-p": hf.MinPLogitsWarper(0.1),
        "top-k": hf.TopKLogitsWarper(20),
        "top-nsigma": TopNSigma(1.0),
        "epsilon": hf.EpsilonLogitsWarper(9e-4),
        "eta": hf.EtaLogitsWarper(9e-4),
    }
    parameters = {"top-p": 0.9, "min-p": 0.1, "top-k": 20, "top-nsigma": 1, "epsilon": 9e-4, "eta": 9e-4}
    *counts, noise, after = SYNTHETIC[temperature]
    for (name, sampler), wanted in zip(samplers.items(), counts, strict=True):
        tolerance = 3 if wanted >= 1e4 else 0
        assert (sampler(None, scores) > -INF).sum().item() == pytest.approx(wanted, abs=tolerance), name
        cut = raw_threshold(name, figure_1.numpy(), parameters[name], temperature)
        assert (figure_1[0] >= cut[0]).sum().item() == pytest.approx(wanted, abs=tolerance), name
    p = scores.softmax(-1)[0]
    left = p * (samplers["top-p"](None, scores)[0] > -INF)
    assert (p[:-7].sum().item(), left[:-7].sum().item() / left.sum().item()) == pytest.approx(
        (noise, after), abs=6e-5
    )


@pytest.mark.parametrize(("n", "count"), N_SWEEP.items())
def test_check_8_sweep_over_n(figure_1, n, count):
    assert keep(figure_1, n).sum().item() == count


@pytest.mark.parametrize(("n", "count"), [(1, 28868), (2, 57736), (UNIFORM_BOUND + 1e-4, 100_001)])
def test_check_9_uniform_grid(n, count):
    grid = torch.linspace(0, 1, 100_001, dtype=torch.float64)[None]
    assert grid.std(correction=0).item() == pytest.approx(0.288678, abs=1e-6)
    assert keep(grid, n, 0).sum().item() == pytest.approx(count, abs=1)
    assert UNIFORM_BOUND == pytest.approx(3.4641, abs=1e-4)


@pytest.mark.parametrize(("temperature", "lowest"), [(1, -0.2816), (2, -0.7816)])
def test_check_10_gaussian_top_p_threshold(temperature, lowest):
    quantiles = norm.ppf((np.arange(200_000) + 0.5) / 200_000)
    assert raw_threshold("top-p", [quantiles], 0.9, temperature)[0] == pytest.approx(lowest, abs=1e-3)
    closed = top_nsigma.gaussian_top_p_threshold(0, 1, 0.9, temperature)
    assert closed == pytest.approx(lowest, abs=1e-4)


@pytest.mark.parametrize("n", [0, 1, 2.5])
def test_check_11_masked_entries_count_for_nothing(n):
    logits = random_rows(20, 60, seed=2)
    excluded = torch.rand(logits.shape, generator=torch.Generator().manual_seed(3)) < 0.4
    scores = TopNSigma(n)(None, logits.masked_fill(excluded, -INF))
    assert not scores.isnan().any()
    for row, mask, result in zip(logits, excluded, scores, strict=True):
        assert (result[mask] == -INF).all()
        assert torch.equal(result[~mask] > -INF, row[~mask] >= plain(row[~mask], n))


def test_masked_row_of_the_card_with_both_divisors():
    row = torch.tensor([[4.0, 3, 0, -INF]])
    found = [threshold(row, 1, ddof).item() for ddof in (1, 0)]
    assert found == pytest.approx([1.918, 2.300], abs=1e-3)


def test_a_row_with_one_finite_logit_passes_through():
    row = torch.tensor([[-INF, 2.5, -INF]])
    for rule in (TopNSigma(0), TopNSigma(1), TopNSigma(1, ddof=0), TopNSigma(1e30)):
        assert torch.equal(rule(None, row), row)


# Properties


@given(rows, ns, st.sampled_from([0, 1]))
def test_agrees_with_the_plain_rule(row, n, ddof):
    cut = plain(row, n, ddof)
    logits = torch.tensor([row], dtype=torch.float64)
    far = (logits - cut).abs() > 1e-3
    assert torch.equal(keep(logits, n, ddof)[far], (logits >= cut)[far])


@given(rows, ns)
def test_never_empty_and_nested_in_n(row, n):
    logits = torch.tensor([row])
    small, large = keep(logits, n), keep(logits, n + 0.3)
    assert small[logits == logits.max()].all()
    assert not (small & ~large).any()


@given(rows, ns, st.integers(-6, 6))
def test_scaling_by_a_power_of_two_changes_nothing(row, n, power):
    logits = torch.tensor([row])
    assert torch.equal(keep(logits * 2.0**power, n), keep(logits, n))


@given(rows, st.floats(0, 3), st.floats(0.05, 20), st.floats(-50, 50))
def test_affine_maps_change_nothing(row, n, scale, offset):
    logits = torch.tensor([row], dtype=torch.float64)
    far = (logits - plain(row, n)).abs() > 1e-2
    assert torch.equal(keep(logits * scale + offset, n)[far], keep(logits, n)[far])


def test_large_offset_costs_no_accuracy():
    logits = (random_rows(50, 300, seed=4) * 64).round() / 64
    logits = clear(logits, threshold(logits), gap=2e-3)
    assert torch.equal(keep(logits + 2.0**14), keep(logits))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_low_precision_is_worked_on_in_float32(dtype):
    logits = random_rows(100, 2000, seed=5).to(dtype)
    wanted = keep(logits.float(), 2.0)
    rounded = logits >= logits.amax(-1, keepdim=True) - 2 * logits.std(-1, keepdim=True)
    assert not torch.equal(rounded, wanted)  # what working in this dtype would give
    assert torch.equal(keep(logits, 2.0), wanted)
    result = TopNSigma(2.0)(None, logits)
    assert result.dtype == dtype
    assert torch.equal(result, logits.masked_fill(~wanted, -INF))


def test_huge_finite_fill_switches_the_rule_off_but_never_empties_a_row():
    row = torch.tensor([[3.0, 1, -50, -1e9]])
    assert keep(row, 1.0).tolist() == [[True, True, True, False]]
    assert keep(row.masked_fill(row == -1e9, -INF), 1.0).tolist() == [[True, True, False, False]]
    for fill in (-1e30, torch.finfo(torch.float32).min):
        for masked in ([], [-INF]):
            row = torch.tensor([[3.0, 1, fill, *masked]])
            assert keep(row, 0).tolist() == [[True, False, False, *[False for _ in masked]]]
            assert keep(row, 5).tolist() == [[True, True, True, *[False for _ in masked]]]


# The processor


def test_vocabulary_leaves_padding_rows_out_of_sigma_and_result():
    logits = random_rows(20, 300, seed=6)
    padded = torch.cat([logits, torch.full((20, 20), 40.0)], dim=1)
    rule = TopNSigma(1.0, vocabulary=300)
    assert torch.equal(rule.keep(padded)[:, :300], keep(logits))
    assert not rule.keep(padded)[:, 300:].any()
    assert torch.equal(rule(None, padded) > -INF, rule.keep(padded))
    assert not torch.equal(TopNSigma(1.0).keep(padded)[:, :300], keep(logits))
    with pytest.raises(InputError, match="vocabulary of 400, but the scores have 320"):
        TopNSigma(1.0, vocabulary=400)(None, padded)


def test_rows_of_which_only_padding_is_left_are_refused():
    with pytest.raises(InputError, match="at least one finite entry"):
        TopNSigma(1.0, vocabulary=2)(None, torch.tensor([[-INF, -INF, 1.0]]))


def test_repr_names_the_rule_and_what_is_not_default():
    assert repr(TopNSigma(1)) == repr(TopNSigma(np.float64(1.0))) == "TopNSigma(n=1.0)"
    assert repr(TopNSigma(0.5, 0, 300)) == "TopNSigma(n=0.5, ddof=0, vocabulary=300)"


def test_the_engine_is_told_the_rule_unless_a_vocabulary_is_given():
    rule = TopNSigma(1.5, ddof=0).rule
    assert (rule.kind, rule.value, rule.ddof) == ("top-nsigma", 1.5, 0)
    assert TopNSigma(1.5, vocabulary=10).rule is None


@pytest.mark.parametrize("n", [-0.1, math.nan, INF, "wide", None])
def test_n_out_of_range(n):
    with pytest.raises(InputError, match="Top-nσ needs n >= 0"):
        TopNSigma(n)
    with pytest.raises(InputError, match="Top-nσ needs n >= 0"):
        keep(torch.zeros((1, 3)), n)


@pytest.mark.parametrize("ddof", [2, -1])
def test_ddof_out_of_range(ddof):
    with pytest.raises(InputError, match="ddof 0 or 1"):
        TopNSigma(1.0, ddof)
    with pytest.raises(InputError, match="ddof 0 or 1"):
        keep(torch.zeros((1, 3)), 1.0, ddof)


@pytest.mark.parametrize("vocabulary", [0, -3, 2.5])
def test_vocabulary_out_of_range(vocabulary):
    with pytest.raises(InputError, match="at least 1 entry"):
        TopNSigma(1.0, vocabulary=vocabulary)


# Thresholds on the axis of raw logits

WARPERS = {
    "top-k": (hf.TopKLogitsWarper, 7),
    "top-p": (hf.TopPLogitsWarper, 0.8),
    "min-p": (hf.MinPLogitsWarper, 0.05),
    "epsilon": (hf.EpsilonLogitsWarper, 0.01),
    "eta": (hf.EtaLogitsWarper, 0.01),
}


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("rule", WARPERS)
def test_raw_thresholds_give_the_sets_of_transformers(rule, temperature):
    warper, value = WARPERS[rule]
    logits = random_rows(100, 120, seed=7).double()
    cut = torch.from_numpy(raw_threshold(rule, logits.numpy(), value, temperature))[:, None]
    wanted = warper(value)(None, logits / temperature) > -INF
    # The cut of top-k and top-p is a logit itself, the others lie between logits.
    on_a_logit = rule.startswith("top-")
    far = (logits - cut).abs() > (0 if on_a_logit else 1e-9)
    assert far.float().mean() > 0.98
    assert torch.equal((logits >= cut)[far], wanted[far])
    assert (logits >= cut)[logits == logits.amax(-1, keepdim=True)].all()


def test_raw_threshold_of_top_nsigma_and_masked_entries():
    logits = random_rows(30, 80, seed=8)
    logits[:, ::3] = -INF
    for value in (0.0, 1.0, 2.0):
        cut = raw_threshold("top-nsigma", logits.numpy(), value, 5.0)
        assert cut == pytest.approx(threshold(logits, value)[:, 0].numpy(), abs=1e-4)
        assert cut == pytest.approx([plain(row, value) for row in logits.numpy()])
    for rule, (_, value) in WARPERS.items():
        assert np.isfinite(raw_threshold(rule, logits.numpy(), value)).all()


def test_thresholds_move_with_temperature_as_the_table_says():
    logits = random_rows(40, 2000, seed=9).numpy()
    for rule, value in [("top-p", 0.9), ("min-p", 0.1), ("eta", 2e-3)]:
        cuts = [raw_threshold(rule, logits, value, t) for t in (1, 2, 4, 8)]
        assert (np.diff(cuts, axis=0) < 0).all()
    for rule, value in [("top-k", 20), ("top-nsigma", 1.0)]:
        assert (raw_threshold(rule, logits, value, 1) == raw_threshold(rule, logits, value, 8)).all()
    # V ε > 1: at a high temperature ε leaves the top token only; below 1/V it keeps everything.
    assert (raw_threshold("epsilon", logits, 1e-3, 100.0) == logits.max(-1)).all()
    assert (raw_threshold("epsilon", logits, 1e-4, 100.0) < logits.min(-1)).all()


@pytest.mark.parametrize(
    ("rule", "value", "message"),
    [
        ("top-q", 1, "Unknown rule"),
        ("top-k", 0, "whole number k >= 1"),
        ("top-k", 2.5, "whole number k >= 1"),
        ("top-p", 1.5, r"in \(0, 1\]"),
        ("eta", 0, r"in \(0, 1\]"),
        ("top-nsigma", -1, "n >= 0"),
    ],
)
def test_raw_threshold_refuses(rule, value, message):
    with pytest.raises(InputError, match=message):
        raw_threshold(rule, [[1.0, 2.0]], value)


@pytest.mark.parametrize("row", [[math.nan, 1.0], [INF, 1.0], [-INF, -INF]])
def test_raw_threshold_refuses_rows(row):
    with pytest.raises(InputError, match="without NaN"):
        raw_threshold("min-p", [row], 0.1)


# Gaussian and uniform logits


@pytest.mark.parametrize(("temperature", "share"), [(1, 0.198), (1.5, 0.445), (2, 0.586), (3, 0.716)])
def test_gaussian_top_p_share(temperature, share):
    assert top_nsigma.gaussian_top_p_share(2.13, 0.9, temperature) == pytest.approx(share, abs=5e-4)
    quantiles = norm.ppf((np.arange(200_000) + 0.5) / 200_000) * 2.13
    cut = raw_threshold("top-p", [quantiles], 0.9, temperature)[0]
    assert (quantiles >= cut).mean() == pytest.approx(share, abs=2e-3)


@pytest.mark.parametrize("temperature", [1.0, 2.0, 4.0])
@pytest.mark.parametrize("n", [1.0, 3.0, 5.0])
def test_gaussian_kept_mass(n, temperature):
    quantiles = norm.ppf((np.arange(400_000) + 0.5) / 400_000) * 1.2
    weights = np.exp(quantiles / temperature)
    distance = quantiles.max() / quantiles.std(ddof=1)
    found = weights[quantiles >= quantiles.max() - n * quantiles.std(ddof=1)].sum() / weights.sum()
    assert top_nsigma.gaussian_kept_mass(distance, n, 1.2, temperature) == pytest.approx(found, abs=2e-3)


def test_noise_edge_and_the_n_that_lets_noise_in():
    assert top_nsigma.noise_edge(128_256) == pytest.approx(4.85, abs=5e-3)
    assert 10 - top_nsigma.noise_edge(128_256) == pytest.approx(5.2, abs=0.06)


@pytest.mark.parametrize(("temperature", "ratio"), [(1, 8e-4), (1.5, 0.26), (2, 5.8), (3, 143)])
def test_noise_to_top_mass_of_figure_1(temperature, ratio):
    distance = (21.4 - 0.25) / 2.13
    found = top_nsigma.noise_to_top(128_256, distance, 2.13, temperature)
    assert found == pytest.approx(ratio, rel=0.07)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("n", [0.0, 0.5, 2.0, UNIFORM_BOUND, 9.0])
def test_uniform_kept_mass(n, temperature):
    grid = np.linspace(0, 20, 400_001)
    weights = np.exp((grid - 20) / temperature)
    found = weights[grid >= 20 - n * grid.std()].sum() / weights.sum()
    closed = top_nsigma.uniform_kept_mass(n, 20, temperature)
    assert closed == pytest.approx(found, abs=2e-3)
    assert closed == 1 or n < UNIFORM_BOUND


def test_wide_uniform_rows_make_min_p_and_top_p_one_rule():
    grid = np.linspace(0, 20, 20_001)
    counts = {
        (rule, t): int((grid >= raw_threshold(rule, [grid], value, t)[0]).sum())
        for rule, value in (("min-p", 0.1), ("top-p", 0.9))
        for t in (1, 4)
    }
    assert list(counts.values()) == pytest.approx([2303, 9211, 2303, 8975], abs=1)
    for t in (1, 4):
        closed = top_nsigma.uniform_top_p_threshold(20, 20, 0.9, t)
        assert closed == pytest.approx(raw_threshold("top-p", [grid], 0.9, t)[0], abs=2e-3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: top_nsigma.gaussian_top_p_threshold(0, 1, 1.0), "0 < p < 1"),
        (lambda: top_nsigma.gaussian_top_p_share(1, 0.9, 0), "temperature needs"),
        (lambda: top_nsigma.gaussian_kept_mass(5, -1, 1), "n >= 0"),
        (lambda: top_nsigma.noise_to_top(100, 5, 1, -1), "temperature needs"),
        (lambda: top_nsigma.uniform_kept_mass(1, 0), "width of uniform logits"),
        (lambda: top_nsigma.uniform_top_p_threshold(1, 5, 0), "0 < p < 1"),
    ],
)
def test_closed_forms_refuse(call, message):
    with pytest.raises(InputError, match=message):
        call()
