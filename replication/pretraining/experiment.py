"""Experiments of the pretraining family: each training is done once and leaves its weights and its records.

A training lies in `models/<name>-<digits>/` (weights, tokenizer) and in three tables of `records/`: its log, the
token losses on validation blocks, and the answers to questions, both at chosen steps. The digits are a hash of
all that determines it, so that notebooks share trainings, and one that was killed is the only one done again.
"""

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock

from replication.lm.loading import LanguageModel, load
from replication.lm.records import Store, canonical, read_frame, source_hash, write_frame
from replication.pretraining import scoring
from replication.pretraining.packing import Blocks
from replication.pretraining.rho1 import Selection
from replication.settings import Settings
from replication.tasks.base import Question, Task

MODULES = ("replication.pretraining.experiment",)
TABLES = ("log", "losses", "answers")


@dataclass(frozen=True)
class Hyper:
    """Hyper-parameters of a training.

    Attributes:
        rate: peak learning rate of AdamW.
        rows: blocks of one optimiser step.
        warmup: share of the steps over which the rate rises.
    """

    rate: float
    rows: int
    warmup: float = 0.05


@dataclass(frozen=True)
class Exam:
    """What is measured at the marked steps of a training.

    Attributes:
        marks: optimiser steps, ascending; 0 is the model before training.
        blocks: validation blocks whose token losses are kept; None for none.
        task: how answers are read and graded.
        questions: what is asked, greedily.
        final: more questions, asked after the last step only.
        prompt: makes the prompt of a question.
        length: longest answer in tokens.
    """

    marks: tuple[int, ...] = ()
    blocks: Blocks | None = None
    task: Task | None = None
    questions: tuple[Question, ...] = ()
    final: tuple[Question, ...] = ()
    prompt: Callable[[Question], str] | None = None
    length: int = 60

    def key(self) -> dict[str, object]:
        """Return what determines the measurements, as plain values."""
        asked = (*self.questions, *self.final)
        prompts = [self.prompt(question) for question in asked] if self.prompt else []
        return {
            "marks": list(self.marks),
            "blocks": self.blocks.digest if self.blocks else "",
            "questions": Task.question_hash(asked),
            "first": len(self.questions),
            "prompts": hashlib.sha256(canonical(prompts).encode()).hexdigest(),
            "length": self.length,
        }


@dataclass(frozen=True)
class Plan:
    """One training.

    Attributes:
        name: of its files.
        base: model to start from: a name, a hub id or a folder.
        blocks: what is read.
        steps: optimiser steps.
        hyper: rates and sizes.
        selection: which tokens are learned from.
        columns: (N, T) arrays beside the blocks: reference_loss, reference_entropy, keep.
        exam: what is measured on the way.
        seed: of the order of the blocks.
    """

    name: str
    base: str
    blocks: Blocks
    steps: int
    hyper: Hyper
    selection: Selection
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)
    exam: Exam = field(default_factory=Exam)
    seed: int = 0


@dataclass(frozen=True)
class Trained:
    """A finished training.

    Attributes:
        folder: weights and tokenizer.
        log: a row per optimiser step: step, loss_all, loss_kept, loss_dropped (nats per token), kept_share,
            cutoff.
        losses: a row per mark: step and `losses`, the validation blocks' token losses (N * T, float32).
        answers: a row per mark and question: step, question, answer, correct, text.
        steps: optimiser steps.
        tokens: positions read, padding included.
    """

    folder: Path
    log: pd.DataFrame
    losses: pd.DataFrame
    answers: pd.DataFrame
    steps: int
    tokens: int


