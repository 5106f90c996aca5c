import pytest
import torch

from replication.pretraining.masks import intersection, random_scores, realised_ratio, turnover, union
from replication.pretraining.selection import select
from replication.settings import InputError

VALID = torch.ones(20, 50, dtype=torch.bool)


def scores(seed):
    return torch.randn(20, 50, generator=torch.Generator().manual_seed(seed))


def test_combinations_count_each_token_once():
    first, second = select(scores(0), VALID, 0.7), select(scores(1), VALID, 0.6)
    both, either = intersection(first, second), union(first, second)
    assert int(both.sum() + either.sum()) == int(first.sum() + second.sum())
    # Independent scores: the product, about; equal ones: the smaller.
    assert realised_ratio(both, VALID) == pytest.approx(0.42, abs=0.05)
    same = intersection(first, select(scores(0), VALID, 0.6))
    assert realised_ratio(same, VALID) == 0.6


def test_a_smaller_intersection_lies_inside_a_larger_one():
    small, large = (
        intersection(select(scores(0), VALID, ratio), select(scores(1), VALID, ratio))
        for ratio in (0.75, 0.8)
    )
    assert not bool((small & ~large).any())
    assert realised_ratio(small, VALID) < realised_ratio(large, VALID)


def test_turnover():
    before, after = torch.tensor([True, True, True, False]), torch.tensor([True, False, True, True])
    assert turnover(before, after) == pytest.approx(1 / 3)
    assert turnover(before, before) == 0
    with pytest.raises(InputError, match="keeps no token"):
        turnover(~before & before, after)
    with pytest.raises(InputError, match="share of none"):
        realised_ratio(before, before & ~before)


def test_random_scores_depend_on_seed_block_and_position_alone():
    block = torch.tensor([3, 0, 11])
    found = random_scores(7, block, 40)
    assert torch.equal(random_scores(7, block.flip(0), 40), found.flip(0))
    assert torch.equal(random_scores(7, block[:1], 25), found[:1, :25])
    assert not bool((random_scores(8, block, 40) == found).any())
    assert int((found[0] == found[1]).sum()) == 0


def test_random_scores_are_uniform():
    found = random_scores(0, torch.arange(400), 250).double()
    assert float(found.min()) >= 0
    assert float(found.max()) < 1
    counts = torch.histc(found.float(), 20, 0, 1)
    assert float(((counts - 5000) ** 2 / 5000).sum()) < 43.8  # chi square, 19 degrees, 0.1 %
    for one, other in ((found[:, :-1], found[:, 1:]), (found[:-1], found[1:])):
        pair = torch.stack([one.flatten(), other.flatten()])
        assert abs(float(torch.corrcoef(pair)[0, 1])) < 0.015


def test_random_scores_stay_the_same_numbers():
    # Part of the definition of a run: a change here changes every random control.
    found = random_scores(0, torch.tensor([0, 1]), 2) * 2**24
    assert found.tolist() == [[12633013.0, 3013943.0], [13212817.0, 10596244.0]]
