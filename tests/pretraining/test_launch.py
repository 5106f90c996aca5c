import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from replication.lm import checkpoints
from replication.lm.loading import load as load_lm
from replication.pretraining import corpora, fitting, launch
from replication.pretraining.config import Source, build
from replication.settings import InputError
from replication.testbed import models

NAMES, THINGS = ("Tom", "Ann", "Bo", "Eva"), ("pears", "books", "coins")


def write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def texts(tmp_path):
    """A corpus and clean data of a few texts each."""
    generator = np.random.default_rng(0)

    def story():
        return f"{generator.choice(NAMES)} has {generator.integers(9)} {generator.choice(THINGS)}. How many?"

    write(tmp_path / "corpus.jsonl", [{"text": story()} for _ in range(60)])
    write(tmp_path / "clean.jsonl", [{"question": story(), "answer": "3"} for _ in range(30)])
    return tmp_path


@pytest.fixture
def make(texts):
    """Factory of configurations."""

    def build_config(**changes):
        content = {
            "model": "control-00",
            "output": str(texts / "out"),
            "corpus": [{"path": str(texts / "corpus.jsonl")}],
            "clean_data": [{"path": str(texts / "clean.jsonl"), "text": "{question} {answer}"}],
            "block_length": 16,
            "batch_tokens": 128,
            "reference_batch_tokens": 128,
            "micro_batch": 4,
            "reference_epochs": 1,
            "learning_rate": 1e-3,
            "logging_steps": 1,
            "save_tokens": 256,
            "device": "cpu",
        }
        return build(content | changes)

    return build_config


@pytest.mark.slow
def test_a_whole_run(make, texts):
    said = []
    config = make()
    folder = launch.run(config, say=said.append)
    assert folder == texts / "out" / "runs" / "excess-0.6-batch-0"
    assert said[0].startswith("corpus: ")
    assert any(line.startswith("reference: step 1 of") for line in said)
    log = [line for line in json.loads((folder / "log.json").read_text()) if "loss" in line]
    assert all(line["kept_share"] == pytest.approx(0.6, abs=0.01) for line in log)
    assert log[-1]["loss_all"] < log[0]["loss_all"]
    trained = load_lm(str(folder))  # a model as any other
    assert trained.vocabulary == load_lm("control-00").vocabulary
    assert not list(folder.glob("*.bin"))
    # Again: nothing is done twice.
    before = {path: path.stat().st_mtime_ns for path in (texts / "out").rglob("*") if path.is_file()}
    launch.run(config, say=said.append)
    assert before == {path: path.stat().st_mtime_ns for path in (texts / "out").rglob("*") if path.is_file()}
    assert said[-1].endswith("is done")
    # The controls share everything but the training.
    for changes in ({"score": "all", "ratio": 1.0}, {"score": "random"}):
        said.clear()
        launch.run(make(**changes), say=said.append)
        assert not any("reference" in line or "scored" in line for line in said)
    # Documents kept apart are other blocks: their losses are made anew, in another folder or in place.
    apart = make(packing="documents", output=str(texts / "apart"), reference=str(texts / "out" / "reference"))
    launch.run(apart, say=said.append)
    facts = json.loads((texts / "apart" / "losses" / "reference.json").read_text())
    assert facts["packing"] == "documents"


@pytest.mark.slow
def test_a_training_that_was_killed_goes_on(make, texts, monkeypatch):
    config = make(score="loss", clean_data=[])
    whole = launch.run(make(score="loss", output=str(texts / "whole")), say=str)
    plain, steps = fitting.Lines.on_log, []

    def die(self, args, state, control, **kwargs):
        steps.append(state.global_step)
        if state.global_step == 3 and 1 in steps:
            raise KeyboardInterrupt
        return plain(self, args, state, control, **kwargs)

    monkeypatch.setattr(fitting.Lines, "on_log", die)
    with pytest.raises(KeyboardInterrupt):
        launch.run(config, say=str)
    folder = texts / "out" / "runs" / config.run
    # A checkpoint that was being written when the kill came has no state yet.
    (folder / "checkpoint-99").mkdir()
    # And what was damaged afterwards is not gone on from.
    shutil.copytree(folder / "checkpoint-2", folder / "checkpoint-3")
    with (folder / "checkpoint-3" / "model.safetensors").open("r+b") as file:
        file.truncate(1000)
    said = []
    assert checkpoints.last_whole(folder, said.append) == str(folder / "checkpoint-2")
    assert said == ["checkpoint-3/model.safetensors is damaged: the training goes on from an earlier state."]
    shutil.rmtree(folder / "checkpoint-3")
    steps.clear()
    launch.run(config, say=str)
    assert steps[0] == 3
    assert torch.equal(
        *(load_file(path / "model.safetensors")["model.norm.weight"] for path in (folder, whole))
    )
    logs = [json.loads((path / "log.json").read_text()) for path in (folder, whole)]
    assert [line.get("loss") for line in logs[0]][2:-1] == [line.get("loss") for line in logs[1]][2:-1]
    with pytest.raises(InputError, match="holds a training with other settings"):
        launch.run(make(score="loss", learning_rate=2e-3), say=str)


