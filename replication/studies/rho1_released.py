"""Full scale: the released models under the protocol of the published tables, and what the trainings cost.

Level 0 evaluates models, level 1 is a short training, level 2 one as published (`env/rho1/`).
"""

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from replication.evaluation.accuracy import proportion, wilson
from replication.evaluation.claims import NOTHING, Estimate
from replication.lm import harness
from replication.lm.harness import Protocol
from replication.lm.loading import LanguageModel, check, load
from replication.lm.records import Store, canonical
from replication.settings import ROOT, InputError, Settings, split_model
from replication.tasks import load_task
from replication.tasks.base import Question, Task

TESTBED = ("testbed-small", "testbed", "testbed-large")
WORLD = "stories:kind=plain,level=2"  # all three can calculate these in steps
TABLE_TASKS = ("gsm8k", "math500")
CHUNK = 100  # questions between two saves
SHOTS = {"few_shot_cot": "few-shot", "zero_shot_cot": "step by step"}
GSM8K = 1319  # questions of the published test set

# Hub id -> its row of Table 1 (model, train tokens), and its name among the authors' reruns where it has one.
RELEASED = {
    "microsoft/rho-math-1b-v0.1": (("Rho-1-Math 1.1B", "30B"), "Rho-Math-1B"),
    "microsoft/rho-math-7b-v0.1": (("Rho-1-Math 7B", "10.5B"), "Rho-Math-7B"),
    "microsoft/rho-math-1b-interpreter-v0.1": ((), "Rho-Math-1B-Interpreter"),
    "microsoft/rho-math-7b-interpreter-v0.1": ((), "Rho-Math-7B-Interpreter"),
}
BASES = {
    "TinyLlama/TinyLlama-1.1B-intermediate-step-1431k-3T": (("TinyLlama 1.1B", ""), ""),
    "mistralai/Mistral-7B-v0.1": (("Mistral 7B", ""), ""),
}
C12_MODEL, C12_TASK = "microsoft/rho-math-1b-v0.1", "gsm8k"
COLUMNS = {"gsm8k": "GSM8K", "math500": "MATH", "svamp": "SVAMP"}

CONFIGURATIONS = ROOT / "env" / "rho1"
TRAININGS = {"SLM": (), "CLM": ("score=all", "ratio=1.0"), "random": ("score=random",)}
PAPER_GPUS = 32
LAUNCH = "accelerate launch"


@dataclass(frozen=True)
class Evaluation:
    """Answers of models to tasks.

    Attributes:
        answers: (model, task, prompt style) -> a row per question, see `harness.answers`.
        missing: model -> why it could not be loaded.
        tasks: what was asked.
    """

    answers: Mapping[tuple[str, str, str], pd.DataFrame]
    missing: Mapping[str, str]
    tasks: tuple[str, ...]


def chosen_models(settings: Settings, given: Sequence[str] = ()) -> list[str]:
    """Return the models given, else the run's own, else the released ones or the testbed's sizes."""
    if given or settings.model_name != "testbed":
        return list(dict.fromkeys(map(str, given or (settings.model,))))
    return list(RELEASED if settings.profile == "paper" else TESTBED)


def chosen_tasks(settings: Settings, given: Sequence[str] = ()) -> list[str]:
    """Return the tasks given, else the run's own, else GSM8K and MATH or a world that the testbed knows."""
    if given or settings.task != settings.default_task:
        return list(dict.fromkeys(map(str, given or (settings.task,))))
    return list(TABLE_TASKS if settings.profile == "paper" else (WORLD,))


