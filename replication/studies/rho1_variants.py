"""Further settings of selective training: self-reference, a larger learner, a general domain, a tool."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from replication.evaluation import paired
from replication.evaluation.accuracy import mean
from replication.evaluation.claims import Estimate
from replication.lm.shards import grid
from replication.pretraining import plans, tool
from replication.pretraining.experiment import Trained
from replication.pretraining.plans import Hyper
from replication.pretraining.rho1 import Selection
from replication.studies import rho1
from replication.studies.rho1 import (
    CLEAN,
    EPOCHS,
    EVERYTHING,
    NOISY,
    RATIO,
    ROWS,
    STRONG_RATE,
    TOOL,
    Study,
    final,
    targets,
)  # fmt: skip
from replication.tasks.base import Question, Task, load_task
from replication.testbed import web

SELF = {
    "L_RM": ((("reference", 0.7),), ""),
    "H_RM": ((("entropy", 0.7),), ""),
    "H ∩ L": ((("entropy", 0.7), ("reference", 0.7)), "intersection"),
}
"""Rows of Table 3: name -> masks and how they are joined."""
PRINTED = {
    "CLM": "TinyLlama-CT, also the reference model",
    "L_RM": "by L_RM",
    "H_RM": "by H_RM",
    "H ∩ L": "by both",
}
"""The same rows as the paper's file names them (those on OpenWebMath)."""
SINGLES = (0.9, 0.8, 0.7, 0.6, 0.5)
UNIONS = ((0.5, 0.7), (0.7, 0.6), (0.7, 0.5), (0.6, 0.6), (0.6, 0.5), (0.6, 0.4))
INTERSECTIONS = ((0.8, 0.9), (0.75, 0.75), (0.7, 0.9), (0.8, 0.8), (0.7, 0.7))
WORLDS = {
    "notes": "stories:kind=notes,level=3",
    "coins": "coins:level=3",
    "lies": "lies:level=3",
    "counting": "counting",
    "parity": "parity",
}
"""Worlds of the general domain -> task."""

# Self-reference (Tables 3 and 4)


def self_reference(study: Study) -> dict[str, list[Trained]]:
    """Return the trainings of Table 3, plain training of the same length first."""

    def one(name: str, seed: int) -> Trained:
        return study.short(seed, 1.0) if name == "CLM" else study.self_reference(seed, *SELF[name])

    return grid(one, ("CLM", *SELF), study.seeds)


def self_table(study: Study, runs: dict[str, list[Trained]], published: pd.DataFrame) -> pd.DataFrame:
    """Return Table 3: share that is kept, accuracy, difference from plain training, published average."""
    known = published[published["corpus"] == "OpenWebMath"].set_index("model")["average"]
    rows = []
    for name, own in runs.items():
        kept = 1.0 if name == "CLM" else realised(study, *SELF[name])
        gap = None if name == "CLM" else study.gap(own, runs["CLM"])
        average = known.get(PRINTED[name])
        rows.append((name, f"{100 * kept:.0f} %", study.accuracy(own), gap, average))
    columns = ["score", "kept", "accuracy", "minus CLM", "published average"]
    return pd.DataFrame(rows, columns=columns)


def realised(study: Study, masks: Sequence[tuple[str, float]], how: str) -> float:
    """Return the share of the corpus' tokens that a self-reference mask keeps."""
    keep, valid = study.easy(masks, how), targets(study.noisy) >= 0
    return float((keep & valid).sum() / valid.sum())


def self_claims(study: Study, runs: dict[str, list[Trained]]) -> dict[str, Estimate]:
    """Return the estimates of the claims of Table 3."""
    names = {"C10a": "L_RM", "C10b": "H_RM", "C10c": "H ∩ L"}
    return {claim: study.gap(runs[name], runs["CLM"]) for claim, name in names.items()}


def table_4_rows(number: int) -> list[tuple[str, tuple, str]]:
    """Return the first `number` rows of Table 4, spread over its four parts: label, masks, how."""
    singles = [
        [(f"{name}, {100 * r:.0f} %", ((score, r),), "") for r in SINGLES]
        for name, score in (("L_RM", "reference"), ("H_RM", "entropy"))
    ]
    pairs = [
        [(f"H_RM {sign} L_RM, {100 * h:.0f} and {100 * low:.0f} %", (("entropy", h), ("reference", low)), how)
         for h, low in grid]
        for sign, how, grid in (("∪", "union", UNIONS), ("∩", "intersection", INTERSECTIONS))
    ]  # fmt: skip
    parts = [*singles, *pairs]
    order = [part[i] for i in range(max(map(len, parts))) for part in parts if i < len(part)]
    return order[:number]


