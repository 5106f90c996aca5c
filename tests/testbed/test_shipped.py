"""The shipped checkpoints: intact, small enough, and as good as their cards say."""

import json

import pytest
import torch
from transformers import LlamaForCausalLM

from replication.testbed import examination, models, tokenizer, training

TOLERANCE = 0.08  # 4 of 50 questions: another kind of processor may turn a few near-ties
LOSS_TOLERANCE = 0.005  # nats per token; nothing is trained here, so that only rounding can move it
MEGABYTES = 25
SHIPPED = sorted(path.parent.name for path in models.CHECKPOINTS.glob("*/card.json"))


def test_every_checkpoint_is_there_and_unchanged():
    assert models.verify() == []


def test_checkpoints_fit_the_limit():
    files = [file for file in models.CHECKPOINTS.glob("*/*") if file.is_file()]  # not the state of a training
    size = sum(file.stat().st_size for file in files)
    assert len(files) > 40
    assert size <= MEGABYTES * 2**20


@pytest.mark.parametrize(
    "path", sorted(models.CHECKPOINTS.glob("*/tokenizer.json")), ids=lambda p: p.parent.name
)
def test_shipped_tokenizers_pad_nothing_by_themselves(path):
    assert json.loads(path.read_text())["padding"] is None


@pytest.mark.parametrize("name", SHIPPED)
def test_accuracy_is_that_of_the_card(name, monkeypatch):
    exam = "plain, 3 steps"
    monkeypatch.setattr(examination, "EXAMS", {exam: examination.EXAMS[exam]})
    folder = models.folder(name)
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    marks = examination.examine(model, tokenizer.load(folder))[exam]
    assert marks == pytest.approx(models.card(name)["accuracy"][exam], abs=TOLERANCE)


@pytest.mark.parametrize("name", SHIPPED)
def test_loss_is_that_of_the_card(name):
    """The controls hardly differ in accuracy on three steps; in the loss on their own corpus they do."""
    folder = models.folder(name)
    model = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    batch = training.validation_batch(tokenizer.load(folder), models.recipe(name).mix)
    assert training.evaluate(model, batch) == pytest.approx(
        models.card(name)["validation_loss"], abs=LOSS_TOLERANCE
    )
