"""Everything that a comparison writes, from two toy runs."""

import json
import re

import pandas as pd
import pytest

from replication.reporting import comparison_page, runs

CLAIMS = {
    "toy C1": (0.3, 0.2, 0.4, 50, "reproduced"),
    "toy C2": (None, None, None, 0, "not testable"),
    "other C1": (1.0, 0.9, 1.1, 9, "partly"),
}




@pytest.fixture(scope="module")
def folder(tmp_path_factory, store):
    place = tmp_path_factory.mktemp("compare")
    other = {"toy C1": (-0.3, -0.4, -0.2, 50, "not reproduced")}
    for name, change in (("cpu-a", {}), ("cpu-<b>", other)):
        run = store(place / name, CLAIMS | change, parameters={"model": name})
        path = run / "toy" / "tables" / "table_1.csv"
        path.parent.mkdir(parents=True)
        path.write_text(f"method,accuracy\ngreedy,{len(name)}\n")
        path.with_stem("table_2").write_text("text\nx\nx\n")
    stale = place / "out" / "tables" / "toy" / "table_9.csv"
    stale.parent.mkdir(parents=True)
    stale.touch()
    comparison_page.write(runs.find(["cpu-a", "cpu-<b>"], place), place / "out")
    return place / "out"


def test_files_for_programs(folder):
    content = json.loads((folder / "comparison.json").read_text())
    assert content["changed"] == 1
    assert [run["name"] for run in content["runs"]] == ["cpu-a", "cpu-<b>"]
    first = content["claims"][0]
    assert first["changes"] == ["verdicts differ", "intervals apart", "signs differ"]
    assert first["runs"]["cpu-<b>"]["measured"] == -0.3
    assert content["tables"] == ["toy/table_1"]
    assert "no labels" in content["tables_apart"]["toy/table_2"]
    claims = pd.read_csv(folder / "claims.csv")
    assert claims.loc[0, "cpu-a: low"] == 0.2
    assert pd.read_csv(folder / "summary.csv").shape == (6, 8)
    joined = pd.read_csv(folder / "tables" / "toy" / "table_1.csv")
    assert joined.values.tolist() == [["greedy", 5, 7]]
    assert not (folder / "tables" / "toy" / "table_9.csv").exists()
    assert sorted(path.name for path in (folder / "figures").glob("*.png")) == ["other.png", "toy.png"]
    assert len(pd.read_csv(folder / "figures" / "toy.csv")) == 2


def test_the_page_is_safe_and_needs_nothing_else(folder):
    text = (folder / "index.html").read_text()
    assert "&lt;b&gt;" in text
    assert "<b>" not in text
    assert not re.search(r"<script|https?://|onload", text)
    for address in re.findall(r'(?:src|href)="([^"]+)"', text):
        assert (folder / address).exists()
    assert "1 of 3 claims changed" in text
    assert "verdicts differ; intervals apart; signs differ" in text
    assert "✘ not reproduced" in text
    assert text.count("<img ") == text.count(' alt="Claims of') == 2


def test_markdown(folder):
    text = (folder / "claims.md").read_text()
    assert "| C1 | A beats &lt;b>B&lt;/b>. | 0.30 [0.20, 0.40], n = 50: ✔ reproduced | -0.30" in text


def test_folder_names_stay_short():
    assert comparison_page.folder_name(["a", "b"]) == "a_vs_b"
    long = comparison_page.folder_name(["x" * 60, "y" * 60])
    assert re.fullmatch(r"x{50}_and_1_more-[0-9a-f]{8}", long)
    assert long != comparison_page.folder_name(["x" * 60, "z" * 60])
