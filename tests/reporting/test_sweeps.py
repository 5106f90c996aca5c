"""Points of a sweep become a table, figures and a page."""

import re

import pandas as pd
import pytest

from replication.reporting import runs, sweep_plots, sweeps

TOPICS = {("toy", "01_first")}
NONE = (None, None, None, 0, "not testable")


@pytest.fixture
def points(tmp_path, store):
    """Maker of points from (values, value of claim C1)."""

    def make(*grid):
        found = []
        for place, (values, value) in enumerate(grid):
            claim = NONE if value is None else (value, value - 0.1, value + 0.1, 50, "partly")
            store(tmp_path / f"run-{place}", {"toy C1": claim, "toy C2": NONE})
            found.append(sweeps.Point(values, runs.read(tmp_path / f"run-{place}")))
        return found

    return make


def test_table_figure_and_page(points, tmp_path):
    made = points(({"k": 1}, 0.1), ({"k": 4}, 0.2), ({"k": 10}, None))
    sweeps.write(made, TOPICS, tmp_path / "out")
    table = pd.read_csv(tmp_path / "out" / "sweep.csv")
    assert table["k"].tolist() == [1, 4, 10] * 2
    assert table["measured"].tolist()[:2] == [0.1, 0.2]
    text = (tmp_path / "out" / "sweep.md").read_text()
    assert "| Claim | Test | k = 1 | k = 4 | k = 10 |" in text
    assert "| 0.10 [0.00, 0.20], n = 50: ◐ partly | 0.20 [0.10, 0.30], n = 50: ◐ partly | ○ not" in text
    page = (tmp_path / "out" / "index.html").read_text()
    assert "<b>" not in page
    assert not re.search(r"<script|https?://", page)
    assert (tmp_path / "out" / "figures" / "toy.png").exists()


def test_claims_of_notebooks_that_did_not_run_are_left_out(points):
    assert len(sweeps.frame(points(({"k": 1}, 0.1)), {("toy", "02_second")})) == 0


def test_without_claims_there_is_a_page_and_no_figure(points, tmp_path):
    sweeps.write(points(({"k": 1}, 0.1)), set(), tmp_path / "out")
    assert "No claim was judged" in (tmp_path / "out" / "index.html").read_text()
    assert not (tmp_path / "out" / "figures").exists()


def test_numbers_are_joined_and_names_are_not(points):
    grid = [(10, "a", 0.3), (1, "a", 0.1), (1, "b", 0.2)]
    numbers = points(*(({"k": k, "style": style}, value) for k, style, value in grid))
    (axes,) = sweep_plots.claims_against(sweeps.frame(numbers, TOPICS), ["k", "style"]).axes
    drawn = [line for line in axes.containers]
    assert [container.lines[0].get_xdata().tolist() for container in drawn] == [[1, 10], [1]]
    assert [container.get_label() for container in drawn] == ["style = a", "style = b"]
    assert drawn[0].lines[0].get_linestyle() == "-"
    names = points(({"style": "a"}, 0.3), ({"style": "b"}, 0.1))
    (axes,) = sweep_plots.claims_against(sweeps.frame(names, TOPICS), ["style"]).axes
    assert [text.get_text() for text in axes.get_xticklabels()] == ["a", "b"]
    assert axes.containers[0].lines[0].get_linestyle() == "None"


def test_one_point_makes_no_figure(points):
    assert sweep_plots.claims_against(sweeps.frame(points(({"k": 1}, 0.1)), TOPICS), ["k"]) is None
