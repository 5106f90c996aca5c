import json

import pytest

from replication.workflow import progress
from replication.workflow.progress import Progress

LOG = """Building DAG of jobs...
Job stats:
job             count
------------  -------
all                 1
nb_01_a_02_y        1
nb_01_a_03_z        1
total               3

Select jobs to execute...
"""


def test_planned_rules_are_read_from_the_log():
    assert progress.planned("Building DAG of jobs...\n") is None
    assert progress.planned(LOG) == {"nb_01_a_02_y", "nb_01_a_03_z"}
    assert (
        progress.planned("Building DAG of jobs...\nNothing to be done (all outputs are present).\n") == set()
    )


def test_expected_seconds_come_from_the_last_run_then_the_package_then_the_mean(tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "ESTIMATES", tmp_path / "estimates.json")
    progress.ESTIMATES.write_text(json.dumps({"cpu": {"a": 10, "b": 20}}))
    found = progress.expected_seconds(["a", "b", "c"], "cpu", {"a": {"seconds": 40}})
    assert found == {"a": 40, "b": 20, "c": 30}
    assert progress.expected_seconds(["a"], "smoke", {}) == {"a": progress.UNKNOWN_SECONDS}


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (63.2, "63 s"), (119, "119 s"), (130, "2 min")])
def test_duration(seconds, text):
    assert progress.duration(seconds) == text


def test_lines():
    now, lines = [0.0], []
    shown = Progress({"a": 100, "b": 200, "c": 300}, jobs=1, say=lines.append, clock=lambda: now[0])
    assert shown.remaining() == 600
    shown.event({"notebook": "a", "state": "started"})
    now[0] = 50
    shown.event({"notebook": "a", "state": "done", "seconds": 50.0})
    assert lines == ["[1/3] a 50 s, about 4 min left"]
    shown.event({"notebook": "b", "state": "started"})
    now[0] = 100
    shown.beat()
    assert len(lines) == 1
    now[0] = 111
    shown.beat()
    shown.beat()
    assert lines[1:] == ["      running: b (61 s), about 3 min left"]
    shown.event({"notebook": "b", "state": "failed", "seconds": 61.0, "message": "broke.", "kept": "x.ipynb"})
    assert lines[2] == "[2/3] b FAILED after 61 s: it broke. (kept: x.ipynb), about 2 min left"
    shown.event({"notebook": "c", "state": "done", "seconds": 9.0})
    assert lines[3] == "[3/3] c 9 s"


def test_two_at_a_time_take_half_but_never_less_than_the_longest():
    shown = Progress({"a": 100, "b": 100, "c": 100}, jobs=2, say=print)
    assert shown.remaining() == 150
    assert Progress({"a": 100, "b": 10}, jobs=2, say=print).remaining() == 100
