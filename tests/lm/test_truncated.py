from unittest import mock

import numpy as np
import pytest
import torch
import transformers as hf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from replication.lm import measures, truncated
from replication.lm.sampling import pick, stream_keys, uniforms
from replication.lm.truncated import Rule, draw, survivors
from replication.settings import InputError

RULES = (
    *(Rule("top-nsigma", n) for n in (0, 0.5, 1, 3, 50)),
    *(Rule("min-p", p) for p in (0, 1e-6, 0.1, 1)),
    *(Rule("top-p", p) for p in (0.1, 0.5, 0.9, 0.999, 1)),
    *(Rule("top-k", k) for k in (1, 3, 20, 700, 10**6)),
    Rule("top-nsigma", 1, ddof=0),
    Rule("none"),
)
LARGEST = 1 - 2.0**-53


def kept(scores, rule):
    """Return the surviving ids of one row by the definition, in float64: (V,) bool."""
    scores = np.asarray(scores, dtype=np.float64)
    alive = np.isfinite(scores)
    weights = np.where(alive, np.exp(scores - scores.max()), 0.0)
    if rule.kind == "top-nsigma":
        finite = scores[alive]
        std = finite.std(ddof=rule.ddof) if len(finite) > rule.ddof else 0.0
        return alive & (scores >= scores.max() - rule.value * std)
    if rule.kind == "min-p":
        return alive & (weights >= rule.value)
    if rule.kind == "top-k":
        cut = np.sort(scores)[::-1][: int(rule.value)][-1]
        return alive & (scores >= cut)
    if rule.kind == "top-p" and rule.value < 1:
        order = np.argsort(-scores, kind="stable")
        before = np.cumsum(weights[order]) - weights[order]
        keep = np.zeros_like(alive)
        keep[order[before < rule.value * weights.sum()]] = True
        return keep
    return alive


def expected(logits, rule, u, temperature=1.0):
    """Return what `pick` takes from the scores of which only `kept` is left."""
    scores = logits.float() / temperature
    keep = torch.from_numpy(np.stack([kept(row, rule) for row in scores.numpy()]))
    return pick(scores.masked_fill(~keep, -torch.inf), u)


