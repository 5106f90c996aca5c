"""Rows become batches in which every value stands at the prediction of its token."""

from dataclasses import replace

import numpy as np
import pytest

from replication.alignment.collating import Collator, dataset
from replication.alignment.preferences import Pair
from replication.settings import InputError

PAIRS = (
    Pair("a", (3, 4), (5, 2), (6, 7, 2), (0.25, 0.5, 0.75)),
    Pair("b", (8,), (9, 10, 2), (11, 2), (0.1, 0.2)),
)
REFERENCE = [
    (np.array([-1.0, -2.0]), np.array([-3.0, -4.0, -5.0])),
    (-np.arange(1, 4.0), np.array([-7.0, -8.0])),
]


def test_ids_are_kept_as_they_were_sampled():
    data = dataset(PAIRS, REFERENCE)
    assert data["prompt_ids"][:] == [[3, 4], [8]]
    assert data["rejected_ids"][:] == [[6, 7, 2], [11, 2]]
    assert data["ref_rejected"][1] == [-7.0, -8.0]
    assert "rejected_weights" not in dataset([replace(PAIRS[0], weights=None), PAIRS[1]]).column_names


def test_values_stand_at_the_predictions_of_their_tokens():
    batch = Collator(pad_token_id=0)(list(dataset(PAIRS, REFERENCE)))
    assert batch["input_ids"].tolist() == [
        [3, 4, 5, 2, 0],
        [8, 9, 10, 2, 0],
        [3, 4, 6, 7, 2],
        [8, 11, 2, 0, 0],
    ]
    weights = [[0, 1, 1, 0], [1, 1, 1, 0], [0, 0.25, 0.5, 0.75], [0.1, 0.2, 0, 0]]
    np.testing.assert_allclose(batch["token_weights"], weights)
    reference = [[0, -1, -2, 0], [-1, -2, -3, 0], [0, -3, -4, -5], [-7, -8, 0, 0]]
    np.testing.assert_allclose(batch["token_reference"], reference)
    response = batch["completion_mask"][:, 1:].bool()
    assert ((batch["token_weights"] > 0) == response).all()


@pytest.mark.parametrize("column", ["rejected_weights", "ref_chosen", "ref_rejected"])
def test_values_that_do_not_fit_the_ids_are_refused(column):
    rows = list(dataset(PAIRS, REFERENCE))
    rows[1][column] = rows[1][column][:-1]
    with pytest.raises(InputError, match="align"):
        Collator(pad_token_id=0)(rows)


def test_a_row_that_would_be_cut_off_is_refused():
    rows = list(dataset(PAIRS))
    Collator(pad_token_id=0, max_length=5)(rows)
    with pytest.raises(InputError, match="1 of 2 pairs have more than 4 tokens"):
        Collator(pad_token_id=0, max_length=4)(rows)


def test_a_reference_of_other_pairs_is_refused():
    with pytest.raises(InputError, match="1 reference rows do not fit 2 pairs"):
        dataset(PAIRS, REFERENCE[:1])
    with pytest.raises(InputError, match="no preference pair"):
        dataset([])
