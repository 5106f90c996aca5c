"""The scoreboard gathers every claim, run or not."""

import json

import pytest

from replication import papers
from replication.evaluation import Estimate
from replication.evaluation.claims import VERDICTS, ClaimsFile, result
from replication.reporting.scoreboard import measured, scoreboard, summary, to_markdown, write
from replication.settings import InputError


@pytest.fixture
def run(tmp_path, cards):
    """A run in which the first notebook judged C1."""
    folder = tmp_path / "results" / "smoke-tiny"
    paper = papers.load("toy", cards)
    judged = result("toy", paper.claim("C1"), Estimate(0.3, 0.2, 0.4, 50))
    ClaimsFile(folder / "toy" / "claims.json").replace("01_first", [judged], ["C1", "C2", "C3"])
    return folder


def test_claims_without_a_result_are_not_testable(run, cards):
    rows = scoreboard(run, ["toy"], cards)
    assert [(row["claim"], row["verdict"]) for row in rows] == [
        ("C1", "reproduced"),
        ("C2", "not testable"),
        ("C3", "not testable"),
    ]
    assert rows[1]["reason"] == "Its notebook has not run."
    assert rows[1]["measured"] is None
    assert summary(rows) == dict(zip(VERDICTS, [1, 0, 0, 0, 2], strict=True))


def test_papers_of_the_run_are_the_default(run, cards, tmp_path):
    assert len(scoreboard(run, folder=cards)) == 3
    assert scoreboard(tmp_path / "nothing", folder=cards) == []
    assert len(scoreboard(tmp_path / "nothing", ["toy"], cards)) == 3
    with pytest.raises(InputError, match="Unknown paper"):
        scoreboard(run, ["nobody"], cards)


def test_a_result_of_another_rule_does_not_count(run, cards):
    file = cards / "toy.toml"
    file.write_text(file.read_text().replace("margin = 0.05", "margin = 0.15"))
    row = scoreboard(run, ["toy"], cards)[0]
    assert row["verdict"] == "not testable"
    assert "earlier rule" in row["reason"]


def test_files_are_written_whole_and_the_same_twice(run, cards):
    rows = write(run, ["toy"], cards)
    content = json.loads((run / "scoreboard.json").read_text(encoding="utf-8"))
    assert content["claims"] == rows
    assert content["summary"]["reproduced"] == 1
    first = (run / "scoreboard.md").read_bytes(), (run / "scoreboard.json").read_bytes()
    write(run, ["toy"], cards)
    assert ((run / "scoreboard.md").read_bytes(), (run / "scoreboard.json").read_bytes()) == first
    assert sorted(path.name for path in run.iterdir()) == ["scoreboard.json", "scoreboard.md", "toy"]


def test_markdown_reads_without_colour(run, cards):
    text = to_markdown(scoreboard(run, ["toy"], cards), "smoke-tiny")
    assert text.startswith("# Scoreboard: smoke-tiny\n\n3 claims. ✔ reproduced: 1,")
    row = "| C1 | A beats B \\| by far. | 20 against 10 (Table 1) | 0.30 [0.20, 0.40], n = 50 | ✔ reproduced"
    assert row + " | Measured 0.30" in text
    assert "| ○ not testable | Its notebook has not run. |" in text
    assert measured({"measured": None, "ci_low": 0, "ci_high": 0, "n": 0}) == "—"
