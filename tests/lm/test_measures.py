import numpy as np
import pytest
import torch

from replication.lm import measures
from replication.lm.measures import ENTROPY, LOGPROB, TOP1, TOP2, measure, rank, ranked, top_two


def test_worked_example():
    logits = torch.tensor([[2.0, 1.0, 0.0, -1.0], [3.0, 3.0, 0.0, 0.0], [0.0, 4.0, 1.0, 0.0]])
    found = measure(logits, torch.tensor([0, 1, 1]))
    np.testing.assert_allclose(found[TOP1] - found[TOP2], [0.407031, 0.0, 0.874629], atol=1e-6)
    assert float(found[LOGPROB, 0]) == pytest.approx(np.log(0.643914), abs=1e-6)
    assert found.dtype == torch.float32


@pytest.mark.parametrize("shift", [0.0, 1000.0, -500.0])
def test_equals_the_definition_in_float64(shift):
    torch.manual_seed(0)
    logits = torch.randn(50, 37).double() * 4 + shift
    tokens = torch.randint(37, (50,))
    found = measure(logits.float(), tokens)
    log_p = logits.float().double().log_softmax(-1)
    p = log_p.exp().sort(descending=True).values
    np.testing.assert_allclose(found[LOGPROB], log_p.gather(1, tokens[:, None])[:, 0], atol=1e-5)
    np.testing.assert_allclose(found[TOP1], p[:, 0], atol=1e-6)
    np.testing.assert_allclose(found[TOP2], p[:, 1], atol=1e-6)
    np.testing.assert_allclose(found[ENTROPY], -(log_p.exp() * log_p).sum(-1), atol=1e-5)


def test_excluded_ids_and_blocks(monkeypatch):
    logits = torch.tensor([[1.0, -torch.inf, 0.0], [-torch.inf, -torch.inf, 5.0]])
    found = measure(logits, torch.tensor([2, 2]))
    assert torch.isfinite(found).all()
    assert found[ENTROPY, 1] == 0
    assert found[TOP2, 1] == 0
    assert measure(logits, torch.tensor([1, 2]))[LOGPROB, 0] == -torch.inf
    whole = torch.randn(9, 5)
    tokens = torch.arange(9) % 5
    expected = measure(whole, tokens)
    monkeypatch.setattr(measures, "BLOCK", 10)
    assert torch.equal(measure(whole, tokens), expected)
    assert measure(whole[:0], tokens[:0]).shape == (4, 0)


def test_ranks_and_ties():
    logits = torch.tensor([[0.0, 3.0, 3.0, 1.0, 3.0]])
    assert ranked(logits, 4).tolist() == [[1, 2, 4, 3]]
    assert rank(logits.repeat(3, 1), torch.tensor([1, 3, 0])).tolist() == [0, 3, 4]


@pytest.mark.parametrize("rows", [1, 7, 8, 40])
@pytest.mark.parametrize("width", [37, 64, 128, 192, 200])
def test_the_two_largest_of_few_and_of_many_rows(rows, width):
    torch.manual_seed(1)
    logits = torch.randint(-3, 4, (rows, width)).float()  # many equals
    logits[0, :-2] = -torch.inf
    found = top_two(logits)
    assert found.place.tolist() == [[row.index(max(row))] for row in logits.tolist()]
    for largest, second, row in zip(found.largest, found.second, logits.tolist(), strict=True):
        assert [float(largest), float(second)] == sorted(row, reverse=True)[:2]
    logits[-1, 5] = torch.nan
    assert top_two(logits).largest[-1].isnan().all()
