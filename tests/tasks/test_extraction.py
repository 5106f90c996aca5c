import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.tasks import extraction
from replication.tasks.extraction import Answer

OPTIONS = ("even", "odd")
LAST_OPTION = [
    ("Even.", "even", 0),
    ("an ODD year", "odd", 3),
    ("odd? no, even", "even", 9),
    ("1964 is even, not odd", "odd", 18),
    ("oddly enough it is even", "even", 19),
    ("evenly", None, None),
    ("uneven", None, None),
    ("odd_one", None, None),
    ("", None, None),
    ("odd-numbered", "odd", 0),
]
CLAUSES = [
    (" 14. Then more.", "14"),
    (" 3.5 miles. 7", "3.5 miles"),
    (" 1,200\nQ: 5", "1,200"),
    (" odd", "odd"),
    ("", ""),
    ("\n 5.", "5"),
]


@pytest.mark.parametrize(("text", "value", "start"), LAST_OPTION)
def test_last_option_at_word_boundaries(text, value, start):
    found = extraction.option(text, OPTIONS)
    assert found == (None if value is None else Answer(value, start, start + len(value)))


def test_first_option():
    assert extraction.option("Odd, or even?", OPTIONS, "first") == Answer("odd", 0, 3)


def test_letters_that_fold_to_ascii_are_no_options():
    assert extraction.option("ye\u017f", ("yes", "no")) is None


def test_last_number_is_not_always_the_answer():
    assert extraction.number("She pays $60 for 16 glasses").value == "16"


def test_fraction_over_zero_falls_back_to_its_last_number():
    assert extraction.number("1/0", fractions=True) == Answer("0", 2, 3)
    assert extraction.number("so 3/4.", fractions=True) == Answer("0.75", 3, 6)


@pytest.mark.parametrize(("text", "held"), CLAUSES)
def test_clause_of_a_continuation(text, held):
    start, end = extraction.clause(text)
    assert text[start:end] == held


def test_extract_after_the_last_marker():
    text = "So the answer is 3. But wait. so the answer is 14.5. Q"
    start, end = extraction.extract_after(text)
    assert text[start:end] == "14.5"
    assert extraction.extract_after("The answer is 3.") is None


@pytest.mark.parametrize(
    ("text", "value", "start"),
    [
        ("8 and 18", "8", 0),
        ("8 and 8 and 18", "8", 6),
        ("$60.00 in all", "60", 1),
        ("1,200 then", "1200", 0),
        ("18", "8", None),
        ("Five", "5", None),
        ("5", "five", None),
    ],
)
def test_find_number_matches_whole_numbers_only(text, value, start):
    found = extraction.find_number(text, value)
    assert (None if found is None else found.start) == start


def test_find_text_matches_whole_words_only():
    assert extraction.find_text("Odd. oddly", "odd") == Answer("odd", 0, 3)
    assert extraction.find_text("evenly", "even") is None
    assert extraction.find_text("anything", "") is None


def test_yes_no_masses_worked_example():
    answer, score = extraction.yes_no_masses({"yes": 0.3, "Yes": 0.2, "true": 0.1, "no": 0.25, "No": 0.05})
    assert answer == "yes"
    assert score == pytest.approx(0.3)


def test_yes_no_masses_ignore_spaces_case_and_other_tokens():
    pairs = [(" no", 0.2), ("\nFALSE", 0.1), ("no", 0.1), ("Yes", 0.3), ("not", 0.3)]
    answer, score = extraction.yes_no_masses(pairs)
    assert answer == "no"
    assert score == pytest.approx(0.1)
    assert extraction.yes_no_masses({"don't": 1.0}) == (None, 0.0)


@pytest.mark.parametrize(
    "text",
    ["\\boxed{" * 10**5, "\\boxed{" + "{" * 400_000 + "}" * 400_000 + "}", "$a " * 300_000, "odd" * 300_000,
     "1," * 500_000, "\\text{" * 150_000],
    ids=["open boxes", "nested", "dollars", "odd", "commas", "text"],
)  # fmt: skip
def test_a_megabyte_takes_no_seconds_of_computing(text):
    started = time.process_time()
    found = [
        extraction.math(text),
        extraction.number(text),
        extraction.option(text, OPTIONS),
        extraction.find_number(text, "77"),
    ]
    assert time.process_time() - started < 3
    assert found[3] is None


@given(st.text() | st.text(alphabet="\\boxed{}$ 12,.-/frac", max_size=40))
def test_extraction_never_raises_and_stays_in_the_text(text):
    for found in (
        extraction.number(text),
        extraction.number(text, "first", fractions=True),
        extraction.option(text, OPTIONS),
        extraction.math(text),
    ):
        assert found is None or 0 <= found.start < found.end <= len(text)
    start, end = extraction.clause(text)
    assert 0 <= start <= end <= len(text)


@given(st.text(alphabet="oddevnODEVN .,!_1\n\u017f\u212a"))
def test_option_interval_holds_the_option(text):
    found = extraction.option(text, OPTIONS)
    assert found is None or text[found.start : found.end].lower() == found.value


@given(st.integers(-999, 999), st.text(alphabet="abc .", max_size=5))
def test_a_planted_number_is_found_back(number, tail):
    text = f"The answer is {number} {tail}"
    assert extraction.number(text).value == str(number)
    assert extraction.find_number(text, str(number)) == extraction.number(text)
