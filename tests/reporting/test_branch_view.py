import math

import pandas as pd
import pytest

from replication.reporting.branch_view import branch_view, parts
from replication.settings import InputError


def branches(**columns):
    table = {
        "branch": [0, 1, 2], "first": [" I", " To", ""], "probability": [0.5, 0.2, 0.1],
        "text": ["It is 12.", "7+4=11. It is 11.", ""], "start": [6, 14, -1], "end": [8, 16, -1],
        "answer": ["12", "11", None], "delta": [0.1, 0.95, math.nan], "excluded": ["", "", "empty"],
    }  # fmt: skip
    return pd.DataFrame(table | columns)


TOKENS = pd.DataFrame(
    {
        "branch": [0, 0, 1, 1],
        "token": ["1", "2", "1", "1"],
        "top1": [0.3, 0.3, 0.98, 0.97],
        "top2": [0.1, 0.3, 0.02, 0.03],
    }
)


def test_the_answer_is_marked_and_its_margins_are_shown(seen):
    one = branch_view(branches(), TOKENS, title="T", note="n = 1")
    page = seen(one.html)
    assert "7+4=11. It is <mark>11</mark>." in one.html
    assert "7+4=11. It is ⟦11⟧." in one.plain
    words = ("0.980", "0.020", "0.960", "mean = Δ", "0.950", "left out", "n = 1")
    for form in (page.text, one.plain, one.markdown):
        assert not [word for word in words if word not in form]
    assert one.data["margin"].dropna().round(6).tolist() == [0.2, 0.0, 0.96, 0.94]


def test_it_opens_without_a_script_and_the_surest_branch_is_open(seen):
    page = seen(branch_view(branches(), TOKENS, title="T").html)
    assert page.tags.count("details") == 3
    assert [name for _, name, _ in page.attributes].count("open") == 1
    assert branch_view(branches(), TOKENS, title="T").html.index(" open") > page.text.index("Branch 0")
    assert not page.scripts


def test_a_branch_that_takes_no_part_is_not_the_surest():
    left_out = branches(excluded=["", "unfinished", "empty"])
    assert "<details open><summary>Branch 0" in branch_view(left_out, TOKENS, title="T").html
    nobody = branches(excluded=["empty"] * 3)
    assert "<details open><summary>Branch 0" in branch_view(nobody, TOKENS, title="T").html


def test_right_and_wrong_are_words_where_they_are_known(seen):
    text = seen(branch_view(branches(correct=[False, True, False]), TOKENS, title="T").html).text
    assert "answer 12 ✘ wrong" in text
    assert "answer 11 ✔ right" in text
    assert "wrong" not in branch_view(branches(), TOKENS, title="T").plain


def test_spans_outside_the_text_mark_nothing():
    assert parts({"text": "abc", "start": -1, "end": -1}) == ("abc", "", "")
    assert parts({"text": "abc", "start": 1, "end": 2}) == ("a", "b", "c")


def test_hostile_text_is_text(hostile, seen):
    n = len(hostile)
    texts = pd.Series(hostile, dtype=object)
    table = pd.DataFrame(
        {"branch": range(n), "first": texts, "probability": 0.1, "text": texts, "start": 0, "end": 3,
         "answer": texts, "delta": 0.5, "excluded": texts}
    )  # fmt: skip
    tokens = pd.DataFrame({"branch": range(n), "token": texts, "top1": 0.9, "top2": 0.1})
    one = branch_view(table, tokens, title=hostile[0], note=hostile[1])
    page = seen(one.html)
    assert not page.scripts
    assert not page.handlers
    assert not {"script", "img", "a"} & set(page.tags)
    assert page.tags.count("details") == n
    assert "<script" not in one.markdown
    assert "\x1b" not in one.html + one.plain + one.markdown
    one.html.encode("utf-8")


def test_bad_input_is_a_sentence():
    with pytest.raises(InputError, match="delta"):
        branch_view(branches().drop(columns="delta"), TOKENS, title="T")
    with pytest.raises(InputError, match="top2"):
        branch_view(branches(), TOKENS.drop(columns="top2"), title="T")
    with pytest.raises(InputError, match="at least one branch"):
        branch_view(branches()[:0], TOKENS, title="T")
