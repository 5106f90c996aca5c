"""The doctor says what is wrong, what to do, and what each profile can do."""

import json
from dataclasses import replace
from io import StringIO

import pytest

from replication.settings import PROFILES
from replication.workflow import doctor
from replication.workflow.doctor import Machine, able, examine

LARGE = Machine(cores=16, memory=128, available=100, disk=500, gpu="H", gpu_memory=80, hub=True)
SMALL = Machine(cores=2, memory=8, available=6, disk=50, gpu="", gpu_memory=0, hub=False)


@pytest.mark.parametrize(
    ("profile", "changes", "verdict", "why"),
    [
        ("cpu", {}, "yes", "2 notebooks at a time (JOBS=2)"),
        ("cpu", {"available": 3.5}, "yes", "1 notebook at a time (JOBS=1)"),
        ("smoke", {"available": 1.0}, "no", "needs 2 GiB of free memory, 1.0 are there"),
        ("cpu", {"disk": 0.5}, "no", "needs 2 GiB on the disk, 0.5 are free"),
        ("gpu", {"available": 32}, "slow", "without a GPU"),
        ("gpu", {}, "no", "needs 16 GiB of free memory"),
        ("gpu", {"available": 32, "gpu": "T", "gpu_memory": 8}, "no", "16 GiB of GPU memory, 8 are there"),
    ],
)
def test_what_a_profile_can_do(profile, changes, verdict, why):
    found = able(profile, replace(SMALL, **changes))
    assert found["able"] == verdict
    assert why in found["why"]


def test_a_large_machine_runs_everything():
    assert {able(profile, LARGE)["able"] for profile in PROFILES} == {"yes"}
    assert "or the cache" in able("paper", replace(LARGE, hub=None))["why"]


def test_this_machine_is_examined(tmp_path):
    content = examine(str(tmp_path / "new" / "results"), ask_hub=lambda: False)
    states = {one["name"]: one["state"] for one in content["findings"]}
    assert states["Python"] == states["testbed models"] == states["results"] == "ok"
    assert states["network"] == "note"
    assert all(one["remedy"] for one in content["findings"] if one["state"] != "ok")
    assert set(content["profiles"]) == set(PROFILES)
    assert json.loads(json.dumps(content)) == content
    runs = content["profiles"]["smoke"]["able"] == "yes"
    assert content["usable"] == (runs and "wrong" not in states.values())


def test_results_that_cannot_be_written_make_the_machine_unusable(tmp_path):
    (tmp_path / "file").touch()
    content = examine(str(tmp_path / "file"), ask_hub=lambda: None)
    wrong = [one for one in content["findings"] if one["state"] == "wrong"]
    assert [one["name"] for one in wrong] == ["results"]
    assert not content["usable"]


def test_packages_that_differ_from_the_lock_are_named(tmp_path, monkeypatch):
    lock = tmp_path / "some.lock"
    lock.write_text('numpy==0.1\npytest==0.2 ; python_version < "3"\nno-such-package==1.0\n')
    monkeypatch.setattr(doctor, "LOCK", lock)
    [found] = doctor._packages()
    assert (found.state, found.found) == (
        "note", "2 of 2 differ from env/some.lock: numpy, no-such-package"
    )  # fmt: skip


def test_the_hub_is_not_asked_when_offline(monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert doctor.hub_answers() is None
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert doctor.hub_answers() is False


def test_tables_hold_everything(tmp_path):
    from rich.console import Console

    content = examine(str(tmp_path), ask_hub=lambda: True)
    out = Console(file=StringIO(), width=200)
    for table in doctor.tables(content):
        out.print(table)
    text = out.file.getvalue()
    assert all(name in text for name in PROFILES)
    assert all(one["name"] in text for one in content["findings"])
