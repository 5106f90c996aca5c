"""No secret of the environment reaches a file or a screen, whatever a notebook prints or how it fails."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from replication.workflow import redaction

SECRETS = {
    "HF_TOKEN": "hf_canary5f1c77",
    "OPENAI_API_KEY": 'sk-canary-0a"b\\c',
    "AWS_SECRET_ACCESS_KEY": "canary/aws+81b0f0",
    "WANDB_API_KEY": "canary-wandb-22d1",
    "DATABASE_PASSWORD": "canary pass word",
    "HTTPS_PROXY": "http://somebody:canary-proxy-77@127.0.0.1:9",
}
OTHERS = {
    "TOKENIZERS_PARALLELISM": "false12345",
    "MAX_TOKEN": "1000000000",
    "KEY_FILE": os.sep,
    "MY_TOKEN": "short",
}


def test_what_counts_as_a_secret():
    found = redaction.values(SECRETS | OTHERS)
    assert sorted(found) == sorted(
        ["canary-proxy-77", *(value for name, value in SECRETS.items() if name != "HTTPS_PROXY")]
    )
    assert found == sorted(found, key=len, reverse=True)


def test_secrets_go_and_the_rest_stays(monkeypatch):
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    text = json.dumps([*SECRETS.values(), "the rest"])
    cleaned = json.loads(redaction.hidden(text))
    proxy = SECRETS["HTTPS_PROXY"].replace("canary-proxy-77", "[hidden]")
    assert cleaned == [*["[hidden]"] * (len(SECRETS) - 1), proxy, "the rest"]
    printed = json.dumps(str(SECRETS))  # a printed mapping, stored in a notebook
    assert "canary" in printed
    assert "canary" not in redaction.hidden(printed)


STORES = """
import pathlib, pandas as pd
from replication.lm.records import Store
paper = pathlib.Path(results_dir) / "cpu-toy-model" / "cot_decoding"
table = Store(paper / "records").stage(
    "toy", {"seed": seed}, [1, 2], lambda items: pd.DataFrame({"item": items}), chunk=1,
    modules=("replication.lm.measures",),
)
print(len(table))
"""
FAILS = """
import os
def connect(token=os.environ["HF_TOKEN"]):
    raise RuntimeError(f"the server refused {token} by " + os.environ["HTTPS_PROXY"])
print(dict(os.environ))
connect()
"""


PRINTS = """
import os
print(dict(os.environ))
"""
DIES = """
import time
time.sleep(600)
"""


@pytest.mark.slow
def test_a_killed_run_leaves_no_secret(tmp_path, toy):
    source, output = tmp_path / "01_cot_decoding" / "01_dies.ipynb", tmp_path / "out" / "01_dies.ipynb"
    toy(source, PRINTS, DIES)
    command = [sys.executable, "-m", "replication", "run", str(source), "-o", str(output)]
    run = subprocess.Popen(command, env=os.environ | SECRETS, start_new_session=True)
    partial = output.with_name(".01_dies.partial.ipynb")
    try:
        for _ in range(600):
            if partial.is_file() and "[hidden]" in partial.read_text():
                break
            assert run.poll() is None
            time.sleep(0.1)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    left = partial.read_text()
    assert "[hidden]" in left
    assert "canary" not in left


@pytest.mark.slow
def test_nothing_that_is_written_or_said_holds_a_secret(tmp_path, toy, model):
    notebooks, results = tmp_path / "notebooks", tmp_path / "results"
    toy(notebooks / "01_cot_decoding" / "01_stores.ipynb", STORES)
    toy(notebooks / "01_cot_decoding" / "02_fails.ipynb", FAILS)
    told = os.environ | SECRETS
    said = []
    where = ["--results", str(results)]
    for words in (
        ["reproduce", "--notebooks", str(notebooks), "--shards", "2", "--model", str(model), *where],
        ["doctor", "--json", *where],
        ["list", "--json", "--run", "cpu-toy-model", "--notebooks", str(notebooks), *where],
        ["report", "--model", str(model), *where],
    ):
        call = subprocess.run(
            [sys.executable, "-m", "replication", *words],
            capture_output=True,
            text=True,
            env=told,
            check=False,
        )
        said.append(call.stdout + call.stderr)
    assert "FAILED" in said[0]
    assert "the server refused [hidden] by http://somebody:[hidden]@127.0.0.1:9" in said[0]
    run_dir = results / "cpu-toy-model"
    files = {path: path.read_bytes() for path in results.rglob("*") if path.is_file()}
    names = {path.name for path in files}
    assert {"02_fails.failed.ipynb", "02_fails.log", "01_stores.shard-1.log", "manifest.json"} <= names
    assert b"[hidden]" in files[run_dir / "cot_decoding" / "notebooks" / "02_fails.failed.ipynb"]
    assert not [path for path, content in files.items() if b"canary" in content]
    assert not [text for text in said if "canary" in text]


@pytest.mark.slow
def test_a_hub_behind_a_proxy_that_does_not_answer_is_told_without_the_password():
    code = "from replication.lm.locating import check; check('org/none')"
    told = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"} | SECRETS
    call = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=told, check=False)
    assert "the hub cannot be reached" in call.stderr
    assert "canary" not in call.stdout + call.stderr
