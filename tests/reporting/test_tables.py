"""Tables as CSV and Markdown."""

import math

import numpy as np
import pandas as pd
import pytest

from replication.evaluation import Estimate
from replication.evaluation.claims import NOTHING
from replication.reporting.tables import cell, check_name, save, to_csv, to_markdown
from replication.settings import InputError

FRAME = pd.DataFrame(
    {
        "method": ["a|b", "<b>"],
        "accuracy": [Estimate(0.46, 0.41749, 0.50412, 500), NOTHING],
        "score": [-0.001, math.nan],
        "n": np.array([3, 4]),
        "flag": [True, False],
        "maybe": [None, 1.5],
    }
)


@pytest.mark.parametrize(
    ("estimate", "percent", "text"),
    [
        (Estimate(0.46, 0.4174, 0.5041, 500), True, "46.0 [41.7, 50.4]"),
        (Estimate(0.46, 0.4174, 0.5041, 500), False, "0.46 [0.42, 0.50]"),
        (Estimate(-0.0001, -0.02, 0.02, 5), True, "0.0 [-2.0, 2.0]"),
        (NOTHING, True, "—"),
    ],
)
def test_cell(estimate, percent, text):
    assert cell(estimate, percent) == text


def test_markdown():
    assert to_markdown(FRAME).splitlines() == [
        "| method | accuracy | score | n | flag | maybe |",
        "| --- | ---: | ---: | ---: | --- | ---: |",
        "| a&#124;b | 46.0 [41.7, 50.4] | 0.00 | 3 | yes | — |",
        "| &lt;b&gt; | — | — | 4 | no | 1.50 |",
    ]


def test_csv_spreads_estimates_and_has_no_negative_zero():
    lines = to_csv(FRAME.assign(zero=[-0.0, 0.1 + 0.2])).split("\n")
    assert lines[0] == "method,accuracy,accuracy_low,accuracy_high,accuracy_n,score,n,flag,maybe,zero"
    assert lines[1] == "a|b,0.46,0.41749,0.50412,500,-0.001,3,True,,0"
    assert lines[2].startswith("<b>,,,,0,,4,False,1.5,0.3")
    assert lines[3] == ""


def test_repeated_column_names_and_empty_frames_are_shown():
    assert to_markdown(pd.DataFrame({"a": []})) == "| a |\n| --- |\n"
    assert to_markdown(pd.DataFrame()) == "|  |\n|  |\n"


def test_save_writes_both_and_returns_the_markdown(tmp_path):
    body = save(FRAME, tmp_path / "tables", "table_4", "Seven decoders")
    assert body.startswith("**Seven decoders**\n\n| method")
    assert (tmp_path / "tables" / "table_4.md").read_text(encoding="utf-8") == body
    first = (tmp_path / "tables" / "table_4.csv").read_bytes()
    save(FRAME, tmp_path / "tables", "table_4", "Seven decoders")
    assert (tmp_path / "tables" / "table_4.csv").read_bytes() == first
    assert sorted(path.name for path in (tmp_path / "tables").iterdir()) == ["table_4.csv", "table_4.md"]


@pytest.mark.parametrize("name", ["../x", "Table 4", "", "a/b", ".hidden"])
def test_names_are_file_names(name):
    with pytest.raises(InputError, match="table_4"):
        check_name(name)
