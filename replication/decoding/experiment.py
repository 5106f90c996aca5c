"""Experiments of the decoding family: every model run is done once and leaves its path records on disk."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import pandas as pd

from replication.decoding import baselines
from replication.lm import engine
from replication.lm.loading import LanguageModel, load, use_ladder
from replication.lm.prefills import Prefills
from replication.lm.records import Store
from replication.settings import Settings
from replication.tasks.base import Question, Task, load_task

CHUNK = 100  # questions between two saves
MODULES = ("replication.lm.engine", "replication.lm.beam", "replication.decoding.baselines")


@dataclass(frozen=True)
class Run:
    """The paths of one model on one set of questions.

    Attributes:
        frame: path records, see `replication.lm.paths`.
        task: extraction and grading.
        questions: what was asked, in order.
        lm: the model.
        prompts: token ids of every question's prompt, by question id.
    """

    frame: pd.DataFrame
    task: Task
    questions: tuple[Question, ...]
    lm: LanguageModel
    prompts: dict[str, list[int]]

    @property
    def gold(self) -> dict[str, str]:
        """Right answer of every question id."""
        return {question.id: question.answer for question in self.questions}


@dataclass(frozen=True)
class Asked:
    """What a model is asked: questions of a task behind their prompts.

    Attributes:
        lm: the model.
        task: extraction and grading.
        questions: in order.
        prompts: token ids of every question's prompt, by question id.
    """

    lm: LanguageModel
    task: Task
    questions: tuple[Question, ...]
    prompts: dict[str, list[int]]

    @property
    def key(self) -> dict[str, str]:
        """What tells these questions from all others in the keys of records.

        The name of a task says neither where its questions lie nor how they are worded in a prompt.
        """
        prompts = hashlib.sha256(json.dumps(list(self.prompts.values())).encode()).hexdigest()
        key = {"model": self.lm.fingerprint, "task": self.task.name, "prompts": prompts}
        return key | {"questions": Task.question_hash(self.questions)}


class Experiment:
    """Model runs of one notebook, keyed so that none is done twice.

    Args:
        settings: the run.

    Attributes:
        settings: the run.
        store: where the records lie.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        use_ladder(settings)
        self.store = Store(settings.records_dir)
        self._models: dict[str, LanguageModel] = {}
        self._prefills = Prefills()

    @cached_property
    def task(self) -> Task:
        """The run's own task."""
        return load_task(self.settings.task, self.settings.data_dir)

    def model(self, name: str = "") -> LanguageModel:
        """Return a model by name, the run's own for "", loaded once."""
        name = name or self.settings.model
        if name not in self._models:
            self._models[name] = load(name, self.settings.device)
        return self._models[name]

    def _task(self, task: str | Task) -> Task:
        """Return a task; for the run's own specification the run's task, whose files may be in data_dir."""
        if isinstance(task, Task):
            return task
        return load_task(task) if task not in ("", self.settings.task) else self.task

    def _number(self, task: Task) -> int | None:
        """Return the number of questions: the caller's, the profile's, or None for all of a published set."""
        settings = self.settings
        whole = not (task.generated or settings.profile == "smoke" or "n_questions" in settings.given)
        return None if whole else int(settings.sizes["n_questions"])

    def asked(
        self,
        *,
        model: str = "",
        task: str | Task = "",
        n: int = 0,
        style: str = "direct",
        suffix: str = "",
        split: str = "test",
    ) -> Asked:
        """Return questions and prompts without running the model; the arguments are those of `_run`."""
        lm, found = self.model(model), self._task(task)
        questions = found.questions(split, n or self._number(found), self.settings.seed)
        prompts = {q.id: lm.prompt(found.prompt(q, style), suffix) for q in questions}
        return Asked(lm, found, tuple(questions), prompts)

    def branches(self, *, k: int = 0, branch_step: int = 0, **where: Any) -> Run:
        """Return the paths that branch over the k most probable tokens of one step (see `engine.generate`).

        Args:
            k: branches; 0 takes the profile's.
            branch_step: generated step at which they part.
            **where: `model`, `task`, `n`, `style`, `suffix` and `split` as in `_run`.
        """
        k = k or int(self.settings.sizes["k"])
        options = {"first": "top-k", "branches": k, "branch_step": branch_step}
        generate = partial(engine.generate, prefills=self._prefills)
        return self._run("branches", options, generate, **where)

    def decode(self, decoder: str, *, seed: int = 0, **where: Any) -> Run:
        """Return the paths of a baseline decoder, a key of `baselines.BASELINES` or "beam".

        Args:
            decoder: name of the baseline; "self-consistency" takes the profile's number of samples.
            seed: added to the run's seed.
            **where: `model`, `task`, `n`, `style`, `suffix` and `split` as in `_run`.
        """
        options: dict[str, Any] = {"name": decoder}
        if decoder == "self-consistency":
            options["samples"] = int(self.settings.sizes["samples"])
        if decoder not in ("beam", "greedy"):
            options["seed"] = self.settings.seed + seed
        return self._run(decoder.replace("-", "_"), options, baselines.decode, **where)

    def sample(
        self,
        processors: Sequence[object] = (),
        *,
        temperature: float = 1.0,
        samples: int = 1,
        seed: int = 0,
        **where: Any,
    ) -> Run:
        """Return sampled paths; temperature 0 gives the greedy path.

        Args:
            processors: logits processors, called in order on the tempered logits.
            temperature: divides the logits before the processors.
            samples: independent paths a question.
            seed: added to the run's seed.
            **where: `model`, `task`, `n`, `style`, `suffix` and `split` as in `_run`.
        """
        if temperature == 0:
            return self.decode("greedy", **where)
        described = [describe(processor) for processor in processors]
        options = {"samples": samples, "temperature": float(temperature), "seed": self.settings.seed + seed}
        modules = sorted({type(processor).__module__ for processor in processors})
        own = tuple(module for module in modules if module.startswith("replication."))

        def draw(lm: LanguageModel, processors: Any, samples: int, **rest: Any) -> pd.DataFrame:
            rest |= {"branches": samples, "do_sample": True, "processors": made}
            return engine.generate(lm, prefills=self._prefills, **rest)

        made = tuple(processors)
        return self._run("sample", options | {"processors": described}, draw, modules=own, **where)

    def _run(
        self,
        name: str,
        options: dict[str, Any],
        generate: Any,
        *,
        modules: Sequence[str] = (),
        **where: Any,
    ) -> Run:
        """Return the paths of one decoder.

        Args:
            name: name of the stage.
            options: arguments of `generate`, part of the stage's key.
            generate: `engine.generate` or `baselines.decode`.
            modules: modules besides `MODULES` whose code determines the paths.
            **where: `model`, "" for the run's own; `task` or its specification, "" for the run's own; `n`,
                number of questions, 0 for the profile's or all of a published set; prompt `style`; `suffix`
                behind the prompt, which forces the start of the answer; `split` of the questions.
        """
        asked = self.asked(**where)
        lm, task, prompts = asked.lm, asked.task, asked.prompts
        length = int(self.settings.sizes["max_new_tokens"] or task.max_new_tokens)

        def run(items: Sequence[Question]) -> pd.DataFrame:
            ids = [question.id for question in items]
            asked_for = [prompts[i] for i in ids]
            return generate(lm, prompts=asked_for, ids=ids, max_new_tokens=length, stop=task.stop, **options)

        key = {**asked.key, "length": length, "stop": task.stop, **options}
        used = (*MODULES, *modules)
        frame = self.store.stage(name, key, asked.questions, run, chunk=CHUNK, modules=used)
        return Run(frame, task, asked.questions, lm, prompts)


def describe(processor: object) -> str:
    """Return a processor's class and parameters as text, the same in every run.

    A processor of the package says it by its own `repr`; one of transformers keeps its numbers as attributes.
    """
    if type(processor).__repr__ is not object.__repr__:
        return repr(processor)
    values = {
        name: getattr(value, "item", lambda value=value: value)() for name, value in vars(processor).items()
    }
    inside = ", ".join(f"{name}={value!r}" for name, value in sorted(values.items()))
    return f"{type(processor).__name__}({inside})"
