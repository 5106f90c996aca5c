import pandas as pd
import pytest

from replication.reporting import curve_titles

SERIES = {
    "a": pd.DataFrame({"step": [0, 5, 9], "value": [-6.0, 3.0, -5.875]}),
    "b": pd.DataFrame({"step": [0, 9], "value": [1.0, 0.75]}),
    "empty": pd.DataFrame({"step": [], "value": []}),
}


def test_a_title_names_what_is_drawn():
    assert curve_titles.changes(SERIES) == "a +0.12; b -0.25"
    assert curve_titles.ends(SERIES, scale=100, decimals=0) == "a: -588; b: 75"
    assert curve_titles.starts(SERIES, decimals=1) == "a: -6.0; b: 1.0"


def test_it_changes_with_the_numbers():
    other = {"a": SERIES["a"].assign(value=[0.0, 0.0, -1.0])}
    assert curve_titles.changes(other) == "a -1.00"


def test_some_of_the_series_in_the_order_given():
    assert list(curve_titles.only(SERIES, ["b", "c", "a"])) == ["b", "a"]


@pytest.mark.parametrize(
    ("value", "text"), [(0.004, "0.00"), (-0.004, "0.00"), (0.12, "+0.12"), (-2.0, "-2.00")]
)
def test_what_rounds_to_nothing_has_no_sign(value, text):
    assert curve_titles.signed(value) == text
