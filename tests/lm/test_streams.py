import contextlib
import itertools
import os

import pandas as pd
import pytest

from replication.lm import streams
from replication.lm.streams import stream
from replication.settings import InputError

MODULES = ("replication.lm.measures",)


def squares(items):
    return pd.DataFrame({"item": items, "square": [item * item for item in items]})


def start(folder, items, run=squares, key=None, chunk=2, name="s"):
    return stream(folder, name, key or {}, items, run, chunk=chunk, modules=MODULES)


def test_chunks_come_in_order_and_hold_every_item_once(tmp_path):
    tables = list(start(tmp_path, range(5)))
    assert [list(table["item"]) for table in tables] == [[0, 1], [2, 3], [4]]
    assert list(pd.concat(tables)["square"]) == [0, 1, 4, 9, 16]
    (folder,) = tmp_path.iterdir()
    assert sorted(path.name for path in folder.glob("*.parquet")) == [f"00000{n}.parquet" for n in range(3)]


def test_items_are_taken_and_tables_made_when_they_are_needed(tmp_path):
    taken, made = [], []

    def items():
        for number in itertools.count():  # without end
            taken.append(number)
            yield number

    tables = start(tmp_path, items(), lambda part: (made.append(part), squares(part))[1])
    assert not taken
    next(tables)
    assert taken == [0, 1]
    next(tables)
    assert made == [[0, 1], [2, 3]]


def test_what_is_on_disk_is_not_made_again_and_a_longer_run_goes_on(tmp_path):
    first = list(start(tmp_path, range(4)))
    made = []
    second = list(start(tmp_path, range(7), lambda part: (made.append(part), squares(part))[1]))
    assert made == [[4, 5], [6]]
    for one, other in zip(first, second, strict=False):
        pd.testing.assert_frame_equal(one, other)


SAID = {"items": "000001.parquet holds something else", "damage": "000001.parquet is damaged"}


@pytest.mark.parametrize("change", ["key", "items", "damage"])
def test_another_key_other_items_and_a_damaged_file_are_made_again(tmp_path, change):
    list(start(tmp_path, range(4)))
    if change == "damage":
        path = next(tmp_path.rglob("000001.parquet"))
        path.write_bytes(path.read_bytes()[:-20])
    made = []
    tables = start(
        tmp_path,
        [0, 1, 2, 9] if change == "items" else range(4),
        lambda part: (made.append(part), squares(part))[1],
        {"k": 1} if change == "key" else {},
    )
    with contextlib.nullcontext() if change == "key" else pytest.warns(RuntimeWarning, match=SAID[change]):
        last = list(tables)[-1]
    assert made == {"key": [[0, 1], [2, 3]], "items": [[2, 9]], "damage": [[2, 3]]}[change]
    assert list(last["item"]) == ([2, 9] if change == "items" else [2, 3])


def test_a_killed_run_goes_on_at_the_chunk_it_was_at(tmp_path):
    def dies(part):
        if part[0] == 2:
            raise KeyboardInterrupt
        return squares(part)

    with pytest.raises(KeyboardInterrupt):
        list(start(tmp_path, range(6), dies))
    made = []
    list(start(tmp_path, range(6), lambda part: (made.append(part), squares(part))[1]))
    assert made == [[2, 3], [4, 5]]


def test_a_chunk_that_another_process_finishes_meanwhile_is_read(tmp_path, monkeypatch):
    list(start(tmp_path, range(2)))
    real, calls = streams.read_frame, []

    def late(path, key):  # the first look comes too early
        calls.append(path)
        return None if len(calls) == 1 else real(path, key)

    monkeypatch.setattr(streams, "read_frame", late)
    made = []
    assert len(list(start(tmp_path, range(2), lambda part: made.append(part)))) == 1
    assert not made


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": "a/b"}, "cannot name a stream"),
        ({"chunk": 0}, "chunks of at least 1, got 0"),
        ({"key": {"x": object()}}, "plain values"),
    ],
)
def test_wrong_arguments_are_told_before_anything_runs(tmp_path, changes, sentence):
    with pytest.raises(InputError, match=sentence):
        start(tmp_path, range(3), **changes)
    assert not os.listdir(tmp_path)
