"""The tasks of the CoT-decoding notebooks (arXiv 2402.10200): what a run asks, and what it stands for.

The paper asks GSM8K, MultiArith and the parity of birth years. Here the run's own task takes the first place,
stories of all kinds the second, and the parity of invented persons' years the third, which only models that
read about these persons can be asked.
"""

from collections.abc import Iterable, Mapping

import pandas as pd

from replication.decoding.experiment import Experiment
from replication.evaluation.claims import Estimate
from replication.testbed import models

MIXED, PARITY = "mixed stories", "year parity"
LABELS = {"parity": PARITY}
STANDS_FOR = {
    "stories": "GSM8K",
    "gsm8k": "GSM8K",
    MIXED: "MultiArith",
    "multiarith": "MultiArith",
    PARITY: "year parity",
}
"""Our name of a task -> the published task that it is or stands for."""
SIZES = ("PaLM-2 S", "PaLM-2 M", "PaLM-2 L")
NO_PEOPLE = (
    "The persons of the year-parity questions are invented: only testbed models whose training text held "
    "their birth years can be asked."
)
Ends = dict[str, list[tuple[float, float]]]
"""Series -> published points (k, percent)."""


def label(task: str) -> str:
    """Return the name of a task in tables and figures, its specification without the options."""
    name = task.partition(":")[0]
    return LABELS.get(name, name)


def tasks(experiment: Experiment) -> dict[str, str]:
    """Return name -> specification: the run's own task, then what can be asked of the paper's other two."""
    run = experiment.settings
    found = {label(run.task): run.task}
    if run.task != "stories":
        found[MIXED] = "stories"
    if models.knows_people(run.model_name):
        found.setdefault(PARITY, "parity")
    return found


def numbers(cells: Iterable[Estimate]) -> str:
    """Return how many questions stand behind a row's cells, one number where they agree."""
    found = [cell.n for cell in cells]
    return ", ".join(map(str, found if len(set(found)) > 1 else found[:1]))


def published_bars(published: pd.DataFrame, model: str, names: Iterable[str]) -> dict[str, dict[str, float]]:
    """Return the published bars of one model under our names of the tasks: name -> (decoder -> percent).

    Args:
        published: rows with model, task, greedy and CoT-decoding (Figure 3).
        model: as in `published`.
        names: ours; those that stand for no published task are left out.
    """
    rows = published[published["model"] == model].set_index("task")[["greedy", "CoT-decoding"]]
    return {name: rows.loc[STANDS_FOR[name]].to_dict() for name in names if name in STANDS_FOR}


def published_sizes(
    published: pd.DataFrame, task: str, ladder: Iterable[str], tuned: str
) -> dict[str, dict[str, float]]:
    """Return the published bars of Figure 4 by our models: model -> (decoder -> percent).

    Args:
        published: rows of Figure 4.
        task: our name of the task.
        ladder: three models, small to large, beside PaLM-2 S, M and L; another number has no counterparts.
        tuned: the tuned model, beside the tuned PaLM-2 L; "" for none.
    """
    rows = published[published["task"] == STANDS_FOR.get(task)].set_index("model")
    ladder = list(ladder)
    pairs = dict(zip(ladder, SIZES, strict=True)) if len(ladder) == len(SIZES) else {}
    pairs |= {tuned: "PaLM-2 L, tuned"} if tuned else {}
    own = rows[["greedy", "CoT-decoding"]]
    return {ours: own.loc[theirs].to_dict() for ours, theirs in pairs.items() if theirs in rows.index}


def size_ends(published: pd.DataFrame, task: str, ladder: Iterable[str], tuned: str, k: int) -> Ends:
    """Return the published ends of the curves of Figure 5, k = 1 (greedy) and the largest k, by our models.

    Args:
        published: as in `published_sizes`, and so are task, ladder and tuned.
        task: our name of the task.
        ladder: our models, small to large.
        tuned: our tuned model.
        k: the largest.
    """
    found = published_sizes(published, task, ladder, tuned)
    return {ours: [(1, bars["greedy"]), (k, bars["CoT-decoding"])] for ours, bars in found.items()}


def tuning_ends(
    published: pd.DataFrame, names: Iterable[str], models_: Mapping[str, str], k: int
) -> dict[str, Ends]:
    """Return the published ends of the curves of Figure 6: our task -> (our model -> points).

    Args:
        published: rows of Table 5.
        names: our tasks; those that stand for no published task are left out.
        models_: our model -> column of `published`.
        k: the largest.
    """
    cells = published.set_index(["task", "decoding"])
    return {
        name: {
            ours: [(1, cells.loc[(STANDS_FOR[name], "greedy"), column]),
                   (k, cells.loc[(STANDS_FOR[name], "CoT-decoding"), column])]
            for ours, column in models_.items()
        }
        for name in names
        if name in STANDS_FOR
    }  # fmt: skip
