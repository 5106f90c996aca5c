import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from replication.pretraining.selection import (
    SCOPES,
    SCORES,
    Selection,
    excess_loss,
    kept_count,
    kept_counts,
    select,
    select_across,
)
from replication.settings import InputError

ALL = torch.ones(1, 5, dtype=torch.bool)
FINITE = st.floats(-5, 5, width=16)


def reference_select(scores, valid, ratio):
    """The definition, by a plain sort of (score, place)."""
    places = [i for i, fine in enumerate(valid) if fine]
    places.sort(key=lambda i: (-scores[i], i))
    kept = set(places[: max(1, math.floor(ratio * len(places) + 1e-9))])
    return [i in kept for i in range(len(scores))]


@st.composite
def batches(draw):
    rows, width = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    n = rows * width
    # Few values, so that ties are common.
    scores = draw(st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 2.0]), min_size=n, max_size=n))
    valid = draw(st.lists(st.booleans(), min_size=n, max_size=n).filter(any))
    ratio = draw(st.floats(0.01, 1))
    return torch.tensor(scores).view(rows, width), torch.tensor(valid).view(rows, width), ratio


def test_worked_example():
    losses, reference = torch.tensor([[2, 0.5, 3, 1, 4]]), torch.tensor([[0.5, 0.25, 2.5, 1.25, 6]])
    excess = excess_loss(losses, reference)
    assert excess.tolist() == [[1.5, 0.25, 0.5, -0.25, -2]]
    for ratio, kept, loss in ((0.4, {0, 2}, 2.5), (0.6, {0, 1, 2}, 1.83333), (0.8, {0, 1, 2, 3}, 1.625)):
        mask = select(excess, ALL, ratio)
        assert set(mask[0].nonzero().flatten().tolist()) == kept
        assert float(losses[mask].mean()) == pytest.approx(loss, abs=1e-5)
    assert float(losses[select(excess, ALL, 1)].mean()) == pytest.approx(2.1)
    # |excess| would keep the token that the learner has outgrown, the loss alone that which no one predicts.
    assert bool(select(excess.abs(), ALL, 0.2)[0, 4])
    assert bool(select(losses, ALL, 0.2)[0, 4])
    assert select(excess, ALL, 0.2).tolist() == [[True, False, False, False, False]]


def test_scopes_of_the_worked_example():
    losses = torch.tensor([[3.0, 3, 3, 3], [1, 1, 1, 1]])
    reference = torch.tensor([[1, 1.5, 2, 2.5], [0.875, 0.9375, 0.75, 1.25]])
    valid = torch.ones(2, 4, dtype=torch.bool)
    excess = excess_loss(losses, reference)
    batch, row = select(excess, valid, 0.5, "batch"), select(excess, valid, 0.5, "sequence")
    assert batch.flatten().nonzero().flatten().tolist() == [0, 1, 2, 3]
    assert float(losses[batch].mean()) == 3.0
    assert [one.nonzero().flatten().tolist() for one in row] == [[0, 1], [0, 2]]
    assert float(losses[row].mean()) == 2.0


def test_equal_models_leave_ties_and_still_keep_exactly_n():
    excess, valid = torch.zeros(2, 10), torch.ones(2, 10, dtype=torch.bool)
    kept = select(excess, valid, 0.35)
    assert kept.flatten().tolist() == [True] * 7 + [False] * 13
    assert int((excess >= excess[kept].min()).sum()) == 20  # what a threshold alone would keep


@given(batches())
def test_the_kept_set_is_the_top_of_the_order(batch):
    scores, valid, ratio = batch
    kept = select(scores, valid, ratio)
    assert kept.flatten().tolist() == reference_select(
        scores.flatten().tolist(), valid.flatten().tolist(), ratio
    )
    assert int(kept.sum()) == kept_count(int(valid.sum()), ratio)
    assert not bool((kept & ~valid).any())