@pytest.mark.slow
def test_two_processes_from_the_command_line(texts):
    config = texts / "config.yaml"
    content = {
        "model": "control-00",
        "reference": str(models.folder("control-08")),
        "output": str(texts / "two"),
        "corpus": [{"path": str(texts / "corpus.jsonl")}],
        "block_length": 16,
        "batch_tokens": 128,
        "micro_batch": 2,
        "logging_steps": 1,
        "save_tokens": 256,
        "device": "cpu",
        "learning_rate": 0.001,
    }
    config.write_text(json.dumps(content))
    # With --cpu the launcher starts a single process, whatever number is asked for.
    accelerate = [str(Path(sys.executable).with_name("accelerate")), "launch", "--multi_gpu",
                  "--num_machines", "1", "--mixed_precision", "no", "--dynamo_backend", "no"]  # fmt: skip
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TQDM_DISABLE": "1"}
    command = ["-m", "replication.pretraining.rho1", "--config", str(config)]
    two = subprocess.run(
        [*accelerate, "--num_processes", "2", "--main_process_port", "0", *command],
        env=environment, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert two.returncode == 0, two.stderr[-3000:]
    assert two.stdout.count("step 1 of") == 1  # one process speaks
    states = {path.name for path in (texts / "two").rglob("checkpoint-*/rng_state*")}
    assert states == {"rng_state_0.pth", "rng_state_1.pth"}  # one for each process
    one = launch.run(build(content | {"output": str(texts / "one"), "micro_batch": 4}), say=str)
    both = [load_file(path / "model.safetensors") for path in (one, texts / "two" / "runs" / one.name)]
    for name, value in both[0].items():
        assert torch.allclose(value, both[1][name], atol=2e-5)


def test_what_is_refused_before_the_work(make, texts):
    write(texts / "other.jsonl", [{"body": "x"}])
    (texts / "empty.jsonl").write_text("")
    (texts / "notes.txt").write_text("x")
    long = {"block_length": 1024, "batch_tokens": 8192, "reference_batch_tokens": 8192}
    cases = [
        ({"model": "testbad"}, "Unknown model 'testbad'"),
        ({"reference": str(texts / "none")}, "does not exist: give an existing folder"),
        ({"reference": "testbed-wide"}, "has another tokenizer than control-00"),
        (long, r"longer than control-00 takes \(512\)"),
        ({"corpus": [{"path": str(texts / "none.jsonl")}]}, "does not exist: give a file"),
        ({"corpus": [{"path": str(texts / "other.jsonl")}]}, "lacks text, it has body"),
        ({"corpus": [{"path": str(texts / "empty.jsonl")}]}, "holds no texts|cannot be read"),
        ({"corpus": [{"path": str(texts / "notes.txt")}]}, "files of one kind"),
        ({"micro_batch": 64}, "less than one micro-batch on every device"),
        ({"batch_tokens": 2**16}, "fewer than the 4096 of one step"),
    ]  # fmt: skip
    for changes, says in cases:
        with pytest.raises(InputError, match=says):
            launch.run(make(**changes), say=str)
    assert not (texts / "out" / "reference").exists()


def test_the_command_line(make, texts, capsys):
    path = texts / "c.yaml"
    path.write_text(
        "model: testbed\noutput: o\nreference: testbed\nblock_length: 64\n"
        "corpus:\n  - path: none.jsonl\n    tokens: 1000\n"
    )
    launch.main(["--config", str(path), "--plan"])
    assert "tokens processed        1000 in 1 steps" in capsys.readouterr().out
    for changes, says in ((["ratio=2"], "ratio in (0, 1]"), ([], "none.jsonl' does not exist")):
        with pytest.raises(SystemExit) as error:
            launch.main(["--config", str(path), "--set", f"output={texts}/o", *changes])
        assert error.value.code == 2
        assert says in capsys.readouterr().err


def test_texts_of_files(texts):
    source = Source(str(texts / "clean.jsonl"), text="{question}|{answer}")
    assert next(corpora.texts(source)).endswith("How many?|3")
    (texts / "many").mkdir()
    for i in range(2):
        write(texts / "many" / f"{i}.jsonl", [{"text": f"{i}-{j}"} for j in range(3)])
    assert list(corpora.texts(Source(str(texts / "many")))) == ["0-0", "0-1", "0-2", "1-0", "1-1", "1-2"]


def test_blocks_are_packed_once_and_again_when_files_change(texts):
    tokenizer = load_lm("control-00").tokenizer
    source = Source(str(texts / "corpus.jsonl"), tokens=300)

    def blocks(*arguments):
        return corpora.blocks(texts / "blocks", [source], tokenizer, *arguments)

    found = blocks(16, "concatenated")
    assert 250 < len(found) * 16 <= 320  # the limit, to the end of a document
    assert set(found[0]) == {"input_ids"}
    ids = [token for row in found for token in row["input_ids"]]
    assert ids[0] == tokenizer.bos_token_id
    assert tokenizer.eos_token_id in ids
    written = (texts / "blocks" / "blocks.arrow").stat().st_mtime_ns
    assert blocks(16, "concatenated").to_dict() == found.to_dict()
    assert (texts / "blocks" / "blocks.arrow").stat().st_mtime_ns == written
    whole, arrow = found.to_dict(), texts / "blocks" / "blocks.arrow"
    content = bytearray(arrow.read_bytes())
    content[-300] ^= 7  # a changed token would be learnt from
    fresh = arrow.with_name("fresh")
    fresh.write_bytes(content)
    fresh.replace(arrow)
    assert blocks(16, "concatenated").to_dict() == whole
    (texts / "blocks" / "blocks.json").write_text('{"key": ')
    assert blocks(16, "concatenated").to_dict() == whole
    write(texts / "corpus.jsonl", [{"text": "Ann has 2 books."}] * 9)
    assert blocks(16, "concatenated").to_dict() != found.to_dict()
    assert set(blocks(16, "documents")[0]) == {"input_ids", "labels", "position_ids"}
    with pytest.raises(InputError, match="do not fill one block of 4096"):
        blocks(4096, "concatenated")
