"""Unit check 12 of top-nσ: the official pattern with its faults, and the mended one."""

import pytest

from replication.decoding.final_answer import fixed, official

TWICE = "The final answer is 12. Wait, The final answer is 13."
CASES = [
    ("The final answer is $70,000.", "70", "70000"),
    ("The final answer is -5.", "5", "-5"),
    ("The final answer is 33.50.", "33.50", "33.5"),
    ("The final answer is 33", "The final answer is 33", "33"),
    (TWICE, "12", "13"),
]


@pytest.mark.parametrize(("text", "by_official", "by_fixed"), CASES)
def test_check_12_both_patterns(text, by_official, by_fixed):
    assert official(text) == by_official
    assert fixed(text) == by_fixed


@pytest.mark.parametrize("text", ["It is 4.", "The final answer is unknown...", ""])
def test_without_an_answer_sentence(text):
    assert official(text) == text
    assert fixed(text) is None


def test_text_around_the_sentence():
    text = "She has 3 + 4 = 7.\nThe final answer is (7).\n"
    assert official(text) == fixed(text) == "7"
    assert fixed("The final answer is 8\nThat was 9.") == "8"
    assert fixed("The final answer is 8. The final answer is clear.") == "8"


def test_an_ellipsis_is_no_full_stop():
    text = "The final answer is 3.."
    assert official(text) == text


def test_long_text_without_a_full_stop_is_read_at_once():
    text = "The final answer is 1 " * 3000
    assert official(text) == text
    assert fixed(text) == "1"
