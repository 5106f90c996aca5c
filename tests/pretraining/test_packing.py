"""Blocks of whole documents, each token with its target, its position and its gold label."""

from itertools import islice

import numpy as np
import pytest

from replication.pretraining import packing
from replication.settings import InputError
from replication.testbed import models, web

LENGTH = 256


@pytest.fixture(scope="module")
def tokenizer():
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(models.folder("control-00"))


@pytest.fixture(scope="module")
def pages():
    return list(islice(web.pages(1), 60))


@pytest.fixture(scope="module")
def encoded(tokenizer, pages):
    return packing.encode(tokenizer, pages, web.LABELS)


@pytest.fixture(scope="module")
def blocks(tokenizer, encoded):
    return packing.pack(encoded, 8, LENGTH, tokenizer.pad_token_id, web.LABELS)


def documents(blocks):
    """Yield (row, start, end) of every document: from a position 0 that has content to the next one."""
    for row in range(len(blocks)):
        starts = [i for i in range(blocks.ids.shape[1]) if blocks.positions[row, i] == 0]
        for start, stop in zip(starts, [*starts[1:], blocks.ids.shape[1]], strict=True):
            if blocks.positions[row, start:stop].any():
                yield row, start, stop


def gold_text(tokenizer, ids, gold, label):
    chosen = [i for i, name in zip(ids, gold, strict=True) if name == web.LABELS.index(label)]
    return tokenizer.decode(chosen)


def test_documents_are_whole_and_none_comes_twice(tokenizer, pages, blocks):
    left = [page.text for page in pages]
    found = list(documents(blocks))
    assert len(found) >= 2 * len(blocks)
    for row, start, end in found:
        ids = blocks.ids[row, start:end].tolist()
        assert (ids[0], ids[-1]) == (tokenizer.bos_token_id, tokenizer.eos_token_id)
        left.remove(tokenizer.decode(ids[1:-1]))


def test_positions_restart_and_first_tokens_are_no_targets(blocks):
    inside = np.zeros(blocks.ids.shape, bool)
    for row, start, end in documents(blocks):
        assert blocks.positions[row, start:end].tolist() == list(range(end - start))
        assert blocks.labels[row, start] == packing.IGNORED
        assert (blocks.labels[row, start + 1 : end] == blocks.ids[row, start + 1 : end]).all()
        inside[row, start:end] = True
    assert blocks.targets == inside.sum() - len(list(documents(blocks)))
    assert inside.mean() > 0.85


def test_padding_has_no_target_position_or_label(tokenizer, blocks):
    inside = np.zeros(blocks.ids.shape, bool)
    for row, start, end in documents(blocks):
        inside[row, start:end] = True
    outside = ~inside
    assert outside.any()
    assert (blocks.ids[outside] == tokenizer.pad_token_id).all()
    assert (blocks.labels[outside] == packing.IGNORED).all()
    assert (blocks.positions[outside] == 0).all()
    assert (blocks.gold[outside] == packing.NO_LABEL).all()


def test_gold_labels_belong_to_their_tokens(tokenizer, pages, encoded):
    wrong = 0
    for page, (ids, gold) in zip(pages, encoded, strict=True):
        assert len(ids) == len(gold)
        assert (gold[0], gold[-1]) == (packing.NO_LABEL, packing.NO_LABEL)
        for text, label in page.pieces:
            if label in (web.WRONG, "random"):  # a token may reach over a border, then its end decides
                assert text.strip()[-1] in gold_text(tokenizer, ids, gold, label), page
        own = "".join(text for text, label in page.pieces if label == web.WRONG)
        assert gold_text(tokenizer, ids, gold, web.WRONG).replace(" ", "") == own
        wrong += bool(own)
    assert wrong > 5


