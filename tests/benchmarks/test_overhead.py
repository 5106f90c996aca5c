import importlib
import json
import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from replication.workflow import events, execute, kernels

ROOT = Path(__file__).parents[2]


@pytest.fixture
def overhead(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    return importlib.import_module("benchmarks.overhead")


def executed(*cells):
    """A notebook that papermill ran, of (source, seconds)."""
    return {
        "cells": [
            {"cell_type": "code", "source": source, "metadata": {"papermill": {"duration": seconds}}}
            for source, seconds in cells
        ]
    }


def test_cells_that_import_are_no_work_of_the_notebook(overhead):
    notebook = executed(("import torch\nrun()", 4.0), (["x = 1\n", "from a import b"], 2.0), ("work()", 10.0))
    notebook["cells"] += [
        {"cell_type": "markdown", "source": "from here", "metadata": {}},
        {"cell_type": "code", "source": "not_run()", "metadata": {"papermill": {"duration": None}}},
    ]
    assert overhead.cells(notebook) == (10.0, 6.0)


@pytest.fixture
def run(tmp_path, overhead):
    """A run of two notebooks side by side, and a third that has not run: 40 places of a second in all."""
    work = tmp_path / ".workflow"
    names = ("a", "b", "c")
    (work / "events").mkdir(parents=True)
    content = {"jobs": [{"rule": name, "output": f"{name}.ipynb"} for name in names]}
    (work / "plan.json").write_text(json.dumps(content))
    (tmp_path / "manifest.json").write_text(json.dumps({"jobs": 2}))
    for name, seconds in (("a", 15.0), ("b", 10.0)):
        (tmp_path / f"{name}.ipynb").write_text(json.dumps(executed(("import x", 3.0), ("work()", seconds))))
        events.report(work / "events", name, name, "started")
        events.report(work / "events", name, name, "done", seconds=seconds)
    ended = max(events.last(work / "events", name)["time"] for name in ("a", "b"))
    os.utime(work / "plan.json", (ended - 20, ended - 20))
    return tmp_path


def test_the_share_is_what_the_places_hold_beside_work(overhead, run):
    assert overhead.shares(run) == pytest.approx(
        {"overhead": 15 / 40, "imports": 6 / 40, "around the cells": 9 / 40}, abs=0.006
    )


def test_a_folder_without_a_finished_notebook_has_no_share(overhead, run, tmp_path):
    for name in ("a", "b"):
        events.report(run / ".workflow" / "events", name, name, "failed")
    assert overhead.shares(run) == {}
    assert overhead.shares(tmp_path / "nowhere") == {}


def preloader(address):
    return SimpleNamespace(address=address)


def test_the_notebooks_are_run_both_ways(overhead, tmp_path, monkeypatch):
    monkeypatch.setattr(overhead, "IMPORTS", "import json")
    cases = overhead.cases(tmp_path, preloader(""))
    for case in cases:
        case.run()
    executed = [tmp_path / "alone.ipynb", *sorted(tmp_path.glob("run */nothing/notebooks/*.ipynb"))]
    assert len(executed) == 4
    assert all(execute.is_complete(json.loads(path.read_text())) for path in executed)
    assert all(path.with_suffix(".html").is_file() for path in executed[1:])
    assert [case.peer for case in cases] == ["", cases[0].name, "", cases[2].name]


def test_a_forked_kernel_is_asked_for_where_there_is_a_process(overhead, tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(overhead, "_start", lambda *command, variables=None: given.append(variables))
    for case in overhead.cases(tmp_path, preloader("of-a-process")):
        case.run()
    assert given == [None, None, None, {kernels.VARIABLE: "of-a-process"}]


def test_a_process_that_fails_is_no_measurement(overhead):
    with pytest.raises(RuntimeError, match="no_such_module"):
        overhead._start("-c", "import no_such_module")


def test_what_is_imported_is_there(overhead, monkeypatch):
    ran = {}
    exec(overhead.IMPORTS, ran)
    assert {"replication", "transformers"} <= set(ran)
