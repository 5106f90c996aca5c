"""Models, samples and preference pairs that the notebooks on alignment share.

Two sizes of the testbed and two kinds of stories stand for the papers' models and data sets; each pair of
them is a cell. A base is a model of the ladder after a short training on solutions of both kinds, stopped
while it is wrong often enough: of most questions it solves some samples and fails others. Bases, samples and
pairs are made once for all papers of the family, in a folder of the run beside theirs.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from replication.alignment import pairs as data
from replication.alignment.experiment import Trained, Trainings
from replication.alignment.pairs import Sampled
from replication.alignment.plans import Example, Hyper, Tuning
from replication.alignment.preferences import Pair
from replication.lm import engine
from replication.lm.loading import LanguageModel
from replication.lm.shards import each
from replication.settings import NotTestable, Settings, model_label, split_model, with_options
from replication.tasks.base import Question, Task, load_task
from replication.testbed import grown, story_commitments, worlds
from replication.testbed.worlds import Problem

Made = TypeVar("Made")

PATH_MODULES = ("replication.lm.engine", "replication.tasks.base")
MODULES = ("replication.studies.alignment",)
FAMILY = "alignment"  # folder of what the papers share
PROMPT = "zero_shot_cot"
WORLDS = {"moves": "stories:level=3,kind=moves", "portions": "stories:level=2,kind=portions"}
LEVELS = {"moves": 3, "portions": 2}
# Rates and lengths of the bases, chosen on validation questions; 32 solutions a step.
BASES = {"testbed-small": (3e-3, 160), "testbed": (2e-3, 50), "testbed-large": (1.5e-3, 50)}
# Of the larger ladder: rates continued by width, not tuned.
BASES |= {"testbed-10m": (7e-4, 50), "testbed-30m": (5e-4, 50), "testbed-100m": (3e-4, 50)}
ROWS = 32
FEWEST = 2  # pairs: one to learn from, one to watch


@dataclass(frozen=True)
class Cell:
    """A model and a task.

    Attributes:
        model: size of the testbed, hub id or folder.
        task: specification of the task.
    """

    model: str
    task: str

    @property
    def kind(self) -> str:
        """The kind of stories of a testbed's cell, "" for others."""
        return next((kind for kind, task in WORLDS.items() if task == self.task), "")

    @property
    def label(self) -> str:
        """Short name for tables."""
        return f"{model_label(self.model)}, {self.kind or self.task}"

    @property
    def name(self) -> str:
        """Short name for files."""
        return "-".join(part for part in (model_label(self.model), self.kind) if part)


