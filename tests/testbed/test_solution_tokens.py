"""Labels of the tokens of solutions."""

import re

import pytest

from replication.testbed import solution_tokens as labels
from replication.testbed import story_commitments, worlds

PROBLEM = worlds.Problem("stories", "?", "8", ("5+4=9", "9-1=8"), level=2)


def pieces(text):
    return re.findall(r" ?[A-Za-z]{1,4}|\d|[^\w\s]|\s", text)


def test_tokens_are_found_by_their_place():
    cut = [" Mo", "re", ":", " ", "5"]
    assert labels.starts(cut) == [0, 3, 5, 6, 7]
    assert [labels.token_at(cut, place) for place in (0, 2, 3, 5, 7, 99)] == [0, 0, 1, 2, 4, 4]


@pytest.mark.parametrize(
    ("index", "kind"),
    [
        (0, "content"),
        (1, "content"),
        (2, "punctuation"),
        (3, "number"),
        (4, "number"),
        (5, "operator"),
        (7, "operator"),
        (11, "function"),
        (9, "punctuation"),
        (12, "content"),
    ],
)
def test_word_types(index, kind):
    cut = [" Mo", "re", ":", " ", "5", "+", "4", "=", "9", ".", " Of", " the", " rest", ":"]
    assert labels.word_type(cut, index) == kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (" More: 5+4=8. Less: 8-1=7. The answer is 7.", "calculation"),
        (" More: 5+4=9. Less: 9-1=8. The answer is 9.", "calculation"),
        (" At once: 5+4-1=9. The answer is 9.", "calculation"),
        (" More: 5+4=9. The answer is 9.", "one step missing"),
        (" Less: 5-4=1. Less: 1-1=0. The answer is 0.", "semantic misunderstanding"),
        (" More: 5-4=1. Less: 1-1=0. The answer is 0.", "semantic misunderstanding"),
        (" More: 5+3=8. Less: 8-1=7. The answer is 7.", "semantic misunderstanding"),
        (" More: 5+4=9. Less: 9-1=8. More: 8+1=9. The answer is 9.", "semantic misunderstanding"),
        (" more more more", "degeneration"),
        (" More: 5+4=9. Less: 9-1", "degeneration"),
    ],
)
def test_error_types(text, kind):
    place = story_commitments.error(PROBLEM, text)
    assert labels.error_type(PROBLEM, text, place) == kind
