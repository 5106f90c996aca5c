"""Two processes (gloo) against one: the same tokens kept bit for bit, the same losses and weights."""

import importlib.util
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from replication.pretraining import ranks

SCRIPT = Path(__file__).with_name("two_ranks.py")


@pytest.fixture(scope="module")
def blocks():
    """24 blocks of different lengths, some labels left out; losses of the reference with many ties."""
    generator = torch.Generator().manual_seed(2)
    found = []
    for i in range(24):
        ids = torch.randint(1, 61, (12 - i % 4,), generator=generator).tolist()
        labels = [-100 if (i + j) % 5 == 0 else token for j, token in enumerate(ids)]
        reference = torch.randint(2, 5, (len(ids),), generator=generator).float().tolist()
        found.append({"input_ids": ids, "labels": labels, "reference_loss": reference})
    return found


@pytest.fixture(scope="module")
def two(blocks, tmp_path_factory):
    """What both processes found."""
    folder = tmp_path_factory.mktemp("ranks")
    (folder / "rows.json").write_text(json.dumps(blocks))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2",
                                "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}  # fmt: skip
    command = [sys.executable, str(SCRIPT), str(folder / "rows.json"), str(folder)]
    logs = [folder / f"log-{i}" for i in range(2)]
    started = []
    for i, log in enumerate(logs):
        with log.open("w") as file:
            place = environment | {"RANK": str(i), "LOCAL_RANK": str(i)}
            started.append(subprocess.Popen(command, env=place, stdout=file, stderr=file))
    try:
        codes = [process.wait(timeout=150) for process in started]
    finally:
        for process in started:
            process.kill()
            process.wait()
    assert codes == [0, 0], "\n".join(log.read_text()[-3000:] for log in logs)
    return [json.loads((folder / f"rank-{i}.json").read_text()) for i in range(2)]


def load_script():
    spec = importlib.util.spec_from_file_location("two_ranks", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
@pytest.mark.parametrize("name", ["excess", "excess, accumulated", "random", "sequence", "all"])
def test_two_processes_train_as_one(two, blocks, tmp_path, name):
    script = load_script()
    selection, _ = script.CASES[name]
    one = script.run(blocks, tmp_path, selection, 8, 1)
    assert sorted(two[0][name]["kept"] + two[1][name]["kept"]) == sorted(one["kept"])
    for rank in two:
        assert np.allclose(rank[name]["lines"], one["lines"], rtol=2e-6, atol=1e-6)
        assert rank[name]["weights"] == pytest.approx(one["weights"], rel=1e-6)


@pytest.mark.slow
def test_tensors_of_different_lengths_are_gathered(two):
    assert [rank["gathered"] for rank in two] == [[[0, 1], [0, 1, 2]]] * 2


def test_one_process_exchanges_nothing():
    own = torch.tensor([1.0, 2.0])
    assert not ranks.several()
    assert ranks.rank() == 0
    assert ranks.gather(own)[0] is own
    assert ranks.total(own) is own


def test_the_mean_over_ranks_is_that_over_tokens():
    # Kept losses [3, 2, 1] and [5]: the mean of both ranks' local losses W sum / K is the mean of all four.
    local = [2 * 6 / 4, 2 * 5 / 4]
    assert local == [3.0, 2.5]
    assert sum(local) / 2 == 11 / 4
    assert (6 / 3 + 5 / 1) / 2 == 3.5  # a mean of means weighs the single token three times