@given(batches())
def test_the_kept_set_of_each_row(batch):
    scores, valid, ratio = batch
    kept = select(scores, valid, ratio, "sequence")
    for row in range(len(scores)):
        wanted = [False] * scores.shape[1]
        if bool(valid[row].any()):
            wanted = reference_select(scores[row].tolist(), valid[row].tolist(), ratio)
        assert kept[row].tolist() == wanted
    assert kept.sum(1).tolist() == kept_counts(valid, ratio).tolist()


@given(batches(), st.sampled_from([-64.0, -3.0, 0.5, 16.0]), st.sampled_from(SCOPES))
def test_a_constant_changes_nothing(batch, shift, scope):
    scores, valid, ratio = batch
    assert torch.equal(select(scores + shift, valid, ratio, scope), select(scores, valid, ratio, scope))


@given(batches(), st.integers(1, 3), st.sampled_from(SCOPES))
def test_columns_of_padding_change_nothing(batch, columns, scope):
    scores, valid, ratio = batch
    # Pads have an excess of 0: above all real ones here, so ranking them with real tokens would keep them.
    wide = torch.nn.functional.pad(scores - 10, (0, columns), value=0.0)
    mask = torch.nn.functional.pad(valid, (0, columns), value=False)
    kept = select(wide, mask, ratio, scope)
    assert torch.equal(kept[:, : scores.shape[1]], select(scores - 10, valid, ratio, scope))
    assert not bool(kept[:, scores.shape[1] :].any())


@given(st.integers(0, 99), st.sampled_from(SCOPES))
def test_permuting_rows_permutes_the_mask(seed, scope):
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(4, 6, generator=generator)  # no ties
    valid = torch.rand(4, 6, generator=generator) < 0.8
    valid[0, 0] = True
    order = torch.randperm(4, generator=generator)
    kept = select(scores, valid, 0.6, scope)
    assert torch.equal(select(scores[order], valid[order], 0.6, scope), kept[order])


def test_minus_infinity_ranks_before_padding():
    scores = torch.full((1, 4), -math.inf)
    valid = torch.tensor([[False, True, False, True]])
    for scope in SCOPES:
        assert select(scores, valid, 1.0, scope).tolist() == valid.tolist()


@given(batches(), st.integers(1, 3), st.integers(1, 3))
def test_ranks_and_micro_batches_keep_what_one_process_keeps(batch, ranks, micros):
    scores, valid, ratio = batch
    scores, valid = scores.repeat(ranks * micros, 1), valid.repeat(ranks * micros, 1)
    whole = select(scores, valid, ratio)
    # Rows are dealt out micro-batch by micro-batch, in each rank by rank; the width may differ.
    rows = len(scores) // (ranks * micros)
    parts = [
        [
            (torch.nn.functional.pad(scores[at : at + rows], (0, r)),
             torch.nn.functional.pad(valid[at : at + rows], (0, r)))
            for m in range(micros)
            for at in [(m * ranks + r) * rows]
        ]
        for r in range(ranks)
    ]  # fmt: skip
    lengths = [torch.tensor([int(v.sum()) for _, v in own]) for own in parts]
    flats = [torch.cat([s[v] for s, v in own]) for own in parts]
    for r in range(ranks):
        answers = iter([lengths, flats])
        masks, cutoff = select_across(parts[r], ratio, lambda own, answers=answers: next(answers), r)
        for m, mask in enumerate(masks):
            at = (m * ranks + r) * rows
            assert torch.equal(mask[:, : scores.shape[1]], whole[at : at + rows])
            assert not bool(mask[:, scores.shape[1] :].any())
        assert float(cutoff) == float(scores[whole].min())


def test_counts():
    assert [kept_count(n, 0.7) for n in (1, 2, 10, 20)] == [1, 1, 7, 14]
    assert kept_count(1_048_576, 0.6) == 629_145
    assert kept_count(3, 1.0) == 3
    assert kept_count(5, 1e-6) == 1
    valid = torch.tensor([[True] * 10, [False] * 10, [True] + [False] * 9])
    assert kept_counts(valid, 0.7).tolist() == [7, 0, 1]


