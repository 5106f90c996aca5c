"""What the testbed's notebook shows: worlds, corpus, models, a short training, and easy real questions."""

import os
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from pathlib import Path

import pandas as pd

from replication.decoding.experiment import Experiment
from replication.evaluation.accuracy import proportion
from replication.evaluation.claims import Estimate
from replication.lm.records import Store
from replication.studies import cot_decoding as study
from replication.tasks import numbers, sources
from replication.tasks.base import Question, Task
from replication.testbed import corpus, grown, models, worlds

DATA_VARIABLE = "REPLICATION_DATA"
MODELS = ("testbed-small", "testbed", "testbed-large", "testbed-tuned")
ABILITIES = {
    "plain stories, 3 steps": "stories:kind=plain,level=3",
    "stories, 3-step chains": "stories:kind=chain,level=3",
    "stories, all kinds": "stories",
    "year parity": "parity",
    "expressions, 3 operands": "expressions:depth=0,length=3",
    "coins, 2 persons": "coins:level=2",
    "web of lies, 3 persons": "lies:level=3",
    "object counting": "counting",
}
Bars = dict[str, dict[str, Estimate]]
"""Model name -> way of decoding -> accuracy."""
CALCULATION = re.compile(r"<<([^<>]{1,200})>>")
STEPS, LARGEST = 2, 1000  # of a GSM8K solution that the testbed may hope to solve


def examples(seed: int = 1) -> pd.DataFrame:
    """Return a test question of every world with the oracle's steps and answer."""
    rows = []
    for name in worlds.WORLDS:
        problem = worlds.sample(name, "test", 1, seed)[0]
        rows.append((name, problem.question, "; ".join(problem.steps), problem.answer))
    return pd.DataFrame(rows, columns=["world", "question", "steps of the oracle", "answer"])


def oracle_check(n: int) -> pd.DataFrame:
    """Return how many of n test questions of every world an independent solver answers as the generator."""
    rows = []
    for name in worlds.WORLDS:
        problems = worlds.sample(name, "test", n, 0)
        agree = sum(worlds.world(name).solve(problem) == problem.answer for problem in problems)
        rows.append((name, len(problems), agree))
    return pd.DataFrame(rows, columns=["world", "questions", "solver agrees"])


def document_kinds(n: int = 5000, model: str = "testbed") -> pd.DataFrame:
    """Return the share of each kind among the first n documents that a model was trained on, with an example.

    Args:
        n: number of documents.
        model: a testbed model; its recipe names the shares and the seed of the stream.
    """
    recipe = models.recipe(model)
    drawn = list(islice(corpus.documents(recipe.data_seed, recipe.mix), n))
    counts = Counter(document.kind for document in drawn)
    shortest = {kind: min((d.text for d in drawn if d.kind == kind), key=len) for kind in counts}
    rows = [(kind, f"{100 * count / n:.1f}", shortest[kind]) for kind, count in counts.most_common()]
    return pd.DataFrame(rows, columns=["kind", "share, %", "shortest example"])


def ladder() -> pd.DataFrame:
    """Return size, training and losses of every shipped model, and of larger ones in use, from its card."""
    rows = []
    for name in (*models.names(), *grown.names()):
        card = grown.card(name) if name in grown.LARGER else models.card(name)
        losses = (f"{card['loss']:.2f}", f"{card['validation_loss']:.2f}")
        rows.append((name, card["parameters"], card["steps"], f"{card['tokens'] / 1e6:.1f}", *losses))
    header = ["model", "parameters", "steps", "tokens, millions", "training loss", "validation loss"]
    return pd.DataFrame(rows, columns=header)


def loss_curves(names: Sequence[str] = MODELS[:3]) -> dict[str, pd.DataFrame]:
    """Return the loss curves of models: columns step, tokens, loss, validation (nats per token)."""
    return {name: pd.read_csv(grown.folder(name) / "losses.csv") for name in names}


