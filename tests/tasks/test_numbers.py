import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.tasks import numbers

LAST = [
    # text, what the interval holds, value
    ("The total is $60.00", "60.00", "60"),
    ("$60.00.", "60.00", "60"),
    ("1,200", "1,200", "1200"),
    ("She has 1,234,567 coins.", "1,234,567", "1234567"),
    ("8.", "8", "8"),
    ("3-2", "2", "2"),
    ("3 - 2", "2", "2"),
    ("(1 + 2) -4", "4", "4"),
    ("= -9", "-9", "-9"),
    ("-9", "-9", "-9"),
    ("4 * -2", "-2", "-2"),
    ("1 - 3 - -6 =", "-6", "-6"),
    ("minus \u22127", "\u22127", "-7"),
    ("covid-19", "19", "19"),
    ("a -- 5 and --6", "6", "6"),
    ("He owes -$5.", "-$5", "-5"),
    ("3-$2", "2", "2"),
    ("50%", "50", "50"),
    ("20%-5", "5", "5"),
    (".5", ".5", "0.5"),
    ("the end.5", "5", "5"),
    ("...5", "5", "5"),
    ("12,34", "34", "34"),
    ("1,2345", "2345", "2345"),
    ("1,200,", "1,200", "1200"),
    ("2, 3", "3", "3"),
    ("version 1.2.3", "3", "3"),
    ("16 glasses for $60 each", "60", "60"),
    ("about 1.5e3 of them", "1.5e3", "1500"),
    ("the 3rd one", "3", "3"),
    ("line 4\n-3", "-3", "-3"),
    ("007", "007", "7"),
    ("3/4", "4", "4"),
]
NONE = ["Five", "", "no number", "\u0663\u0664", "\u00bd", "$", "-", ".", ",,,", "\0"]
WHOLE = [
    ("18.00", "18"),
    ("$1,200.50", "1200.5"),
    ("-$5", "-5"),
    ("$-5", "-5"),
    ("+5", "5"),
    ("-0", "0"),
    ("-0.00", "0"),
    ("0.10", "0.1"),
    ("100", "100"),
    ("5 %", "5"),
    ("5 dollars", "5"),
    ("3/4", "0.75"),
    ("-3/4", "-0.75"),
    ("4/6", "2/3"),
    ("16/2", "8"),
    ("1 1/2", "1.5"),
    ("1/1,000", "0.001"),
    ("1e3", "1000"),
    (" 7. ", "7"),
]
NOT_WHOLE = ["", "abc", "1 200", "0/0", "5/0", "-$-5", "1,2", "5 and 6", "1e999", "x=5", "\u0663"]
HUGE = {
    "digits": "9" * 10**6,
    "arabic digits": "\u0663" * 10**6,
    "null bytes": "\0" * 10**6,
    "commas": "1," * 500_000,
    "groups": "123," * 250_000,
    "decimals": ".5" * 500_000,
    "spaces": " " * 10**6 + "-5",
    "dashes": "-" * 10**6 + "5",
    "slashes": "1/" * 500_000,
    "exponents": "1e1" * 300_000,
}


@pytest.mark.parametrize(("text", "held", "value"), LAST)
def test_last_number_and_its_interval(text, held, value):
    start, end = numbers.find(text)
    assert text[start:end] == held
    assert numbers.normalise(held) == value


@pytest.mark.parametrize("text", NONE)
def test_no_number(text):
    assert numbers.find(text) is None


def test_first_number_and_fractions():
    text = "60 for 16, that is 3/4"
    assert numbers.find(text, "first") == (0, 2)
    assert numbers.find(text, fractions=True) == (19, 22)
    assert [text[start:end] for start, end in numbers.find_all(text)] == ["60", "16", "3", "4"]


@pytest.mark.parametrize(("text", "value"), WHOLE)
def test_normalise_whole_numbers(text, value):
    assert numbers.normalise(text) == value


@pytest.mark.parametrize("text", NOT_WHOLE)
def test_normalise_refuses_anything_else(text):
    assert numbers.normalise(text) is None


@pytest.mark.parametrize("name", HUGE)
def test_a_megabyte_takes_no_second_of_computing(name):
    started = time.process_time()
    found = numbers.find(HUGE[name])
    numbers.find(HUGE[name], fractions=True)
    value = numbers.normalise(HUGE[name])
    assert time.process_time() - started < 1.5
    assert (found is None) == (name in ("arabic digits", "null bytes"))
    assert value == (HUGE[name] if name == "digits" else "-5" if name == "spaces" else None)


def test_long_numbers_are_compared_digit_by_digit():
    digits = "1234567890" * 500
    assert numbers.normalise(f"{digits}.50") == f"{digits}.5"
    assert numbers.normalise(f"{digits}/3") is None


@given(st.text())
def test_every_number_found_normalises(text):
    for start, end in numbers.find_all(text):
        assert numbers.normalise(text[start:end]) is not None
    last = list(numbers.find_all(text))[-1:]
    assert numbers.find(text) == (last[0] if last else None)


@given(st.text(alphabet="0123456789.,-$ e%/+()=x\n\u2212", max_size=30))
def test_every_number_found_normalises_in_number_like_text(text):
    for start, end in numbers.find_all(text):
        value = numbers.normalise(text[start:end])
        assert value is not None
        assert numbers.normalise(value) == value


@given(st.fractions(min_value=-(10**9), max_value=10**9, max_denominator=10**6))
def test_fractions_are_canonical(fraction):
    value = numbers.normalise(f"{fraction.numerator}/{fraction.denominator}")
    doubled = numbers.normalise(f"{2 * fraction.numerator}/{2 * fraction.denominator}")
    assert value == doubled == numbers.normalise(value)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**9), max_value=10**9))
def test_decimals_keep_their_value(number):
    text = f"it is {number:,} now"
    start, end = numbers.find(text)
    assert float(numbers.normalise(text[start:end])) == pytest.approx(float(number))