class Trainings:
    """The trainings of one run, and what their models say.

    Args:
        settings: the run.

    Attributes:
        store: where the tables lie.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings.records_dir)
        self._models: dict[str, LanguageModel] = {}

    def model(self, name: str | Path) -> LanguageModel:
        """Return a model by name or folder, loaded once."""
        if str(name) not in self._models:
            self._models[str(name)] = load(str(name), self.settings.device)
        return self._models[str(name)]

    def train(self, plan: Plan) -> Trained:
        """Return a training, from disk when it was done under the same key."""
        key = canonical(
            {
                "base": self.model(plan.base).fingerprint,
                "blocks": plan.blocks.digest,
                "columns": {name: digest(values) for name, values in sorted(plan.columns.items())},
                "steps": plan.steps,
                "hyper": plan.hyper,
                "selection": plan.selection,
                "exam": plan.exam.key(),
                "seed": plan.seed,
                "code": source_hash(*MODULES),
            }
        )
        stem = f"{plan.name}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
        folder = self.settings.paper_dir / "models" / stem
        if (found := self._found(folder, stem, key, plan)) is None:
            locks = self.store.folder / ".locks"
            locks.mkdir(parents=True, exist_ok=True)
            with FileLock(locks / f"{stem}.lock"):  # of several notebooks that ask, one trains
                if (found := self._found(folder, stem, key, plan)) is None:
                    self._do(folder, stem, key, plan)
                    found = self._found(folder, stem, key, plan)
        if found is None:
            raise OSError(f"{folder} could not be read back: check the disk.")
        return found

    def _found(self, folder: Path, stem: str, key: str, plan: Plan) -> Trained | None:
        """Return a finished training, None when weights or a table are missing or of another key."""
        tables = {name: read_frame(self.store.folder / f"{stem}-{name}.parquet", key) for name in TABLES}
        if not (folder / "config.json").is_file() or any(table is None for table in tables.values()):
            return None
        return Trained(folder, steps=plan.steps, tokens=self.read(plan), **tables)

    @staticmethod
    def read(plan: Plan) -> int:
        """Return the number of positions that a training reads, padding included."""
        return plan.steps * plan.hyper.rows * plan.blocks.ids.shape[1]

    def _do(self, folder: Path, stem: str, key: str, plan: Plan) -> None:
        """Train, and write the tables, then the weights: a folder that is there is complete."""
        from replication.pretraining.running import run

        beside = folder.with_name(f".{stem}")
        shutil.rmtree(beside, ignore_errors=True)
        shutil.rmtree(folder, ignore_errors=True)
        tables = run(plan, self.settings.device, beside)
        for name in TABLES:
            write_frame(self.store.folder / f"{stem}-{name}.parquet", tables[name], key)
        beside.rename(folder)

    def scores(self, model: str | Path, blocks: Blocks, entropy: bool = False) -> dict[str, np.ndarray]:
        """Return a model's token losses on blocks and, where asked, its entropies: (N, T) float16 each.

        Column j belongs to the prediction of token j + 1, as in `rho1.targets`; what is no target is 0.
        """
        lm = self.model(model)

        def compute() -> pd.DataFrame:
            return scoring.frame(lm, blocks, entropy)

        key = {"model": lm.fingerprint, "blocks": blocks.digest, "entropy": entropy}
        table = self.store.frame("reference", key, compute, modules=("replication.pretraining.scoring",))
        shape = blocks.ids.shape
        return {name: np.stack(table[name].to_numpy()).astype(np.float16).reshape(shape) for name in table}


def digest(values: np.ndarray) -> str:
    """Return 16 hexadecimal digits of an array's content and type."""
    content = str((values.dtype.str, values.shape)).encode() + np.ascontiguousarray(values).tobytes()
    return hashlib.sha256(content).hexdigest()[:16]


def marks(steps: int, number: int) -> tuple[int, ...]:
    """Return `number` steps, evenly spread, the last one `steps`; fewer where there are fewer steps."""
    return tuple(sorted({max(1, round(steps * (i + 1) / number)) for i in range(number)}))


def outcomes(answers: pd.DataFrame, step: int) -> pd.Series:
    """Return whether each question was answered rightly at a step, by question."""
    return answers[answers["step"] == step].set_index("question")["correct"]


