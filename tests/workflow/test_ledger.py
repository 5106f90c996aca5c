"""Counts of a run gathered by notebook and stage, stored and read again."""

import json

import pandas as pd
import pytest

from replication.lm.records import write_frame
from replication.workflow import ledger
from replication.workflow.discovery import Notebook
from replication.workflow.ledger import Entry

A, B, C = ("a" * 12, "b" * 12, "c" * 12)


@pytest.fixture
def run(tmp_path):
    """A run of one notebook: two stages of paths, one training on two models, and the rest."""
    folder = tmp_path / "smoke-testbed"
    (folder / "toy" / "costs").mkdir(parents=True)
    (folder / "toy" / "records").mkdir()
    stages = {
        "": {"seconds": 5.0, "work": {}},
        f"branches-{A}": {"seconds": 1.0, "work": {"4x128x2048": [90, 10, 0, 10]}},
        f"branches-{B}": {"seconds": 2.0, "work": {"4x128x2048": [80, 10, 0, 30]}},
        f"dpo-0-{C}": {"seconds": 4.0, "work": {"4x128x2048": [0, 0, 50, 3], "3x64x2048": [0, 7, 0, 1]}},
    }
    (folder / "toy" / "costs" / "01_topic.json").write_text(json.dumps({"stages": stages}))
    key = json.dumps({"key": {"task": "stories"}})
    paths = pd.DataFrame({"question": list("aabbcc"), "tokens": [[1]] * 6})
    for digits in (A, B):
        write_frame(folder / "toy" / "records" / f"branches-{digits}.parquet", paths, key)
    manifest = {"parameters": {"profile": "smoke", "model": "testbed", "task": "", "data_dir": ""},
                "notebooks": {"01_toy/01_topic": {"status": "done", "seconds": 9}}}  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture
def notebook(tmp_path):
    return Notebook(tmp_path / "01_toy" / "01_topic.ipynb", "toy")


def test_like_stages_are_added_up(run, notebook):
    found = ledger.collect([notebook], run)["01_toy/01_topic"]
    by_name = {(entry.stage, entry.model): entry for entry in found}
    assert by_name["branches", "4x128x2048"] == Entry(
        "branches", "4x128x2048", "stories", 3, 2, runs=2, generated=170, read=20, calls=40, seconds=3.0
    )
    assert by_name["dpo", "4x128x2048"].trained == 50
    assert by_name["dpo", "3x64x2048"].seconds == 1.0  # a quarter of the calls
    assert by_name["", ""] == Entry("", runs=1, seconds=5.0)


def test_notebooks_without_counts_are_left_out(run, notebook, tmp_path):
    other = Notebook(tmp_path / "01_toy" / "02_other.ipynb", "toy")
    assert list(ledger.collect([notebook, other], run)) == ["01_toy/01_topic"]


def test_stored_entries_come_back_and_others_stay(run, notebook, tmp_path):
    path = tmp_path / "costs.json"
    assert (ledger.load(path), ledger.speeds(path)) == ({}, {})
    ledger.store({"00_else/01_x": [Entry("greedy", generated=3)]}, "smoke", path)
    assert ledger.store_run([notebook], run, path) == ["01_toy/01_topic"]
    assert 0.01 < ledger.speeds(path)["smoke"] < 10
    known = ledger.load(path)["smoke"]
    assert known == {"00_else/01_x": [Entry("greedy", generated=3)], **ledger.collect([notebook], run)}


@pytest.mark.parametrize("change", [{"model": "gpt2"}, {"task": "gsm8k"}, {"data_dir": "x"}])
def test_only_plain_runs_of_the_testbed_are_stored(run, notebook, tmp_path, change):
    manifest = json.loads((run / "manifest.json").read_text())
    manifest["parameters"] |= change
    (run / "manifest.json").write_text(json.dumps(manifest))
    assert ledger.store_run([notebook], run, tmp_path / "costs.json") == []
    assert not (tmp_path / "costs.json").exists()
