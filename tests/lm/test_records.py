import multiprocessing
import os
import signal
import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from replication.lm import records
from replication.lm.paths import frame
from replication.lm.records import Store, canonical, read_frame, write_atomic, write_frame
from replication.settings import InputError

MODULES = ("replication.lm.measures",)


def table(items):
    rng = np.random.default_rng(len(items))
    return frame(
        [
            {
                "question": str(item),
                "branch": branch,
                "tokens": np.arange(item + 1, dtype=np.int32),
                **{
                    name: rng.random(item + 1, dtype=np.float32)
                    for name in ("logprob", "top1", "top2", "entropy")
                },
                "text": f"né {item}",
                "finish": "eos",
                "prompt_tokens": 3,
                "branch_step": 0,
            }
            for item in items
            for branch in range(2)
        ]
    )


def same(one, other):
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    for name in ("tokens", "logprob"):
        assert [cell.dtype for cell in one[name]] == [cell.dtype for cell in other[name]]


def test_tables_come_back_as_they_were(tmp_path):
    path = tmp_path / "a.parquet"
    write_frame(path, table([0, 3]), "key")
    same(read_frame(path, "key"), table([0, 3]))
    with pytest.warns(RuntimeWarning, match="a.parquet holds something else than its name says: it is comp"):
        assert read_frame(path, "other") is None
    assert read_frame(tmp_path / "missing.parquet", "key") is None


def test_equal_tables_give_equal_bytes(tmp_path):
    for name in ("a", "b"):
        write_frame(tmp_path / name, table([1, 2]), "key")
        time.sleep(0.01)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    write_frame(tmp_path / "c", read_frame(tmp_path / "a", "key"), "key")
    assert (tmp_path / "c").read_bytes() == (tmp_path / "a").read_bytes()


