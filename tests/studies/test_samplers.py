"""What a sampler accepts: parameters in range and rows that can be sampled."""

import pytest
import torch
from transformers import TopPLogitsWarper, TypicalLogitsWarper

from replication.settings import InputError
from replication.studies.samplers import RULES, Sampler

VALUES = {"top-k": 2, "top-p": 0.9, "typical": 0.9, "min-p": 0.1, "top-nσ": 1.0, "ε": 0.01, "η": 0.01}


@pytest.mark.parametrize(
    ("rule", "value", "needs"),
    [
        *(("top-p", value, "0 < p <= 1") for value in (0.0, -0.1, 1.1, float("nan"))),
        *(("top-k", value, "a whole number k >= 1") for value in (0, -3, 2.5, float("inf"), float("nan"))),
        *(("typical", value, "0 < mass < 1") for value in (0.0, 1.0, float("nan"))),
        ("min-p", 0.0, "0 < p <= 1"),
        ("top-nσ", -1.0, "n >= 0"),
    ],
)
def test_a_parameter_out_of_range_is_refused(rule, value, needs):
    with pytest.raises(InputError, match=needs):
        Sampler(rule, value)


def test_ends_of_the_ranges_are_accepted():
    row = torch.tensor([[3.0, 2.0, 1.0]])
    assert Sampler("top-p", 1.0).keep(row).all()
    assert Sampler("top-k", 1).keep(row).tolist() == [[True, False, False]]


def test_every_rule_of_the_list_has_a_value_here():
    assert set(VALUES) == set(RULES)


@pytest.mark.parametrize("sampler", [Sampler(), *(Sampler(rule, value) for rule, value in VALUES.items())])
@pytest.mark.parametrize("bad", [torch.nan, torch.inf, None])
def test_rows_that_are_no_logits_are_refused(sampler, bad):
    rows = torch.tensor([[1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]])
    rows[1] = -torch.inf if bad is None else torch.tensor([1.0, bad, 3.0, -torch.inf])
    with pytest.raises(InputError, match="at least one finite entry in every row and neither NaN"):
        sampler.keep(rows)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9, 0.99, 1.0])
@pytest.mark.parametrize("temperature", [0.3, 1.0, 10.0])
def test_the_nucleus_is_that_of_transformers(p, temperature):
    rows = torch.randn(40, 500, generator=torch.Generator().manual_seed(0)) * 4
    rows[::3, ::5] = -torch.inf
    warped = TopPLogitsWarper(p)(None, rows / temperature)
    assert torch.equal(Sampler("top-p", p).keep(rows, temperature), warped > -torch.inf)


@pytest.mark.parametrize("mass", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("temperature", [0.3, 1.0, 10.0])
def test_typical_is_that_of_transformers(mass, temperature):
    rows = torch.randn(40, 500, generator=torch.Generator().manual_seed(0)) * 4
    rows[::3, ::5] = -torch.inf
    warped = TypicalLogitsWarper(mass)(None, rows / temperature)
    assert torch.equal(Sampler("typical", mass).keep(rows, temperature), warped > -torch.inf)


def test_ties_at_the_edge_of_the_nucleus_are_cut_as_transformers_cuts_them():
    row = torch.tensor([[2.0, 1.0, 1.0, -9.0]])  # probabilities 0.576, 0.212 twice
    assert Sampler("top-p", 0.5).keep(row).tolist() == [[True, False, False, False]]
    sampler = Sampler("top-p", 0.7)
    (warper,) = sampler.processors()
    expected = warper(torch.zeros((1, 0), dtype=torch.long), row) > -torch.inf
    assert int(expected.sum()) == 2
    assert torch.equal(sampler.keep(row), expected)


def test_an_excluded_token_stays_excluded():
    row = torch.tensor([[1.0, -torch.inf, 3.0]])
    assert not Sampler().keep(row)[0, 1]


def test_a_temperature_of_zero_is_refused():
    with pytest.raises(InputError, match="a number > 0"):
        Sampler("min-p", 0.1).keep(torch.zeros(1, 3), 0.0)
