"""Files appear whole or not at all."""

import os
import stat
import subprocess
import sys

import pytest

from replication.files import write_atomic
from replication.lm import records


def test_text_and_bytes_are_written_with_their_folders(tmp_path):
    path = write_atomic(tmp_path / "a" / "b.txt", "Δ\n")
    assert path.read_bytes() == b"\xce\x94\n"
    write_atomic(path, b"second")
    assert path.read_bytes() == b"second"
    assert os.listdir(path.parent) == ["b.txt"]


def test_a_function_may_write_the_file(tmp_path):
    seen = []

    def writer(beside):
        seen.append(beside)
        beside.write_text("written")

    path = write_atomic(str(tmp_path / "a.csv"), writer)
    assert path == tmp_path / "a.csv"
    assert path.read_text() == "written"
    assert (seen[0].parent, seen[0].suffix) == (tmp_path, ".csv")  # some writers go by the ending
    assert os.listdir(tmp_path) == ["a.csv"]


def test_mode_follows_the_umask(tmp_path):
    mask = os.umask(0o022)
    try:
        path = write_atomic(tmp_path / "x", "1")
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_failure_keeps_the_old_file_and_leaves_nothing(tmp_path, monkeypatch):
    path = write_atomic(tmp_path / "x", "old")

    def half(beside):
        beside.write_text("half")
        raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError, match="interrupted"):
        write_atomic(path, half)

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["x"]


def test_there_is_one_implementation():
    assert records.write_atomic is write_atomic


def test_it_stands_on_the_ground_floor():
    code = "import sys, replication.files; print([m for m in sys.modules if m.startswith('replication')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['replication', 'replication.files']"
