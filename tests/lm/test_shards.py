"""Workers that share the records: each part is computed once, by whoever lives; tables are those of one."""

import multiprocessing
import os
import signal
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from replication.lm import shards
from replication.lm.records import Store
from replication.lm.trainings import OnceTrained
from replication.settings import Settings

MODULES = ("replication.lm.measures",)
ITEMS = list(range(10))
# Workers are copies of one process that has imported what they need, which takes seconds each otherwise.
START = multiprocessing.get_context("forkserver")
START.set_forkserver_preload(["replication.lm.trainings", "pandas", "pyarrow.parquet"])


def write(folder: Path, name: str) -> None:
    """Note who did what."""
    (folder / f"{name}-{os.getpid()}").touch()


def stage(folder: Path, name: str, slow: float = 0.0, fatal: int | None = None) -> pd.DataFrame:
    def run(items):
        write(folder, f"{name}.{items[0]}")
        if items[0] == fatal:
            time.sleep(600)
        time.sleep(slow)
        return pd.DataFrame({"item": items, "value": np.sqrt(np.array(items, dtype=np.float64))})

    return Store(folder / "records").stage(name, {}, ITEMS, run, chunk=2, modules=MODULES)


def training(folder: Path, seed: int) -> int:
    def run(place):
        write(folder, f"training.{seed}")
        time.sleep(0.4)
        place.mkdir(parents=True)
        (place / "config.json").write_text("{}")
        return {"log": pd.DataFrame({"seed": [seed]})}

    run_of = Settings("rho1", "smoke", "testbed", "stories", "", 0, "cpu", folder / "results", "stories")
    return int(OnceTrained(run_of).once("toy", {"seed": seed}, ("log",), run)[1]["log"]["seed"][0])


def work(folder: Path, fatal: int | None = None) -> None:
    os.environ[shards.VARIABLE] = "4"
    shards.POLL_SECONDS = 0.05
    names = shards.each(lambda name: stage(folder, name, 0.1, fatal), ["a", "b"])
    seeds = shards.each(lambda seed: training(folder, seed), range(4))
    assert [len(names), seeds] == [2, [0, 1, 2, 3]]


