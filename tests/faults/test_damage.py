"""Files that were cut off, changed or exchanged: noticed, said in one sentence, and made again.

The damage is real: bytes of the files are flipped at places drawn over the whole file, cut off, or another
file is put in their place. What comes out is compared with what was there before.
"""

import json
import random
import shutil
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file
from toy_run import TIMES

from replication.evaluation.claims import ClaimsFile
from replication.files import write_atomic
from replication.lm.records import Store, read_frame, write_frame
from replication.lm.trainings import OnceTrained
from replication.reporting import style
from replication.settings import InputError, Settings
from replication.workflow import events, ledger, manifest, plan, seals
from replication.workflow.discovery import Notebook

MODULES = ("replication.lm.measures",)
PAPER, TOPIC = "cot_decoding", "01_paths_and_confidence"


def frame(items):
    return pd.DataFrame(
        {
            "question": [f"q{item}" for item in items],
            "tokens": [np.arange(item + 1, dtype=np.int32) for item in items],
            "logprob": np.linspace(-3, 0, len(items), dtype=np.float32),
            "answer": [None if item % 2 else "5" for item in items],
        }
    )


def flips(content: bytes, number: int, seed: int = 0):
    """Yield the content with one bit turned, at places drawn over all of it; the footer has its share."""
    draw = random.Random(seed)
    for _ in range(number):
        changed = bytearray(content)
        changed[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        yield bytes(changed)


def test_no_turned_bit_of_a_record_comes_back_as_a_table(tmp_path, injected):
    path = tmp_path / "a.parquet"
    write_frame(path, frame(range(40)), "key")
    content, wrong = path.read_bytes(), []
    number = 300 * TIMES
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        for changed in flips(content, number):
            path.write_bytes(changed)
            table = read_frame(path, "key")
            wrong += [] if table is None or table.equals(read_back(path, content)) else [changed]
    injected("Parquet: a bit turned", number, len(wrong))
    assert not wrong


def read_back(path: Path, content: bytes) -> pd.DataFrame:
    """Return the table of the whole file."""
    whole = path.with_name("whole.parquet")
    whole.write_bytes(content)
    return read_frame(whole, "key")


def test_cut_off_records_are_computed_again(tmp_path, injected):
    expected = Store(tmp_path).stage("s", {}, list(range(6)), frame, chunk=2, modules=MODULES)
    (path,) = tmp_path.glob("*.parquet")
    content = path.read_bytes()
    places = random.Random(1).sample(range(len(content)), 20)
    for place in places:
        path.write_bytes(content[:place])
        store = Store(tmp_path)
        with pytest.warns(RuntimeWarning, match=f"{path.name} is damaged: it is computed again"):
            pd.testing.assert_frame_equal(
                store.stage("s", {}, list(range(6)), frame, chunk=2, modules=MODULES), expected
            )
        assert store.computed == 1
        assert path.read_bytes() == content
    injected("Parquet: cut off", len(places))


def test_records_of_another_stage_under_the_name_are_not_taken(tmp_path, injected):
    def run(k):
        return store.stage("s", {"k": k}, [k, 2], frame, chunk=1, modules=MODULES)

    store = Store(tmp_path)
    one, other = run(1), run(5)
    first, second = sorted(tmp_path.glob("*.parquet"), key=lambda path: path.stat().st_mtime_ns)
    shutil.copy(second, first)
    with pytest.warns(RuntimeWarning, match=f"{first.name} holds something else than its name says"):
        pd.testing.assert_frame_equal(run(1), one)
    pd.testing.assert_frame_equal(run(5), other)
    assert store.computed == 3
    injected("Parquet: exchanged")


def test_chunks_of_a_stage_that_were_exchanged_are_computed_again(tmp_path, injected):
    whole = Store(tmp_path / "whole").stage("s", {}, list(range(6)), frame, chunk=2, modules=MODULES)
    calls = []

    def until(items):
        if len(calls) == 2:
            raise KeyboardInterrupt
        calls.append(items)
        return frame(items)

    with pytest.raises(KeyboardInterrupt):
        Store(tmp_path / "cut").stage("s", {}, list(range(6)), until, chunk=2, modules=MODULES)
    first, second = sorted((tmp_path / "cut").glob("*.parts/*.parquet"))
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(kept)
    store = Store(tmp_path / "cut")
    with pytest.warns(RuntimeWarning, match="holds something else than its name says"):
        found = store.stage("s", {}, list(range(6)), frame, chunk=2, modules=MODULES)
    pd.testing.assert_frame_equal(found, whole)
    assert store.chunks_computed == 3
    injected("Parquet: exchanged", 2)


@pytest.fixture
def training(tmp_path):
    """A training of a tiny table and weights; called with how often it has been done so far."""
    settings = Settings("rho1", "smoke", "testbed", "stories", "", 0, "cpu", tmp_path, "stories")

    def run(folder):
        run.done += 1
        folder.mkdir(parents=True)
        (folder / "config.json").write_text('{"model_type": "llama"}')
        save_file({"w": np.arange(64, dtype=np.float32)}, folder / "model.safetensors")
        return {"log": pd.DataFrame({"loss": [1.0, 0.5]}), "curves": pd.DataFrame({"step": [1, 2]})}

    run.done = 0

    def once(seed=0):
        return OnceTrained(settings).once("sft", {"seed": seed}, ("log", "curves"), run)

    once.run = run
    return once


def test_damaged_or_exchanged_weights_are_trained_again(training, injected):
    folder, tables = training()
    other, _ = training(seed=1)
    file = folder / "model.safetensors"
    content, done = file.read_bytes(), training.run.done
    save_file({"w": np.zeros(32, dtype=np.float32)}, other / "model.safetensors")  # of another size
    damages = [content[:-7], b"", *flips(content, 12), (other / "model.safetensors").read_bytes()]
    for number, damage in enumerate(damages, start=1):
        file.write_bytes(damage)
        with pytest.warns(RuntimeWarning, match=r"model.safetensors is missing or damaged: the training is"):
            assert training()[1].keys() == tables.keys()
        assert training.run.done == done + number
        assert file.read_bytes() == content
    injected("safetensors: cut off, a bit turned, of another size", len(damages))
    assert training()[0] == folder
    assert training.run.done == done + len(damages)  # whole again, nothing is done


def test_tables_of_a_training_are_not_taken_for_each_other(training, injected):
    folder, tables = training()
    records = folder.parents[1] / "records"
    shutil.copy(records / f"{folder.name}-log.parquet", records / f"{folder.name}-curves.parquet")
    with pytest.warns(RuntimeWarning, match="holds something else than its name says"):
        pd.testing.assert_frame_equal(training()[1]["curves"], tables["curves"])
    assert training.run.done == 2
    injected("Parquet: exchanged")


# What a finished run left


@pytest.fixture
def left(tmp_path, monkeypatch):
    """A finished run of two notebooks, with their seals; returns its folder and the notebooks."""
    run_dir = tmp_path / "smoke-testbed"
    notebooks = [Notebook(tmp_path / "nb" / "01_cot_decoding" / f"0{n}_x.ipynb", PAPER) for n in (1, 2)]
    for one in notebooks:
        rule = plan.rule_name(one.label)
        with seals.noting(run_dir, rule):
            write_atomic(run_dir / PAPER / "tables" / f"table_{one.topic[:2]}.csv", f"n\n{one.topic}\n")
            write_atomic(run_dir / PAPER / "claims.json", f"[{one.topic[1]}]\n")
            write_atomic(run_dir / one.output, '{"cells": []}')
            event = {"notebook": one.label, "state": "done", "time": 1.0, "seconds": 2.0}
            seals.end(run_dir, rule, [run_dir / one.output], event)
    return run_dir, notebooks


def test_what_is_as_it_was_left_stays(left):
    run_dir, notebooks = left
    assert seals.mend(run_dir, notebooks) == []
    assert all((run_dir / one.output).exists() for one in notebooks)
    assert list(seals.finished(run_dir, notebooks)) == [one.label for one in notebooks]
    moved = run_dir.rename(run_dir.with_name("elsewhere"))
    (moved / PAPER / "tables" / "table_02.csv").write_text("")
    assert len(seals.mend(moved, notebooks)) == 1  # also after the tree was moved


def test_a_folder_that_is_filled_under_a_hidden_name_and_renamed_is_not_missed(tmp_path, left):
    run_dir, notebooks = left
    rule = plan.rule_name(notebooks[0].label)
    with seals.noting(run_dir, rule):
        hidden = run_dir / PAPER / "models" / ".a-1"
        write_atomic(hidden / "files.json", "{}")
        hidden.rename(hidden.with_name("a-1"))
        seals.end(run_dir, rule, [], {"state": "done", "time": 1.0, "seconds": 2.0})
    assert seals.mend(run_dir, notebooks) == []


def test_a_figure_that_was_drawn_as_before_still_belongs_to_its_notebook(left):
    run_dir, notebooks = left
    folder, rule = run_dir / PAPER / "figures", plan.rule_name(notebooks[0].label)
    for _ in range(2):
        with seals.noting(run_dir, rule):
            style.save(plt.figure(), folder, "figure_1")
            seals.end(run_dir, rule, [], {"state": "done", "time": 1.0, "seconds": 2.0})
        assert {path.suffix for path in map(Path, seals.read(run_dir, rule).files)} == {".png", ".pdf"}
    plt.close("all")
    (folder / "figure_1.pdf").write_bytes(b"")
    assert len(seals.mend(run_dir, notebooks)) == 1


@pytest.mark.parametrize("what", ["tables/table_01.csv", "notebooks/01_x.ipynb", "claims.json"])
@pytest.mark.parametrize("damage", ["bit", "cut", "exchanged", "missing"])
def test_a_damaged_table_notebook_or_claim_runs_its_notebooks_again(left, injected, what, damage):
    run_dir, notebooks = left
    file = run_dir / PAPER / what
    content = file.read_bytes()
    changed = {"bit": next(flips(content, 1)), "cut": content[:-2], "exchanged": b"[]\n", "missing": None}
    file.write_bytes(changed[damage] or b"")
    if damage == "missing":
        file.unlink()
    said = seals.mend(run_dir, notebooks)
    mine = notebooks if what == "claims.json" else notebooks[:1]
    if damage == "missing" and what.endswith(".ipynb"):  # the workflow sees that by itself
        assert said == []
        return
    assert [one.partition(" runs again: its ")[0] for one in said] == [one.label for one in mine]
    assert all(what in one and "\n" not in one for one in said)
    assert not file.exists()
    assert [(run_dir / one.output).exists() for one in notebooks] == [one not in mine for one in notebooks]
    injected(f"{what.partition('/')[0]}: {damage}")


def test_a_damaged_seal_costs_a_notebook_at_most(left, injected):
    run_dir, notebooks = left
    seal = seals.path(run_dir, plan.rule_name(notebooks[0].label))
    content = seal.read_bytes()
    for changed in (*flips(content, 60), content[:-9], b"", b"\xff\xfe", b"[1]\n2\n"):
        seal.write_bytes(changed)
        for sentence in seals.mend(run_dir, notebooks):
            assert " runs again: its " in sentence
        for one in notebooks:
            write_atomic(run_dir / one.output, '{"cells": []}')
        write_atomic(run_dir / PAPER / "claims.json", "[2]\n")
        write_atomic(run_dir / PAPER / "tables" / "table_01.csv", "n\n01_x\n")
    injected("seal: a bit turned, cut off", 64)


def test_a_damaged_manifest_is_written_from_what_the_notebooks_left(left, injected):
    run_dir, notebooks = left
    manifest.write(run_dir, {}, 1, seals.finished(run_dir, notebooks))
    whole = json.loads((run_dir / manifest.NAME).read_text())["notebooks"]
    for text in ("", '{"notebooks": {', "[]", '{"notebooks": 5}', "\0\0"):
        (run_dir / manifest.NAME).write_text(text)
        assert manifest.problem(run_dir) == [
            "manifest.json is damaged: it is written anew from what the notebooks left."
        ]
        manifest.write(run_dir, {}, 1, seals.finished(run_dir, notebooks))
        assert manifest.problem(run_dir) == []
        assert manifest.read(run_dir)["notebooks"] == whole
        injected("manifest.json: cut off, exchanged")


def test_damaged_counts_are_one_sentence(tmp_path, injected):
    notebook = Notebook(tmp_path / "01_toy" / "01_x.ipynb", "toy")
    folder = tmp_path / "run" / "toy" / "costs"
    folder.mkdir(parents=True)
    for text in ("", '{"stages": {"', "[]", '{"stages": 3}', '{"stages": {"a": 1}}'):
        (folder / "01_x.json").write_text(text)
        with pytest.raises(InputError, match=r"01_x.json is damaged: delete .* and run the notebook again"):
            ledger.collect([notebook], tmp_path / "run")
        injected("counts: cut off, exchanged")


def test_half_written_events_are_no_events(tmp_path, injected):
    events.report(tmp_path, "nb_x", "01_toy/01_x", "started")
    path = tmp_path / "nb_x.jsonl"
    whole = path.read_bytes()
    for tail in (b'{"notebook": "01_t', b"\xff\xfe", b"[]", b"\0" * 30):
        path.write_bytes(whole + tail + b"\n" + tail)
        assert events.last(tmp_path, "nb_x")["state"] == "started"
        assert [event["state"] for event in events.Reader(tmp_path).new()] == ["started"]
        injected("events: cut off")


def test_verdicts_of_a_notebook_that_failed_are_dropped(tmp_path):
    file = ClaimsFile(tmp_path / "claims.json")
    file.drop("01_x")  # nothing there
    assert not file.path.exists()
    names = ("paper", "claim", "statement", "source", "published", "measured", "ci_low", "ci_high", "n",
             "test", "verdict", "reason", "notebook")  # fmt: skip
    rows = [dict.fromkeys(names, "") | {"notebook": topic, "claim": topic} for topic in ("01_x", "02_y")]
    file.path.write_text(json.dumps(rows))
    file.drop("01_x")
    assert [entry["notebook"] for entry in file.read()] == ["02_y"]
    file.path.write_text("[{")
    file.drop("01_x")
    assert file.path.read_text() == "[{"
