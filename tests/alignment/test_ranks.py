"""Two processes (gloo) against one with the same pairs in a step: plain copies, and weights in shards."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from replication.alignment import config as configuration
from replication.alignment import launch

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning"),
]
SCRIPT = Path(__file__).with_name("two_ranks.py")
ACCELERATE = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2",
              "--num_machines", "1", "--main_process_port", "0", "--mixed_precision", "no",
              "--dynamo_backend", "no"]  # fmt: skip
METHODS = ("cdpo", "tdpo2")
WAYS = ("copies", "sharded")


@pytest.fixture(scope="module")
def config(tmp_path_factory, save_model, pair_rows):
    """A file of a run: 8 pairs, twice, 4 in a step."""
    folder = tmp_path_factory.mktemp("ranks")
    (folder / "pairs.jsonl").write_text("".join(json.dumps(row) + "\n" for row in pair_rows(8)))
    content = {"model": save_model(0), "output": str(folder / "none"), "data": str(folder / "pairs.jsonl"),
               "device": "cpu", "batch_pairs": 4, "micro_batch": 2, "epochs": 2, "learning_rate": 1e-3,
               "lora_rank": 2, "logging_steps": 1, "save_steps": 4}  # fmt: skip
    (folder / "config.yaml").write_text(json.dumps(content))
    return folder / "config.yaml"


@pytest.fixture(scope="module")
def two(config):
    """Outputs of two processes by way and method, all made by one launch."""
    outputs = {(way, method): config.parent / f"{way}-{method}" for way in WAYS for method in METHODS}
    cases = [f"{way}:method={method},output={place}" for (way, method), place in outputs.items()]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1",
                                "ACCELERATE_USE_CPU": "true"}  # fmt: skip
    done = subprocess.run(
        [*ACCELERATE, str(SCRIPT), str(config), *cases],
        env=environment, capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    # The launcher's own report comes last and says nothing of the cause.
    assert done.returncode == 0, re.split(r"^E\d{4} ", done.stderr, flags=re.MULTILINE)[0][-3000:]
    assert done.stdout.count("pairs: 8") == len(cases)  # one process speaks
    return outputs


@pytest.fixture(scope="module")
def one(config):
    """Outputs of one process by method; it takes two micro-batches a step."""
    plain = configuration.read(config)
    outputs = {method: config.parent / f"one-{method}" for method in METHODS}
    for method, place in outputs.items():
        launch.run(replace(plain, method=method, output=str(place)), str)
    return outputs


def log(output: Path) -> list[dict[str, float]]:
    state = json.loads((output / "checkpoint-4" / "trainer_state.json").read_text())
    return [line for line in state["log_history"] if "loss" in line]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("way", WAYS)
def test_two_processes_train_as_one(two, one, way, method):
    lines, expected = log(two[way, method]), log(one[method])
    assert len(lines) == 4
    assert expected[-1]["loss"] < expected[0]["loss"] - 0.01
    for line, wanted in zip(lines, expected, strict=True):
        assert line == pytest.approx(wanted, rel=1e-4, abs=1e-5)
    adapter, wanted = (load_file(place / "adapter/adapter_model.safetensors")
                       for place in (two[way, method], one[method]))  # fmt: skip
    assert adapter.keys() == wanted.keys()
    for name, value in adapter.items():
        assert torch.allclose(value, wanted[name], atol=1e-5), name


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("way", WAYS)
def test_the_processes_were_two_and_shared_what_they_should(two, way, method):
    facts = [json.loads((two[way, method] / f"adapter/facts-{rank}.json").read_text()) for rank in range(2)]
    for rank in facts:
        assert (rank["processes"], rank["device"]) == (2, "cpu")
        assert len(rank["shares"]) == (rank["weights"] if way == "sharded" else 0)
        assert rank["shares"] == pytest.approx(
            [0.5] * len(rank["shares"]), abs=0.01
        )  # odd sizes part unevenly
    shares = [rank["shares"] for rank in facts]
    assert all(sum(both) == pytest.approx(1) for both in zip(*shares, strict=True))
