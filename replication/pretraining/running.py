"""One training from its plan: the selective Trainer, measured at the marked steps."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from transformers import TrainerCallback
from transformers.utils import logging

from replication.lm import engine
from replication.lm.loading import LanguageModel, load
from replication.lm.training import flushed_denormals, spared_collections
from replication.pretraining import reference
from replication.pretraining.collating import Collator
from replication.pretraining.plans import Exam, Plan
from replication.pretraining.trainer import SelectiveTrainer, cpu_args
from replication.tasks.base import Question

BETAS = (0.9, 0.95)
LOGGED = ("step", "loss_all", "loss_kept", "loss_dropped", "kept_share", "cutoff")
SHORT_TEXT = 400  # characters of a response that are kept


def run(plan: Plan, device: str, folder: Path) -> dict[str, pd.DataFrame]:
    """Train by a plan, save model and tokenizer in `folder`, and return the tables log, losses and answers.

    Args:
        plan: the plan.
        device: "cpu", "cuda" or "mps".
        folder: made here; holds the Trainer's own files while it runs.
    """
    logging.disable_progress_bar()  # bars of loading and saving have no place in notebooks
    base = load(plan.base, "cpu", dtype="float32")
    model, tokenizer = base.model.requires_grad_(True), base.tokenizer
    watch = Watch(plan.exam, tokenizer, plan.steps, base.chat)
    trainer = SelectiveTrainer(
        model=model,
        args=_arguments(plan, device, folder / "trainer"),
        train_dataset=plan.blocks.dataset(**plan.columns),
        data_collator=Collator(pad_id=int(tokenizer.pad_token_id or 0)),
        selection=plan.selection if "keep" not in plan.columns else None,
        callbacks=[watch],
    )
    with flushed_denormals(), spared_collections():
        trainer.train()
    model.eval()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    rows = [
        [line.get(name, np.nan) for name in LOGGED] for line in trainer.state.log_history if "loss" in line
    ]
    return {"log": pd.DataFrame(rows, columns=LOGGED).astype({"step": int}), **watch.tables()}


def _arguments(plan: Plan, device: str, folder: Path) -> Any:
    """Return the Trainer's arguments: AdamW, no weight decay, warm-up, a linear fall; bfloat16 on CUDA."""
    hyper = plan.hyper
    return cpu_args(
        folder,
        use_cpu=device == "cpu",
        bf16=device.startswith("cuda"),
        max_steps=plan.steps,
        per_device_train_batch_size=hyper.rows,
        learning_rate=hyper.rate,
        lr_scheduler_type="warmup_stable_decay",
        lr_scheduler_kwargs={
            "num_decay_steps": max(1, round(hyper.decay * plan.steps)),
            "decay_type": "linear",
        },
        warmup_steps=max(1, round(hyper.warmup * plan.steps)),
        adam_beta1=BETAS[0],
        adam_beta2=BETAS[1],
        weight_decay=0.0,
        max_grad_norm=1.0,
        logging_steps=max(1, plan.steps // 40),
        seed=plan.seed,
        data_seed=plan.seed,
    )


class Watch(TrainerCallback):
    """Measures a model at the marked steps of its training.

    Args:
        exam: what is measured.
        tokenizer: the model's.
        steps: length of the training.
        chat: whether questions go through the chat template.
    """

    def __init__(self, exam: Exam, tokenizer: Any, steps: int, chat: bool = False) -> None:
        self.exam, self.tokenizer, self.steps, self.chat = exam, tokenizer, steps, chat
        self._losses: list[tuple[int, np.ndarray]] = []
        self._answers: list[pd.DataFrame] = []

    def on_train_begin(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        """Measure the model before training where 0 is marked."""
        if 0 in self.exam.marks:
            self.measure(0, model)

    def on_step_end(self, args: Any, state: Any, control: Any, model: Any = None, **kwargs: Any) -> None:
        """Measure at marked steps."""
        if state.global_step in self.exam.marks or state.global_step == self.steps:
            self.measure(state.global_step, model)

    def measure(self, step: int, model: Any) -> None:
        """Keep the token losses and the answers of a step."""
        training = model.training
        lm = LanguageModel(model.eval(), self.tokenizer, "in training", "", self.chat)
        if self.exam.blocks is not None:
            scored = [losses for losses, _ in reference.score_blocks(model, self.exam.blocks.dataset())]
            self._losses.append((step, np.stack(scored).astype(np.float32).ravel()))
        asked = self.exam.questions + (self.exam.final if step == self.steps else ())
        if asked:
            self._answers.append(answers(lm, self.exam, asked).assign(step=step))
        model.train(training)

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return the tables losses and answers."""
        columns = ["question", "answer", "correct", "text", "step"]
        found = (
            pd.concat(self._answers, ignore_index=True) if self._answers else pd.DataFrame(columns=columns)
        )
        losses = pd.DataFrame({"step": [step for step, _ in self._losses],
                               "losses": [values for _, values in self._losses]})  # fmt: skip
        return {"losses": losses, "answers": found}


def answers(lm: LanguageModel, exam: Exam, asked: Sequence[Question]) -> pd.DataFrame:
    """Return the greedy answers to questions: question, answer (None without one), correct, text."""
    prompts = [lm.prompt(exam.prompt(question)) for question in asked]
    ids = [question.id for question in asked]
    paths = engine.generate(lm, prompts, ids=ids, max_new_tokens=exam.length, stop=exam.task.stop)
    found = [exam.task.extract(text) for text in paths["text"]]
    values = [answer.value if answer else None for answer in found]
    right = [exam.task.grade(value, q.answer) for value, q in zip(values, asked, strict=True)]
    texts = [text[:SHORT_TEXT] for text in paths["text"]]
    return pd.DataFrame({"question": ids, "answer": pd.Series(values, dtype=object), "correct": right,
                         "text": texts})  # fmt: skip