def test_the_gradient_sees_a_constant():
    losses = torch.tensor([[1.0, 2.0]], requires_grad=True)
    assert not excess_loss(losses, torch.zeros(1, 2)).requires_grad
    for score in ("excess", "reverse", "loss"):
        rule = Selection(0.5, score=score)
        assert not rule.scores((1, 2), losses, torch.zeros(1, 2)).requires_grad


def test_scores():
    losses, reference = torch.tensor([[2.0, 1.0]]), torch.tensor([[0.5, 3.0]])
    entropy, block = torch.tensor([[0.1, 0.2]]), torch.tensor([4])

    def scores(name):
        rule = Selection(1.0 if name == "all" else 0.5, score=name)
        return rule.scores((1, 2), losses, reference, entropy, block)[0].tolist()

    assert scores("excess") == [1.5, -2.0]
    assert scores("reverse") == [-1.5, 2.0]
    assert scores("reference") == [-0.5, -3.0]
    assert scores("entropy") == pytest.approx([-0.1, -0.2])
    assert scores("loss") == [2.0, 1.0]
    assert scores("all") == [0.0, 0.0]
    assert all(0 <= value < 1 for value in scores("random"))


def test_what_a_score_needs():
    needs = {name: Selection(1.0, score=name).columns for name in SCORES}
    assert needs["random"] == ("block",)
    assert needs["entropy"] == ("reference_entropy",)
    assert needs["loss"] == needs["all"] == ()
    assert {needs[name] for name in ("excess", "reverse", "reference")} == {("reference_loss",)}
    assert [name for name in SCORES if Selection(1.0, score=name).needs_losses] == [
        "excess",
        "reverse",
        "loss",
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"ratio": 0}, r"ratio in \(0, 1\].*got 0"),
        ({"ratio": 1.01}, "got 1.01"),
        ({"ratio": math.nan}, "got nan"),
        ({"ratio": "0.6"}, "got '0.6'"),
        ({"ratio": True}, "got True"),
        ({"scope": "global"}, "choose one of batch, microbatch, sequence"),
        ({"score": "excess_loss"}, "choose one of excess, reference"),
        ({"seed": -1}, "whole number >= 0, got -1"),
        ({"score": "all", "ratio": 0.6}, "give ratio 1"),
    ],
)
def test_rules_that_are_refused(arguments, says):
    with pytest.raises(InputError, match=says):
        Selection(**arguments)


def test_input_that_is_refused():
    with pytest.raises(InputError, match="all its labels are -100"):
        select(torch.zeros(1, 5), ~ALL, 0.5)
    with pytest.raises(InputError, match="all its labels are -100"):
        select(torch.zeros(1, 5), ~ALL, 0.5, "sequence")
    with pytest.raises(InputError, match="not a number"):
        select(torch.tensor([[1.0, math.nan, 0, 0, 0]]), ALL, 0.5)
    with pytest.raises(InputError, match="same shape"):
        select(torch.zeros(1, 4), ALL, 0.5)
    with pytest.raises(InputError, match="same shape"):
        select(torch.zeros(1, 5), ALL.long(), 0.5)
    with pytest.raises(InputError, match="Unknown scope"):
        select(torch.zeros(1, 5), ALL, 0.5, "rank")
    with pytest.raises(InputError, match="one shape"):
        excess_loss(torch.zeros(1, 5), torch.zeros(1, 4))
    with pytest.raises(InputError, match=r"needs reference_loss of shape \(1, 5\), got nothing"):
        Selection().scores((1, 5), torch.zeros(1, 5))
    with pytest.raises(InputError, match=r"needs block of shape \(1,\), got \(2,\)"):
        Selection(score="random").scores((1, 5), block=torch.zeros(2))
