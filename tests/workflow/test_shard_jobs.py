"""A whole run in shards: two workers fill the records of a toy notebook, which then finds them."""

import json
import os
import subprocess
import sys

import pytest

from replication.lm import shards

pytestmark = pytest.mark.slow
NOTEBOOK = """
import os, pathlib, time
import pandas as pd
from replication.lm.records import Store

paper = pathlib.Path(results_dir) / "cpu-toy-model" / "cot_decoding"
done = pathlib.Path({done!r})

def run(items):
    (done / f"{{items[0]}}-{{os.getpid()}}").touch()
    time.sleep(1.0)
    return pd.DataFrame({{"item": items, "square": [item * item for item in items]}})

table = Store(paper / "records").stage(
    "toy", {{"seed": seed}}, list(range(12)), run, chunk=2, modules=("replication.lm.measures",)
)
(paper / "tables").mkdir(parents=True, exist_ok=True)
table.to_csv(paper / "tables" / "table_1.csv", index=False)
"""


def test_workers_share_the_records_and_the_notebook_finds_them(tmp_path, toy, model, monkeypatch):
    done, notebooks, results = tmp_path / "done", tmp_path / "notebooks", tmp_path / "results"
    done.mkdir()
    source = NOTEBOOK.format(done=str(done))
    toy(notebooks / "01_cot_decoding" / "01_x.ipynb", source)
    command = [sys.executable, "-m", "replication", "reproduce", "--notebooks", notebooks, "--shards", 2]
    command += ["--results", results, "--model", model]
    call = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    run_dir = results / "cpu-toy-model"
    work = run_dir / ".workflow"
    assert call.returncode == 0, call.stdout + (work / "snakemake.log").read_text()[-2000:]
    assert "1 notebooks in 2 shards, 2 at a time" in call.stdout
    computed = sorted(path.name.partition("-") for path in done.iterdir())
    assert sorted(int(first) for first, _, _ in computed) == list(range(0, 12, 2))  # each part once
    assert not list(work.glob("shards/*"))
    assert sorted(path.name for path in (work / "logs" / "01_cot_decoding").iterdir()) == [
        "01_x.log", "01_x.shard-1.log", "01_x.shard-2.log",
    ]  # fmt: skip
    lines = [line for path in (work / "events").iterdir() for line in path.read_text().splitlines()]
    events = [json.loads(line) for line in lines]
    assert sorted(one.get("shard", 0) for one in events if one["state"] == "done") == [0, 1, 2]

    monkeypatch.delenv(shards.VARIABLE, raising=False)
    exec(source, {"results_dir": str(tmp_path / "alone"), "seed": 0})
    alone = tmp_path / "alone" / "cpu-toy-model" / "cot_decoding"
    for path in (*alone.glob("tables/*"), *alone.glob("records/*.parquet")):
        assert path.read_bytes() == (run_dir / "cot_decoding" / path.relative_to(alone)).read_bytes()
    assert os.listdir(alone / "tables") == ["table_1.csv"]
