"""Distributions of the next token from weighted alternatives, worked by hand."""

import numpy as np
import pytest

from replication.settings import InputError
from replication.testbed.support_trie import Coder, follow, matrix

ROWS = [(1, 2, 9), (1, 3, 9), (4, 9)]
WEIGHTS = np.array([0.2, 0.6, 0.2])


def test_matrix_keeps_rows_and_fills_up():
    assert matrix(ROWS).tolist() == [[1, 2, 9], [1, 3, 9], [4, 9, -1]]


def test_probabilities_are_renormalised_behind_every_token():
    found, row = follow(matrix(ROWS), WEIGHTS, (0, 1, 3, 9, 7), 1)
    assert row == 1
    assert [position.index for position in found] == [1, 2, 3]
    assert found[0].probabilities == pytest.approx({1: 0.8, 4: 0.2})
    assert found[1].probabilities == pytest.approx({2: 0.25, 3: 0.75})
    assert found[2].probabilities == {9: 1.0}


def test_a_short_alternative_ends_where_it_ends():
    found, row = follow(matrix(ROWS), WEIGHTS, (0, 4, 9, 1, 2), 1)
    assert (row, [position.index for position in found]) == (2, [1, 2])


def test_rows_of_weight_zero_are_impossible():
    weights = np.array([0.0, 1.0, 1.0])
    found, _ = follow(matrix(ROWS), weights, (1, 3, 9), 0)
    assert [set(position.probabilities) for position in found] == [{1, 4}, {3}, {9}]
    with pytest.raises(InputError, match="follow none of the generated world's alternatives"):
        follow(matrix(ROWS), weights, (1, 2, 9), 0)


@pytest.mark.parametrize("ids", [(5,), (1, 4), (1, 2), ()])
def test_a_text_beside_the_alternatives_is_refused(ids):
    with pytest.raises(InputError, match="splits words, digits and signs"):
        follow(matrix(ROWS), WEIGHTS, ids, 0)


def test_the_beginning_of_another_alternative_is_refused():
    with pytest.raises(InputError, match="follow none"):
        follow(matrix([(1, 2), (1, 2, 3)]), np.ones(2), (1, 2, 3), 0)


def test_alternatives_with_the_same_tokens_are_refused():
    with pytest.raises(InputError, match="same tokens"):
        follow(matrix([(1, 2), (1, 2)]), np.ones(2), (1, 2), 0)


def test_padding_left_on_in_the_tokenizer_does_no_harm(core):
    plain = Coder(core)
    expected = plain.pieces(["Tom", "Tom has 12 apples."]), plain.document("Tom")
    core.backend_tokenizer.enable_padding(pad_id=0)
    core.backend_tokenizer.enable_truncation(2)
    try:
        coder = Coder(core)
        assert (coder.pieces(["Tom", "Tom has 12 apples."]), coder.document("Tom")) == expected
    finally:
        core.backend_tokenizer.no_padding()
        core.backend_tokenizer.no_truncation()
    assert expected[1][0] == core.bos_token_id
    assert expected[1][-1] == core.eos_token_id


def test_a_tokenizer_without_an_end_is_refused():
    class Slow:
        eos_token_id = None
        backend_tokenizer = None

    with pytest.raises(InputError, match="fast tokenizer with an end token"):
        Coder(Slow())
