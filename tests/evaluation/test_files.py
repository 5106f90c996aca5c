"""Files appear whole or not at all."""

import os
import stat

import pytest

from replication.evaluation.files import write_atomic


def test_text_and_bytes_are_written_with_their_folders(tmp_path):
    path = write_atomic(tmp_path / "a" / "b.txt", "Δ\n")
    assert path.read_bytes() == b"\xce\x94\n"
    write_atomic(path, b"second")
    assert path.read_bytes() == b"second"
    assert os.listdir(path.parent) == ["b.txt"]


def test_mode_follows_the_umask(tmp_path):
    mask = os.umask(0o022)
    try:
        path = write_atomic(tmp_path / "x", "1")
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_failure_keeps_the_old_file_and_leaves_nothing(tmp_path, monkeypatch):
    path = write_atomic(tmp_path / "x", "old")

    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["x"]
