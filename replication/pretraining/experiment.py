"""Experiments of the pretraining family: each training is done once, and leaves weights and records.

A training lies in `models/<name>-<digits>/` (weights, tokenizer) and in three tables of `records/`: its log,
the token losses on validation blocks, and the answers to questions, both at chosen steps. The digits are a
hash of all that determines it, so that notebooks share trainings, and one that was killed is all that is done
again.
"""

import hashlib
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from replication.lm.records import source_hash
from replication.lm.trainings import OnceTrained
from replication.pretraining import reference
from replication.pretraining.packing import Blocks
from replication.pretraining.plans import Plan
from replication.settings import InputError, Settings

MODULES = ("replication.pretraining.running",)
TABLES = ("log", "losses", "answers")
PACKING = "documents, first fit"


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


class Trainings(OnceTrained):
    """The trainings of one run, and what their models say.

    Args:
        settings: the run.

    Attributes:
        store: where the tables lie.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self._scores: dict[Path, dict[str, np.ndarray]] = {}

    def train(self, plan: Plan) -> Trained:
        """Return a training, from disk when it was done under the same key."""
        from replication.pretraining import running

        key = {
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
        folder, tables = self.once(
            plan.name, key, TABLES, lambda beside: running.run(plan, self.settings.device, beside)
        )
        return Trained(folder, steps=plan.steps, tokens=self.read(plan), **tables)

    @staticmethod
    def read(plan: Plan) -> int:
        """Return the number of positions that a training reads, padding included."""
        return plan.steps * plan.hyper.rows * plan.blocks.ids.shape[1]

    def scores(self, model: str | Path, blocks: Blocks, entropy: bool = False) -> dict[str, np.ndarray]:
        """Return a model's token losses on blocks and, where asked, its entropies: (N, T) float16 each.

        Column j belongs to the prediction of token j + 1, as in `rho1.targets`; what is no target is 0. They
        are computed once and lie in `reference/`, see `replication.pretraining.reference`; read and checked
        once a process.
        """
        lm = self.model(model)
        stem = f"{lm.fingerprint}-{blocks.digest}{'-entropy' if entropy else ''}"
        folder = self.settings.paper_dir / "reference" / stem
        if folder in self._scores:
            return self._scores[folder]
        data = blocks.dataset()
        with self.lock(f"reference-{stem}"):
            try:
                found = reference.load(folder, data, lm.tokenizer, PACKING)
            except InputError as error:  # not there yet, or damaged
                if (folder / reference.FACTS).exists():
                    warnings.warn(f"{error} It is done again.", RuntimeWarning, stacklevel=2)
                    shutil.rmtree(folder)
                reference.compute(lm, data, folder, packing=PACKING, entropy=entropy)
                found = reference.load(folder, data, lm.tokenizer, PACKING)
            found = found.with_format("numpy")
        names = (reference.LOSS, reference.ENTROPY) if entropy else (reference.LOSS,)
        self._scores[folder] = {name: np.stack(list(found[name])).astype(np.float16) for name in names}
        return self._scores[folder]


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
