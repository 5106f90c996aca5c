"""The trainings of the notebooks on DPO and iterative RPO: plain DPO, DPO with a likelihood term, SFT.

All start from the family's base, or from the model that SFT on the chosen responses leaves, and learn from
the same pairs, one a question. Two sets of pairs are watched on the way: held-out ones, and some of those
that are learnt. How the iterations go is in `dpo_rpo_iterations`.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, partial

import numpy as np

from replication.alignment.experiment import Trained
from replication.alignment.objectives import Objective
from replication.alignment.plans import Hyper, Plan, Watch
from replication.alignment.preferences import Pair
from replication.evaluation import paired
from replication.evaluation.accuracy import mean
from replication.evaluation.claims import Estimate
from replication.lm.shards import each, grid
from replication.settings import Settings
from replication.studies.alignment import Cell, Family
from replication.testbed import story_commitments

ALPHAS = (0.25, 1.0, 2.0)
LEARNT = 32  # pairs that are learnt from and watched
BASE, CHOSEN, GOLD = "base", "SFT on chosen", "SFT on gold"
DPO, RPO = "DPO", "DPO+NLL"
FROM_SFT = ", from SFT"
Runs = dict[str, list[Trained]]


class Study:
    """The trainings of one run of the paper's notebooks.

    Args:
        settings: the run.

    Attributes:
        family: bases, samples and pairs.
        cell: the model and task of all trainings.
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
    def base(self) -> str:
        """Folder or name of the base."""
        return self.family.base(self.cell)

    @cached_property
    def pairs(self) -> tuple[Pair, ...]:
        """The pairs that are learnt from."""
        return self.family.pairs(self.cell)

    @cached_property
    def held_out(self) -> tuple[Pair, ...]:
        """The watched pairs that are never learnt."""
        return self.family.watched(self.cell)

    @property
    def learnt(self) -> tuple[Pair, ...]:
        """The watched pairs that are learnt."""
        return self.pairs[:LEARNT]

    def hyper(self, epochs: float = 0.0) -> Hyper:
        """Return rate and sizes, the same for every objective."""
        sizes = self.sizes
        return Hyper(float(sizes["rate"]), int(sizes["rows"]), epochs=epochs or float(sizes["epochs"]))

    def train(
        self, objective: Objective, seed: int, start: str, pairs: Sequence[Pair] = (), watch: bool = True
    ) -> Trained:
        """Return one training on pairs, those of the study by default; its start is its reference."""
        pairs = tuple(pairs) or self.pairs
        every = int(self.sizes["watch_every"]) if watch else 10**6  # the two ends alone
        watched = Watch((*self.held_out, *self.learnt), every)
        name = f"{objective.method}-{seed}"
        return self.family.trainings.train(
            Plan(name, start, pairs, objective, self.hyper(), watch=watched, seed=seed)
        )

    def sft(self, seed: int) -> Trained:
        """The likelihood of the chosen responses alone."""
        return self.train(Objective("sft"), seed, self.base)

    def gold(self, seed: int) -> Trained:
        """The likelihood of the world's own solutions of the same questions."""
        return self.train(Objective("sft"), seed, self.base, self.gold_pairs)

    def dpo(self, seed: int, start: str = "") -> Trained:
        """Plain DPO, from the base by default."""
        return self.train(Objective("dpo"), seed, start or self.base)

    def rpo(self, seed: int, start: str = "", alpha: float = 1.0) -> Trained:
        """DPO with the likelihood term, from the base by default; without curves where α is not 1."""
        return self.train(Objective("rpo", alpha=alpha), seed, start or self.base, watch=alpha == 1)

    @cached_property
    def gold_pairs(self) -> tuple[Pair, ...]:
        """The pairs with a right solution of the world, drawn at random, in the place of the chosen one."""
        number = int(self.sizes["n_sampled"])
        problems = {p.question: p for p in self.family.problems(self.cell, "train", number)}
        questions = self.family.questions(self.cell, "train", number)
        known = {question.id: problems[question.text] for question in questions}
        tokenizer = self.family.shared.model(self.cell.model).tokenizer
        rng, found = random.Random(f"gold/{self.settings.seed}"), []
        for pair in self.pairs:
            text = story_commitments.derive(rng, known[pair.question])
            ids = tokenizer(text, add_special_tokens=False)["input_ids"]
            found.append(replace(pair, chosen=(*ids, tokenizer.eos_token_id)))
        return tuple(found)

    @cached_property
    def runs(self) -> Runs:
        """The trainings of one iteration by name, one a seed; gold solutions, where there are any, once."""
        makers: dict[str, Callable[[int], Trained]] = {CHOSEN: self.sft, DPO: self.dpo}
        makers[DPO + FROM_SFT] = lambda seed: self.dpo(seed, str(self.sft(seed).folder))
        makers |= {name_of(alpha): partial(self.rpo, alpha=alpha) for alpha in ALPHAS}
        makers[RPO + FROM_SFT] = lambda seed: self.rpo(seed, str(self.sft(seed).folder))
        found = {GOLD: [self.gold(self.seeds[0])]} if self.family.generated else {}
        return found | grid(lambda name, seed: makers[name](seed), makers, self.seeds)

    # What is made of them

    @cached_property
    def base_right(self) -> np.ndarray:
        """Whether the base answers each test question rightly: (questions, 1)."""
        return self._right(self.base)

    def right(self, runs: Sequence[Trained]) -> np.ndarray:
        """Return whether each test question is answered rightly: (questions, seeds)."""
        found = each(lambda run: self.family.made(self._right, str(run.folder)), runs)
        return np.concatenate(found, axis=1)

    def _right(self, model: str) -> np.ndarray:
        """Return whether a model answers each test question rightly: (questions, 1)."""
        return self.family.right(self.cell, [model])

    def accuracy(self, runs: Sequence[Trained]) -> Estimate:
        """Return the accuracy of greedy answers over questions and seeds."""
        return mean(self.right(runs))

    def gap(self, first: Sequence[Trained], second: Sequence[Trained]) -> Estimate:
        """Return the difference of accuracies, questions and seeds resampled together."""
        return paired.difference(self.right(first), self.right(second), resample_seeds=True)

    def gain(self, runs: Sequence[Trained]) -> Estimate:
        """Return by how much a training is above the base."""
        return paired.difference(self.right(runs), self.base_right, resample_seeds=True)


def name_of(alpha: float) -> str:
    """Return the name of DPO+NLL with a weight of the likelihood; that of the paper has none."""
    return RPO if alpha == 1 else f"{RPO}, α = {alpha:g}"