@pytest.mark.parametrize("damage", ["cut", "empty", "text", "flip"])
def test_damaged_files_are_recognised(tmp_path, damage):
    store = Store(tmp_path)
    expected = store.stage("s", {}, [1, 2, 3], table, modules=MODULES)
    (path,) = tmp_path.glob("*.parquet")
    whole = path.read_bytes()
    middle = bytearray(whole)
    middle[20] ^= 0xFF
    path.write_bytes(
        {"cut": whole[: len(whole) // 2], "empty": b"", "text": b"hello", "flip": bytes(middle)}[damage]
    )
    again = Store(tmp_path)
    with pytest.warns(RuntimeWarning, match=f"{path.name} is damaged: it is computed again"):
        same(again.stage("s", {}, [1, 2, 3], table, modules=MODULES), expected)
    assert (again.computed, again.reused) == (1, 0)
    assert path.read_bytes() == whole


def test_a_stage_is_computed_once_per_key(tmp_path):
    calls = []

    def run(items):
        calls.append(items)
        return table(items)

    store = Store(tmp_path)
    one = store.stage("paths", {"k": 10}, [1, 2, 3, 4, 5], run, chunk=2, modules=MODULES)
    same(one, pd.concat([table([1, 2]), table([3, 4]), table([5])], ignore_index=True))
    assert calls == [[1, 2], [3, 4], [5]]
    same(store.stage("paths", {"k": 10}, [1, 2, 3, 4, 5], run, chunk=2, modules=MODULES), one)
    assert (len(calls), store.computed, store.reused, store.chunks_computed) == (3, 1, 1, 3)
    for key, items, chunk, modules in (
        ({"k": 9}, [1, 2, 3, 4, 5], 2, MODULES),
        ({"k": 10}, [1, 2, 3, 4], 2, MODULES),
        ({"k": 10}, [1, 2, 3, 4, 5], 3, MODULES),
        ({"k": 10}, [1, 2, 3, 4, 5], 2, ("replication.lm.stops",)),
    ):
        store.stage("paths", key, items, run, chunk=chunk, modules=modules)
    assert store.computed == 5
    assert len(list(tmp_path.glob("paths-*.parquet"))) == 5
    assert not list(tmp_path.glob("*.parts"))


def test_frame_without_chunks(tmp_path):
    store = Store(tmp_path / "deep" / "er")
    one = store.frame("t", {"a": (1, 2)}, lambda: table([2]), modules=MODULES)
    same(store.frame("t", {"a": [1, 2]}, lambda: pytest.fail("computed twice"), modules=MODULES), one)
    assert (store.computed, store.reused) == (1, 1)


def dies(items):
    if items == [4, 5]:
        os.kill(os.getpid(), signal.SIGKILL)
    return table(items)


def run_until_killed(folder):
    Store(folder).stage("s", {}, list(range(6)), dies, chunk=2, modules=MODULES)


def test_a_killed_stage_goes_on_with_the_first_unfinished_chunk(tmp_path):
    whole = Store(tmp_path / "whole")
    whole.stage("s", {}, list(range(6)), table, chunk=2, modules=MODULES)
    calls = []
    worker = multiprocessing.get_context("spawn").Process(target=run_until_killed, args=(tmp_path / "cut",))
    worker.start()
    worker.join()
    assert worker.exitcode == -signal.SIGKILL
    stem = next((tmp_path / "whole").glob("*.parquet")).stem
    (tmp_path / "cut" / f".{stem}-half.parquet").write_bytes(b"half")
    (parts,) = (tmp_path / "cut").glob("*.parts")
    assert sorted(path.name for path in parts.iterdir()) == ["0000.parquet", "0001.parquet"]
    (parts / "0000.parquet").write_bytes(b"damaged")
    progress = []
    store = Store(tmp_path / "cut", progress=lambda *args: progress.append(args))
    with pytest.warns(RuntimeWarning, match=r"0000.parquet is damaged"):
        store.stage(
            "s", {}, list(range(6)), lambda i: (calls.append(i), table(i))[1], chunk=2, modules=MODULES
        )
    assert calls == [[0, 1], [4, 5]]
    assert progress == [("s", 1, 3), ("s", 2, 3), ("s", 3, 3)]
    assert sorted(p.name for p in (tmp_path / "cut").iterdir()) == [".locks", f"{stem}.parquet"]
    files = [next((tmp_path / name).glob("*.parquet")) for name in ("whole", "cut")]
    assert files[0].name == files[1].name
    assert files[0].read_bytes() == files[1].read_bytes()


def slow(items):
    time.sleep(0.4)
    return table(items)


def compute(folder, queue):
    store = Store(folder)
    store.stage("s", {}, [1, 2], slow, chunk=1, modules=MODULES)
    queue.put((store.computed, store.reused))


def test_two_processes_compute_a_stage_once(tmp_path):
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    workers = [context.Process(target=compute, args=(tmp_path, queue)) for _ in range(2)]
    for worker in workers:
        worker.start()
    counts = sorted(queue.get(timeout=60) for _ in workers)
    for worker in workers:
        worker.join()
    assert counts == [(0, 1), (1, 0)]


def test_files_appear_whole_or_not_at_all(tmp_path):
    path = tmp_path / "deep" / "a.txt"
    write_atomic(path, "né")
    assert path.read_bytes() == "né".encode()
    write_atomic(path, b"\x00")
    write_atomic(path, lambda beside: beside.write_text("written"))

    def fails(beside):
        beside.write_text("half")
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError, match="disk full"):
        write_atomic(path, fails)
    assert path.read_text() == "written"
    assert os.listdir(path.parent) == ["a.txt"]
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o666 & ~mask


@dataclass(frozen=True)
class Item:
    id: str
    n: int = 1


def test_canonical_keys():
    assert canonical({"b": 1, "a": (1, None, "é")}) == '{"a":[1,null,"é"],"b":1}'
    assert (
        canonical({"x": np.float32(0.5), "n": np.int64(3), "f": np.bool_(True)}) == '{"f":true,"n":3,"x":0.5}'
    )
    assert canonical([Item("a")]) == '[{"id":"a","n":1}]'


@pytest.mark.parametrize("value", [object(), {1, 2}, lambda: 0, float("nan"), {1: 2}, np.arange(3), b"x"])
def test_keys_that_json_cannot_hold(tmp_path, value):
    with pytest.raises(InputError, match="plain values"):
        Store(tmp_path).frame("s", {"value": value}, lambda: table([1]), modules=MODULES)


@pytest.mark.parametrize("name", ["", "a/b", "../x", "a b"])
def test_names_that_are_no_file_names(tmp_path, name):
    with pytest.raises(InputError, match="cannot name a stage"):
        Store(tmp_path).frame(name, {}, lambda: table([1]), modules=MODULES)


def test_a_stage_needs_items(tmp_path):
    with pytest.raises(InputError, match="at least one item"):
        Store(tmp_path).stage("s", {}, [], table, modules=MODULES)
    assert records.ENGINE == ("replication.lm.engine",)
