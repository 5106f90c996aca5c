"""Two runs in one folder, clocks that change, results that cannot be written, a notebook that fails."""

import json
import os
import subprocess
import sys
import threading
import time

import pandas as pd
import pytest
from toy_run import MODEL, PAPER, RUN, mounted, write_notebook

from replication import settings
from replication.lm import shards
from replication.lm.records import Store
from replication.settings import InputError
from replication.workflow import checks
from replication.workflow import execute as executing
from replication.workflow.execute import execute

MODULES = ("replication.lm.measures",)
YEAR = 365 * 24 * 3600


def test_two_processes_with_the_same_notebook_stop_with_one_sentence(tmp_path, monkeypatch, injected):
    from filelock import FileLock

    monkeypatch.setattr(executing, "LOCK_SECONDS", 0.2)
    source = write_notebook(tmp_path / "01_toy" / "01_x.ipynb", "print(1)")
    output = tmp_path / "out" / "01_x.ipynb"
    output.parent.mkdir()
    with FileLock(output.with_name(".01_x.lock")):
        with pytest.raises(InputError, match=r"^Another process is running 01_x into \S+: wait for its end"):
            execute(source, output, {})
    assert not output.exists()
    execute(source, output, {})
    assert output.exists()
    assert sorted(one.name for one in output.parent.iterdir()) == ["01_x.ipynb"]
    injected("two runs at once: one notebook")


RACE = """
import sys, time
import pandas as pd
from pathlib import Path
from replication.lm.records import Store
def run(items):
    Path(sys.argv[1], f"ran-{items[0]}-{time.time_ns()}").touch()
    time.sleep(0.05)
    return pd.DataFrame({"item": items})
while not Path(sys.argv[1], "go").exists():
    time.sleep(0.01)
Store(Path(sys.argv[1], "records")).stage("s", {}, list(range(6)), run, modules=("replication.lm.measures",),
                                          chunk=1)
"""


def test_processes_that_want_the_same_records_compute_them_once(tmp_path, injected):
    started = [subprocess.Popen([sys.executable, "-c", RACE, str(tmp_path)]) for _ in range(3)]
    (tmp_path / "go").touch()
    assert [process.wait(timeout=300) for process in started] == [0, 0, 0]
    assert len(list(tmp_path.glob("ran-*"))) == 6
    injected("two runs at once: records", 3)


@pytest.mark.parametrize("years", [-30, 30])
@pytest.mark.parametrize("content", [b"", b"filelock/2\npid=", b"\xff\xfe\0"])
def test_a_damaged_claim_of_any_date_does_not_stop_a_worker(tmp_path, monkeypatch, injected, years, content):
    """A claim that was cut off when its worker died names nobody; its date may be another machine's."""
    monkeypatch.setenv(shards.VARIABLE, "2")
    monkeypatch.setattr(shards, "BLANK_SECONDS", 1.0)
    claim = tmp_path / "s-0000.claim"
    claim.write_bytes(content)
    then = time.time() + years * YEAR
    os.utime(claim, (then, then))
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with shards.attempt(tmp_path / "s-0000.lock") as mine:
            if mine:
                break
        time.sleep(0.1)
    assert mine
    injected("clock: a damaged claim from another time")


@pytest.mark.parametrize("jump", [-YEAR, YEAR])
def test_a_claim_of_somebody_alive_outlives_a_jump_of_the_clock(tmp_path, monkeypatch, injected, jump):
    """Whether a worker lives is told by its beats and the waiting one's own monotonic clock."""
    monkeypatch.setenv(shards.VARIABLE, "2")
    taken, done = threading.Event(), threading.Event()

    def hold():
        with shards.attempt(tmp_path / "s.lock") as mine:
            assert mine
            taken.set()
            done.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert taken.wait(30)
        now = time.time
        monkeypatch.setattr(time, "time", lambda: now() + jump)
        claim = tmp_path / "s.claim"
        os.utime(claim, (now() - jump, now() - jump))
        for _ in range(10):
            with shards.attempt(tmp_path / "s.lock") as mine:
                assert not mine
    finally:
        done.set()
        holder.join()
    injected("clock: a jump while a claim is held")


