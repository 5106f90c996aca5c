"""Fine-tuning by the needed tokens is transformers' own."""

import pytest
import torch
from transformers import Trainer, TrainingArguments
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from replication.alignment.finetuning import ResponseTrainer
from replication.lm import packed
from replication.lm.training import CPU_ARGUMENTS

ROWS = [
    {"input_ids": [3, 4, 5, 6, 7, 2], "labels": [-100, -100, 5, 6, 7, 2]},
    {"input_ids": [3, 4, 9, 2], "labels": [-100, -100, 9, 2]},
    {"input_ids": [8, 9, 10, 11, 12, 13, 14, 2], "labels": [-100] * 5 + [13, 14, 2]},
    {"input_ids": [3, 4, 5, 2], "labels": [-100, -100, 5, 2]},
] * 3


@pytest.mark.parametrize("accumulated", [1, 2])
def test_the_loss_and_the_weights_are_those_of_transformers(make_model, tmp_path, accumulated, monkeypatch):
    def train(kind):
        args = TrainingArguments(
            output_dir=str(tmp_path), max_steps=3, per_device_train_batch_size=4 // accumulated,
            gradient_accumulation_steps=accumulated, learning_rate=1e-2,
            **CPU_ARGUMENTS | {"logging_steps": 1},
        )  # fmt: skip
        trainer = kind(
            model=make_model(),
            args=args,
            train_dataset=ROWS,
            data_collator=DataCollatorForLanguageModeling(pad_token_id=0),
        )
        trainer.train()
        lines = [line for line in trainer.state.log_history if "loss" in line]
        return trainer, torch.tensor([[line["loss"], line["grad_norm"]] for line in lines])

    passes = []
    plain, expected = train(Trainer)
    monkeypatch.setattr(packed.meter, "passed", lambda model, tokens: passes.append(tokens))
    ours, found = train(ResponseTrainer)
    assert len(passes) == 3 * accumulated  # it was the pass over needed tokens
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    for a, b in zip(ours.model.parameters(), plain.model.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
