"""The hub's mirror, what it serves, and the environment in which processes use it."""

import importlib.util
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from replication.testbed import models

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CARD = """---
configs:
- config_name: main
  data_files:
  - split: train
    path: main/train-*
  - split: test
    path: main/test-*
---
"""
CLOSED = "http://127.0.0.1:9"
LOOPBACK = "127.0.0.1,localhost"
REMOVED = ("HF_TOKEN", "HF_HUB_OFFLINE", "HF_HUB_CACHE", "HF_DATASETS_CACHE", "HF_DATASETS_OFFLINE",
           "TRANSFORMERS_OFFLINE", "REPLICATION_RESULTS", "ALL_PROXY", "all_proxy")  # fmt: skip


def module(name: str):
    spec = importlib.util.spec_from_file_location(f"hub_{name}", HERE / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = found
    spec.loader.exec_module(found)
    return found


def model_files(name: str = "testbed-small") -> dict[str, bytes]:
    """The files of a shipped model that a hub repository has."""
    wanted = ("config.json", "generation_config.json", "model.safetensors", "tokenizer.json",
              "tokenizer_config.json")  # fmt: skip
    return {file: (models.folder(name) / file).read_bytes() for file in wanted}


def word_problems(number: int) -> list[dict[str, str]]:
    """Questions and answers in the form of GSM8K."""
    rows = []
    for i in range(number):
        first, second = 2 + i % 7, 3 + i % 5
        total = first + second
        work = f"Tom has {first}+{second}=<<{first}+{second}={total}>>{total} pears.\n#### {total}"
        rows.append({"question": f"Tom has {first} pears. Ann gives him {second} more. "
                     f"How many pears does Tom have? ({i})", "answer": work})  # fmt: skip
    return rows


def parquet(rows: list[dict[str, str]]) -> bytes:
    file = io.BytesIO()
    pd.DataFrame(rows).to_parquet(file, index=False)
    return file.getvalue()


def data_files() -> dict[str, bytes]:
    """GSM8K as it lies on the hub: a card that names the splits' Parquet files."""
    parts = {"train": word_problems(60), "test": word_problems(40)}
    files = {f"main/{part}-00000-of-00001.parquet": parquet(rows) for part, rows in parts.items()}
    return {"README.md": CARD.encode(), **files}


def json_files() -> dict[str, bytes]:
    """A data set in files of JSON lines, with the columns of MultiArith."""
    rows = ({"question": row["question"], "final_ans": row["answer"].split()[-1]} for row in word_problems(6))
    lines = "".join(json.dumps(row) + "\n" for row in rows).encode()
    return {"train.json": lines, "test.json": lines}


@pytest.fixture(scope="module")
def mirror():
    """A running mirror; each test adds the repositories that it needs."""
    with module("mirror").Mirror().running() as found:
        yield found


@pytest.fixture(scope="module")
def shipped(mirror):
    """Writer of a model's repository: `shipped("org/name")` returns it with one commit, a testbed model's."""

    def add(name: str, files: dict[str, bytes] | None = None, gated: bool = False):
        repository = mirror.repository(name, gated=gated)
        repository.commit(files or model_files())
        return repository

    return add


@pytest.fixture(scope="module")
def data_sets(mirror):
    """Two data sets as tasks ask for them: one of Parquet files with a card, one of JSON lines without."""
    mirror.repository("openai/gsm8k", "datasets").commit(data_files())
    mirror.repository("ChilleD/MultiArith", "datasets").commit(json_files())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the caches lie; nothing in it may tell of a connection that left the machine."""
    path = tmp_path_factory.mktemp("hub")
    yield path
    outside = path / "outside.log"
    assert not outside.exists(), outside.read_text()


@pytest.fixture(scope="module")
def environment(mirror, folder):
    """Factory of environments: the mirror is the hub, caches are new, other addresses are closed."""

    def build(offline: bool = False) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name not in REMOVED}
        closed = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), CLOSED)
        wanted = {
            "HF_ENDPOINT": mirror.url, "HF_HOME": str(folder / "home"),
            "OUTSIDE_LOG": str(folder / "outside.log"), "PYTHONPATH": f"{HERE}{os.pathsep}{ROOT}",
            "NO_PROXY": LOOPBACK, "no_proxy": LOOPBACK,
            "OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1", "TOKENIZERS_PARALLELISM": "false",
        }  # fmt: skip
        return kept | closed | wanted | ({"HF_HUB_OFFLINE": "1"} if offline else {})

    return build


@pytest.fixture(scope="module")
def start(environment):
    """Factory of processes: `start()(call, argument, ...)` returns what the call gave or the error's text."""
    started = []

    def process(offline: bool = False):
        child = subprocess.Popen(
            [sys.executable, str(HERE / "client.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, env=environment(offline),
        )  # fmt: skip
        started.append(child)

        def ask(*call: object) -> SimpleNamespace:
            child.stdin.write(json.dumps(call) + "\n")
            child.stdin.flush()
            answer = json.loads(child.stdout.readline())
            return SimpleNamespace(**{"result": None, "error": "", "kind": ""} | answer)

        return ask

    yield process
    for child in started:
        child.stdin.close()
        child.stdout.close()
        child.kill()
        child.wait()


@pytest.fixture(scope="module")
def ask(start):
    """A process with the hub in reach."""
    return start()
