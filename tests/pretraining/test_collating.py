import numpy as np
import pytest
import torch

from replication.pretraining.collating import Collator
from replication.settings import InputError


def test_columns_are_padded_each_in_its_way():
    rows = [
        {"input_ids": [4, 5, 6], "labels": [-100, 5, 6], "position_ids": [0, 0, 1], "block": 7,
         "reference_loss": [1.0, 2.0, 0.0], "reference_entropy": np.array([0.5, 0.25, 0], np.float16),
         "keep": [True, False, False], "text": "x"},
        {"input_ids": [7], "labels": [7], "position_ids": [0], "block": 2, "reference_loss": [0.0],
         "reference_entropy": [0.0], "keep": [False], "text": "y"},
    ]  # fmt: skip
    batch = Collator(pad_id=9)(rows)
    assert {name: value.tolist() for name, value in batch.items()} == {
        "input_ids": [[4, 5, 6], [7, 9, 9]],
        "labels": [[-100, 5, 6], [7, -100, -100]],
        "reference_loss": [[1, 2, 0], [0, 0, 0]],
        "reference_entropy": [[0.5, 0.25, 0], [0, 0, 0]],
        "keep": [[True, False, False], [False, False, False]],
        "position_ids": [[0, 0, 1], [0, 1, 2]],
        "block": [7, 2],
    }
    assert batch["reference_entropy"].dtype == torch.float32


def test_labels_are_the_ids_by_default():
    batch = Collator()([{"input_ids": [4, 5]}, {"input_ids": [6]}])
    assert batch["labels"].tolist() == [[4, 5], [6, -100]]
    assert set(batch) == {"input_ids", "labels"}  # and no attention mask


def test_rows_that_are_refused():
    with pytest.raises(InputError, match="no column input_ids"):
        Collator()([{"text": "x"}])
    with pytest.raises(InputError, match="reference_loss has 2 values for 3 tokens"):
        Collator()([{"input_ids": [1, 2, 3], "reference_loss": [1.0, 2.0]}])
