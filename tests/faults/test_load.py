"""Many questions and many notebooks: memory stays what it is, and nothing is left behind.

In small by default; `make soak` asks 100,000 questions and executes 1,000 notebooks.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from replication.settings import ROOT

sys.path.insert(0, str(ROOT))  # the benchmarks are no part of the package
from benchmarks import executions, growth, memory

LONG = int(os.environ.get("REPLICATION_FUZZ", "1")) > 1
QUESTIONS, EXECUTIONS = (100_000, 1_000) if LONG else (3_000, 8)
# What the largest resident size may grow by from the first thousand questions to the last.
GROWTH = 1.1


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the sizes are read from Linux's /proc")
def test_memory_does_not_grow_with_the_questions(tmp_path):
    command = [sys.executable, "-m", "benchmarks.growth", "--questions", str(QUESTIONS), "--length", "4"]
    # Freed memory is given back at once: else the peak tells how the heap lies, not what is held.
    told = os.environ | memory.ENVIRONMENT | {"REPLICATION_RESULTS": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    subprocess.run(command, cwd=ROOT, env=told, check=True, stdout=subprocess.DEVNULL)
    states = json.loads((tmp_path / "bench" / "growth.json").read_text())["states"]
    by_number = {state["questions"]: state for state in states}
    assert by_number[QUESTIONS]["peak"] <= GROWTH * by_number[1000]["peak"]
    # The records, in contrast, are all there.
    assert by_number[QUESTIONS]["records"] > 0.9 * QUESTIONS / 1000 * by_number[1000]["records"]


def test_questions_are_as_many_as_asked_for_and_each_has_its_own_id():
    task = growth.load_task("stories")
    asked = list(growth.questions(task, growth.BLOCK + 20))
    assert len({question.id for question in asked}) == len(asked) == growth.BLOCK + 20
    assert asked[0].text != asked[growth.BLOCK].text


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are counted in Linux's /proc")
def test_executions_leave_nothing_behind(tmp_path):
    states = list(executions.run(tmp_path, EXECUTIONS, (EXECUTIONS // 2,)))
    assert [state.done for state in states] == [0, EXECUTIONS // 2, EXECUTIONS]
    assert executions.grown(states) == {}
    first, last = states[0], states[-1]
    # A test before may have left this process the worker that grades LaTeX.
    assert (last.children, last.temporary, last.connections) == (first.children, 0, 0)
    assert last.outputs == 1
    if LONG:
        assert last.resident <= GROWTH * states[1].resident


def test_what_is_left_behind_would_be_seen(tmp_path, monkeypatch):
    held = []

    def leaks(source, output, given):
        handle, _ = tempfile.mkstemp()
        held.append(handle)
        (Path(os.environ["JUPYTER_RUNTIME_DIR"]) / f"kernel-{given['number']}.json").touch()

    monkeypatch.setattr(executions.execute, "execute", leaks)
    try:
        states = list(executions.run(tmp_path, 6, (2,)))
    finally:
        for handle in held:
            os.close(handle)
    assert executions.grown(states) == {"descriptors": 4, "temporary": 4, "connections": 4}
    assert executions.table(states).count("\n") == 4