def table_4(study: Study, published: pd.DataFrame) -> pd.DataFrame:
    """Return Table 4 for the first seed: as many rows as the profile has, the published average beside."""
    seed, known = study.seeds[0], _known(published)
    rows = [("CLM", "100 %", mean(final(study.short(seed, 1.0))), None)]
    for label, masks, how in table_4_rows(int(study.sizes["rows_of_table_4"])):
        run = study.self_reference(seed, masks, how)
        kept = f"{100 * realised(study, masks, how):.0f} %"
        rows.append((label, kept, mean(final(run)), known.get(label)))
    return pd.DataFrame(rows, columns=["score and ratios", "kept", "accuracy", "published average"])


def _known(published: pd.DataFrame) -> dict[str, float]:
    """Return the published averages of Table 4 by the labels used here."""
    found = {}
    for score, ratio, average in published[["score", "ratio", "average"]].itertuples(index=False):
        numbers = " and ".join(re.findall(r"\d+", str(ratio)))
        found[f"{score}, {numbers} %"] = float(average)
    return found


# A larger learner (Table 5)


def strong_runs(study: Study) -> dict[str, list[Trained]]:
    """Return plain and selective trainings of the larger learner; the reference model is the small one."""
    steps = int(study.sizes["strong_steps"])
    columns = study.reference_losses()

    def run(seed: int, selection: Selection, given: dict) -> Trained:
        plan = plans.Plan(
            name="strong", base=str(study.sizes["strong"]), blocks=study.noisy, steps=steps,
            hyper=Hyper(STRONG_RATE, ROWS), selection=selection, columns=given, exam=study.exam(), seed=seed,
        )  # fmt: skip
        return study.trainings.train(plan)

    given = {"CLM": (EVERYTHING, {}), "SLM, small reference": (Selection(RATIO), columns)}
    return grid(lambda name, seed: run(seed, *given[name]), given, study.seeds)


def strong_table(study: Study, runs: dict[str, list[Trained]]) -> pd.DataFrame:
    """Return Table 5: the larger base, its two trainings, and the small reference model."""
    base = study.ask(str(study.sizes["strong"]), study.task, study.questions)
    rows = [("larger base", mean(base["correct"].to_numpy(dtype=float)))]
    rows += [(name, study.accuracy(own)) for name, own in runs.items()]
    rows.append(("small reference model itself", study.accuracy([study.reference])))
    return pd.DataFrame(rows, columns=["model", "accuracy"])


# A general domain (Figure 5)