def evaluate(
    settings: Settings, models: Sequence[str], tasks: Sequence[str], prompt_file: str = "", limit: int = 0
) -> Evaluation:
    """Return the greedy answers of models; what was answered before is read from the run's records.

    Args:
        settings: folder of the data, device, seed and numbers of questions.
        models: testbed models, hub ids or folders.
        tasks: specifications for `load_task`; generated worlds are asked step by step too.
        prompt_file: text that stands before every question in place of the worked examples; "" for none.
        limit: longest response in tokens; 0 for the protocol's.

    Raises:
        InputError: no model or task, a task or a prompt file that cannot be read.
    """
    if not models or not tasks:
        raise InputError("An evaluation needs at least one model and one task.")
    prefix = harness.read_prefix(prompt_file)
    loaded = [(spec, load_task(spec, settings.data_dir)) for spec in tasks]
    asked = [(spec, task, _questions(settings, task)) for spec, task in loaded]
    protocols = [
        (spec, Protocol(task, style, prefix, limit), questions)
        for spec, task, questions in asked
        for style in (harness.STYLES if task.generated else harness.STYLES[:1])
    ]
    missing = {name: reason for name in models if (reason := _absence(name))}
    store, found = Store(settings.records_dir), {}
    for name in models:
        lm = None  # one at a time: together they may not fit
        try:
            lm = load(name, settings.device) if name not in missing else None
        except InputError as error:
            missing[name] = str(error)
        if lm is not None:
            for spec, protocol, questions in protocols:
                found[name, spec, protocol.style] = _answers(store, lm, protocol, questions)
    return Evaluation(found, missing, tuple(tasks))


def table(evaluation: Evaluation, table_1: pd.DataFrame, rerun: pd.DataFrame) -> pd.DataFrame:
    """Return accuracies beside the published ones.

    Args:
        evaluation: what was answered.
        table_1: the published Table 1.
        rerun: the authors' own evaluations of the released models.

    Returns:
        A row per model, task and style: n, accuracy with its Wilson interval, share right without the
        tolerance, shares without an answer and cut off at the limit, published and rerun values (percent).
        Models that could not be loaded have the published values alone.
    """
    rows = []
    for (model, task, style), found in evaluation.answers.items():
        right = proportion(found["correct"]), proportion(found["exact"])
        failed = found["answer"].isna(), found["finish"] == "length"
        shares = (100 * float(which.mean()) for which in failed)
        rows.append([_short(model), task, SHOTS[style], len(found), *right, *shares])
        rows[-1] += _printed(model, task, table_1, rerun)
    for model in evaluation.missing:
        for task in evaluation.tasks:
            rows.append([_short(model), task, SHOTS["few_shot_cot"], 0, NOTHING, NOTHING, None, None])
            rows[-1] += _printed(model, task, table_1, rerun)
    columns = ["model", "task", "prompt", "n", "accuracy", "without tolerance", "no answer", "cut off"]
    return pd.DataFrame(rows, columns=[*columns, "published", "rerun"])


def noise(rerun: pd.DataFrame) -> float:
    """Return the largest difference (a fraction) between the authors' two evaluations of one model."""
    return float((rerun["rerun"] - rerun["paper"]).abs().max()) / 100


def claims(evaluation: Evaluation, rerun: pd.DataFrame) -> dict[str, Estimate | str]:
    """Return what decides claim C12: the accuracy of the released 1.1B model on GSM8K, or why there is none.

    The published value was measured on the same questions, so that with all of them there is no sampling of
    questions, and the interval is what an evaluation differs from the next (`noise`). With fewer it is
    Wilson's.
    """
    own = [key for key in evaluation.answers if _released(key[0]) == C12_MODEL]
    reasons = [text for model, text in evaluation.missing.items() if _released(model) == C12_MODEL]
    if not own:
        return {"C12": (*reasons, f"The models of this run do not include {C12_MODEL}.")[0]}
    found = [evaluation.answers[key]["correct"] for key in own if _base(key[1]) == C12_TASK]
    if not found:
        return {"C12": f"The tasks of this run do not include {C12_TASK}."}
    right, n = int(found[0].sum()), len(found[0])
    if n != GSM8K:
        return {"C12": wilson(right, n)}
    return {"C12": Estimate(right / n, right / n - noise(rerun), right / n + noise(rerun), n)}


