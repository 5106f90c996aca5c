"""The trainings of the notebooks on selective language modelling: what is read, and which tokens count.

The learner starts from a model of the ladder that can calculate in steps but has never read the notes of a
stock. The noisy corpus has them on web pages (`testbed.web`), the clean one as right solutions alone.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from replication.evaluation import paired
from replication.evaluation.accuracy import mean, proportion
from replication.evaluation.claims import Estimate
from replication.pretraining import packing
from replication.pretraining.experiment import Trained, Trainings, marks
from replication.pretraining.packing import Blocks
from replication.pretraining.plans import Exam, Hyper, Plan
from replication.pretraining.rho1 import Selection, intersection, select, union
from replication.settings import Settings, with_options
from replication.tasks.base import Question, Task, load_task
from replication.testbed import web

LENGTH = 256  # tokens of a block
ROWS = 8  # blocks of an optimiser step
RATE, STRONG_RATE = 2e-3, 1.5e-3  # chosen on validation questions, see A14 of the paper's file
EPOCHS = 3  # of the reference model over the clean data, as in the paper
RATIO = 0.6
EVERYTHING = Selection(ratio=1.0, score="all")
PROMPT = "zero_shot_cot"
# Seeds of the page streams; streams of one split never share one.
NOISY, CLEAN, VALIDATION, TARGET, TOOL = 1, 2, 3, 4, 5
PAGES_A_BLOCK = 6  # drawn; about three fit


class Study:
    """The trainings of one run of the paper's notebooks.

    Args:
        settings: the run.

    Attributes:
        settings: the run.
        trainings: keeps what was trained.
        seeds: orders of the data, one training each.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings, self.sizes = settings, settings.sizes
        self.trainings = Trainings(settings)
        self.seeds = range(settings.seed, settings.seed + int(self.sizes["seeds"]))
        self._packed: dict[tuple, Blocks] = {}

    # What is read and asked

    @property
    def base(self) -> str:
        """The model that learner and reference start from: the run's, or its stand-in among the ladder."""
        if self.settings.model_name != "testbed":
            return self.settings.model
        return with_options(str(self.sizes["learner"]), self.settings.model)

    @cached_property
    def task(self) -> Task:
        """The run's task."""
        return load_task(self.settings.task, self.settings.data_dir)

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        """The test questions."""
        return tuple(self.task.questions("test", int(self.sizes["n_questions"]), self.settings.seed))

    def blocks(self, pages: web.Web, seed: int, number: int) -> Blocks:
        """Return packed pages of a stream, for the base's tokenizer."""
        key = (pages, seed, number)
        if key not in self._packed:
            tokenizer = self.trainings.model(self.base).tokenizer
            stream = web.pages(seed, pages)
            encoded = (one for _ in range(number) for one in packing.encode(
                tokenizer, list(islice(stream, PAGES_A_BLOCK)), web.LABELS))  # fmt: skip
            pad = tokenizer.pad_token_id if tokenizer.pad_token_id is not None else 0
            self._packed[key] = packing.pack(encoded, number, LENGTH, pad, web.LABELS)
        return self._packed[key]

    @cached_property
    def noisy(self) -> Blocks:
        """The pretraining corpus."""
        return self.blocks(web.Web(), NOISY, int(self.sizes["n_blocks"]))

    @cached_property
    def clean(self) -> Blocks:
        """The reference model's data."""
        return self.blocks(web.Web().clean(), CLEAN, int(self.sizes["n_clean"]))

    @cached_property
    def validation(self) -> Blocks:
        """Noisy pages that no model reads, then clean ones of the same number: the target distribution."""
        number = int(self.sizes["n_validation"])
        noisy = self.blocks(web.Web(split="validation"), VALIDATION, number)
        return noisy.joined(self.blocks(web.Web(split="validation").clean(), TARGET, number))

    # Trainings

    def exam(self, steps: tuple[int, ...] = ()) -> Exam:
        """Return what is measured in a training: at its end all questions, at `steps` some and the losses."""
        first = int(self.sizes["n_watch"]) if steps else 0
        return Exam(
            marks=steps,
            blocks=self.validation if steps else None,
            task=self.task,
            questions=self.questions[:first],
            final=self.questions[first:],
            prompt=lambda question: self.task.prompt(question, PROMPT),
            length=self.task.max_new_tokens,
        )

    def train(
        self,
        name: str,
        seed: int,
        selection: Selection = EVERYTHING,
        *,
        blocks: Blocks | None = None,
        columns: Mapping[str, np.ndarray] | None = None,
        steps: int = 0,
        base: str | Path = "",
        checkpoints: int = 0,
        exam: Exam | None = None,
    ) -> Trained:
        """Return one training; by default plain language modelling on the noisy corpus, from the base."""
        steps = steps or int(self.sizes["steps"])
        at = (0, *marks(steps, checkpoints)) if checkpoints else ()
        return self.trainings.train(
            Plan(
                name=name,
                base=with_options(str(base or self.base), self.settings.model),
                blocks=blocks or self.noisy,
                steps=steps,
                hyper=Hyper(RATE, ROWS),
                selection=selection,
                columns=columns or {},
                exam=exam or self.exam(at),
                seed=seed,
            )
        )

    @cached_property
    def reference(self) -> Trained:
        """The reference model: the base after `EPOCHS` passes over the clean data."""
        steps = max(1, EPOCHS * len(self.clean) // ROWS)
        return self.train("reference", self.settings.seed, blocks=self.clean, steps=steps)

    def reference_losses(self, blocks: Blocks | None = None) -> dict[str, np.ndarray]:
        """Return the reference model's token losses, as a column of the noisy corpus by default."""
        return self.trainings.scores(self.reference.folder, blocks or self.noisy)

    def clm(self, seed: int) -> Trained:
        """Plain language modelling, measured at every checkpoint."""
        return self.train("clm", seed, checkpoints=int(self.sizes["n_checkpoints"]))

    def slm(self, seed: int) -> Trained:
        """Selective language modelling, measured at every checkpoint."""
        return self.train(
            "slm", seed, Selection(RATIO), columns=self.reference_losses(),
            checkpoints=int(self.sizes["n_checkpoints"]),
        )  # fmt: skip

    def random(self, seed: int) -> Trained:
        """The same share of tokens, chosen at random."""
        return self.train("random", seed, Selection(RATIO, score="random", seed=seed))

    def reverse(self, seed: int) -> Trained:
        """The tokens with the smallest excess loss."""
        return self.train("reverse", seed, Selection(RATIO, score="reverse"), columns=self.reference_losses())

    def both(self, seed: int) -> Trained:
        """Plain language modelling on the noisy corpus and the reference model's data together."""
        return self.train("both", seed, blocks=self.noisy.joined(self.clean))

    def short(self, seed: int, ratio: float) -> Trained:
        """A short training at a ratio; 1 is plain language modelling."""
        steps = int(self.sizes["short_steps"])
        if ratio == 1:
            return self.train("short", seed, steps=steps)
        return self.train("short", seed, Selection(ratio), columns=self.reference_losses(), steps=steps)

    def self_reference(self, seed: int, masks: Sequence[tuple[str, float]], how: str = "") -> Trained:
        """A short training on what the plain model of the first seed finds easy.

        Args:
            seed: order of the data.
            masks: one or two pairs of a score, "reference" (low loss) or "entropy" (low), and a ratio.
            how: "intersection" or "union" of two.
        """
        keep = self.easy(masks, how)
        return self.train("self", seed, columns={"keep": keep}, steps=int(self.sizes["short_steps"]))

    def easy(self, masks: Sequence[tuple[str, float]], how: str = "") -> np.ndarray:
        """Return the static mask of `self_reference` over the noisy corpus: (N, T) bool."""
        import torch

        found = self.trainings.scores(self.clm(self.seeds[0]).folder, self.noisy, entropy=True)
        valid = torch.from_numpy(targets(self.noisy) >= 0)
        kept = []
        for score, ratio in masks:
            name = "reference_loss" if score == "reference" else "reference_entropy"
            kept.append(select(-torch.from_numpy(found[name]).float(), valid, ratio))
        if len(kept) == 1:
            return kept[0].numpy()
        return (intersection if how == "intersection" else union)(*kept).numpy()

    # What is made of them

    def accuracy(self, runs: Sequence[Trained]) -> Estimate:
        """Return the accuracy after training, over questions and seeds."""
        return mean(np.stack([final(run) for run in runs], axis=1))

    def gap(self, first: Sequence[Trained], second: Sequence[Trained]) -> Estimate:
        """Return the difference of accuracies, questions and seeds resampled together."""
        a, b = (np.stack([final(run) for run in runs], axis=1) for runs in (first, second))
        return paired.difference(a, b, resample_seeds=True)

    def ask(self, model: str | Path, task: Task, questions: Sequence[Question]) -> pd.DataFrame:
        """Return a model's greedy step-by-step answers to questions, once computed kept."""
        from replication.pretraining import running  # with the Trainer, which reading tables does not need

        lm = self.trainings.model(model)
        exam = Exam(task=task, questions=tuple(questions), length=task.max_new_tokens,
                    prompt=lambda question: task.prompt(question, PROMPT))  # fmt: skip
        return self.trainings.store.frame(
            "answers", {"model": lm.fingerprint, "task": task.name, "exam": exam.key()},
            lambda: running.answers(lm, exam, exam.questions), modules=("replication.pretraining.running",),
        )  # fmt: skip


def targets(blocks: Blocks) -> np.ndarray:
    """Return what each position predicts, as `rho1.targets` does: (N, T) int64, -100 where nothing."""
    return np.pad(blocks.labels[:, 1:], ((0, 0), (0, 1)), constant_values=packing.IGNORED)


def gold(blocks: Blocks) -> np.ndarray:
    """Return the gold label of what each position predicts: (N, T) int8, -1 where there is none."""
    return np.pad(blocks.gold[:, 1:], ((0, 0), (0, 1)), constant_values=packing.NO_LABEL)


def proportion_of(right: np.ndarray) -> Estimate:
    """Return the share of right answers, one per question, with Wilson's interval."""
    return proportion(right)


def final(run: Trained) -> np.ndarray:
    """Return whether each question was answered rightly after training: (questions,) float64, by id."""
    last = run.answers[run.answers["step"] == run.steps].sort_values("question")
    return last["correct"].to_numpy(dtype=float)
