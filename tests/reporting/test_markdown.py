"""Generated text acts as nothing, in Markdown and in HTML."""

import re

import pytest
from markdown_it import MarkdownIt

from replication.evaluation.claims import VERDICTS
from replication.reporting.markdown import authored, escape, escape_html, table, verdict, visible

NASTY = [
    "<script>alert(1)</script>",
    "a | b || c",
    "costs $5 and $6",
    "`rm -rf` ``x``",
    "3*4*5 and **bold** _it_ __b__ ~~s~~",
    "[link](javascript:alert(1)) ![img](http://x/y.png)",
    "&lt;b&gt; &amp; &#124;",
    "back\\slash \\| \\(x\\)",
    "see https://example.org/a?b=c",
]


def rendered(cell):
    """Text and tags that a Markdown renderer makes of a table with this cell."""
    page = MarkdownIt("commonmark", {"html": True}).enable("table").render(table(["x", "y"], [[cell, "end"]]))
    cells = re.findall(r"<td>(.*?)</td>", page, re.S)
    assert len(cells) == 2, page
    assert cells[1] == "end"
    return cells[0]


@pytest.mark.parametrize("text", NASTY)
def test_escaped_text_shows_as_itself(text):
    from html import unescape

    page = rendered(escape(text))
    tags = set(re.findall(r"<[^>]*>", page))
    assert tags <= {"<span>", "</span>"}
    assert unescape(re.sub("</?span>", "", page)) == text


def test_dollars_cannot_pair_up():
    assert "$" not in escape("$5 and $6")
    assert escape("$5").startswith("<span>&#36;</span>5")
    assert "$" not in escape_html("$5 and $6")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\nb", "a ↵ b"),
        ("a\r\nb", "a ↵ b"),
        ("a\tb", "a b"),
        ("a\x00\x1b[31mb", "a\ufffd\ufffd[31mb"),
        ("a\u202eb", "a\ufffdb"),
        ("a\ud800b", "a?b"),
        ("Δ = 0,5 日本", "Δ = 0,5 日本"),
    ],
)
def test_text_stays_on_one_line_and_is_valid(text, line):
    assert visible(text) == line
    assert visible(text).encode("utf-8")


def test_html_is_escaped():
    assert escape_html('<img src="x" onerror=\'y\'>') == "&lt;img src=&quot;x&quot; onerror=&#x27;y&#x27;&gt;"


def test_authored_text_keeps_its_formatting_but_cannot_break_the_row():
    assert rendered(authored("**A** | `b`\nc")) == "<strong>A</strong> | <code>b</code> c"
    assert "<script" not in rendered(authored("<script>x</script>"))


def test_every_verdict_has_its_own_symbol_and_its_word():
    texts = [verdict(word) for word in VERDICTS]
    assert all(text.endswith(word) for text, word in zip(texts, VERDICTS, strict=True))
    assert len({text[0] for text in texts}) == len(VERDICTS)


def test_table_sets_numbers_right():
    assert table(["a", "b"], [["x", "1"]], right=[1]) == "| a | b |\n| --- | ---: |\n| x | 1 |\n"