def costs(folder: Path | str = CONFIGURATIONS) -> pd.DataFrame:
    """Return what the trainings of levels 1 and 2 cost, computed from their configurations.

    Returns:
        A row per configuration and training: GPUs (one at level 1, the paper's number at level 2), tokens
        processed and learned from (billions), operations for the reference model, its scores and the
        training, memory of a GPU without activations and sharding (GiB), and hours of one GPU for everything.
    """
    from replication.pretraining import config, plan

    rows = []
    for path in configurations(folder):
        gpus = PAPER_GPUS if path.stem.startswith("level2") else 1
        for name, changes in TRAININGS.items():
            found = plan.plan(config.read(path, changes), gpus)
            tokens = found.train_tokens / 1e9, found.kept_tokens / 1e9
            flops = found.reference_flops, found.score_flops, found.train_flops
            shown = (f"{value:.3g}" for value in flops)
            rows.append([path.stem, name, gpus, *tokens, *shown, found.memory / plan.GIB, found.hours])
    names = ["configuration", "training", "GPUs", "B tokens", "B learned from", "FLOPs reference"]
    return pd.DataFrame(rows, columns=[*names, "FLOPs scores", "FLOPs training", "GiB", "GPU hours"])


def commands(folder: Path | str = CONFIGURATIONS) -> list[str]:
    """Return the command that starts each configuration, as written at its head."""
    texts = [path.read_text(encoding="utf-8") for path in configurations(folder)]
    lines = (line.lstrip("# ") for text in texts for line in text.splitlines())
    return [line for line in lines if line.startswith(LAUNCH)]


def configurations(folder: Path | str = CONFIGURATIONS) -> list[Path]:
    """Return the configurations of a folder, sorted by name.

    Raises:
        InputError: there are none.
    """
    if not (found := sorted(Path(folder).glob("*.yaml"))):
        raise InputError(f"The folder {folder} holds no configurations (*.yaml) of a training.")
    return found


def _questions(settings: Settings, task: Task) -> list[Question]:
    """Return as many questions as the caller wants; else all of a published set, fewer otherwise."""
    sizes, number = settings.sizes, None
    if "n_questions" in settings.given:
        number = int(sizes["n_questions"])
    elif task.generated or settings.profile == "smoke":
        number = int(sizes["n_watch"])
    return task.questions("test", number, settings.seed)


def _absence(name: str) -> str:
    """Return why a model cannot be loaded, "" if it can; takes seconds at most."""
    try:
        check(name)
    except InputError as error:
        return str(error)
    return ""


def _answers(
    store: Store, lm: LanguageModel, protocol: Protocol, questions: Sequence[Question]
) -> pd.DataFrame:
    """Return a model's answers, in chunks that are kept."""
    prompts = [protocol.prompt(question) for question in questions]
    key = {"model": lm.fingerprint, "task": protocol.task.name, "style": protocol.style,
           "prompts": hashlib.sha256(canonical(prompts).encode()).hexdigest(),
           "length": protocol.length, "stop": protocol.stop}  # fmt: skip
    return store.stage(
        "harness", key, questions, lambda items: harness.answers(lm, protocol, items),
        chunk=CHUNK, modules=("replication.lm.harness",),
    )  # fmt: skip


def _printed(model: str, task: str, table_1: pd.DataFrame, rerun: pd.DataFrame) -> list[float | None]:
    """Return a model's published accuracy on a task and that of the authors' rerun, None for none."""
    row, name = {**RELEASED, **BASES}.get(_released(model), ((), ""))
    column = COLUMNS.get(_base(task))
    again = rerun[(rerun["model"] == name) & (rerun["data"] == column)]
    first, second = (again[side].iloc[0] if len(again) else None for side in ("paper", "rerun"))
    if row and column:
        first = table_1[(table_1["model"] == row[0]) & (table_1["train tokens"] == row[1])][column].iloc[0]
    return [first, second]


def _released(model: str) -> str:
    """Return the hub id of a released model or base, also of its copy in a folder of that name; else ""."""
    name = _short(model)
    return next((hub for hub in (*RELEASED, *BASES) if _short(hub) == name), "")


def _short(model: str) -> str:
    return os.path.basename(split_model(model)[0].rstrip("/")).partition("@")[0]


def _base(task: str) -> str:
    return task.partition(":")[0]
