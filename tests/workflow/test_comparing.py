"""`python -m replication compare`: files and lines for people, JSON for programs, sentences for mistakes."""

import json
import subprocess
import sys

import pytest

from replication.settings import InputError
from replication.workflow import comparing, discovery, parameters

A = {"toy C1": (0.3, 0.2, 0.4, 50, "reproduced"), "toy C2": (0.5, 0.4, 0.6, 50, "partly")}
B = A | {"toy C1": (0.1, 0.0, 0.19, 50, "inconclusive")}


@pytest.fixture
def results(tmp_path, store):
    store(tmp_path / "cpu-a", A)
    store(tmp_path / "cpu-b", B)
    return tmp_path


def test_what_changed_is_said(results):
    lines = []
    folder = comparing.compare(["cpu-a", "cpu-b"], results, False, False, lines.append)
    assert folder == results / "compare" / "cpu-a_vs_cpu-b"
    assert lines[0] == "toy C1  verdicts differ; intervals apart"
    assert lines[1].startswith("1 of 2 claims changed. Page: ")
    assert (folder / "index.html").exists()
    assert not (folder / "01_compare.ipynb").exists()


def test_json_is_all_that_is_said(results):
    lines = []
    comparing.compare(["cpu-a", str(results / "cpu-b")], results, False, True, lines.append)
    (text,) = lines
    assert json.loads(text)["changed"] == 1


def test_mistakes_are_one_sentence(results, monkeypatch):
    with pytest.raises(InputError, match=r"got 0: .* has cpu-a, cpu-b"):
        comparing.compare([], results, False, False, print)
    command = [sys.executable, "-m", "replication", "compare", "cpu-a", "nope", "--results", str(results)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"There is no run 'nope': {results} has cpu-a, cpu-b.\n"


def test_the_notebook_belongs_to_no_paper():
    found = {one.label: one.path for one in discovery.about_runs()}
    assert comparing.NOTEBOOK in found
    assert discovery.of_path(found[comparing.NOTEBOOK]) is None
    assert comparing.NOTEBOOK not in {one.label for one in discovery.notebooks()}
    assert parameters.defaults(found[comparing.NOTEBOOK])["runs"] == ""
