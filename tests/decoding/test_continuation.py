"""Answers read off a continuation and found again in the branch."""

import numpy as np
import pytest
import torch

from replication.decoding import continuation, cot_decoding, spans
from replication.decoding.cot_decoding import Rules
from replication.settings import InputError


def find(kit, text, wanted, occurrence="last"):
    path = kit.path(text)
    ids = kit.characters.convert_tokens_to_ids(list(wanted))
    offsets = spans.Offsets(kit.characters)(path["tokens"], text)
    return continuation.align(path["tokens"], np.array(ids), text, offsets, occurrence).tolist()


@pytest.mark.parametrize(
    ("text", "wanted", "expected"),
    [
        ("There are 18.", "8", []),
        ("1,800 and 8.5 and 3.8", "8", []),
        ("8 of 18", "8", [0]),
        ("10 + 8 = 18. It is 8.", "8", [19]),
        ("x = -5", "5", []),
        ("x = -5", "-5", [4, 5]),
        ("17-5=12", "5", [3]),
        ("12 - 5 = 7", "5", [5]),
        ("an oddly even one", "odd", []),
        ("odd, very odd", "odd", [10, 11, 12]),
        ("60.00", "60", []),
        ("none", "", []),
    ],
)
def test_align_takes_whole_numbers_and_words(kit, text, wanted, expected):
    assert find(kit, text, wanted) == expected


def test_align_first_or_last(kit):
    assert find(kit, "8 is 8", "8", "first") == [0]
    assert find(kit, "8 is 8", "8") == [5]


def extended(kit, branch, words, kind="number", gold="8", rules=None, masses=None, margin=0.9):
    frame = kit.frame(kit.path(branch, 0, 0.3))
    extension = kit.frame(kit.path(words, 0, margin))
    if masses:
        extension = extension.assign(mass_yes=masses[0], mass_no=masses[1])
    rules = rules or Rules(span="extend")
    return cot_decoding.score_branches(
        frame, kit.tasks[kind], kit.characters, rules, gold={"q": gold}, extension=extension
    ).iloc[0]


def test_the_margins_are_the_branch_s_own(kit):
    row = extended(kit, "8 for all 16.", " 8. Q: 9")
    assert (row.answer, row.span.tolist(), row.start, row.end, row.correct) == ("8", [0], 0, 1, True)
    assert row.delta == pytest.approx(0.3)
    last = extended(kit, "8 for all 16.", " 8.", rules=Rules())
    assert last.answer == "16", "the last number of the response is another one"


def test_an_answer_that_is_not_in_the_branch(kit):
    number = extended(kit, "About 18.", " 8.")
    assert (number.answer, number.excluded) == ("8", "no score")
    option = extended(kit, "Who knows.", " even. odd", "parity", "even")
    assert (option.answer, option.excluded, option.start) == ("even", "", -1)
    assert option.delta == pytest.approx(0.9)
    assert np.isnan(option.mean_top1)


def test_yes_no_falls_back_on_the_masses(kit):
    row = extended(kit, "Who knows.", " maybe", "yesno", "yes", masses=(0.6, 0.3))
    assert (row.answer, row.delta, row.correct, row.excluded) == ("yes", pytest.approx(0.3), True, "")
    other = extended(kit, "Who knows.", " yes", "yesno", "yes", masses=(0.1, 0.4))
    assert (other.answer, other.delta, other.correct) == ("no", pytest.approx(0.3), False)
    there = extended(kit, "It is so. Yes", " Yes.", "yesno", "yes", masses=(0.1, 0.4))
    assert (there.answer, there.delta) == ("yes", pytest.approx(0.3))
    assert extended(kit, "Who.", " x", "yesno", "yes", masses=(0.2, 0.2)).excluded == "no answer"
    with pytest.raises(InputError, match="masses=True"):
        extended(kit, "Who knows.", " maybe", "yesno", "yes")


