"""Character intervals of generated tokens and the spans made from them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from replication.decoding import spans

TEXTS = st.text(alphabet="12 €é.😀x6", min_size=1, max_size=12)
CUTS = st.lists(st.booleans(), min_size=60, max_size=60)


@pytest.fixture(scope="module")
def byte(kit):
    return kit.tokenizers["byte"]()


@pytest.fixture(scope="module")
def piece(kit):
    return kit.tokenizers["piece"]()


def from_bytes(tokenizer, ids):
    """The intervals of byte-level tokens of a valid text: a token's string has one letter per byte."""
    sizes = [len(tokenizer.convert_ids_to_tokens(token)) for token in ids]
    owner = [place for place, char in enumerate(tokenizer.decode(ids)) for _ in char.encode()]
    ends = np.cumsum(sizes)
    return [[owner[end - size], owner[end - 1] + 1] for size, end in zip(sizes, ends, strict=True)]


@given(text=TEXTS, cuts=CUTS)
@settings(max_examples=80, deadline=None)
def test_byte_level_offsets_equal_the_bytes(byte, text, cuts):
    ids = []
    for token, cut in zip(byte.encode(text, add_special_tokens=False), cuts, strict=False):
        letters = byte.convert_ids_to_tokens(token)  # some are taken apart, as a model may generate them
        ids += byte.convert_tokens_to_ids(list(letters)) if cut else [token]
    assert byte.decode(ids) == text
    assert spans.Offsets(byte)(ids).tolist() == from_bytes(byte, ids)


@given(kind=st.sampled_from(["byte", "piece"]), seed=st.integers(0, 10**6), length=st.integers(1, 30))
@settings(max_examples=80, deadline=None)
def test_offsets_cover_the_text_of_any_ids(byte, piece, kind, seed, length):
    tokenizer = {"byte": byte, "piece": piece}[kind]
    ids = np.random.default_rng(seed).integers(0, len(tokenizer), length)
    offsets = spans.Offsets(tokenizer)(ids)
    text = tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)
    assert offsets.shape == (length, 2)
    assert (offsets[:, 0] <= offsets[:, 1]).all()
    assert offsets[-1, 1] <= len(text)
    covered = {place for start, end in offsets for place in range(start, end)}
    assert covered == set(range(len(text)))


def test_characters_split_over_tokens_belong_to_each(byte):
    euro = byte.convert_ids_to_tokens(byte.encode("€", add_special_tokens=False))
    assert len(euro) == 2
    ids = byte.convert_tokens_to_ids(["1", euro[0], euro[1] + "6", "3."])
    assert byte.decode(ids) == "1€63."
    offsets = spans.Offsets(byte)(ids)
    assert offsets.tolist() == [[0, 1], [1, 2], [1, 3], [3, 5]]
    assert spans.answer_span(offsets, 2, 4).tolist() == [2, 3], "63 shares tokens with € and the period"


def test_leading_spaces_of_sentencepiece_and_special_tokens(piece):
    ids = piece.convert_tokens_to_ids(["▁The", "▁is", "</s>", "▁1", "4", "."])
    offsets = spans.Offsets(piece)(ids)
    assert piece.decode(ids, skip_special_tokens=True) == "The is 14."
    assert offsets.tolist() == [[0, 3], [3, 6], [6, 6], [6, 8], [8, 9], [9, 10]]


def test_sentencepiece_text_that_begins_with_a_lone_space(piece):
    ids = piece.convert_tokens_to_ids(["▁", "▁The", "▁1"])
    text = piece.decode(ids)
    assert text == " The 1"
    assert spans.Offsets(piece)(ids)[1:].tolist() == [[0, 4], [4, 6]]


def test_byte_fallback_tokens_share_their_character(piece):
    ids = piece.convert_tokens_to_ids(["▁is", "<0xE2>", "<0x82>", "<0xAC>", "8"])
    assert piece.decode(ids) == "is€8"
    assert spans.Offsets(piece)(ids).tolist() == [[0, 2], [2, 3], [2, 3], [2, 3], [3, 4]]


def test_bytes_that_never_make_a_character(byte):
    lone = byte.convert_ids_to_tokens(byte.encode("é", add_special_tokens=False))[0]
    ids = byte.convert_tokens_to_ids([lone, lone, "1"])
    assert byte.decode(ids) == "\ufffd\ufffd1"
    assert spans.Offsets(byte)(ids).tolist() == [[0, 1], [1, 2], [2, 3]]


def test_tokens_behind_the_cut_are_empty(kit):
    path = kit.path("14.\nQ: 8")
    offsets = spans.Offsets(kit.characters)(path["tokens"][:-1], "14.")
    assert offsets[3:].tolist() == [[3, 3]] * 5
    assert spans.answer_span(offsets, 0, 2).tolist() == [0, 1]
    assert spans.text_tokens(offsets, 3) == 3


def test_windows_are_decoded_once_and_in_linear_number(byte):
    calls = []

    class Counting:
        all_special_ids = byte.all_special_ids

        def decode(self, ids, **options):
            calls.append(len(ids))
            return byte.decode(ids, **options)

    ids = byte.encode("12 3. é" * 40, add_special_tokens=False)
    offsets = spans.Offsets(Counting())
    offsets(ids, byte.decode(ids))
    assert max(calls) <= 3
    assert len(calls) < 40, "equal windows are decoded once"
    before = len(calls)
    offsets(ids, byte.decode(ids))
    assert len(calls) == before


def test_a_tokenizer_whose_texts_do_not_add_up():
    class Capitals:
        all_special_ids = ()

        def decode(self, ids, **options):
            return "".join("ab1"[i] for i in ids).replace("ab", "<ab>")

    assert spans.Offsets(Capitals())([0, 1, 2]).tolist() == [[0, 1], [1, 4], [4, 5]]


def test_runs_and_picks():
    tokens = np.array([1, 2, 1, 2, 1])
    assert spans.occurrences(tokens, np.array([1, 2])).tolist() == [0, 2]
    assert spans.occurrences(tokens, np.array([2, 1, 1])).tolist() == []
    assert spans.occurrences(tokens, np.array([], dtype=int)).tolist() == []
    assert spans.pick([0, 2], lambda _: True, "last") == 2
    assert spans.pick([0, 2], lambda _: True, "first") == 0
    assert spans.pick([0, 2], lambda place: place > 2, "last") is None
