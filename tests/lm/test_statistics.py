import numpy as np
import pytest
import torch

from replication.lm import measures
from replication.lm.statistics import mask, row_statistics
from replication.settings import InputError


def in_float64(logits, ddof):
    """Largest, mean and std over finite entries by numpy."""
    found = []
    for row in logits.double().numpy():
        finite = row[np.isfinite(row)]
        found.append((finite.max(), finite.mean(), finite.std(ddof=ddof) if len(finite) > ddof else 0.0))
    return np.array(found).T


def test_worked_example():
    found = row_statistics(torch.tensor([[4.0, 3.0, 0.0, -torch.inf], [2.0, 1.0, 0.0, -3.0]]))
    assert found.largest.tolist() == [4, 2]
    assert float(found.mean[0]) == pytest.approx(7 / 3)
    np.testing.assert_allclose(found.largest - found.std, [1.9183, -0.1602], atol=1e-4)
    population = row_statistics(torch.tensor([[4.0, 3.0, 0.0, -torch.inf]]), ddof=0)
    assert float(4 - population.std) == pytest.approx(2.3003, abs=1e-4)


@pytest.mark.parametrize("ddof", [0, 1])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("offset", [0.0, 1e4, -3e4])
@pytest.mark.parametrize("gaps", [False, True])
def test_equals_numpy_in_float64(ddof, dtype, offset, gaps):
    torch.manual_seed(1)
    logits = (torch.randn(7, 3001) * 2 + offset).to(dtype)
    if gaps:
        logits[2:6, ::3] = -torch.inf
        logits[3, 2:] = -torch.inf  # id 1 alone is left
    found = row_statistics(logits, ddof)
    largest, mean, std = in_float64(logits.float(), ddof)
    assert {part.dtype for part in found} == {torch.float32}
    np.testing.assert_array_equal(found.largest, largest)
    np.testing.assert_allclose(found.mean, mean, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(found.std, std, rtol=2e-6)


def test_a_far_outlier_costs_no_accuracy():
    torch.manual_seed(0)
    logits = torch.randn(2, 100_000)
    logits[0, 0], logits[1, -1] = 4000.0, -4000.0
    np.testing.assert_allclose(row_statistics(logits).std, in_float64(logits, 1)[2], rtol=2e-6)


def test_constant_single_and_huge_rows():
    assert row_statistics(torch.full((2, 1000), 7.3)).std.tolist() == [0, 0]
    assert row_statistics(torch.tensor([[5.0]])).std.tolist() == [0]
    assert row_statistics(torch.tensor([[5.0, -torch.inf]])).std.tolist() == [0]
    huge = torch.tensor([[3e38, 3e38, 2e38, 1e38]])
    np.testing.assert_allclose(row_statistics(huge).std, in_float64(huge, 1)[2], rtol=1e-6)


def test_blocks_and_views(monkeypatch):
    logits = torch.randn(9, 50)
    expected = row_statistics(logits)
    bounds = expected.largest - expected.std
    masked = mask(logits, bounds)
    wide = torch.cat([logits, torch.full((9, 3), 99.0)], dim=1)[:, :50]  # rows that do not touch
    monkeypatch.setattr(measures, "BLOCK", 100)
    for view in (logits, wide):
        assert torch.equal(torch.stack(row_statistics(view)), torch.stack(expected))
        assert torch.equal(mask(view, bounds), masked)
    assert row_statistics(logits[:0]).std.shape == (0,)
    assert mask(logits[:0], bounds[:0]).shape == (0, 50)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_what_cannot_be_sampled(bad):
    logits = torch.randn(3, 200)
    logits[1, 150] = bad
    with pytest.raises(InputError, match="neither NaN nor"):
        row_statistics(logits)
    logits[1] = -torch.inf
    with pytest.raises(InputError, match="at least one finite entry"):
        row_statistics(logits)
    with pytest.raises(InputError, match="ddof 0 or 1"):
        row_statistics(torch.randn(1, 3), ddof=2)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_mask_keeps_what_is_not_below(dtype):
    torch.manual_seed(0)
    logits = torch.randn(5, 130).to(dtype)
    logits[1, 7] = -torch.inf
    threshold = logits[:, 3].float()  # equality stays
    threshold[4] = -torch.inf
    before = logits.clone()
    found = mask(logits, threshold)
    expected = torch.where(logits.float() >= threshold[:, None], logits.double(), -torch.inf)
    assert found.dtype == dtype
    assert torch.equal(found.double(), expected)
    assert torch.equal(found[:, 3], logits[:, 3])
    assert torch.equal(mask(logits, threshold[:, None]), found)
    assert torch.equal(logits, before)


def test_mask_takes_logits_that_record_gradients():
    logits = torch.tensor([[1.0, 2.0]], requires_grad=True)
    assert mask(logits, torch.tensor([1.5])).tolist() == [[-torch.inf, 2.0]]