def test_gold_labels_of_one_page(tokenizer):
    pieces = (("Q: Tom has 3 pens.\nA:", "question"), (" 3", "useful"), ("-", "wrong"), ("2=", "useful"),
              ("17", "wrong"), (".", "useful"))  # fmt: skip
    page = web.Page(pieces, "wrong", None)
    [(ids, gold)] = packing.encode(tokenizer, [page], web.LABELS)
    assert gold_text(tokenizer, ids, gold, "wrong") == "-17"
    assert gold_text(tokenizer, ids, gold, "useful") == " 32=."
    assert gold_text(tokenizer, ids, gold, "question") == "Q: Tom has 3 pens.\nA:"


def test_a_tokenizer_without_special_tokens(tokenizer):
    class Bare:
        bos_token_id = eos_token_id = None

        def __call__(self, texts, **options):
            return tokenizer(texts, **options)

    page = web.Page((("5.", "direct"),), "direct", None)
    [(ids, gold)] = packing.encode(Bare(), [page], web.LABELS)
    assert tokenizer.decode(ids) == "5."
    assert set(gold) == {web.LABELS.index("direct")}


def test_the_first_waiting_document_that_fits_is_taken():
    documents = [([1, 2, 3], [0] * 3), ([4, 5, 6, 7], [1] * 4), ([8, 9], [2] * 2), ([0] * 6, [0] * 6)]
    blocks = packing.pack(iter(documents), 2, 5, 99)
    assert blocks.ids.tolist() == [[1, 2, 3, 8, 9], [4, 5, 6, 7, 99]]  # the one of six tokens is left out
    assert blocks.labels.tolist() == [[-100, 2, 3, -100, 9], [-100, 5, 6, 7, -100]]
    assert blocks.positions.tolist() == [[0, 1, 2, 0, 1], [0, 1, 2, 3, 0]]
    assert blocks.gold.tolist() == [[0, 0, 0, 2, 2], [1, 1, 1, 1, -1]]
    assert blocks.targets == 6


def test_the_digest_changes_with_what_is_read(blocks):
    assert len(blocks.digest) == 16
    assert blocks.digest == blocks.rows(slice(None)).digest
    for part in ("ids", "labels", "positions"):
        values = {name: getattr(blocks, name).copy() for name in ("ids", "labels", "positions", "gold")}
        values[part][0, 1] += 1
        assert packing.Blocks(**values).digest != blocks.digest
    assert blocks.rows([1, 0]).digest != blocks.rows([0, 1]).digest


def test_rows_and_joined_are_inverse(blocks):
    front, back = blocks.rows(slice(0, 3)), blocks.rows([3, 4, 5, 6, 7])
    assert (len(front), len(back)) == (3, 5)
    joined = front.joined(back)
    assert joined.digest == blocks.digest
    assert joined.names == front.names == web.LABELS
    assert (joined.gold == blocks.gold).all()


def test_a_data_set_has_columns_and_numbers(blocks):
    keep = blocks.labels != packing.IGNORED
    data = blocks.dataset(keep=keep)
    assert set(data.column_names) == {"input_ids", "labels", "position_ids", "keep", "block"}
    assert data["block"][:].tolist() == list(range(8))
    assert (data[5]["input_ids"] == blocks.ids[5]).all()
    assert (data[5]["keep"] == keep[5]).all()
    assert (data[2]["position_ids"] == blocks.positions[2]).all()


@pytest.mark.parametrize(("number", "length"), [(0, 8), (1, 1)])
def test_sizes_are_checked(number, length):
    with pytest.raises(InputError, match="needs 1 block and 2 tokens"):
        packing.pack([([1, 2], [0, 0])], number, length, 0)


def test_too_few_documents_are_an_error():
    short = [([1, 2, 3], [0, 0, 0])] * 2
    with pytest.raises(InputError, match="Only 1 of 2 blocks"):
        packing.pack(short, 2, 6, 0)
    with pytest.raises(InputError, match="Only 0 of 1 blocks"):
        packing.pack(short, 1, 2, 0)
