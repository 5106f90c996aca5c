"""The branches of a question: shaded, escaped, readable without colour."""

import math

import pandas as pd
import pytest

from replication.reporting.branches import bar, bundle, shade
from replication.settings import InputError

FRAME = pd.DataFrame(
    {
        "branch": [0, 1],
        "text": ["<b>5</b> $1 $2\n`x` | 60", "Five"],
        "answer": ["60", None],
        "delta": [0.956, math.nan],
        "cot": [True, False],
        "start": [20, -1],
        "end": [22, -1],
    }
)


def test_bar_and_shade_follow_the_score():
    assert [bar(x) for x in (0.0, 0.5, 1.0, 1.7, math.nan)] == ["·" * 8, "████····", "█" * 8, "█" * 8, ""]
    assert (shade(0.0), shade(1.0), shade(math.nan)) == ("#ffffff", "#8cbeeb", "#ffffff")


def test_text_is_escaped_and_the_span_is_bold():
    page = bundle(FRAME, "delta", ("text", "start", "end"), "Two <branches>")["text/html"]
    assert "&lt;b&gt;5&lt;/b&gt;" in page
    assert page.count("<b>") == 1
    assert "$" not in page
    assert "<caption>Two &lt;branches&gt;</caption>" in page
    assert f"background:{shade(0.956)}" in page
    assert "<th" in page
    assert "start" not in page


def test_plain_text_tells_the_same():
    text = bundle(FRAME, "delta", ("text", "start", "end"), "Two")["text/plain"].splitlines()
    assert text[1] == "branch | text | answer | delta | cot"
    assert text[2].startswith("0 | <b>5</b> $1 $2 ↵ `x`")
    assert text[2].endswith("| 60 | 0.956 ████████ | yes")
    assert text[3] == "1 | Five | — | — | no"


def test_the_span_marks_the_characters_given():
    frame = pd.DataFrame({"text": ["has 14 left"], "delta": [0.5], "start": [4], "end": [6]})
    data = bundle(frame, "delta", ("text", "start", "end"), "")
    assert "has ⟦14⟧ left" in data["text/plain"]
    assert "has <b>14</b> left" in data["text/html"]


def test_a_missing_column_is_named():
    with pytest.raises(InputError, match="needs the column\\(s\\) margin, start"):
        bundle(FRAME.drop(columns="start"), "margin", ("text", "start", "end"), "")
