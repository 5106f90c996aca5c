import numpy as np
import pytest
import torch

from replication.pretraining.blocks import digest, pack, row_targets, tokenizer_hash
from replication.pretraining.token_losses import targets
from replication.settings import InputError
from replication.testbed import models, tokenizer

DOCUMENTS = [[1, 10, 11, 2], [1, 20, 2], [1, 30, 31, 32, 33, 34, 2], [1, 2]]


def test_concatenated_blocks_are_the_text_cut_in_pieces():
    blocks = list(pack(DOCUMENTS, 5, "concatenated"))
    assert [block["input_ids"] for block in blocks] == [
        [1, 10, 11, 2, 1],
        [20, 2, 1, 30, 31],
        [32, 33, 34, 2, 1],
    ]
    assert all(list(block) == ["input_ids"] for block in blocks)


def test_documents_lie_whole_in_blocks_and_restart():
    blocks = list(pack(DOCUMENTS, 7, "documents"))
    assert [block["input_ids"] for block in blocks] == [
        [1, 10, 11, 2, 1, 20, 2],
        [1, 30, 31, 32, 33, 34, 2],
        [1, 2],
    ]
    assert blocks[0]["position_ids"] == [0, 1, 2, 3, 0, 1, 2]
    assert blocks[0]["labels"] == [-100, 10, 11, 2, -100, 20, 2]
    assert row_targets(blocks[0]).tolist() == [10, 11, 2, -100, 20, 2, -100]


def test_a_long_document_is_cut():
    blocks = list(pack([list(range(1, 11))], 4, "documents"))
    assert [block["input_ids"] for block in blocks] == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 10]]
    assert blocks[1]["position_ids"] == [0, 1, 2, 3]


def test_documents_do_not_see_each_other(make_model):
    block = next(pack(DOCUMENTS, 7, "documents"))
    model = make_model().eval()
    ids, positions = torch.tensor([block["input_ids"]]), torch.tensor([block["position_ids"]])
    with torch.no_grad():
        packed = model(input_ids=ids, position_ids=positions, use_cache=False).logits[0, 4:]
        alone = model(input_ids=ids[:, 4:], use_cache=False).logits[0]
    assert torch.allclose(packed, alone, atol=1e-5)


def test_digests_tell_blocks_apart():
    block = {"input_ids": [4, 5, 6], "labels": [4, 5, 6], "position_ids": [0, 1, 2]}
    plain = digest(block)
    assert digest({"input_ids": np.array([4, 5, 6])}) == plain  # what is the default changes nothing
    others = [
        {"input_ids": [5, 6, 4]},
        {"input_ids": [4, 5]},
        block | {"labels": [-100, 5, 6]},
        block | {"position_ids": [0, 0, 1]},
    ]
    assert len({plain, *map(digest, others)}) == 5
    assert -(2**63) <= plain < 2**63


def test_row_targets_are_targets(rows):
    for row in rows:
        assert row_targets(row).tolist() == targets(torch.tensor([row["labels"]]))[0].tolist()


def test_tokenizers_are_told_apart():
    first = tokenizer.load(models.folder("testbed"))
    again, other = tokenizer.load(models.folder("control-00")), tokenizer.load(models.folder("testbed-wide"))
    assert tokenizer_hash(first) == tokenizer_hash(again) != tokenizer_hash(other)
    again.padding_side = "right"
    assert tokenizer_hash(again) == tokenizer_hash(first)
    again.add_tokens(["<new>"])
    assert tokenizer_hash(again) != tokenizer_hash(first)


def test_input_that_is_refused():
    with pytest.raises(InputError, match="choose one of concatenated, documents"):
        list(pack(DOCUMENTS, 5, "bfd"))
    with pytest.raises(InputError, match="2 tokens or more"):
        list(pack(DOCUMENTS, 1, "documents"))
