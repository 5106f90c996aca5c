"""Tables of two runs become one where their rows can be told apart and are labelled alike."""

import pandas as pd
import pytest

from replication.reporting import side_by_side
from replication.reporting.side_by_side import NotAlignedError, join
from replication.settings import InputError


def frame(text):
    lines = [line.split() for line in text.strip().splitlines()]
    return pd.DataFrame(lines[1:], columns=lines[0])


A = frame("""
method task accuracy accuracy_low accuracy_high published
greedy coins 0.1 0.0 0.2 17
greedy lies 0.3 0.2 0.4 35
cot coins 0.5 0.4 0.6 26
""")


def test_rows_are_matched_by_the_fewest_leading_columns():
    b = A.iloc[::-1].assign(accuracy=["0.9", "0.3", "0.1"])
    more = frame("method task accuracy accuracy_low accuracy_high published\nnew lies 0.7 0.6 0.8 1")
    b = pd.concat([b, more])
    found = join({"a": A, "b": b})
    assert list(found.columns) == [
        "method", "task", "published",
        "a: accuracy", "a: accuracy_low", "a: accuracy_high",
        "b: accuracy", "b: accuracy_low", "b: accuracy_high",
    ]  # fmt: skip
    assert found["b: accuracy"].tolist() == ["0.1", "0.3", "0.9", "0.7"]
    assert found["a: accuracy"].tolist() == ["0.1", "0.3", "0.5", ""]
    assert found["published"].tolist() == ["17", "35", "26", "1"]


def test_numbers_label_rows_too_and_columns_of_one_run_stay():
    a, b = frame("k accuracy\n1 0.1\n2 0.2"), frame("k accuracy extra\n2 0.3 x\n4 0.4 y")
    found = join({"a": a, "b": b})
    assert found.values.tolist() == [["1", "0.1", "", ""], ["2", "0.2", "0.3", "x"], ["4", "", "0.4", "y"]]
    assert list(found.columns) == ["k", "a: accuracy", "b: accuracy", "b: extra"]


@pytest.mark.parametrize(
    ("a", "b", "why"),
    [
        ("text n\nx 1\nx 1", "text n\nx 1\nx 1", "no labels"),
        ("accuracy accuracy_low\n0.1 0.0", "accuracy accuracy_low\n0.1 0.0", "no labels"),
        ("text n\nx 1", "text n\ny 1", "no row is labelled alike"),
        ("text n\nx 1", "other n\nx 1", "no labels"),
    ],
)
def test_tables_that_cannot_be_matched_say_why(a, b, why):
    with pytest.raises(NotAlignedError, match=why):
        join({"a": frame(a), "b": frame(b)})


def test_common_tables_and_unreadable_ones(tmp_path):
    for run, name in (("a", "table_1"), ("b", "table_1"), ("a", "table_2")):
        path = tmp_path / run / "toy" / "tables" / f"{name}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("k\nnone\n")
    found = side_by_side.common_tables({"a": tmp_path / "a", "b": tmp_path / "b"})
    assert list(found) == ["toy/table_1"]
    assert side_by_side.load(found["toy/table_1"]["b"]).values.tolist() == [["none"]]
    found["toy/table_1"]["a"].write_text("")
    with pytest.raises(InputError, match=r"table_1\.csv cannot be read as a table"):
        side_by_side.load(found["toy/table_1"]["a"])