def test_extension_is_required_row_for_row(kit):
    frame = kit.frame(kit.path("8"))
    with pytest.raises(InputError, match="extension=extend"):
        cot_decoding.score_branches(
            frame, kit.tasks["number"], kit.characters, Rules(span="extend"), gold={"q": "8"}
        )


@pytest.fixture(scope="module")
def scripted(kit):
    """Says "We get 8." or " 9." and, behind "So the answer is", " 8." with a margin of .9."""
    words = ["Q", "We", " get", " 8", ".", " So", " the", " answer", " is", " 9", "yes", "no"]
    sure, torn = np.log([0.95, 0.05]), np.log([0.6, 0.4])
    table = {
        "Q": {"We": torn[0], " 9": torn[1]},
        "We": {" get": 0.0},
        " get": {" 8": torn[0], " 9": torn[1]},
        " 8": {".": 0.0},
        " 9": {".": 0.0},
        ".": {"</s>": 0.0},
        " is": {" 8": sure[0], " 9": sure[1]},
    }
    return kit.table_lm(kit.word_tokenizer(words), table)


def test_extend_and_align_on_a_scripted_model(kit, scripted, monkeypatch):
    phrase = scripted.tokenizer.convert_tokens_to_ids([" So", " the", " answer", " is"])
    monkeypatch.setattr(continuation, "phrase_ids", lambda *_: phrase)
    prompts = {"q": scripted.encode("Q")}
    records = cot_decoding.branch_decode(scripted, [prompts["q"]], ["q"], k=2, max_new_tokens=8)
    assert records["text"].tolist() == ["We get 8.", " 9."]
    extension = cot_decoding.extend(scripted, records, prompts, masses=True)
    assert extension[["question", "branch"]].values.tolist() == [["q", 0], ["q", 1]]
    assert extension["text"].tolist() == [" 8.", " 8."]
    # prompt, path without its end of sequence, phrase
    assert extension["prompt_tokens"].tolist() == [1 + 4 + 4, 1 + 2 + 4]
    assert extension["mass_yes"].tolist() == pytest.approx([0.0, 0.0], abs=1e-6)
    task, rules, gold = kit.tasks["number"], Rules(span="extend"), {"q": "8"}
    branches = cot_decoding.score_branches(
        records, task, scripted.tokenizer, rules, gold=gold, extension=extension
    )
    assert branches["answer"].tolist() == ["8", "8"]
    assert branches["excluded"].tolist() == ["", "no score"]
    assert branches["delta"].tolist() == pytest.approx([0.2, np.nan], nan_ok=True, abs=1e-6)


def test_masses_do_not_depend_on_padding(kit):
    lm = kit.random_lm(kit.characters, seed=2)
    prompts, groups = [[5, 6, 7, 8], [9], [4, 4]], [[1, 2, 3], [10]]
    together = continuation.next_masses(lm, prompts, groups)
    alone = [continuation.next_masses(lm, [prompt], groups)[0] for prompt in prompts]
    assert together == pytest.approx(np.array(alone), abs=1e-6)
    with torch.inference_mode():
        chances = lm.model(torch.tensor([[9]])).logits[0, -1].softmax(-1)
    assert together[1] == pytest.approx([chances[1:4].sum().item(), chances[10].item()], abs=1e-6)


def test_phrase_ids_add_exactly_the_phrase(kit):
    byte = kit.tokenizers["byte"]()
    ids = continuation.phrase_ids(byte)
    assert byte.decode(ids) == " So the answer is"

    class Bringing:
        """Puts a space before every text, as SentencePiece does."""

        def encode(self, text, **_):
            return [" ", *text]

        def decode(self, ids, **_):
            return "".join(ids).removeprefix(" ")

    assert continuation.phrase_ids(Bringing()) == list(" So the answer is")

    class Dropping(Bringing):
        def encode(self, text, **_):
            return list(text.replace("answer", ""))

    with pytest.raises(InputError, match="give another phrase"):
        continuation.phrase_ids(Dropping())
