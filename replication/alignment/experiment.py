"""Experiments of the alignment family: each training is done once, and leaves weights and records.

Where they lie and what "once" means: `replication.lm.trainings`. The reference's per-token log-probabilities
of a set of pairs are records as well, computed once for all methods and seeds that compare with the same
reference.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd

from replication.alignment.contrastive import Contrast, check_models, score_responses
from replication.alignment.plans import Plan, Tuning
from replication.alignment.preferences import Pair, check, digest
from replication.lm.records import source_hash
from replication.lm.scoring import score
from replication.lm.trainings import OnceTrained

MODULES = ("replication.alignment.running",)
TUNING_MODULES = ("replication.alignment.finetuning",)
SCORING_MODULES = ("replication.lm.scoring",)
CONTRAST_MODULES = ("replication.alignment.contrastive",)
CONTRAST = tuple(field.name for field in fields(Contrast))
TABLES, TUNING_TABLES = ("log", "curves"), ("log",)


@dataclass(frozen=True)
class Trained:
    """A finished training.

    Attributes:
        folder: weights and tokenizer.
        log: a row per logged step, see `running.run` and `finetuning.run`.
        curves: a row per measured step and watched pair, see `watching`; empty for a fine-tuning.
    """

    folder: Path
    log: pd.DataFrame
    curves: pd.DataFrame


class Trainings(OnceTrained):
    """The trainings of one run.

    Args:
        settings: the run.

    Attributes:
        store: where the tables lie.
    """

    def train(self, plan: Plan) -> Trained:
        """Return a training on preference pairs, from disk when it was done under the same key.

        Raises:
            InputError: pairs that the objective cannot use, or models that cannot be loaded.
        """
        plan.check()
        objective, against = plan.objective, plan.reference or plan.base
        compares = objective.needs_reference or (plan.watch.kl and plan.watch.pairs)
        key = plan.key() | {
            "base": self.model(plan.base).fingerprint,
            "reference": self.model(against).fingerprint if compares else "",
            "code": source_hash(*MODULES),
        }

        def run(folder: Path) -> dict[str, pd.DataFrame]:
            from replication.alignment import running

            stores = objective.needs_reference and not objective.needs_distribution
            stored = self.reference(against, plan.pairs) if stores else None
            return running.run(plan, self.settings.device, folder, stored)

        folder, tables = self.once(plan.name, key, TABLES, run)
        return Trained(folder, **tables)

    def tune(self, tuning: Tuning) -> Trained:
        """Return a fine-tuning on responses, from disk when it was done under the same key.

        Raises:
            InputError: no examples, empty ones, or a base that cannot be loaded.
        """
        tuning.check()
        base = self.model(tuning.base).fingerprint
        key = tuning.key() | {"base": base, "code": source_hash(*TUNING_MODULES)}

        def run(folder: Path) -> dict[str, pd.DataFrame]:
            from replication.alignment import finetuning

            return finetuning.run(tuning, self.settings.device, folder)

        folder, tables = self.once(tuning.name, key, TUNING_TABLES, run)
        return Trained(folder, curves=pd.DataFrame(), **tables)

    def reference(self, model: str | Path, pairs: Sequence[Pair]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Return a model's log-probability of each chosen and rejected token, float32, computed once.

        Args:
            model: name or folder.
            pairs: at least one; their weights play no part.
        """
        check(pairs)
        lm = self.model(model)
        key = {"model": lm.fingerprint, "pairs": digest(pairs, weights=False)}

        def compute() -> pd.DataFrame:
            texts = [[*pair.prompt, *side] for pair in pairs for side in (pair.chosen, pair.rejected)]
            starts = [len(pair.prompt) for pair in pairs for _ in range(2)]
            return pd.DataFrame({"logprob": [found.logprob for found in score(lm, texts, start=starts)]})

        table = self.store.frame("reference", key, compute, SCORING_MODULES)
        rows = [np.asarray(values, dtype=np.float32) for values in table["logprob"]]
        return list(zip(rows[::2], rows[1::2], strict=True))

    def contrast(
        self, positive: str | Path, negative: str | Path, pairs: Sequence[Pair], beta: float = 1.0
    ) -> list[Contrast]:
        """Return the contrastive scores of each pair's rejected tokens, computed once.

        Args:
            positive: name or folder of P_p.
            negative: name or folder of P_n.
            pairs: at least one; their weights play no part.
            beta: contrast.

        Raises:
            InputError: models of different vocabularies or tokenizers, or a bad beta.
        """
        check(pairs)
        models = self.model(positive), self.model(negative)
        check_models(*models)
        marks = [lm.fingerprint for lm in models]
        key = {"models": marks, "pairs": digest(pairs, weights=False), "beta": float(beta)}

        def compute() -> pd.DataFrame:
            prompts, rejected = [pair.prompt for pair in pairs], [pair.rejected for pair in pairs]
            found = score_responses(*models, prompts, rejected, beta)
            return pd.DataFrame({name: [getattr(one, name) for one in found] for name in CONTRAST})

        table = self.store.frame("contrast", key, compute, CONTRAST_MODULES)
        columns = [[np.asarray(values, dtype=np.float32) for values in table[name]] for name in CONTRAST]
        return [Contrast(*own) for own in zip(*columns, strict=True)]
