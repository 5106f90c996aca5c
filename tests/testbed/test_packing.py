"""Rows of whole documents with positions and weights of their own."""

from dataclasses import replace
from itertools import islice

import pytest
import torch

from replication.testbed import packing
from replication.testbed.corpus import Document
from replication.testbed.models import Recipe

RECIPE = Recipe(16, 1, 2, steps=5, rate=1e-2, rows=3, row_tokens=160, question_weight=0.25)


@pytest.fixture
def packed(core, drawn):
    return list(islice(packing.batches(core, iter(drawn), RECIPE), 4))


def documents_of(batch):
    """Return (row, start, end) of every document, from where positions are 0 and the token is no padding."""
    found = []
    for r, ids in enumerate(batch.ids.tolist()):
        starts = [i for i, token in enumerate(ids) if token == 1]
        ends = [i + 1 for i, token in enumerate(ids) if token == 2]
        found += [(r, start, end) for start, end in zip(starts, ends, strict=True)]
    return found


def test_shapes_and_types(packed):
    for batch in packed:
        assert batch.ids.shape == batch.positions.shape == batch.weights.shape == (3, 160)
        assert (batch.ids.dtype, batch.positions.dtype) == (torch.int64, torch.int64)
        assert batch.weights.dtype == torch.float32


def test_documents_are_whole_and_none_comes_twice(core, drawn, packed):
    texts = [
        core.decode(batch.ids[r, start:end], skip_special_tokens=True)
        for batch in packed
        for r, start, end in documents_of(batch)
    ]
    assert len(texts) > 12
    left = [document.text for document in drawn]
    for text in texts:
        left.remove(text)


def test_positions_restart_and_padding_weighs_nothing(packed):
    for batch in packed:
        inside = torch.zeros_like(batch.ids, dtype=torch.bool)
        for r, start, end in documents_of(batch):
            assert batch.positions[r, start:end].tolist() == list(range(end - start))
            assert batch.weights[r, start] == 0
            assert (batch.weights[r, start + 1 : end] > 0).all()
            inside[r, start:end] = True
        assert (batch.ids[~inside] == 0).all()
        assert (batch.weights[~inside] == 0).all()
        assert inside.float().mean() > 0.8


def test_question_weighs_less_than_the_answer(core):
    document = Document("Q: How many?\nA: There are 14.", "direct", len("Q: How many?\nA:"))
    other = Document("1+1=2.", "equations")
    (ids, weights), (_, full) = packing.encode(core, [document, other], 0.25)
    text = "".join(core.decode([i]) for i, w in zip(ids, weights, strict=True) if w == 0.25)
    assert text == "Q: How many?\nA:"
    assert (weights[0], weights[-1], ids[-1]) == (0.0, 1.0, core.eos_token_id)
    assert set(full[1:]) == {1.0}


def test_weights_follow_characters_not_bytes(core):
    document = Document("Q: 日本 €🙂?\nA: 3.", "direct", len("Q: 日本 €🙂?\nA:"))
    [(ids, weights)] = packing.encode(core, [document], 0.5)
    answer = [i for i, w in zip(ids, weights, strict=True) if w == 1.0]
    assert core.decode(answer, skip_special_tokens=True) == " 3."


def test_too_long_documents_are_left_out(core, drawn):
    batch = next(packing.batches(core, iter(drawn), replace(RECIPE, row_tokens=40)))
    lengths = [end - start for _, start, end in documents_of(batch)]
    assert lengths
    assert max(lengths) <= 40
