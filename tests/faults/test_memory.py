"""Memory that runs out: the engine goes on with smaller batches, a training says what to do."""

import json
import subprocess
import sys

import pandas as pd
import pytest
import torch

from replication.lm import engine
from replication.lm.loading import load
from replication.lm.trainings import OnceTrained
from replication.settings import InputError, Settings
from replication.tasks import load_task

ERRORS = {
    "a GPU's": torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    "the CPU allocator's": RuntimeError(
        "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you "
        "tried to allocate 4194304 bytes. Error code 12 (Cannot allocate memory)"
    ),
    "Python's": MemoryError(),
}


@pytest.fixture(scope="module")
def asked():
    lm, task = load("testbed-small"), load_task("coins")
    questions = task.questions("test", 6, 0)
    prompts = [lm.prompt(task.prompt(question)) for question in questions]
    return lm, prompts, {"branches": 2, "first": "top-k", "max_new_tokens": 8}


@pytest.mark.parametrize("kind", ERRORS)
def test_the_engine_goes_on_with_smaller_batches(asked, monkeypatch, injected, kind):
    lm, prompts, options = asked
    expected = engine.generate(lm, prompts, **options)
    plain, sizes = engine._Run._batch, []

    def batch(self, items):
        sizes.append(sum(item.rows for item in items))
        if sizes[-1] > 3:
            raise ERRORS[kind]
        return plain(self, items)

    monkeypatch.setattr(engine._Run, "_batch", batch)
    found = engine.generate(lm, prompts, **options)
    assert max(sizes) > 3 >= sizes[-1]
    exact = ["question", "branch", "tokens", "text"]
    pd.testing.assert_frame_equal(found[exact], expected[exact])
    injected("out of memory: engine", sum(size > 3 for size in sizes))


# Addresses are limited just above what the process has, so that a batch of all prompts does not fit and a
# smaller one does. No two prompts are alike: those that are would be read once.
LIMITED = """
import json, resource
import torch
from replication.lm import engine
from replication.lm.loading import load
torch.set_num_threads(1)
lm = load("testbed-small")
prompts = [lm.encode(f"{number} coins. " + "Ann flips the coin. " * 30) for number in range(600)]
options = {"max_new_tokens": 6}
expected = engine.generate(lm, prompts, token_budget=2**13, **options)  # also what the libraries take once
taken = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
room = ROOM * 2**20
resource.setrlimit(resource.RLIMIT_AS, (taken + room, taken + room))
tries, smaller = [], engine._Run._smaller
engine._Run._smaller = lambda self, *given: (tries.append(given), smaller(self, *given))[1]
found = engine.generate(lm, prompts, token_budget=2**22, **options)
same = [list(a) == list(b) for a, b in zip(found["tokens"], expected["tokens"], strict=True)]
print(json.dumps({"tries": len(tries), "paths": len(found), "same": sum(same)}))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the limit of addresses is Linux's")
def test_the_engine_goes_on_under_a_real_limit(injected):
    command = [sys.executable, "-c", LIMITED.replace("ROOM", "200")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads(done.stdout.splitlines()[-1])
    assert found["tries"] >= 1
    assert found["paths"] == 600
    assert found["same"] >= 594  # near-ties may fall otherwise in a batch of another size
    injected("out of memory: engine, a real limit", found["tries"])


@pytest.mark.parametrize("kind", ERRORS)
def test_a_training_without_memory_is_one_sentence_and_the_finished_ones_stay(tmp_path, injected, kind):
    settings = Settings("rho1", "smoke", "testbed", "stories", "", 0, "cpu", tmp_path, "stories")
    once, short = OnceTrained(settings), [True]

    def train(folder):
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        if short and train.done:
            raise ERRORS[kind]
        train.done += 1
        return {"log": pd.DataFrame({"loss": [1.0]})}

    train.done = 0
    first, _ = once.once("a", {"seed": 0}, ("log",), train)
    with pytest.raises(InputError, match=r"^The training a-\w{12} ran out of memory on cpu: take a sm"):
        once.once("a", {"seed": 1}, ("log",), train)
    assert [folder.name for folder in first.parent.iterdir()] == [first.name]
    short.clear()
    once.once("a", {"seed": 0}, ("log",), train)
    assert train.done == 1
    once.once("a", {"seed": 1}, ("log",), train)
    assert train.done == 2
    injected("out of memory: training")
