"""Several seeds: a run each and then all of them pooled. The runs themselves are made by hand here."""

import json

import pandas as pd
import pytest

from replication.reporting import runs
from replication.settings import InputError
from replication.workflow import checks, seeds
from replication.workflow.checks import Request

CLAIM = "cot_decoding C1"


@pytest.fixture
def asked(tmp_path, judged, model):
    folder = str(judged(tmp_path).parents[1])
    return Request(model=str(model), seed=3, results_dir=str(tmp_path / "results"), notebooks_dir=folder)


@pytest.fixture
def said(monkeypatch, asked, store):
    """Lines of a call for three seeds; of the last one a notebook failed, and its claim is not testable."""

    def run(request, say):
        (folder,) = checks.resolve(request)
        value = 0.7 + 0.02 * request.seed
        last = request.seed == 5
        nothing = (None, None, None, 0, "not testable")
        found = nothing if last else (value, value - 0.1, value + 0.1, 50, "partly")
        entry = {"status": "failed" if last else "done"}
        store(folder, {CLAIM: found}, parameters={"seed": request.seed}, notebooks={"01_x/01_y": entry})
        return int(last)

    monkeypatch.setattr(seeds, "reproduce", run)
    lines = []
    assert seeds.reproduce_seeds(asked, 3, lines.append) == 1
    return "\n".join(lines)


def test_each_seed_is_a_run_and_what_failed_is_named(said, tmp_path):
    assert runs.available(tmp_path / "results") == [
        "cpu-toy-model-seed3",
        "cpu-toy-model-seed3-seeds3",
        "cpu-toy-model-seed4",
        "cpu-toy-model-seed5",
    ]
    assert "Seed 4 (2 of 3)" in said
    assert "MISSING seed 5: 01_x/01_y failed" in said


def test_the_pooled_run_has_the_form_of_a_run(said, tmp_path):
    pooled = runs.read(tmp_path / "results" / "cpu-toy-model-seed3-seeds3")
    row = next(row for row in pooled.claims if row["claim"] == "C1")
    assert (row["measured"], row["n"]) == (pytest.approx(0.77), 100)
    assert row["verdict"] == "inconclusive"  # two values: t = 12.7
    assert row["reason"].endswith("Of 3 seeds: 2 partly, 1 not testable; values 0.76 to 0.78.")
    manifest = json.loads((pooled.folder / "manifest.json").read_text())
    assert manifest["parameters"]["seed"] == [3, 4, 5]
    assert manifest["drawn anew"] == {"cot_decoding": True}
    table = pd.read_csv(pooled.folder / "seeds.csv").set_index("claim").loc["C1"]
    assert (table["seed 3"], table["seed 4"], table["seeds partly"]) == (0.76, 0.78, 2)
    page = (pooled.folder / "site" / "index.html").read_text()
    assert '<a href="../../cpu-toy-model-seed4/site/index.html">' in page
    assert "<script" not in page


@pytest.mark.parametrize("number", [0, 1, 1001])
def test_the_number_of_seeds_is_checked(asked, number):
    with pytest.raises(InputError, match="The number of seeds needs to be 2 to 1000"):
        seeds.reproduce_seeds(asked, number)


@pytest.mark.parametrize(
    ("paper", "task", "anew"),
    [("cot_decoding", "", True), ("cot_decoding", "gsm8k", False), ("rho1", "", False), ("cdpo", "", False)],
)
def test_what_seeds_share_is_known(tmp_path, paper, task, anew):
    assert seeds.draws_anew(paper, Request(task=task, results_dir=str(tmp_path))) == anew
