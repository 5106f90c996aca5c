"""Runs are found by name or folder; what cannot be read is named."""

import json

import pytest

from replication.evaluation import Estimate
from replication.reporting import runs
from replication.settings import InputError

ONE = {"toy C1": (0.3, 0.2, 0.4, 50, "reproduced")}


@pytest.fixture
def results(tmp_path, store):
    store(tmp_path / "results" / "cpu-a", ONE, parameters={"seed": 0})
    store(tmp_path / "results" / "cpu-b", ONE)
    (tmp_path / "results" / "cpu-half").mkdir()
    return tmp_path / "results"


def test_by_name_and_by_folder(results, tmp_path, store):
    elsewhere = store(tmp_path / "other" / "cpu-a", ONE)
    assert runs.available(results) == ["cpu-a", "cpu-b"]
    found = runs.find(["cpu-a", "cpu-b"], results)
    assert [run.name for run in found] == ["cpu-a", "cpu-b"]
    assert found[0].manifest == {"parameters": {"seed": 0}}
    assert found[0].papers == ("toy",)
    found = runs.find(["cpu-a", str(elsewhere)], results)
    assert [run.name for run in found] == ["results-cpu-a", "other-cpu-a"]


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (["cpu-a", "nope"], "There is no run 'nope': .*results has cpu-a, cpu-b"),
        (["cpu-a"], "needs 2 runs or more, got 1: .*results has cpu-a, cpu-b"),
        (["cpu-a", "cpu-a"], "'cpu-a' is named twice"),
        (["cpu-a", "cpu-half"], "'cpu-half' has no scoreboard.json: finish it"),
    ],
)
def test_what_is_wrong_is_said(results, names, sentence):
    with pytest.raises(InputError, match=sentence):
        runs.find(names, results)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "Expecting property name"),
        ("[]", "list indices"),
        (json.dumps({"claims": [{"paper": "toy"}]}), "'claim'"),
        (json.dumps({"claims": [None]}), "NoneType"),
    ],
)
def test_an_unreadable_scoreboard_is_named(results, text, problem):
    (results / "cpu-b" / "scoreboard.json").write_text(text)
    with pytest.raises(InputError, match=rf"cpu-b/scoreboard\.json is not a scoreboard \(.*{problem}"):
        runs.find(["cpu-a", "cpu-b"], results)


@pytest.mark.parametrize("change", [{"measured": "0.3"}, {"n": 1.5}, {"verdict": "fine"}, {"ci_low": True}])
def test_ill_typed_claims_are_refused(results, change):
    file = results / "cpu-b" / "scoreboard.json"
    content = json.loads(file.read_text())
    content["claims"][0] |= change
    file.write_text(json.dumps(content))
    with pytest.raises(InputError, match="is not a scoreboard"):
        runs.read(results / "cpu-b")


def test_a_missing_manifest_is_no_error(results):
    (results / "cpu-b" / "manifest.json").unlink()
    assert runs.read(results / "cpu-b").manifest == {}


def test_estimate_of_a_stored_claim(results):
    row = runs.read(results / "cpu-a").claims[0]
    assert runs.estimate(row) == Estimate(0.3, 0.2, 0.4, 50)
    assert runs.estimate(row | {"measured": None}) is None
    assert runs.estimate(None) is None
