"""A run of the launcher from a file to an adapter, and what stops it before it begins."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file

from replication.alignment import config as configuration
from replication.alignment import launch
from replication.alignment.config import Config
from replication.settings import InputError

FILES = sorted((Path(__file__).parents[2] / "env/cdpo").glob("*_lora.yaml"))


@pytest.fixture
def make(tmp_path, save_model, pair_rows):
    """Factory of configurations of a small run."""

    def build(rows=None, **changes):
        rows = pair_rows(6) if rows is None else rows
        data = tmp_path / "pairs.jsonl"
        data.write_text("".join(json.dumps(row) + "\n" for row in rows))
        plain = {"model": save_model(0), "output": str(tmp_path / "out"), "data": str(data), "device": "cpu",
                 "batch_pairs": 2, "micro_batch": 1, "epochs": 1, "learning_rate": 1e-2, "lora_rank": 2,
                 "logging_steps": 1, "save_steps": 2}  # fmt: skip
        return Config(**plain | changes)

    return build


@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")
@pytest.mark.parametrize("method", ["cdpo", "tdpo2"])
def test_a_run_leaves_an_adapter_and_goes_on_from_a_checkpoint(make, method):
    config, lines = make(method=method), []
    folder = launch.run(config, lines.append)
    tensors = load_file(folder / "adapter_model.safetensors")
    assert any(tensor.any() for name, tensor in tensors.items() if "lora_B" in name)
    assert lines == ["pairs: 6, left out as too long: 0"]
    state = json.loads((Path(config.output) / "checkpoint-3/trainer_state.json").read_text())
    losses = [line["loss"] for line in state["log_history"] if "loss" in line]
    assert len(losses) == 3
    assert losses[0] == pytest.approx(0.693147, abs=1e-5)
    launch.run(config, lines.append)  # nothing is left to do
    again = load_file(folder / "adapter_model.safetensors")
    assert all((again[name] == tensor).all() for name, tensor in tensors.items())


def test_texts_are_tokenised_with_an_end_and_ids_are_taken_as_they_are(make, tokenizer):
    config = make([{"prompt": "w3 w4", "chosen": "w5", "rejected": [6, 7], "rejected_weights": [0.5, 1]}])
    (pair,) = launch.read_pairs(config, tokenizer)
    assert (pair.prompt, pair.chosen, pair.rejected) == ((3, 4), (5, 2), (6, 7))
    assert pair.weights == (0.5, 1.0)


def test_long_pairs_are_left_out_and_counted(make, tokenizer):
    config = make(longest=12, longest_prompt=5)
    pairs, report = launch.usable(launch.read_pairs(config, tokenizer), config)
    assert all(pair.length <= 12 and len(pair.prompt) <= 5 for pair in pairs)
    assert 0 < report["pairs"] == len(pairs) < 6
    assert sum(report.values()) == 6
    with pytest.raises(InputError, match="no preference pair"):
        launch.usable(launch.read_pairs(config, tokenizer), replace(config, longest=3, longest_prompt=2))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rows": [{"prompt": "w3", "chosen": "w4"}]}, "lacks rejected"),
        ({"rows": [{"prompt": "w3", "chosen": "w4", "rejected": "w5"}]}, "needs rejected_weights"),
        (
            {"rows": [{"prompt": "w3", "chosen": "w4", "rejected": "w5", "rejected_weights": [1]}]},
            "1 weights",
        ),
        ({"data": "nowhere.jsonl"}, "does not exist"),
        ({"micro_batch": 4}, "do not divide"),
    ],
)
def test_what_stops_a_run(make, changes, message):
    with pytest.raises(InputError, match=message):
        launch.run(make(**changes), lambda line: None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"method": "ppo"}, "Unknown method"),
        ({"schedule": "no"}, "schedule"),
        ({"device": "tpu"}, "device"),
        ({"micro_batch": 0}, "micro_batch needs 1"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"longest": 512}, "longest_prompt"),
        ({"utilisation": 0.0}, "utilisation"),
    ],
)
def test_bad_configurations_are_refused(make, changes, message):
    with pytest.raises(InputError, match=message):
        make(**changes)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_files_are_read_and_planned(path, capsys):
    launch.main(["--config", str(path), "--plan", "--set", "epochs=1"])
    shown = capsys.readouterr().out
    assert "8B" in shown
    assert "70B" in shown
    assert configuration.read(path).objective.beta == 1.0


def test_a_wrong_input_ends_with_a_sentence(tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        launch.main(["--config", str(tmp_path / "none.yaml")])
    assert end.value.code == 2
    assert "does not exist" in capsys.readouterr().err