class General:
    """Trainings on pages of all worlds.

    Args:
        study: gives base, seeds and sizes.
    """

    def __init__(self, study: Study) -> None:
        self.study = study
        pages = web.Web(worlds=web.GENERAL)
        self.noisy = study.blocks(pages, NOISY, int(study.sizes["n_blocks"]))
        self.clean = study.blocks(pages.clean(), CLEAN, int(study.sizes["n_clean"]))
        steps = max(1, EPOCHS * len(self.clean) // ROWS)
        nothing = plans.Exam()
        self.reference = study.train(
            "general", study.settings.seed, blocks=self.clean, steps=steps, exam=nothing
        )
        columns = study.trainings.scores(self.reference.folder, self.noisy)
        given = {"CLM": (EVERYTHING, {}), "SLM, 60 %": (Selection(RATIO), columns)}

        def one(name: str, seed: int) -> Trained:
            selection, own = given[name]
            return study.train("general", seed, selection, blocks=self.noisy, columns=own, exam=nothing)

        self.runs = grid(one, given, study.seeds)

    def outcomes(self, folders: Sequence[object], task: Task, questions: Sequence[Question]) -> np.ndarray:
        """Return whether models answer rightly: (questions, models)."""
        found = [self.study.ask(folder, task, questions).sort_values("question") for folder in folders]
        return np.stack([one["correct"].to_numpy(dtype=float) for one in found], axis=1)

    def by_world(self) -> dict[str, dict[str, np.ndarray]]:
        """Return outcomes by world and model."""
        number = max(10, int(self.study.sizes["n_questions"]) // len(WORLDS))
        found = {}
        for world, name in WORLDS.items():
            task = load_task(name)
            questions = task.questions("test", number, self.study.settings.seed)
            models = {"base": [self.study.base], "reference model": [self.reference.folder]}
            models |= {label: [run.folder for run in own] for label, own in self.runs.items()}
            found[world] = {label: self.outcomes(own, task, questions) for label, own in models.items()}
        return found


def general_groups(found: dict[str, dict[str, np.ndarray]]) -> dict[str, dict[str, Estimate]]:
    """Return the bars of Figure 5: accuracy by world and model."""
    return {world: {label: mean(values) for label, values in own.items()} for world, own in found.items()}


def general_table(found: dict[str, dict[str, np.ndarray]]) -> pd.DataFrame:
    """Return Figure 5 as a table, with the mean over the worlds."""
    labels = list(next(iter(found.values())))
    rows = [
        (world, len(own[labels[0]]), *(mean(own[label]) for label in labels)) for world, own in found.items()
    ]
    averages = [mean(_pooled(found, label)) for label in labels]
    rows.append(("mean", sum(row[1] for row in rows), *averages))
    return pd.DataFrame(rows, columns=["world", "n", *labels])


def general_claim(found: dict[str, dict[str, np.ndarray]]) -> Estimate:
    """Return the mean accuracy over the worlds, selective minus plain; questions and seeds resampled."""
    return paired.difference(_pooled(found, "SLM, 60 %"), _pooled(found, "CLM"), resample_seeds=True)


def _pooled(found: dict[str, dict[str, np.ndarray]], label: str) -> np.ndarray:
    """Return the outcomes of all worlds, which have as many questions each: (questions, models)."""
    return np.concatenate([own[label] for own in found.values()])


# A tool (Table 2)


def tool_runs(study: Study) -> dict[str, list[Trained]]:
    """Return the models of the main table after the same fine-tuning on solutions that call a calculator."""
    steps = int(study.sizes["tool_steps"])
    pages = study.blocks(web.Web(tool=True).clean(), TOOL, max(ROWS, steps * ROWS))
    nothing = plans.Exam()
    starts = {
        "base": lambda seed: study.base,
        "CLM": lambda seed: study.clm(seed).folder,
        "SLM, 60 %": lambda seed: study.slm(seed).folder,
    }

    def one(name: str, seed: int) -> Trained:
        folder = starts[name](seed)
        return study.train("tool", seed, blocks=pages, steps=steps, base=folder, exam=nothing)

    return grid(one, starts, study.seeds)


def tool_answers(study: Study, run: Trained) -> pd.DataFrame:
    """Return a model's answers with the calculator: question, text, calls, answer, correct."""
    lm, task = study.trainings.model(run.folder), study.task
    prompts = [task.prompt(question, rho1.PROMPT) for question in study.questions]

    def compute() -> pd.DataFrame:
        found = tool.generate(
            lm, prompts, [q.id for q in study.questions], tool=web.tool_call, trigger=web.TOOL_EQUALS,
            stop=task.stop, max_new_tokens=task.max_new_tokens,
        )  # fmt: skip
        answers = [task.extract(text) for text in found["text"]]
        values = [answer.value if answer else None for answer in answers]
        right = [task.grade(value, q.answer) for value, q in zip(values, study.questions, strict=True)]
        return found.assign(answer=pd.Series(values, dtype=object), correct=right)

    key = {"model": lm.fingerprint, "task": task.name, "questions": Task.question_hash(study.questions)}
    key |= {"prompts": prompts, "length": task.max_new_tokens}
    modules = ("replication.pretraining.tool", "replication.testbed.web", "replication.tasks.base")
    return study.trainings.store.frame("tool", key, compute, modules=modules)


def tool_outcomes(study: Study, runs: dict[str, list[Trained]]) -> dict[str, np.ndarray]:
    """Return whether each question is answered rightly with the calculator: (questions, seeds) by model."""
    return {
        name: np.stack([tool_answers(study, run)["correct"].to_numpy(dtype=float) for run in own], axis=1)
        for name, own in runs.items()
    }


def tool_table(study: Study, runs: dict[str, list[Trained]]) -> pd.DataFrame:
    """Return Table 2: accuracy with the calculator and calls a question."""
    rows = []
    for name, right in tool_outcomes(study, runs).items():
        calls = np.mean([tool_answers(study, run)["calls"].mean() for run in runs[name]])
        rows.append((f"{name}, then fine-tuned", mean(right), float(calls)))
    return pd.DataFrame(rows, columns=["model", "accuracy with the calculator", "calls a question"])


def tool_claim(study: Study, runs: dict[str, list[Trained]]) -> Estimate:
    """Return the estimate of the claim about fine-tuning: selective minus plain."""
    right = tool_outcomes(study, runs)
    return paired.difference(right["SLM, 60 %"], right["CLM"], resample_seeds=True)


def tool_calls(study: Study, runs: dict[str, list[Trained]]) -> Estimate:
    """Return the calls a question of CLM or SLM after fine-tuning, whichever calls less."""
    found = [
        mean(np.stack([tool_answers(study, run)["calls"].to_numpy(float) for run in runs[name]], axis=1))
        for name in ("CLM", "SLM, 60 %")
    ]
    return min(found, key=lambda estimate: estimate.value)
