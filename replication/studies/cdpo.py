"""Critical tokens and cDPO: positive and negative models, scores as weights, and the trainings that compare.

Rows of the paper's main table are trainings on the same pairs of a cell (`studies.alignment`), several orders
of the pairs each. The base is the reference of all of them but the two that start from the fine-tuned model.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from replication.alignment import pairs as data
from replication.alignment.cdpo import token_weights
from replication.alignment.contrastive import Contrast, score_responses
from replication.alignment.experiment import Trained
from replication.alignment.objectives import Objective
from replication.alignment.plans import Example, Hyper, Plan, Tuning, Watch
from replication.alignment.preferences import Pair, weighted
from replication.lm.loading import LanguageModel
from replication.lm.shards import each
from replication.settings import NotTestable, Settings
from replication.studies.alignment import Cell, Family

RATE = 1e-4  # of all rows, chosen for DPO on validation questions; cDPO's own row has twice as much
GAMMA = 1.0
BETA = 1.0  # of contrastive estimation
PAIRS_A_STEP = 16
CONTRAST_RATE, CONTRAST_ROWS = 1e-3, 8
WATCHED_EVERY = 5


@dataclass(frozen=True)
class Row:
    """A row of the main table.

    Attributes:
        label: as in the table.
        method: of `objectives.Objective`.
        start: "base" or "SFT": the model that is trained, and the reference.
        rate: multiple of `RATE`.
        weights: "scores", "shuffled" or "constant" for cDPO.
        reduction: of cDPO.
    """

    label: str
    method: str
    start: str = "base"
    rate: float = 1.0
    weights: str = "scores"
    reduction: str = "sequence"


SFT = Row("SFT (base)", "sft")
ROWS = (
    SFT,
    Row("DPO (from SFT)", "dpo", start="SFT"),
    Row("TDPO2 (from SFT)", "tdpo2", start="SFT"),
    Row("DPO (base)", "dpo"),
    Row("RPO (base)", "rpo"),
    Row("cDPO (base)", "cdpo", rate=2.0),
)
"""The paper's rows, as it trains them."""
EQUAL = Row("cDPO, rate of the others", "cdpo")
SHUFFLED = Row("cDPO, scores shuffled", "cdpo", rate=2.0, weights="shuffled")
CONSTANT = Row("cDPO, constant weight", "cdpo", rate=2.0, weights="constant")
RELEASED = Row("cDPO, loss of the released code", "cdpo", rate=2.0, reduction="token")
TWICE = Row("RPO, rate of cDPO", "rpo", rate=2.0)
CONTROLS = (EQUAL, TWICE, SHUFFLED, CONSTANT, RELEASED)
"""Rows that the paper lacks, in the first cell."""
BY_LABEL = {row.label: row for row in (*ROWS, *CONTROLS)}


class Study(Family):
    """The models of one run of the paper's notebooks.

    Args:
        settings: the run.

    Attributes:
        seeds: orders of the pairs, a training each.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.seeds = range(settings.seed, settings.seed + int(self.sizes["seeds"]))

    # Positive and negative models

    def positive_examples(self, cell: Cell) -> list[Example]:
        """Return one right trajectory a question."""
        return data.positive_set(self.sampled(cell), self.settings.seed, self.longest)

    def negative_examples(self, cell: Cell) -> list[Example]:
        """Return wrong trajectories of the answers that cover half of the wrong samples."""
        return data.negative_set(self.sampled(cell), self.settings.seed, self.longest)

    def positive(self, cell: Cell) -> str:
        """Return the folder of the model fine-tuned on right trajectories."""
        return self.made(self._tuned, cell, "positive")

    def negative(self, cell: Cell) -> str:
        """Return the folder of the model fine-tuned on wrong trajectories."""
        return self.made(self._tuned, cell, "negative")

    def _tuned(self, cell: Cell, kind: str) -> str:
        examples = self.positive_examples(cell) if kind == "positive" else self.negative_examples(cell)
        if not examples:
            told = self.told(cell, self.sampled(cell))
            raise NotTestable(
                f"The {kind} model has nothing to learn from {told}: sample more answers (n_samples) or more "
                "questions (n_sampled)."
            )
        hyper = Hyper(CONTRAST_RATE, CONTRAST_ROWS, epochs=1, schedule="cosine", decay=0.0)
        tuning = Tuning(f"{kind}-{cell.name}", self.base(cell), tuple(examples), hyper, self.settings.seed)
        return str(self.trainings.tune(tuning).folder)

    def contrast_models(self, cell: Cell) -> tuple[LanguageModel, LanguageModel]:
        """Return the positive and the negative model."""
        return self.trainings.model(self.positive(cell)), self.trainings.model(self.negative(cell))

    def contrast(
        self,
        cell: Cell,
        prompts: Sequence[Sequence[int]],
        responses: Sequence[Sequence[int]],
        beta: float = BETA,
    ) -> list[Contrast]:
        """Return the contrastive scores of responses."""
        return score_responses(*self.contrast_models(cell), prompts, responses, beta)

    def scores(self, cell: Cell) -> list[Contrast]:
        """Return the scores of the rejected responses that are learnt from."""
        return self.made(self._scores, cell)

    def _scores(self, cell: Cell) -> list[Contrast]:
        return self.trainings.contrast(self.positive(cell), self.negative(cell), self.pairs(cell), BETA)

    # Trainings

    def weighted_pairs(self, cell: Cell, weights: str) -> tuple[Pair, ...]:
        """Return the pairs with their weights.

        "scores" are 1 - s_t; "shuffled" are the same within each response in random order; "constant" is
        their mean over all pairs.
        """
        return self.made(self._weighted_pairs, cell, weights)

    def _weighted_pairs(self, cell: Cell, weights: str) -> tuple[Pair, ...]:
        found = [token_weights(one.score, ends=True) for one in self.scores(cell)]
        if weights == "shuffled":
            rng = np.random.default_rng(self.settings.seed)
            found = [rng.permutation(one) for one in found]
        elif weights == "constant":
            middle = float(np.concatenate(found).mean())
            found = [np.full_like(one, middle) for one in found]
        return tuple(weighted(self.pairs(cell), [one.tolist() for one in found]))

    def train(self, cell: Cell, row: Row, seed: int) -> Trained:
        """Return one training of a row."""
        base = self.base(cell)
        start = base if row.start == "base" else str(self.train(cell, SFT, seed).folder)
        cdpo = row.method == "cdpo"
        given = {"reduction": row.reduction} if cdpo else {}
        if row.method != "sft" and not (cdpo and row.reduction == "token"):
            given["beta"] = GAMMA
        plan = Plan(
            name=f"{row.method}-{cell.name}",
            base=start,
            pairs=self.weighted_pairs(cell, row.weights) if cdpo else self.pairs(cell),
            objective=Objective(row.method, **given),
            hyper=Hyper(RATE * row.rate, PAIRS_A_STEP, epochs=float(self.sizes["epochs"])),
            watch=Watch(self.watched(cell), WATCHED_EVERY) if cell == self.cells[0] else Watch(),
            seed=seed,
        )
        return self.trainings.train(plan)

    def runs(self, cell: Cell, row: Row) -> list[Trained]:
        """Return the trainings of a row, one for each seed."""
        return each(lambda seed: self.train(cell, row, seed), self.seeds)

    def outcomes(self, cell: Cell, row: Row | None = None) -> np.ndarray:
        """Return whether test questions are answered rightly: (questions, seeds); the base without a row."""
        if row is None:
            return np.repeat(self.right(cell, [self.base(cell)]), len(self.seeds), axis=1)
        return self.right(cell, self.runs(cell, row))
