"""ε and η against hand-worked rows and transformers' warpers; the principles and the smoothing model."""

import math

import pytest
import torch
import transformers as hf
from hypothesis import given
from hypothesis import strategies as st

from replication.decoding import eta_sampling
from replication.decoding.eta_sampling import (
    Epsilon,
    Eta,
    absolute_violations,
    certain_support,
    eta_threshold,
    keep_epsilon,
    keep_eta,
    relative_violations,
    smooth,
    support_bounds,
)
from replication.decoding.min_p import MinP
from replication.decoding.top_nsigma import TopNSigma
from replication.settings import InputError

INF = math.inf
ROW = [0.5, 0.25, 0.125, 0.0625, 0.0625]
rows = st.lists(st.integers(-2000, 2000), min_size=2, max_size=40).map(lambda v: [i / 100 for i in v])
epsilons = st.floats(1e-5, 0.99)


def logits_of(probabilities):
    """Return (1, V) float64 logits of a row of weights."""
    return torch.as_tensor(probabilities, dtype=torch.float64).log()[None]


def places(kept):
    return kept[0].nonzero().flatten().tolist()


def count(rule, logits):
    """Return how many tokens of one row a processor keeps."""
    return int((rule(None, logits) > -INF).sum())


def random_rows(number=100, width=200, seed=0, dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn((number, width), generator=generator, dtype=torch.float64).to(dtype) * 3


# Unit checks


@pytest.mark.parametrize(
    ("epsilon", "eta", "kept"), [(0.3, 0.149324, 2), (0.2, 0.121922, 3), (0.1, 0.086212, 3), (0.05, 0.05, 5)]
)
def test_check_1_eta_on_the_worked_row(epsilon, eta, kept):
    logits = logits_of(ROW)
    assert eta_sampling.entropy(logits.softmax(-1)).item() == pytest.approx(1.299651, abs=1e-6)
    assert eta_threshold(logits, epsilon).item() == pytest.approx(eta, abs=1e-6)
    assert places(keep_eta(logits, epsilon)) == list(range(kept))


@pytest.mark.parametrize(("epsilon", "kept"), [(0.07, 3), (0.9, 1)])
def test_check_1_epsilon_on_the_worked_row(epsilon, kept):
    assert places(keep_epsilon(logits_of(ROW), epsilon)) == list(range(kept))


@pytest.mark.parametrize(("mass", "kept"), [(0.2, [1]), (0.5, [0, 1]), (0.9, [0, 1, 2, 3, 4])])
def test_check_2_typical_may_drop_the_largest(mass, kept):
    assert places(hf.TypicalLogitsWarper(mass)(None, logits_of(ROW)) > -INF) == kept


def test_check_3_a_uniform_row_is_not_cut():
    logits = torch.zeros((1, 8))
    assert eta_threshold(logits, 0.2).item() == pytest.approx(0.0559, abs=5e-5)
    assert keep_eta(logits, 0.2).all()


@pytest.mark.parametrize(
    ("epsilon", "by_epsilon", "by_eta", "eta"), [(0.01, 12, 339, 3.607e-4), (9e-4, 135, 1130, 1.0820e-4)]
)
def test_check_4_zipf(epsilon, by_epsilon, by_eta, eta):
    p = 1 / torch.arange(1, 2001, dtype=torch.float64)
    logits = logits_of(p)
    assert eta_sampling.entropy(p / p.sum()).item() == pytest.approx(5.6249, abs=1e-4)
    assert (p / p.sum()).max().item() == pytest.approx(0.12227, abs=1e-5)
    assert eta_threshold(logits, epsilon).item() == pytest.approx(eta, rel=2e-4)
    assert (count(Epsilon(epsilon), logits), count(Eta(epsilon), logits)) == (by_epsilon, by_eta)


def test_check_5_one_word_dominates():
    logits = logits_of([0.96, 0.02, *[0.005] * 3, *[0.00005] * 100])
    assert eta_sampling.entropy(logits.softmax(-1)).item() == pytest.approx(0.2464, abs=1e-4)
    rules = (hf.TopPLogitsWarper(0.95), hf.TypicalLogitsWarper(0.92), MinP(0.01), Epsilon(3e-4), Eta(6e-4))
    assert [count(rule, logits) for rule in rules] == [1, 1, 2, 5, 5]


@pytest.fixture(scope="module")
def mixture():
    """The smoothed toy: 20 true words of 1000, λ = 0.9, uniform noise; (1, 1000) float64."""
    truth = torch.zeros((1, 1000), dtype=torch.float64)
    truth[0, :20] = torch.linspace(0, -4, 20, dtype=torch.float64).softmax(-1)
    return smooth(truth, 0.9)


def test_check_6_only_epsilon_and_eta_recover_the_support(mixture):
    assert mixture[0, :20].min().item() == pytest.approx(0.003277, abs=1e-6)
    assert mixture[0, 20:].tolist() == pytest.approx([1e-4] * 980)
    logits = mixture.log()
    for rule in (Epsilon(2e-4), Eta(2e-4)):
        assert places(rule.keep(logits)) == list(range(20))
    nucleus = hf.TopPLogitsWarper(0.95)(None, logits)[0] > -INF
    assert nucleus.sum().item() == pytest.approx(500, abs=1)
    assert nucleus[20:].sum().item() == pytest.approx(480, abs=1)
    assert [count(MinP(p), logits) for p in (0.1, 0.05)] == [11, 15]
    assert logits.std().item() == pytest.approx(0.784, abs=1e-3)
    assert [count(TopNSigma(n), logits) for n in (1, 5, 8)] == [4, 19, 20]


@given(rows, epsilons)
def test_check_7_eta_keeps_the_largest_of_its_own_accord(row, epsilon):
    logits = torch.tensor([row], dtype=torch.float64)
    assert (
        eta_threshold(logits, epsilon)[:, 0] <= math.sqrt(epsilon) * logits.softmax(-1).amax(-1) * 1.0001
    ).all()
    assert keep_eta(logits, epsilon)[logits == logits.max()].all()


@given(rows, epsilons)
def test_check_8_eta_keeps_what_epsilon_keeps(row, epsilon):
    logits = torch.tensor([row])
    assert not (keep_epsilon(logits, epsilon) & ~keep_eta(logits, epsilon)).any()


def test_check_9_a_batch_gives_the_sets_of_its_rows():
    # The authors' guard would protect token 0 and token 4 in both rows.
    logits = torch.tensor([[9.0, 0, 0, 0, -9], [-9.0, 0, 0, 0, 9]])
    assert keep_eta(logits, 0.05).tolist() == [[True] + [False] * 4, [False] * 4 + [True]]
    many = torch.cat([random_rows(), random_rows(seed=1) * 0.05])
    for rule in (Epsilon(0.01), Eta(0.01), Eta(0.2), Eta(0.05, alpha=1.0)):
        assert torch.equal(rule.keep(many), torch.cat([rule.keep(row[None]) for row in many]))


# Transformers as oracle, and properties


def far_from(logits, cut):
    """Return the entries whose probability is not within rounding of the cut."""
    return (logits.softmax(-1) / cut).log().abs() > 1e-4


@given(rows, epsilons, st.sampled_from([0.5, 1.0, 4.0]))
def test_agrees_with_transformers(row, epsilon, temperature):
    logits = torch.tensor([row], dtype=torch.float64) / temperature
    for ours, theirs, cut in (
        (Epsilon(epsilon), hf.EpsilonLogitsWarper(epsilon), torch.tensor(epsilon)),
        (Eta(epsilon), hf.EtaLogitsWarper(epsilon), eta_threshold(logits, epsilon)),
    ):
        far = far_from(logits, cut)
        assert torch.equal(ours.keep(logits)[far], (theirs(None, logits) > -INF)[far])


@given(rows, epsilons, st.floats(0.01, 1))
def test_nested_and_blind_to_a_constant(row, epsilon, share):
    logits = torch.tensor([row], dtype=torch.float64)
    for keep in (keep_epsilon, keep_eta):
        assert not (keep(logits, epsilon) & ~keep(logits, epsilon * share)).any()
        far = far_from(logits, eta_threshold(logits, epsilon)) & far_from(logits, torch.tensor(epsilon))
        assert torch.equal(keep(logits + 11.0, epsilon)[far], keep(logits, epsilon)[far])


def test_the_largest_and_its_ties_survive_epsilon():
    logits = torch.tensor([[0.0, 2.0, 2.0, 1.0]])
    assert places(keep_epsilon(logits, 0.9)) == [1, 2]
    assert keep_epsilon(torch.zeros((1, 500)), 0.5).all()
    assert places(keep_eta(logits, 0.9, alpha=50.0)) == [1, 2]


def test_masked_entries_stay_out_and_do_not_matter():
    logits = random_rows(20, 30, seed=3)
    masked = torch.cat([logits, torch.full_like(logits, -INF)], dim=1)
    for rule in (Epsilon(0.02), Eta(0.02), Epsilon(1e-60), Eta(1e-60)):  # the last two are 0 in float32
        assert torch.equal(rule.keep(masked)[:, :30], rule.keep(logits))
        assert not rule.keep(masked)[:, 30:].any()
        assert not rule(None, masked).isnan().any()
    single = torch.tensor([[-INF, -3.0, -INF]])
    assert places(keep_eta(single, 0.5)) == places(keep_epsilon(single, 0.5)) == [1]


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_low_precision_is_worked_on_in_float32(dtype):
    logits = random_rows(100, 2000, seed=4, dtype=dtype)
    for rule, warper in (
        (Epsilon(5e-5), hf.EpsilonLogitsWarper(5e-5)),
        (Eta(5e-5), hf.EtaLogitsWarper(5e-5)),
    ):
        wanted = rule.keep(logits.float())
        assert not torch.equal(warper(None, logits) > -INF, wanted)
        result = rule(None, logits)
        assert result.dtype == dtype
        assert torch.equal(result, logits.masked_fill(~wanted, -INF))


def test_with_temperature_eta_ends_in_keeping_all_and_epsilon_in_all_or_one():
    logits = random_rows(30, 1000, seed=5) / 1000
    assert keep_eta(logits, 2e-3).all()
    assert (keep_epsilon(logits, 2e-3).sum(-1) == 1).all()
    assert keep_epsilon(logits, 5e-4).all()


@pytest.mark.parametrize(
    ("epsilon", "nats"), [(3e-4, 4.06), (6e-4, 3.71), (9e-4, 3.51), (2e-3, 3.11), (4e-3, 2.76)]
)
def test_entropy_at_which_eta_begins_to_follow_it(epsilon, nats):
    switch = eta_sampling.switch_entropy(epsilon)
    assert switch == pytest.approx(nats, abs=5e-3)
    for width in (round(math.exp(switch) * 0.9), round(math.exp(switch) * 1.1)):
        below = math.log(width) < switch
        eta = eta_threshold(torch.zeros((1, width)), epsilon).item()
        assert (eta == pytest.approx(epsilon)) == below
        assert eta == pytest.approx(min(epsilon, math.sqrt(epsilon) / width))


@pytest.mark.parametrize(("epsilon", "scaled"), [(3e-4, 0.015), (2e-3, 0.10)])
def test_epsilon_for_a_small_vocabulary(epsilon, scaled):
    assert eta_sampling.scaled_epsilon(epsilon, 1000) == pytest.approx(scaled, rel=6e-3)
    with pytest.raises(InputError, match="ε for 10 tokens needs 0 < ε < 1"):
        eta_sampling.scaled_epsilon(epsilon, 10)


def test_repr_shows_alpha_only_when_given():
    assert repr(Epsilon(9e-4)) == "Epsilon(epsilon=0.0009)"
    assert repr(Eta(9e-4)) == "Eta(epsilon=0.0009)"
    assert repr(Eta(9e-4, 1)) == "Eta(epsilon=0.0009, alpha=1.0)"
    assert Epsilon(0.1) != Eta(0.1)


def test_the_processor_passes_alpha_on():
    logits = random_rows(seed=6)
    found = Eta(0.05, alpha=0.01).keep(logits)
    assert torch.equal(found, keep_eta(logits, 0.05, 0.01))
    assert found.sum() > Eta(0.05).keep(logits).sum()


@pytest.mark.parametrize("epsilon", [0, 1, -0.1, 1.5, math.nan, None])
def test_epsilon_out_of_range(epsilon):
    logits = torch.zeros((1, 3))
    for call in (Epsilon, Eta, lambda e: keep_epsilon(logits, e), lambda e: keep_eta(logits, e, 0.5)):
        with pytest.raises(InputError, match="ε needs 0 < ε < 1"):
            call(epsilon)


@pytest.mark.parametrize("alpha", [0, -1, math.nan])
def test_alpha_out_of_range(alpha):
    with pytest.raises(InputError, match="α needs a number > 0"):
        Eta(0.1, alpha)
    with pytest.raises(InputError, match="α needs a number > 0"):
        relative_violations(torch.tensor([[1.0]]), torch.tensor([[True]]), alpha)


# The principles


def test_violations_counted_by_hand():
    p = torch.tensor([ROW, [0.96, 0.01, 0.01, 0.01, 0.01]])
    keep = torch.tensor([[True, False, False, True, True], [True, False, False, False, False]])
    assert absolute_violations(p, keep, 0.2).tolist() == [1, 0]
    assert absolute_violations(p, keep, 0.009).tolist() == [2, 4]
    # exp(-h) is 0.2726 and 0.8127 for the two rows.
    assert relative_violations(p, keep, 0.5).tolist() == [1, 0]
    assert relative_violations(p, keep, 0.01).tolist() == [2, 4]


@given(rows, epsilons)
def test_eta_breaks_neither_principle_and_epsilon_not_the_first(row, epsilon):
    logits = torch.tensor([row])
    p = logits.softmax(-1)
    eta = keep_eta(logits, epsilon)
    assert absolute_violations(p, eta, epsilon).item() == 0
    assert relative_violations(p, eta, math.sqrt(epsilon)).item() == 0
    assert absolute_violations(p, keep_epsilon(logits, epsilon), epsilon).item() == 0


def test_top_p_breaks_the_first_epsilon_the_second_typical_both():
    confident = logits_of([0.96, 0.02, *[0.005] * 3, *[0.00005] * 100])
    flat = logits_of([1.0 + i / 1e4 for i in range(2000)])

    def broken(rule, logits):
        p, keep = logits.softmax(-1), rule(None, logits) > -INF
        return absolute_violations(p, keep, 6e-4).item(), relative_violations(p, keep, math.sqrt(6e-4)).item()

    assert broken(hf.TopPLogitsWarper(0.95), confident)[0] == 4
    assert broken(Epsilon(6e-4), flat) == (0, 1999)
    assert broken(hf.TypicalLogitsWarper(0.2), logits_of(ROW)) == (4, 4)
    for logits in (confident, flat, logits_of(ROW)):
        assert broken(Eta(6e-4), logits) == (0, 0)


@pytest.mark.parametrize(
    ("p", "keep", "message"),
    [
        ([[0.5, 0.2]], [[True, True]], "sum to 1"),
        ([[1.5, -0.5]], [[True, True]], "not negative"),
        ([[0.5, 0.5]], [[True]], "one bool per probability"),
        ([[0.5, 0.5]], [[1, 0]], "one bool per probability"),
        ([0.5, 0.5], [True, True], "rows, vocabulary"),
    ],
)
def test_violations_refuse(p, keep, message):
    with pytest.raises(InputError, match=message):
        absolute_violations(torch.tensor(p), torch.tensor(keep), 0.1)


# The smoothing model


def smoothed(seed, delta):
    """Return truth, noise and λ of 50 random rows of 40 tokens, with Q inside its bounds."""
    generator = torch.Generator().manual_seed(seed)
    weights = torch.rand((50, 40), generator=generator, dtype=torch.float64)
    truth = weights * (torch.rand((50, 40), generator=generator) < 0.3)
    truth[:, 0] = 1.0
    tilt = torch.rand((50, 20), generator=generator, dtype=torch.float64) * 2 - 1
    q = (1 + delta * torch.cat([tilt, -tilt], dim=1)) / 40
    lam = 0.5 + 0.5 * torch.rand((50, 1), generator=generator, dtype=torch.float64)
    return truth / truth.sum(-1, keepdim=True), q, lam


@pytest.mark.parametrize("delta", [0.0, 0.4])
def test_tokens_above_a_bound_are_in_the_support(delta):
    truth, q, lam = smoothed(1, delta)
    low, high = eta_sampling.noise_bounds(40, delta)
    assert q.min().item() >= low - 1e-12
    assert q.max().item() <= high + 1e-12
    p = smooth(truth, lam, q)
    assert p.sum(-1).tolist() == pytest.approx([1] * 50)
    certain = certain_support(p, lam, delta)
    assert not (certain & (truth == 0)).any()
    assert certain[truth > 0.2].all()
    for row, true, share in zip(p, truth, lam[:, 0], strict=True):
        h = eta_sampling.entropy(row).item()
        # The smallest α with which this row fulfils the bound on 1 - λ.
        alpha = (1 - share.item()) * high * math.exp(h)
        assert eta_sampling.smoothing_bound(h, alpha, 40, delta) == pytest.approx(1 - share.item())
        bounds = support_bounds(lam.min().item(), alpha, h, 40, delta)
        assert bounds.relative <= bounds.absolute + 1e-12
        for bound in bounds:
            assert (true[row > bound + 1e-12] > 0).all()


def test_eta_is_the_smaller_bound_of_the_model(mixture):
    epsilon = 0.1 / 1000
    bounds = support_bounds(0.9, math.sqrt(epsilon), eta_sampling.entropy(mixture).item(), 1000)
    assert bounds.absolute == pytest.approx(epsilon)
    assert min(bounds) == pytest.approx(eta_threshold(mixture.log(), epsilon).item(), rel=1e-5)
    assert eta_sampling.smoothing_bound(0.0, 1.0, 1000) == 1.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: smooth(torch.tensor([[1.0, 0.0]]), 0.0), "0 < λ <= 1"),
        (lambda: smooth(torch.tensor([[1.0, 0.0]]), 1.2), "0 < λ <= 1"),
        (lambda: smooth(torch.tensor([[1.0, 0.5]]), 0.9), r"P\* needs to sum to 1"),
        (lambda: smooth(torch.tensor([[1.0, 0.0]]), 0.9, torch.tensor([[1.0, 1.0]])), "Q needs to sum to 1"),
        (lambda: certain_support(torch.tensor([[1.0, 0.0]]), 2.0), "0 < λ <= 1"),
        (lambda: eta_sampling.noise_bounds(0), "vocabulary of at least 1"),
        (lambda: eta_sampling.noise_bounds(10, 1.5), "0 <= δ <= 1"),
        (lambda: support_bounds(0.0, 1.0, 1.0, 10), "0 < λ_min <= 1"),
        (lambda: support_bounds(0.5, 0.0, 1.0, 10), "α needs a number > 0"),
        (lambda: eta_sampling.smoothing_bound(1.0, -1.0, 10), "α needs a number > 0"),
    ],
)
def test_the_smoothing_model_refuses(call, message):
    with pytest.raises(InputError, match=message):
        call()