def abilities(experiment: Experiment) -> pd.DataFrame:
    """Return the accuracy of every model on every world: greedy, and behind the step-by-step phrase."""
    rows = []
    for label, spec in ABILITIES.items():
        for name in MODELS:
            plain, pushed = (_greedy(experiment, name, spec, suffix) for suffix in ("", study.STEP_BY_STEP))
            rows.append((label, name, plain, pushed, plain.n))
    return pd.DataFrame(rows, columns=["world", "model", "greedy, %", "step by step, %", "n"])


def _greedy(experiment: Experiment, model: str, task: str | Task, suffix: str, n: int = 0) -> Estimate:
    """Return the accuracy of greedy decoding behind the prompt and `suffix`; n = 0 takes the profile's."""
    run = experiment.decode("greedy", model=model, task=task, suffix=suffix, n=n)
    return proportion(study.graded(run)[0])


def short_training(store: Store, chunks: int, name: str = "testbed-small") -> pd.DataFrame:
    """Return the losses of a model's first steps (nats per token), as shipped and trained again here.

    Args:
        store: keeps the losses of the training here.
        chunks: how much is trained, in units of 50 steps.
        name: the shipped model.
    """

    def train() -> pd.DataFrame:
        from replication.testbed import training

        return pd.DataFrame(training.rerun(name, chunks))

    key = {"model": name, "chunks": chunks}
    again = store.frame("short_training", key, train, ("replication.testbed.training",)).round(2)
    shipped = pd.read_csv(models.folder(name) / "losses.csv").head(len(again)).round(2)
    both = {f"{column}, {who}": frame[column] for column in ("loss", "validation")
            for who, frame in (("shipped", shipped), ("again", again))}  # fmt: skip
    return pd.DataFrame({"step": again["step"], **both})


# Easy real questions


def data_folder(data_dir: str = "") -> str:
    """Return the folder of real data: the argument, else the environment's, "" without any."""
    return data_dir or os.environ.get(DATA_VARIABLE, "")


def easy_gsm8k(data_dir: str, n: int) -> Task | None:
    """Return the first n GSM8K training questions solved in at most two steps on integers below 1,000.

    Args:
        data_dir: folder with train.jsonl, in itself or in a folder gsm8k; "" for none.
        n: number of questions.

    Returns:
        The task, its questions in the file's order; None without the file.

    Raises:
        InputError: a line of the file is not a JSON object.
    """
    root = Path(data_dir).expanduser()
    places = (root / "train.jsonl", root / "gsm8k" / "train.jsonl") if data_dir else ()
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        return None
    rows = [row.values for row in sources.read_jsonl(path)]
    easy = [row for row in rows if _is_easy(str(row.get("answer", "")))][:n]
    questions = [_question(index, row) for index, row in enumerate(easy)]
    return Task("gsm8k-easy", "number", lambda split, count, seed: questions[:count], max_new_tokens=72)


def _question(index: int, row: Mapping[str, object]) -> Question:
    """Return a GSM8K row as a question; its answer stands behind the last "####"."""
    answer = str(row["answer"]).rpartition("####")[2]
    return Question(f"gsm8k-easy-{index}", str(row["question"]), numbers.normalise(answer) or "")


def _is_easy(solution: str) -> bool:
    """Tell whether a solution has one or two calculations, on integers below 1,000 only."""
    steps = CALCULATION.findall(solution)
    values = re.findall(r"\d*\.?\d+", " ".join(steps))
    return 0 < len(steps) <= STEPS and all("." not in v and int(v) < LARGEST for v in values)


def real_accuracy(experiment: Experiment, task: Task, names: Sequence[str] = MODELS) -> Bars:
    """Return the accuracy of every model on all questions of `task` by three ways of decoding."""
    result, n = {}, len(task.questions())
    for name in names:
        greedy, best = study.pair(study.read(experiment.branches(model=name, task=task, n=n)))
        pushed = _greedy(experiment, name, task, study.STEP_BY_STEP, n)
        result[name] = {"greedy": greedy, "step by step": pushed, "CoT-decoding": best}
    return result
