"""The trainings of the notebook on token-level DPO: DPO, TDPO1, and TDPO2 with several weights.

All start from one model, tuned by the likelihood of the chosen responses, which is the reference as well;
seeds are orders of the pairs. The sequential divergences of held-out pairs are measured on the way.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import pandas as pd

from replication.alignment.experiment import Trained
from replication.alignment.objectives import Objective
from replication.alignment.plans import Hyper, Plan, Watch
from replication.alignment.preferences import Pair
from replication.evaluation import paired
from replication.evaluation.accuracy import mean
from replication.evaluation.claims import Estimate
from replication.lm.scoring import score
from replication.lm.shards import each, grid
from replication.settings import Settings
from replication.studies.alignment import Cell, Family
from replication.tasks.base import Task

ALPHAS = (0.1, 0.3, 0.5, 0.7)
ALPHA = 0.5  # the one that the authors recommend
SFT, DPO, TDPO1 = "SFT", "DPO", "TDPO1"
OWN_MODULES = ("replication.lm.engine", "replication.lm.scoring", "replication.tasks.base")
Runs = dict[str, list[Trained]]


def tdpo2(alpha: float = ALPHA) -> str:
    """Return the name of TDPO2 with a weight."""
    return f"TDPO2, α = {alpha:g}"


class Study:
    """The trainings of one run of the paper's notebook.

    Args:
        settings: the run.

    Attributes:
        family: bases, samples and pairs.
        seeds: orders of the pairs, one training each.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings, self.sizes = settings, settings.sizes
        self.family = Family(settings)
        self.seeds = range(settings.seed, settings.seed + int(self.sizes["seeds"]))

    @property
    def cell(self) -> Cell:
        """The first cell of the family."""
        return self.family.cells[0]

    @cached_property
    def held_out(self) -> tuple[Pair, ...]:
        """The watched pairs, which are never learnt."""
        return self.family.watched(self.cell)

    @property
    def hyper(self) -> Hyper:
        """Rate and sizes, the same for every objective."""
        sizes = self.sizes
        return Hyper(float(sizes["rate"]), int(sizes["rows"]), epochs=float(sizes["epochs"]))

    @cached_property
    def start(self) -> str:
        """Folder of the model that all runs start from and compare with."""
        base, pairs = self.family.base(self.cell), self.family.pairs(self.cell)
        plan = Plan("sft", base, pairs, Objective("sft"), self.hyper, seed=self.settings.seed)
        return str(self.family.trainings.train(plan).folder)

    def train(self, objective: Objective, seed: int) -> Trained:
        """Return one training."""
        watch = Watch(self.held_out, int(self.sizes["watch_every"]), kl=True)
        return self.family.trainings.train(
            Plan(f"{objective.method}-{seed}", self.start, self.family.pairs(self.cell), objective,
                 self.hyper, watch=watch, seed=seed)
        )  # fmt: skip

    @cached_property
    def runs(self) -> Runs:
        """The trainings by name, a seed each."""
        objectives = {DPO: Objective("dpo"), TDPO1: Objective("tdpo1")}
        objectives |= {tdpo2(alpha): Objective("tdpo2", alpha=alpha) for alpha in ALPHAS}
        return grid(lambda name, seed: self.train(objectives[name], seed), objectives, self.seeds)

    @cached_property
    def without_gradient(self) -> Trained:
        """TDPO2 with α = 1, the loss of TDPO1 without its gradient through the chosen divergence."""
        return self.train(Objective("tdpo2", alpha=1.0), self.seeds[0])

    # What the models write

    def right(self, runs: Sequence[Trained | str]) -> np.ndarray:
        """Return whether each test question is answered rightly, greedily: (questions, models)."""
        folders = [str(run.folder) if isinstance(run, Trained) else run for run in runs]
        return np.concatenate(each(lambda one: self.family.made(self._right, one), folders), axis=1)

    def _right(self, model: str) -> np.ndarray:
        """Return whether a model answers each test question rightly: (questions, 1)."""
        return self.family.right(self.cell, [model])

    def accuracy(self, runs: Sequence[Trained | str]) -> Estimate:
        """Return the accuracy of greedy answers over questions and seeds."""
        return mean(self.right(runs))

    def gap(self, first: Sequence[Trained], second: Sequence[Trained]) -> Estimate:
        """Return the difference of accuracies, questions and seeds resampled together."""
        return paired.difference(self.right(first), self.right(second), resample_seeds=True)

    def own(self, model: Trained | str) -> pd.DataFrame:
        """Return what a model writes at temperature 1, a row per sample.

        Columns: question; correct (bool); tokens (count); entropy (sum over the tokens, nats); log_ratio (of
        the sample, model minus SFT model, nats), whose mean estimates KL(π_θ || π_ref).
        """
        return self.family.made(self._own, str(model.folder) if isinstance(model, Trained) else model)

    def _own(self, folder: str) -> pd.DataFrame:
        """Return the table of `own` of a folder."""
        questions = self.family.questions(self.cell, "test", int(self.sizes["n_own"]))
        number, keeper = int(self.sizes["own_samples"]), self.family.trainings
        reference = keeper.model(self.start)
        key = {"model": keeper.model(folder).fingerprint, "reference": reference.fingerprint,
               "questions": Task.question_hash(questions), "n": number,
               "seed": self.settings.seed}  # fmt: skip

        def compute() -> pd.DataFrame:
            paths = self.family.sample(folder, self.cell, questions, number, temperature=1.0,
                                       seed=self.settings.seed)  # fmt: skip
            ids = (question.id for question in questions)
            prompts = dict(zip(ids, self.family.prompts(reference, self.cell, questions), strict=True))
            starts = [prompts[question] for question in paths["question"]]
            texts = [[*prompt, *map(int, own)] for prompt, own in zip(starts, paths["tokens"], strict=True)]
            scores = score(reference, texts, start=[len(prompt) for prompt in starts])
            ratios = [float(own.sum() - other.logprob.sum())
                      for own, other in zip(paths["logprob"], scores, strict=True)]  # fmt: skip
            return pd.DataFrame({
                "question": paths["question"], "correct": paths["correct"],
                "tokens": [len(own) for own in paths["tokens"]],
                "entropy": [float(own.sum()) for own in paths["entropy"]], "log_ratio": ratios,
            })  # fmt: skip

        return keeper.store.frame("own", key, compute, OWN_MODULES)