def finish(folder: Path, number: int) -> list[int]:
    workers = [START.Process(target=work, args=(folder,)) for _ in range(number)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * number
    return [worker.pid for worker in workers]


def done(folder: Path) -> dict[str, list[str]]:
    """Return who did each part."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*.*-*")):
        found.setdefault(path.name.rpartition("-")[0], []).append(path.name.rpartition("-")[2])
    return found


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The tables of one process that shares with nobody."""
    folder = tmp_path_factory.mktemp("alone")
    for name in ("a", "b"):
        stage(folder, name)
    return {path.name: path.read_bytes() for path in (folder / "records").glob("*.parquet")}


def test_four_workers_do_each_part_once_and_leave_the_bytes_of_one(tmp_path, alone):
    pids = finish(tmp_path, 4)
    who = done(tmp_path)
    assert sorted(who) == sorted(
        [*(f"{name}.{first}" for name in "ab" for first in ITEMS[::2]), *(f"training.{i}" for i in range(4))]
    )
    assert {len(pids) for pids in who.values()} == {1}
    assert len({pid for (pid,) in who.values()}) > 1
    assert {pid for (pid,) in who.values()} <= {str(pid) for pid in pids}
    assert {path.name: path.read_bytes() for path in (tmp_path / "records").glob("*.parquet")} == alone
    assert not list((tmp_path / "records").glob("*.parts"))
    assert not list((tmp_path / "records" / ".locks").glob("*.claim"))


def test_a_worker_alone_does_everything(tmp_path, alone):
    finish(tmp_path, 1)
    assert {path.name: path.read_bytes() for path in (tmp_path / "records").glob("*.parquet")} == alone


def test_what_a_killed_worker_had_claimed_is_done_by_another(tmp_path, alone):
    victim = START.Process(target=work, args=(tmp_path, 4))
    victim.start()
    end = time.monotonic() + 60
    while not (tmp_path / f"a.4-{victim.pid}").exists():
        assert time.monotonic() < end
        time.sleep(0.02)
    other = START.Process(target=work, args=(tmp_path,))
    other.start()
    while "b.8" not in done(tmp_path):  # the other one has done all that nobody holds, and waits
        assert time.monotonic() < end
        time.sleep(0.02)
    assert done(tmp_path)["a.4"] == [str(victim.pid)]
    os.kill(victim.pid, signal.SIGKILL)
    victim.join()
    other.join(60)
    assert other.exitcode == 0
    assert sorted(done(tmp_path)["a.4"]) == sorted([str(victim.pid), str(other.pid)])
    assert {path.name: path.read_bytes() for path in (tmp_path / "records").glob("*.parquet")} == alone


def hold(path: Path, ready: Path) -> None:
    os.environ[shards.VARIABLE], shards.LEASE_SECONDS = "2", 1.5
    with shards.holding(path):
        ready.touch()
        time.sleep(600)


def test_a_claim_is_lost_when_its_heartbeat_stops(tmp_path, monkeypatch):
    """A stopped process stands for a host that is gone: it is there, and beats no more."""
    monkeypatch.setattr(shards, "LEASE_SECONDS", 1.5)
    holder = START.Process(target=hold, args=(tmp_path / "x.lock", tmp_path / "ready"))
    holder.start()
    try:
        while not (tmp_path / "ready").exists():
            time.sleep(0.02)
        until = time.monotonic() + 2.5
        while time.monotonic() < until:
            with shards.attempt(tmp_path / "x.lock") as mine:
                assert not mine
            time.sleep(0.1)
        os.kill(holder.pid, signal.SIGSTOP)
        until = time.monotonic() + 30
        mine = False
        while not mine:
            assert time.monotonic() < until
            with shards.attempt(tmp_path / "x.lock") as mine:
                time.sleep(0.1)
    finally:
        holder.kill()
        holder.join()


def test_each_is_a_loop_where_nobody_shares(monkeypatch):
    monkeypatch.delenv(shards.VARIABLE, raising=False)
    order = []
    assert shards.each(lambda n: order.append(n) or n * n, [3, 1, 2]) == [9, 1, 4]
    assert order == [3, 1, 2]
    for text in ("", "1", "x"):
        monkeypatch.setenv(shards.VARIABLE, text)
        assert not shards.shared()


def test_each_comes_back_to_what_is_held_and_an_outer_one_goes_on(monkeypatch):
    monkeypatch.setenv(shards.VARIABLE, "2")
    monkeypatch.setattr(shards, "POLL_SECONDS", 0.0)
    calls = []

    def inner(name):
        calls.append(name)
        if name == "b" and calls.count("b") < 3:
            shards.pause()
        return name

    assert shards.each(lambda names: shards.each(inner, names), ["ab", "cd"]) == [["a", "b"], ["c", "d"]]
    assert calls.index("c") < len(calls) - 1 - calls[::-1].index("b")
    assert calls.count("b") == 3


def test_an_error_in_an_item_is_the_caller_s(monkeypatch):
    monkeypatch.setenv(shards.VARIABLE, "2")
    with pytest.raises(ZeroDivisionError):
        shards.each(lambda n: 1 // n, [1, 0])
    with pytest.raises(ZeroDivisionError):  # and leaves nothing behind: a later wait is a wait
        shards.each(lambda n: 1 // n, [0])
    assert shards._Nesting.depth == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_grid_is_a_list_of_columns_for_every_row(monkeypatch, workers):
    monkeypatch.setenv(shards.VARIABLE, workers)
    assert shards.grid(lambda row, column: row * column, ("a", "b"), iter((1, 2))) == {
        "a": ["a", "aa"],
        "b": ["b", "bb"],
    }
