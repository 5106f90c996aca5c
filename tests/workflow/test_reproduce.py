"""The whole way through Snakemake with two toy notebooks: a run is killed, goes on, is repeated and fails."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

pytestmark = pytest.mark.slow
PATIENCE = 120.0
CANARY = "canary-8b1f0c"

FIRST = """
with open({folder!r} + "/first", "a") as file:
    file.write("x")
print(profile, seed)
"""
# Waits, so that the run can be killed in the middle, and says which process to look for afterwards.
SECOND = """
import os, pathlib, time
folder = pathlib.Path({folder!r})
(folder / "kernel").write_text(str(os.getpid()))
with (folder / "second").open("a") as file:
    file.write("x")
while not (folder / "go").exists():
    time.sleep(0.1)
print("second")
"""


def wait(condition, process=None) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        assert process is None or process.poll() is None, "the run ended"
        time.sleep(0.1)


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


@pytest.fixture(scope="module")
def story(tmp_path_factory, toy, model):
    """Everything that happens, in order; the tests look at what was kept of it."""
    folder = tmp_path_factory.mktemp("suite 'x'")
    papers = folder / "notebooks" / "01_cot_decoding"
    toy(papers / "01_first.ipynb", FIRST.format(folder=str(folder)))
    toy(papers / "02_second.ipynb", SECOND.format(folder=str(folder)))
    results = folder / "results {x}"
    command = [sys.executable, "-m", "replication", "reproduce", "--notebooks", papers.parent]
    command = [str(part) for part in (*command, "--results", results, "--model", model, "--seed", 5)]
    environment = os.environ | {"SECRET_TOKEN": CANARY}
    run_dir = results / "cpu-toy-model-seed5"
    done = run_dir / "cot_decoding" / "notebooks"
    kept = SimpleNamespace(folder=folder, run_dir=run_dir, done=done)

    def again(*arguments):
        started = time.monotonic()
        call = subprocess.run(
            [*command, *arguments], capture_output=True, text=True, env=environment, check=False
        )
        call.seconds = time.monotonic() - started
        call.counts = [len((folder / name).read_text()) for name in ("first", "second")]
        return call

    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment) as first:
        try:
            wait(lambda: (done / "01_first.html").exists() and (folder / "second").exists(), first)
            kept.meanwhile = again()
            kernel = int((folder / "kernel").read_text())
        finally:
            first.kill()
    wait(lambda: gone(kernel))
    kept.before = (done / "01_first.ipynb").read_bytes()
    (folder / "go").touch()
    kept.resumed = again()
    kept.repeated = again()
    toy(papers / "01_first.ipynb", "raise RuntimeError('broken now')")
    toy(papers / "02_second.ipynb", "print('another text')")
    kept.broken = again("--jobs", "1")
    return kept


def test_a_second_run_in_the_same_folder_stops_with_one_sentence(story):
    assert story.meanwhile.returncode == 2
    assert story.meanwhile.stderr.startswith("Another `reproduce` is running in")
    assert len(story.meanwhile.stderr.splitlines()) == 1


def test_a_killed_run_goes_on_and_repeats_nothing_that_had_finished(story):
    assert story.resumed.returncode == 0, story.resumed.stdout + story.resumed.stderr
    assert story.resumed.counts == [1, 2]
    assert "1 of 2 up to date" in story.resumed.stdout
    assert "[1/1] 01_cot_decoding/02_second" in story.resumed.stdout
    assert b"cpu 5" in story.before


def test_a_run_with_nothing_changed_runs_nothing(story):
    assert story.repeated.returncode == 0
    assert story.repeated.counts == story.resumed.counts
    assert "2 of 2 up to date" in story.repeated.stdout
    # Seconds by themselves; a busy machine takes longer, and a notebook that ran would leave its traces.
    assert story.repeated.seconds < 60


def test_the_scoreboard_ends_every_run(story):
    for call in (story.resumed, story.repeated, story.broken):
        assert "Scoreboard\ncot_decoding C1 " in call.stdout
    assert "has not run" in story.resumed.stdout
    assert json.loads((story.run_dir / "scoreboard.json").read_text())["run"] == "cpu-toy-model-seed5"


def test_a_notebook_that_fails_does_not_stop_the_later_ones(story):
    assert story.broken.returncode == 1
    assert "[1/2] 01_cot_decoding/01_first FAILED after" in story.broken.stdout
    assert "[2/2] 01_cot_decoding/02_second" in story.broken.stdout
    assert "MISSING 01_cot_decoding/01_first: it failed in cell" in story.broken.stdout
    assert "broken now" in (story.done / "01_first.failed.ipynb").read_text()
    assert not (story.done / "01_first.ipynb").exists()
    assert "another text" in (story.done / "02_second.ipynb").read_text()


def test_pages_and_index(story):
    assert "<h1>Toy with <math" in (story.done / "02_second.html").read_text()
    index = (story.run_dir / "site" / "index.html").read_text()
    assert '<a href="../cot_decoding/notebooks/02_second.html">' in index
    assert (story.run_dir / "site" / "../cot_decoding/notebooks/02_second.html").exists()
    assert "not testable" in index


def test_the_manifest_says_what_ran(story):
    manifest = json.loads((story.run_dir / "manifest.json").read_text())
    states = {label: entry["status"] for label, entry in manifest["notebooks"].items()}
    assert states == {"01_cot_decoding/01_first": "failed", "01_cot_decoding/02_second": "done"}
    assert manifest["seed"] == 5


def test_no_secret_of_the_environment_is_stored(story):
    files = [path for path in story.run_dir.rglob("*") if path.is_file()]
    assert len(files) > 8
    assert not [path for path in files if CANARY.encode() in path.read_bytes()]
