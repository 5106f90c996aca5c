"""A training is done once under its key, whole or not at all."""

import pandas as pd
import pytest

from replication.lm import trainings
from replication.lm.trainings import OnceTrained
from replication.settings import Settings


@pytest.fixture
def once(tmp_path):
    return OnceTrained(Settings("rho1", "smoke", "testbed", "stories", "", 0, "cpu", tmp_path, "stories"))


@pytest.fixture
def work():
    """A pretended training that counts its runs."""

    def run(folder):
        run.folders.append(folder)
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        return {"log": pd.DataFrame({"step": [len(run.folders)]})}

    run.folders = []
    return run


def test_the_same_key_trains_once_and_another_one_anew(once, work):
    folder, tables = once.once("a", {"seed": 0}, ("log",), work)
    assert folder.name.startswith("a-")
    assert tables["log"]["step"].tolist() == [1]
    assert once.once("a", {"seed": 0}, ("log",), work)[0] == folder
    assert len(work.folders) == 1
    assert once.once("a", {"seed": 1}, ("log",), work)[0] != folder
    assert len(work.folders) == 2
    assert not work.folders[0].exists()  # it was done beside its place


def test_what_is_lost_or_half_done_is_done_again(once, work, monkeypatch):
    def refuse(*args):
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(trainings, "write_frame", refuse)
        with pytest.raises(OSError, match="disk full"):
            once.once("a", {}, ("log",), work)
    folder, _ = once.once("a", {}, ("log",), work)
    assert len(work.folders) == 2
    once.table(folder.name, "log").unlink()
    once.once("a", {}, ("log",), work)
    (folder / "config.json").unlink()
    with pytest.warns(RuntimeWarning, match=r"config.json is missing or damaged: the training is done again"):
        once.once("a", {}, ("log",), work)
    assert len(work.folders) == 4


def test_models_are_loaded_once(once):
    assert once.model("control-00") is once.model("control-00")
