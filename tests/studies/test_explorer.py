from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from replication.settings import InputError
from replication.studies import explorer


def run(tiny, tmp_path, **options):
    given = {"model": tiny, "task": "stories:level=1", "device": "cpu", "results_dir": str(tmp_path)}
    return explorer.start(**given | options)


@pytest.fixture(scope="module")
def look(tiny, tmp_path_factory):
    return explorer.Explorer(run(tiny, tmp_path_factory.mktemp("results")), k=4)


def test_delta_is_the_mean_margin_of_the_answer_tokens(look):
    table, tokens = look.branches()
    assert table["branch"].tolist() == [0, 1, 2, 3]
    assert table["probability"].is_monotonic_decreasing
    assert {"first", "text", "answer", "delta", "correct"} <= set(table.columns)
    means = (tokens["top1"] - tokens["top2"]).groupby(tokens["branch"]).mean()
    scored = table.dropna(subset="delta").set_index("branch")["delta"]
    assert len(scored) >= 2
    assert means.loc[scored.index].to_numpy() == pytest.approx(scored.to_numpy(), abs=1e-6)
    used = table[(table["excluded"] == "") & table["delta"].notna()]
    assert not len(used) or look.surest == used.loc[used["delta"].idxmax(), "branch"]


def test_tokens_are_prompt_and_response_with_their_measures(look):
    text = look.text(1)
    assert "".join(text.pieces) == look.lm.decode(text.ids)
    assert text.ids[: text.start] == tuple(look.prompt_ids)
    found = look.tokens(text)
    assert len(found) == len(text.ids)
    assert found.iloc[0].isna().sum() == 4
    known = found.iloc[1:]
    assert known["probability"].to_numpy() == pytest.approx(np.exp(-known["loss"].to_numpy()))
    path = look._paths.iloc[1]
    assert found["delta"].to_numpy()[text.start :] == pytest.approx(path["top1"] - path["top2"], abs=1e-5)


def test_a_model_has_no_excess_over_itself_and_others_need_its_tokenizer(look, tiny):
    text = look.text(0)
    found = look.excess(text, tiny)
    assert found["excess"].iloc[1:].to_numpy() == pytest.approx(0, abs=1e-5)
    assert "no excess loss" in look.excess(text, "")
    assert "do not share a tokenizer" in look.excess(text, "testbed-small")


def test_equal_models_leave_the_probability_itself(look, tiny):
    text = look.text(0)
    found = look.critical(text, tiny, tiny)
    assert (1 - found["critical"]).to_numpy() == pytest.approx(found["positive"].to_numpy(), abs=1e-5)
    assert found["kl"].to_numpy() == pytest.approx(0, abs=1e-6)
    assert len(found) == len(text.ids) - text.start
    assert "No pair" in look.critical(text, "", "")
    assert "need the tokenizer" in look.critical(text, "testbed-small", tiny)


def test_the_distribution_is_that_of_the_branch(look):
    text = look.text(0)
    logits = look.distribution(text, 0)
    ids, names = look.likeliest(logits, 3)
    assert ids[0] == text.ids[text.start]
    assert len(names) == 3
    with pytest.raises(InputError, match="step needs 0 to"):
        look.distribution(text, 10_000)
    with pytest.raises(InputError, match="no branch 9"):
        look.text(9)


def test_an_own_prompt_is_put_as_a_question_or_left_as_it_is(tiny, tmp_path):
    own = explorer.Explorer(run(tiny, tmp_path), "1 + 1 =", style="plain", k=1)
    assert own.prompt == "1 + 1 ="
    assert "correct" not in own.branches()[0]
    assert dict(own.about().to_numpy())["right answer"] == "not known"
    asked = explorer.Explorer(own.run, "1 + 1 =", k=2, lm=own.lm)
    assert asked.prompt == "Q: 1 + 1 =\nA:"
    assert "a given prompt" in asked.caption


def test_questions_are_numbered(tiny, tmp_path):
    settings = run(tiny, tmp_path)
    first, second = (explorer.Explorer(settings, question=number) for number in (0, 1))
    assert first.question.id.endswith("-0")
    assert second.question.id.endswith("-1")
    assert first.question.text != second.question.text
    assert "seed 0" in first.caption


@pytest.mark.parametrize(
    ("options", "words"),
    [({"style": "loud"}, "Unknown style"), ({"question": -1}, "0 or more"), ({"k": -1}, "0 or more")],
)
def test_bad_input_is_a_sentence(tiny, tmp_path, options, words):
    with pytest.raises(InputError, match=words):
        explorer.Explorer(run(tiny, tmp_path), **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"profile": "huge"}, "Unknown profile"),
        ({"seed": -1}, "seed"),
        ({"data_dir": "/nowhere/at/all"}, "does not exist"),
        ({"device": "abacus"}, "Unknown device"),
    ],
)
def test_bad_parameters_are_a_sentence(tiny, tmp_path, options, words):
    with pytest.raises(InputError, match=words):
        run(tiny, tmp_path, **options)


def test_results_lie_beside_those_of_papers(tiny, tmp_path):
    assert run(tiny, tmp_path, profile="smoke", task="").paper_dir == tmp_path / "smoke-tiny" / "explorer"
    assert run(tiny, tmp_path, profile="paper", task="").task == "gsm8k"


@pytest.fixture(scope="module")
def byte_tokenizer():
    """One token per byte, and one for the end of text."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    core = Tokenizer(models.BPE(vocab={"</s>": 0} | {c: i + 1 for i, c in enumerate(letters)}, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=core, eos_token="</s>")


def test_pieces_of_a_character_are_spelt_and_never_shown_twice(byte_tokenizer):
    ids = [*byte_tokenizer.encode("né!"), 0]
    assert explorer._pieces(byte_tokenizer, ids) == ("n", "é", "", "!", "")
    names = [explorer.token_name(byte_tokenizer, token) for token in ids]
    assert names == ["n", "Ã", "©", "!", "</s>"]
    assert explorer.token_name(byte_tokenizer, 9999) == "id 9999"


def test_a_question_of_a_run_is_shown_as_by_itself(look):
    paths = look._paths.assign(question="a")
    scored = look.scored.assign(question="a")
    other = paths.assign(question="b", tokens=[[1]] * len(paths))
    run_ = SimpleNamespace(frame=pd.concat([other, paths]), lm=look.lm)
    table, tokens = explorer.of_question(run_, pd.concat([scored.assign(question="b"), scored]), "a")
    expected = look.branches()
    assert table["text"].tolist() == expected[0]["text"].tolist()
    assert tokens.equals(expected[1])
