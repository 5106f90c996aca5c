"""Round trips, digits and special tokens of the testbed's tokenizer."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.testbed import models, tokenizer


def test_size_is_as_asked(core):
    assert len(core) == 600
    assert core.convert_ids_to_tokens([core.pad_token_id, core.bos_token_id, core.eos_token_id]) == [
        tokenizer.PAD,
        tokenizer.BOS,
        tokenizer.EOS,
    ]


@pytest.fixture(scope="module")
def round_trip(core):
    return lambda text: core.decode(core(text)["input_ids"], skip_special_tokens=True)


# What a user writes may contain anything; the names of the special tokens alone are taken for these.
@given(text=st.text())
def test_any_text_comes_back(round_trip, text):
    assert round_trip(text) == text


@pytest.mark.parametrize(
    "text", ["Q: a\nA: b", "  two  spaces , and a comma .", "naïve €5 — 日本語 🙂\u200b", "\t\r\n"]
)
def test_nothing_is_cleaned_up(round_trip, text):
    assert round_trip(text) == text


def test_every_digit_is_a_token(core):
    tokens = core.tokenize("12+5=17. In 1984 Tom had 200.")
    digits = [token for token in tokens if any(character.isdigit() for character in token)]
    assert digits == list("125171984200")


def test_text_begins_with_bos_and_has_no_eos(core):
    ids = core("Q: How many?")["input_ids"]
    assert ids[0] == core.bos_token_id
    assert ids.count(core.bos_token_id) == 1
    assert core.eos_token_id not in ids


def test_padding_stands_on_the_left(core):
    batch = core(["a", "There are many words here."], padding=True)
    short, long = batch["input_ids"]
    room = len(long) - len(core("a")["input_ids"])
    assert room > 0
    assert short == [core.pad_token_id] * room + core("a")["input_ids"]
    assert batch["attention_mask"][0] == [0] * room + [1] * (len(long) - room)


def test_saved_tokenizer_is_the_same(core, tmp_path, drawn):
    core.save_pretrained(tmp_path)
    again = tokenizer.load(tmp_path)
    texts = [document.text for document in drawn[:50]]
    assert again(texts)["input_ids"] == core(texts)["input_ids"]
    assert (len(again), again.padding_side, again.pad_token_id) == (len(core), "left", core.pad_token_id)
    assert again.decode(again("a , b .")["input_ids"], skip_special_tokens=True) == "a , b ."


def test_training_is_deterministic(core, drawn):
    again = tokenizer.train((document.text for document in drawn), 600)
    assert again.get_vocab() == core.get_vocab()


def test_shipped_tokenizer_is_large_enough():
    shipped = tokenizer.load(models.CHECKPOINTS / "tokenizer")
    assert len(shipped) >= 2000
    assert shipped.decode(shipped("Tom has 14.")["input_ids"], skip_special_tokens=True) == "Tom has 14."


def test_padding_of_a_call_is_not_kept(core, tmp_path):
    own = copy.deepcopy(core)  # the tests share theirs
    own(["Tom", "Tom has 14 apples."], padding=True)
    own.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "tokenizer.json").read_text())["padding"] is not None
    again = tokenizer.load(tmp_path)
    short, long = again.backend_tokenizer.encode_batch(["Tom", "Tom has 14 apples."])
    assert len(short.ids) < len(long.ids)
    assert again.pad_token_id not in short.ids