class Family:
    """Bases, samples and pairs of one run.

    Args:
        settings: the run of one of the papers.

    Attributes:
        shared: keeps what the papers share.
        trainings: keeps what this paper trains.
        generated: whether the run's own worlds are used, whose true solutions are known.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings, self.sizes = settings, settings.sizes
        self.shared = Trainings(replace(settings, paper=FAMILY))
        self.trainings = Trainings(settings)
        self.generated = settings.model_name == "testbed" and settings.task in WORLDS.values()
        self._made: dict[tuple, Any] = {}

    def made(self, make: Callable[..., Made], *given: object) -> Made:
        """Return what a function makes of its arguments, made once."""
        key = (make.__name__, *given)
        if key not in self._made:
            self._made[key] = make(*given)
        return self._made[key]

    @cached_property
    def cells(self) -> tuple[Cell, ...]:
        """The run's cells; the first one is that of single-cell experiments."""
        if not self.generated:
            return (Cell(self.settings.model, self.settings.task),)
        first = self.settings.task
        tasks = (first, *(task for task in WORLDS.values() if task != first))
        models = [with_options(name, self.settings.model) for name in str(self.sizes["models"]).split()]
        return tuple(Cell(model, task) for model in models for task in tasks)

    def task(self, cell: Cell) -> Task:
        """Return the task of a cell."""
        return load_task(cell.task, self.settings.data_dir)

    def questions(self, cell: Cell, split: str, n: int) -> list[Question]:
        """Return questions of a split; a task without that split gives those of its first one."""
        return self.made(self._questions, cell, split, n)

    def _questions(self, cell: Cell, split: str, n: int) -> list[Question]:
        task = self.task(cell)
        return task.questions(split if split in task.splits else task.splits[0], n, self.settings.seed)

    def problems(self, cell: Cell, split: str, n: int) -> list[Problem]:
        """Return what the oracle knows of the same questions, for a cell of the testbed."""
        return worlds.sample("stories", split, n, self.settings.seed, level=LEVELS[cell.kind], kind=cell.kind)

    def prompts(self, lm: LanguageModel, cell: Cell, questions: Sequence[Question]) -> list[list[int]]:
        """Return the ids of the step-by-step prompts."""
        task = self.task(cell)
        return [lm.prompt(task.prompt(question, PROMPT)) for question in questions]

    # Bases

    def base(self, cell: Cell) -> str:
        """Return the folder of the cell's base; a model that is not the testbed's is its own base."""
        return self.made(self._base, cell.model) if self.generated else cell.model

    def _base(self, model: str) -> str:
        rate, steps = BASES[grown.in_force(split_model(model)[0])]
        steps = min(steps, int(self.sizes["base_steps"]))
        examples = self.solutions(self.shared.model(model), ROWS * steps)
        hyper = Hyper(rate, ROWS, steps=steps, decay=0.0)
        tuning = Tuning(f"base-{model_label(model)}", model, examples, hyper, self.settings.seed)
        return str(self.shared.tune(tuning).folder)

    def solutions(self, lm: LanguageModel, number: int) -> tuple[Example, ...]:
        """Return solutions of both kinds in turn, of questions that are never sampled or asked."""
        apart, seed = int(self.sizes["n_sampled"]), self.settings.seed
        key = {"model": lm.fingerprint, "number": number, "apart": apart, "seed": seed}
        # Drawn once for all notebooks: trainings are looked up by what they learn.
        found = self.shared.store.frame("solutions", key, lambda: self._solutions(lm, number, apart), MODULES)
        prompts, responses = ([tuple(ids.tolist()) for ids in found[name]] for name in ("prompt", "response"))
        names = (f"story-{i}" for i in range(len(found)))
        return tuple(map(Example, names, prompts, responses))

    def _solutions(self, lm: LanguageModel, number: int, apart: int) -> pd.DataFrame:
        """Return the ids of the solutions: prompt and response, with the end-of-text token, int32 arrays."""
        rng, found = random.Random(f"bases/{self.settings.seed}"), []
        each = -(-number // len(WORLDS))
        stories = [self.problems(Cell("", task), "train", apart + each)[apart:] for task in WORLDS.values()]
        task = load_task(WORLDS["moves"])
        for problem in (one for several in zip(*stories, strict=True) for one in several):
            prompt = task.prompt(Question("", problem.question, problem.answer), PROMPT)
            text = lm.tokenizer(story_commitments.derive(rng, problem), add_special_tokens=False)["input_ids"]
            found.append((lm.prompt(prompt), [*text, lm.tokenizer.eos_token_id]))
        rows = [[np.array(ids, dtype=np.int32) for ids in row] for row in found[:number]]
        return pd.DataFrame(rows, columns=["prompt", "response"])

    # Samples and pairs

    def sample(
        self,
        model: str,
        cell: Cell,
        questions: Sequence[Question],
        n: int,
        *,
        temperature: float = 0.0,
        seed: int = 0,
        keeper: Trainings | None = None,
    ) -> pd.DataFrame:
        """Return graded paths of a model: the columns of `lm.paths`, answer and correct.

        Args:
            model: name or folder.
            cell: gives the task.
            questions: what is asked.
            n: samples a question; 1 at temperature 0 is the greedy answer.
            temperature: of the sampling; the tokens are drawn without truncation.
            seed: base of the random streams.
            keeper: where the records lie, among the paper's own by default.
        """
        keeper = keeper or self.trainings
        lm, task = keeper.model(model), self.task(cell)
        ids = [question.id for question in questions]
        longest = int(self.sizes["max_new_tokens"]) or task.max_new_tokens
        given = {"branches": n, "do_sample": temperature > 0, "temperature": temperature or 1.0,
                 "max_new_tokens": longest, "stop": task.stop, "seed": seed}  # fmt: skip

        def compute() -> pd.DataFrame:
            paths = engine.generate(lm, self.prompts(lm, cell, questions), ids=ids, **given)
            found = [task.extract(text) for text in paths["text"]]
            values = [answer.value if answer else None for answer in found]
            gold = {question.id: question.answer for question in questions}
            right = [task.grade(v, gold[q]) for v, q in zip(values, paths["question"], strict=True)]
            return paths.assign(answer=pd.Series(values, dtype=object), correct=right)

        key = {"model": lm.fingerprint, "task": task.name, "questions": Task.question_hash(questions),
               "prompts": [task.prompt(question, PROMPT) for question in questions], **given}  # fmt: skip
        return keeper.store.frame("paths", key, compute, PATH_MODULES)

    def sampled(self, cell: Cell, model: str = "", seed: int = 0) -> list[Sampled]:
        """Return the samples of the training questions, by the base unless a model is given."""
        return self.made(self._sampled, cell, model, seed)

    def _sampled(self, cell: Cell, model: str, seed: int) -> list[Sampled]:
        questions = self.questions(cell, "train", int(self.sizes["n_sampled"]))
        paths = self.sample(
            model or self.base(cell),
            cell,
            questions,
            int(self.sizes["n_samples"]),
            temperature=float(self.sizes["temperature"]),
            seed=seed,
            keeper=None if model else self.shared,
        )
        prompts = self.prompts(self.shared.model(cell.model), cell, questions)
        return data.collect(paths, dict(zip((q.id for q in questions), prompts, strict=True)))

    def pairs(self, cell: Cell) -> tuple[Pair, ...]:
        """Return the pairs that are learnt from, one a question.

        Raises:
            NotTestable: fewer than two questions have both right and wrong answers.
        """
        return self.made(self._parted, cell)[0]

    def watched(self, cell: Cell) -> tuple[Pair, ...]:
        """Return the pairs that are only looked at: `n_watched`, or half of them where there are few."""
        return self.made(self._parted, cell)[1]

    def _parted(self, cell: Cell) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
        sampled = self.sampled(cell)
        found = data.preference_pairs(sampled, self.settings.seed, self.longest)
        if len(found) < FEWEST:
            raise NotTestable(
                f"{len(found) or 'No'} preference pair came of {self.told(cell, sampled)}, and {FEWEST} "
                "are needed: sample more answers (n_samples), more questions (n_sampled), or at another "
                "temperature."
            )
        watched = min(int(self.sizes["n_watched"]), len(found) // 2)
        return tuple(found[watched:]), tuple(found[:watched])

    def told(self, cell: Cell, sampled: Sequence[Sampled]) -> str:
        """Return what became of a cell's sampled questions, for a sentence that says what is missing."""
        counts = data.report(sampled, self.longest)["outcome"].value_counts()
        each = ", ".join(f"{name}: {number}" for name, number in counts.items())
        return f"{len(sampled)} questions for {cell.label} ({each})"

    @property
    def longest(self) -> int:
        """Most tokens of a prompt and a response that are learnt from."""
        return int(self.sizes["longest"])

    # Answers

    def answers(self, cell: Cell, model: str) -> pd.DataFrame:
        """Return the greedy answers of a model to the test questions."""
        questions = self.questions(cell, "test", int(self.sizes["n_questions"]))
        keeper = self.shared if model == self.base(cell) else None
        return self.sample(model, cell, questions, 1, keeper=keeper)

    def right(self, cell: Cell, runs: Sequence[Trained | str]) -> np.ndarray:
        """Return whether each test question is answered rightly: (questions, models) float64."""
        folders = [str(run.folder) if isinstance(run, Trained) else run for run in runs]
        found = each(lambda one: self.answers(cell, one)["correct"].to_numpy(dtype=float), folders)
        return np.stack(found, axis=1)