def peaked(rows, width, seed=0):
    """Return logits as a language model has them: a bulk and a few large ones at random places."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows, width, generator=generator) * 2.1
    few = min(width, 8)
    places = torch.rand(rows, width, generator=generator).argsort(-1)[:, :few]
    return logits.scatter(1, places, 16 - torch.rand(rows, few, generator=generator) * 5)


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_draws_what_pick_takes_from_the_masked_scores(rule, dtype):
    rng = np.random.default_rng(0)
    for width in (1, 2, 63, 64, 65, 1000, 5000):
        logits = torch.cat([peaked(4, width), torch.randn(4, width), torch.randn(2, width) * 1e-3]).to(dtype)
        for temperature in (1.0, 0.6, 2.5):
            u = rng.random(len(logits))
            u[[0, 5]] = 0.0, LARGEST
            found = draw(logits, rule, u, temperature)
            assert found.dtype == torch.int64
            assert found.tolist() == expected(logits, rule, u, temperature).tolist()


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    rows=st.integers(1, 9),
    width=st.integers(1, 900),
    rule=st.sampled_from(RULES),
    wide=st.sampled_from([0.0, 0.25, 2.0]),
    excluded=st.sampled_from([0.0, 0.3, 0.99]),
    levels=st.sampled_from([0, 2, 7]),
    scale=st.sampled_from([0.0, 0.3, 2.0, 20.0]),
    offset=st.sampled_from([0.0, 64.0, -64.0]),
    seed=st.integers(0, 2**31),
)
def test_any_shape_on_either_way(rows, width, rule, wide, excluded, levels, scale, offset, seed):
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((rows, width)) * scale
    if levels:  # many ties
        values = np.round(values * levels) / levels
    values[rng.random((rows, width)) < excluded] = -np.inf
    values[np.arange(rows), rng.integers(0, width, rows)] = 1.0
    logits = torch.from_numpy(values + offset).float()
    u = rng.random(rows)
    with mock.patch.object(truncated, "WIDE", wide), mock.patch.object(measures, "BLOCK", 2000):
        assert draw(logits, rule, u).tolist() == expected(logits, rule, u).tolist()


@pytest.mark.parametrize(
    ("rule", "processor"),
    [
        (Rule("top-k", 20), hf.TopKLogitsWarper(20)),
        (Rule("top-p", 0.9), hf.TopPLogitsWarper(0.9)),
        (Rule("min-p", 0.1), hf.MinPLogitsWarper(0.1)),
    ],
    ids=["top-k", "top-p", "min-p"],
)
@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_agrees_with_transformers(rule, processor, temperature):
    logits = peaked(64, 3000, seed=5)
    u = np.random.default_rng(1).random(64)
    masked = processor(None, logits / temperature)
    assert draw(logits, rule, u, temperature).tolist() == pick(masked, u).tolist()


@pytest.mark.parametrize("rule", [Rule("top-nsigma", 2), Rule("min-p", 0.02), Rule("top-p", 0.9)], ids=str)
@pytest.mark.parametrize("temperature", [1.0, 6.0])
def test_frequencies_are_the_truncated_distribution(rule, temperature):
    rows, logits = 20_000, peaked(1, 2048, seed=2)
    u = uniforms(stream_keys(11, ["question"] * rows, range(rows)), 0)
    counts = np.bincount(draw(logits.expand(rows, -1), rule, u, temperature), minlength=2048)
    scores = logits[0].double().numpy() / temperature
    keep = kept(scores, rule)
    assert not counts[~keep].any()
    weights = np.exp(scores[keep] - scores.max())
    share = weights / weights.sum()
    # Neighbours are counted together where there are many: the chi-square distribution asks for 5 of each.
    cell = np.arange(len(share)) // -(-len(share) // 64)
    found, wanted = np.bincount(cell, counts[keep]), np.bincount(cell, rows * share)
    assert wanted.min() > 5
    assert len(wanted) > 2
    assert stats.chisquare(found, wanted).pvalue > 0.001


def test_after_top_k_the_deviation_is_that_of_what_is_left():
    logits = peaked(16, 2000, seed=3)
    left = hf.TopKLogitsWarper(30)(None, logits)
    u = np.random.default_rng(2).random(16)
    rule = Rule("top-nsigma", 0.5)
    assert draw(left, rule, u).tolist() == expected(left, rule, u).tolist()
    assert [kept(row, rule).sum() for row in left.numpy()] != [
        kept(row, rule).sum() for row in logits.numpy()
    ]


def test_ties_at_the_edge():
    row = torch.tensor([[0.0, 2.0, 1.0, 2.0, 1.0, 1.0, -torch.inf]]).repeat(400, 1)
    u = np.linspace(0, LARGEST, 400)
    ids = {rule: set(draw(row, rule, u).tolist()) for rule in RULES}
    assert ids[Rule("top-nsigma", 0)] == ids[Rule("min-p", 1)] == ids[Rule("top-k", 1)] == {1, 3}
    assert ids[Rule("top-k", 3)] == {1, 2, 3, 4, 5}
    # In units of the smallest the masses are e^2 (twice), e (three times) and 1, 23.9 together: a tenth needs
    # one of the largest, 0.7 (16.8) both and one of the middle ones.
    assert ids[Rule("top-p", 0.1)] == {1}
    for wide in (0.0, 2.0):
        with mock.patch.object(truncated, "WIDE", wide):
            assert set(draw(row, Rule("top-p", 0.7), u).tolist()) == {1, 2, 3}
    assert ids[Rule("none")] == {0, 1, 2, 3, 4, 5}


def test_rows_of_both_kinds_in_one_block():
    logits = torch.stack(
        [peaked(1, 4096)[0], torch.zeros(4096), peaked(1, 4096, seed=8)[0], torch.ones(4096)]
    )
    u = np.array([0.3, 0.5, 0.9, LARGEST])
    for rule in RULES:
        found = draw(logits, rule, u)
        assert found.tolist() == expected(logits, rule, u).tolist()
        alone = [int(draw(logits[i : i + 1], rule, u[i : i + 1])) for i in range(4)]
        assert found.tolist() == alone


def test_a_row_depends_on_no_other_row_or_stride():
    logits = peaked(6, 700)
    padded = torch.cat([logits, torch.full((6, 9), 99.0)], dim=1)[:, :700]
    u = np.random.default_rng(4).random(6)
    for rule in RULES:
        assert torch.equal(draw(padded, rule, u), draw(logits, rule, u))
        assert torch.equal(draw(logits.flip(0), rule, u[::-1].copy()), draw(logits, rule, u).flip(0))
    assert draw(logits[:0], Rule("none"), u[:0]).shape == (0,)


@pytest.mark.parametrize("threshold", [-100.0, 0.0, 13.0, 99.0])
def test_survivors_are_in_id_order(threshold):
    logits = peaked(5, 1000)
    logits[2, 17] = -torch.inf
    found = survivors(logits, torch.full((5,), threshold))
    for row in range(5):
        ids = np.flatnonzero((logits[row] >= threshold) & logits[row].isfinite())
        count = int(found.counts[row])
        assert found.ids[row, :count].tolist() == ids.tolist()
        assert torch.equal(found.logits[row, :count], logits[row, ids])
        assert (found.logits[row, count:] == -torch.inf).all()
    assert found.ids.shape[1] == int(found.counts.max())
    assert survivors(logits[:0], torch.zeros(0)).ids.shape == (0, 0)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, None])
@pytest.mark.parametrize("rule", RULES, ids=str)
def test_rows_that_cannot_be_sampled(rule, bad):
    logits = torch.randn(3, 300)
    if bad is None:
        logits[1] = -torch.inf
    else:
        logits[1, 299] = bad
    with pytest.raises(InputError, match="at least one finite entry in every row and neither NaN"):
        draw(logits, rule, np.full(3, 0.5))


def test_bad_arguments():
    logits, u = torch.zeros(2, 5), np.zeros(2)
    for kind, value in (
        ("top-k", 0),
        ("top-k", 1.5),
        ("top-p", 0),
        ("top-p", 1.1),
        ("min-p", -0.1),
        ("min-p", 2),
        ("top-nsigma", -1),
        ("top-nsigma", float("inf")),
        ("top-nsigma", float("nan")),
        ("top-k", float("nan")),
        ("top-k", float("inf")),
    ):
        with pytest.raises(InputError, match=f"The rule {kind} needs"):
            Rule(kind, value)
    with pytest.raises(InputError, match="choose one of none, top-k"):
        Rule("top_k", 5)
    with pytest.raises(InputError, match="ddof 0 or 1"):
        Rule("top-nsigma", 1, ddof=2)
    for temperature in (0, -1.0, float("nan"), float("inf")):
        with pytest.raises(InputError, match="temperature > 0"):
            draw(logits, Rule("none"), u, temperature)
    with pytest.raises(InputError, match="got 1 for 2 rows"):
        draw(logits, Rule("none"), u[:1])
