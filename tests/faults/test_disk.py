"""A disk that is full, for real: a small file system in memory, filled up to a few kilobytes.

What is said is one sentence; what was finished stays; after room is made the same call finishes.
"""

import json
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest
from toy_run import RUN, TOPIC, content, finished, mounted, write_notebook

from replication import files
from replication.files import write_atomic
from replication.lm.records import Store
from replication.lm.trainings import OnceTrained
from replication.settings import InputError, Settings
from replication.testbed import models
from replication.workflow import events
from replication.workflow.execute import NotebookError, execute, failed_path

MODULES = ("replication.lm.measures",)
SENTENCE = (
    rf"^{files.FULL} \S+: make some, then run the same command again; it goes on from what was finished.$"
)
BLOCK = 4096


class Disk:
    """A file system of its own that can be filled."""

    def __init__(self, folder):
        self.folder, self.ballast = folder, folder / ".ballast"

    def fill(self, left=0):
        """Leave so many bytes."""
        with self.ballast.open("ab", buffering=0) as file:
            with suppress(OSError):
                while True:
                    file.write(bytes(BLOCK))
            file.truncate(max(0, file.tell() - left))

    def empty(self):
        self.ballast.unlink()


@pytest.fixture
def disk(tmp_path):
    """A disk of 24 MB; skipped where nothing may be mounted."""
    with mounted(tmp_path / "disk", "size=24m") as folder:
        yield Disk(folder)


def noise(items):
    """Return a table of about 80 kB that does not compress."""
    draws = np.random.default_rng(list(items)).integers(0, 2**62, 10_000)
    return pd.DataFrame({"item": list(items) * 10_000, "draw": draws})


def test_a_full_disk_keeps_the_records_that_were_finished(disk, injected):
    path = disk.folder / "a.txt"
    write_atomic(path, "old")
    disk.fill(left=3 * 100_000)
    calls = []

    def run(items):
        calls.append(items)
        return noise(items)

    store = Store(disk.folder / "records")
    with pytest.raises(InputError, match=SENTENCE):
        store.stage("s", {}, list(range(8)), run, chunk=1, modules=MODULES)
    done = store.chunks_computed
    assert 1 <= done < 8
    with pytest.raises(InputError, match=SENTENCE):
        write_atomic(path, "x" * 10_000_000)
    assert path.read_text() == "old"
    assert not [one for one in disk.folder.rglob(".*-*") if one.is_file()]  # nothing half-written stays
    disk.empty()
    store = Store(disk.folder / "records")
    table = store.stage("s", {}, list(range(8)), run, chunk=1, modules=MODULES)
    assert store.chunks_computed == 8 - done
    pd.testing.assert_frame_equal(table, pd.concat(map(noise, [[i] for i in range(8)]), ignore_index=True))
    injected("disk full: records", 2)


def test_a_full_disk_leaves_no_half_of_a_training(disk, injected):
    """Weights are saved by the libraries' own functions, whose errors are their own."""
    from replication.lm.loading import load

    settings = Settings("rho1", "smoke", "testbed", "stories", "", 0, "cpu", disk.folder, "stories")
    lm = load("testbed-small")
    size = (models.folder("testbed-small") / "model.safetensors").stat().st_size

    def train(folder):
        lm.model.save_pretrained(folder)
        lm.tokenizer.save_pretrained(folder)
        return {"log": noise([1])}

    once = OnceTrained(settings)
    first, _ = once.once("sft", {"seed": 0}, ("log",), train)
    before = finished_bytes(first)
    # Full in the middle of the weights, before the tokenizer, before the table.
    for left in (size // 2, size + 10_000, size + 200_000):
        disk.fill(left=left)
        with pytest.raises(InputError, match=SENTENCE):
            once.once("sft", {"seed": 1}, ("log",), train)
        assert [one.name for one in first.parent.iterdir()] == [first.name]  # and no room is taken
        disk.empty()
        injected("disk full: weights")
    assert finished_bytes(first) == before
    folder, tables = once.once("sft", {"seed": 1}, ("log",), train)
    assert load(str(folder)).fingerprint == load(str(first)).fingerprint
    pd.testing.assert_frame_equal(tables["log"], noise([1]))


def finished_bytes(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_full_disk_while_a_notebook_is_written(disk, tmp_path, injected):
    source = write_notebook(tmp_path / "01_toy" / "01_x.ipynb", "print('x' * 3_000_000)", "print('end')")
    output = disk.folder / "notebooks" / "01_x.ipynb"
    output.parent.mkdir()
    disk.fill(left=1_000_000)
    with pytest.raises(NotebookError, match=rf"^01_toy/01_x stopped. {files.FULL} ") as caught:
        execute(source, output, {})
    assert caught.value.exit_code == 2
    assert caught.value.kept is None  # what is cut off is no notebook
    assert sorted(one.name for one in output.parent.iterdir()) == []
    disk.empty()
    execute(source, output, {})
    assert json.loads(output.read_text())["cells"][-1]["outputs"][0]["text"] == ["end\n"]
    assert not failed_path(output).exists()
    injected("disk full: notebook")


def test_a_full_disk_is_said_before_anything_runs(disk, injected):
    disk.fill()
    with pytest.raises(InputError, match=SENTENCE):
        files.check_space(disk.folder)
    assert [one.name for one in disk.folder.iterdir()] == [".ballast"]
    disk.empty()
    files.check_space(disk.folder)
    injected("disk full: at the start")


def test_events_that_a_full_disk_cuts_off_do_no_harm(disk, injected):
    events.report(disk.folder, "nb_x", "01_toy/01_x", "started")
    disk.fill()

    def many():
        for _ in range(BLOCK):
            events.report(disk.folder, "nb_x", "01_toy/01_x", "started", more="x" * 999)

    with pytest.raises(OSError, match="No space left") as caught:
        many()
    assert files.out_of_space(caught.value)
    assert events.last(disk.folder, "nb_x")["state"] == "started"
    assert {event["state"] for event in events.Reader(disk.folder).new()} == {"started"}
    injected("disk full: events")


@pytest.mark.parametrize(
    "error",
    [
        OSError(28, "No space left on device"),
        OSError(122, "Disk quota exceeded"),
        RuntimeError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
)
def test_the_words_of_a_full_disk(error):
    assert files.out_of_space(error)
    assert not files.out_of_space(OSError(2, "No such file"))


@pytest.mark.slow
def test_a_whole_run_on_a_disk_that_fills_up(disk, project, undisturbed, injected):
    run_dir = disk.folder / RUN
    run_dir.mkdir()
    disk.fill(left=400_000)  # enough for the records and not for the weights
    said = project.run(disk.folder, code=None)
    assert said.code in (1, 2)
    assert files.FULL in said.out + said.err
    if said.err:
        assert len(said.err.splitlines()) == 1
    before = finished(run_dir)
    disk.empty()
    done = project.run(disk.folder)
    assert f"01_cot_decoding/{TOPIC}" in done.out
    after = finished(run_dir)
    lost = [name for name in before if ".parts" not in name and after[name] != before[name]]
    assert content(run_dir) == undisturbed.content
    injected("disk full: a whole run", 1, len(lost))
    assert not lost