@pytest.mark.parametrize("years", [-30, 30])
def test_records_of_any_date_are_taken(tmp_path, injected, years):
    store = Store(tmp_path)

    def run(items):
        return pd.DataFrame({"item": items})

    store.stage("s", {}, [1, 2], run, modules=MODULES)
    (path,) = tmp_path.glob("*.parquet")
    os.utime(path, (time.time() + years * YEAR,) * 2)
    store.stage("s", {}, [1, 2], run, modules=MODULES)
    assert (store.computed, store.reused) == (1, 1)
    injected("clock: records from another time")


@pytest.fixture
def read_only(tmp_path):
    """A folder of a file system that takes nothing; skipped where nothing may be mounted."""
    with mounted(tmp_path / "disk", "ro,size=1m") as folder:
        yield folder


def test_read_only_results_are_said_before_anything_runs(project, read_only, injected):
    for place in (read_only, read_only / "results"):
        call = subprocess.run(project.command(place), capture_output=True, text=True, check=False)
        assert call.returncode == 2
        assert call.stdout == ""
        assert call.stderr == (
            f"The results folder {place} cannot be written (Read-only file system): choose another with "
            "RESULTS=<folder>.\n"
        )
        injected("read-only results")


def test_a_results_folder_on_a_full_disk_is_said_as_well(tmp_path, monkeypatch, injected):
    def full(self, content):
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(settings.Path, "write_bytes", full)
    with pytest.raises(InputError, match=r"cannot be written \(No space left on device\)"):
        settings.check_writable(tmp_path)
    assert os.listdir(tmp_path) == []
    injected("disk full: at the start")


GOOD = """
import pathlib
folder = pathlib.Path(results_dir) / "smoke-{model}" / "{paper}" / "tables"
folder.mkdir(parents=True, exist_ok=True)
(folder / "{name}.csv").write_text("n\\n1\\n")
"""
FAILS = "print('so far')\nraise RuntimeError('in the middle')"
CLAIM = {"paper": PAPER, "claim": "C1", "statement": "", "source": "", "published": "", "measured": 1.0,
         "ci_low": 1.0, "ci_high": 1.0, "n": 9, "test": "", "verdict": "reproduced", "reason": "",
         "notebook": "01_paths_and_confidence"}  # fmt: skip


@pytest.mark.slow
def test_a_notebook_that_fails_in_the_middle(tmp_path, project, injected):
    folder = tmp_path / "notebooks" / f"01_{PAPER}"
    good = [GOOD.format(model=MODEL, paper=PAPER, name=name) for name in ("table_1", "table_2")]
    write_notebook(folder / "01_paths_and_confidence.ipynb", good[0], FAILS)
    write_notebook(folder / "02_decoders.ipynb", good[1])
    paper = tmp_path / RUN / PAPER
    paper.mkdir(parents=True)
    # A verdict of an earlier version of the notebook, which this one does not come to.
    (paper / "claims.json").write_text(json.dumps([CLAIM]))
    project = project.at(folder.parent)
    failed = project.run(tmp_path, code=1)
    done = paper / "notebooks"
    assert "01_paths_and_confidence FAILED after" in failed.out
    assert "MISSING 01_cot_decoding/01_paths_and_confidence: it failed in cell [" in failed.out
    assert "so far" in (done / "01_paths_and_confidence.failed.ipynb").read_text()
    assert not (done / "01_paths_and_confidence.ipynb").exists()
    assert (done / "02_decoders.ipynb").exists()
    rows = json.loads((tmp_path / RUN / "scoreboard.json").read_text())["claims"]
    first = next(row for row in rows if row["claim"] == "C1")
    assert (first["verdict"], first["reason"]) == ("not testable", "Its notebook has not run.")
    injected("a notebook that fails in the middle")

    written = (done / "02_decoders.ipynb").stat().st_mtime_ns
    write_notebook(folder / "01_paths_and_confidence.ipynb", good[0])
    mended = project.run(tmp_path)
    assert not (done / "01_paths_and_confidence.failed.ipynb").exists()
    assert "[1/1] 01_cot_decoding/01_paths_and_confidence" in mended.out
    assert (done / "02_decoders.ipynb").stat().st_mtime_ns == written


def test_inputs_from_the_future_are_said_before_anything_runs(tmp_path, injected):
    """As by a clock that was set back since; the workflow would throw away what such notebooks make."""
    path = tmp_path / "01_x.ipynb"
    path.touch()
    checks.check_dates([path, tmp_path / "missing"])
    os.utime(path, (time.time() + YEAR,) * 2)
    with pytest.raises(InputError, match=r"01_x.ipynb is dated in the future: set the clock"):
        checks.check_dates([path])
    injected("clock: notebooks from the future")
