"""Experiments of the pretraining family: each training is done once, and leaves weights and records.

A training lies in `models/<name>-<digits>/` (weights, tokenizer) and in three tables of `records/`: its log,
the token losses on validation blocks, and the answers to questions, both at chosen steps. The digits are a
hash of all that determines it, so that notebooks share trainings, and one that was killed is all that is done
again.
"""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from filelock import FileLock

from replication.lm.loading import LanguageModel, load
from replication.lm.records import Store, canonical, read_frame, source_hash, write_frame
from replication.pretraining import reference
from replication.pretraining.packing import Blocks
from replication.pretraining.plans import Plan
from replication.settings import Settings

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

        Column j belongs to the prediction of token j + 1, as in `rho1.targets`; what is no target is 0. They
        are computed once and lie in `reference/`, see `replication.pretraining.reference`.
        """
        lm, data = self.model(model), blocks.dataset()
        stem = f"{lm.fingerprint}-{blocks.digest}{'-entropy' if entropy else ''}"
        folder = self.settings.paper_dir / "reference" / stem
        locks = self.store.folder / ".locks"
        locks.mkdir(parents=True, exist_ok=True)
        with FileLock(locks / f"reference-{stem}.lock"):
            if not (folder / reference.FACTS).is_file():
                reference.compute(lm, data, folder, packing=PACKING, entropy=entropy)
            found = reference.load(folder, data, lm.tokenizer, PACKING).with_format("numpy")
        names = (reference.LOSS, reference.ENTROPY) if entropy else (reference.LOSS,)
        return {name: np.stack(list(found[name])).astype(np.float16) for name in names}


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
