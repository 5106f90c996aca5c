"""Exact match against temperature (Top-nσ, arXiv 2411.07641, Tables 1 and 2), and what the table can show."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from replication.decoding import final_answer
from replication.decoding.experiment import Experiment
from replication.evaluation import power
from replication.evaluation.accuracy import proportion
from replication.evaluation.claims import Estimate
from replication.settings import InputError
from replication.studies import samplers
from replication.studies.samplers import GREEDY, Sampler
from replication.studies.top_nsigma_logits import ANSWERS, MIN_P, NSIGMA, STYLE, TOP_P, Heat, heat

PLAIN = Sampler()
TOP_K = Sampler("top-k", 20)
TABLE_2 = (PLAIN, TOP_P, TOP_K, Sampler("top-k", 5), MIN_P, NSIGMA)
"""Table 2's samplers, and top-k 5: 20 tokens are a large share of a small vocabulary."""
PUBLISHED_CRITICAL = 1.80  # T_c of LLaMA-3-8B-Instruct, from the values read off Figure 1
QUESTIONS = {"GPQA": 256, "GSM8K": 256, "AQuA": 254, "MATH": 256}
COLUMNS = {"T = 0": 0.0, "T = 1": 1.0, "T = 1.5": 1.5, "T = 2": 2.0, "T = 3": 3.0}


def runs(
    experiment: Experiment,
    chosen: Sequence[Sampler] = TABLE_2,
    temperatures: Sequence[float] = ANSWERS,
    *,
    size: str = "n_questions",
    **where: object,
) -> pd.DataFrame:
    """Return `samplers.outcomes` with greedy decoding's rows in front, step-by-step answers by default.

    Args:
        experiment: the runs.
        chosen: samplers.
        temperatures: of every sampler.
        size: name of the profile's size that gives the number of questions.
        **where: options of `Experiment.sample`.
    """
    options = {"style": STYLE, "n": int(experiment.settings.sizes[size])} | where
    rows = [samplers.greedy(experiment, **options)]
    if chosen:
        rows.append(samplers.outcomes(experiment, chosen, temperatures, **options))
    return pd.concat(rows, ignore_index=True)


def solved(frame: pd.DataFrame) -> Estimate:
    """Return P1: the exact match of greedy decoding."""
    return proportion(samplers.by_question(samplers.cell(frame, GREEDY, 0.0)))


def answered(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with a column answered: whether the text holds an answer at all."""
    return frame.assign(answered=frame["answer"].notna())


def heat_claims(frame: pd.DataFrame, hot: float) -> dict[str, Estimate]:
    """Return C4a to C4e from the rows of `runs`."""
    nsigma = (NSIGMA.label, hot)
    return {
        "C4a": samplers.gap(frame, (PLAIN.label, hot), (PLAIN.label, 1.0)),
        "C4b": samplers.gap(frame, nsigma, (NSIGMA.label, 1.0)),
        "C4c": samplers.gap(frame, nsigma, (MIN_P.label, hot)),
        "C4d": samplers.gap(frame, nsigma, (TOP_P.label, hot)),
        "C4e": samplers.gap(frame, nsigma, (TOP_K.label, hot)),
    }


def headroom(frame: pd.DataFrame) -> str:
    """Return in words what greedy decoding leaves for others to gain."""
    e = solved(frame)
    return f"greedy decoding answers {round(e.value * e.n)} of {e.n} questions right"


def other_model(experiment: Experiment, name: str) -> tuple[Heat, pd.DataFrame] | None:
    """Return the temperatures of another model and its outcomes at T = 1, 2, T_c and hot.

    None without a name, or where its checkpoint is missing. As many questions as `n_small`.
    """
    if not name:
        return None
    try:
        experiment.model(name)
    except InputError:
        return None
    own = heat(experiment, name)
    at = sorted({*own.three, 2.0})
    return own, runs(experiment, (PLAIN, TOP_P, MIN_P, NSIGMA), at, size="n_small", model=name)


def relative_table(frame: pd.DataFrame, critical: float) -> pd.DataFrame:
    """Return `samplers.table` with every temperature also as a multiple of the critical one."""
    table = samplers.table(frame)
    at = {f"T = {t:g}": t for t in frame["temperature"].unique() if t > 0}
    return table.rename(columns={name: f"{name} ({t / critical:.2f} T_c)" for name, t in at.items()})


def best_temperature(experiment: Experiment, **where: object) -> float:
    """Return the temperature at which top-nσ 1 is best on validation questions, the smallest of equals."""
    split = samplers.tuning_split(experiment.task)
    found = runs(experiment, (NSIGMA,), **{"split": split, "size": "n_small"} | where)
    means = found[found["sampler"] == NSIGMA.label].groupby("temperature")["correct"].mean()
    return float(means.idxmax())  # sorted by temperature: the first of equals


def against_greedy(frame: pd.DataFrame, temperature: float) -> Estimate:
    """Return C5: exact match of top-nσ 1 at a temperature minus greedy decoding."""
    return samplers.gap(frame, (NSIGMA.label, temperature), (GREEDY, 0.0))


def ahead_of_min_p(frame: pd.DataFrame, critical: float) -> pd.DataFrame:
    """Return top-nσ 1 minus min-p 0.1 at every temperature, and T/T_c."""
    rows = [
        (t, round(t / critical, 2), samplers.gap(frame, (NSIGMA.label, t), (MIN_P.label, t)))
        for t in sorted(frame.loc[frame["temperature"] > 0, "temperature"].unique())
    ]
    return pd.DataFrame(rows, columns=["T", "T/T_c", "top-nσ minus min-p, points"])


def falls(tasks: Mapping[str, pd.DataFrame], hot: float) -> pd.DataFrame:
    """Return a row per task: greedy, and top-nσ 1 and min-p 0.1 hot minus T = 1, on the same questions."""
    rows = []
    for name, frame in tasks.items():
        gaps = (samplers.gap(frame, (s.label, hot), (s.label, 1.0)) for s in (NSIGMA, MIN_P))
        rows.append((name, solved(frame), *gaps, frame["question"].nunique()))
    header = ["task", "greedy, %", "top-nσ 1, hot minus T = 1", "min-p 0.1, hot minus T = 1", "n"]
    return pd.DataFrame(rows, columns=header)


def curves(frame: pd.DataFrame, critical: float, column: str = "correct") -> dict[str, pd.DataFrame]:
    """Return `samplers.curves` of all samplers against T/T_c, column relative."""
    found = samplers.curves(frame[frame["temperature"] > 0], column)
    return {label: own.assign(relative=own["temperature"] / critical) for label, own in found.items()}


def published_points(
    table: pd.DataFrame, data: str, labels: Mapping[str, str], critical: float = PUBLISHED_CRITICAL
) -> dict[str, list[tuple[float, float]]]:
    """Return published cells as points (T/T_c, percent) under our labels.

    Args:
        table: published rows with the columns data, sampler and those of `COLUMNS`.
        data: value of the column data.
        labels: our label -> published sampler.
        critical: T_c of the published model.
    """
    rows = table[table["data"] == data].set_index("sampler")
    found = {}
    for label, name in labels.items():
        cells = {t: rows.loc[name, column] for column, t in COLUMNS.items() if column in rows and t > 0}
        found[label] = [(t / critical, float(value)) for t, value in cells.items() if value != ""]
    return found


LABELS = {PLAIN.label: "sampling", TOP_P.label: "top-p", TOP_K.label: "top-k", MIN_P.label: "min-p",
          NSIGMA.label: "top-nσ"}  # fmt: skip
"""Our label -> name in the published tables."""


def parameters() -> pd.DataFrame:
    """Return our parameters beside those of Table 1."""
    rows = [
        (s.rule, f"{s.value:g}", "yes" if s in (TOP_P, MIN_P, TOP_K, NSIGMA) else "no") for s in TABLE_2[1:]
    ]
    return pd.DataFrame(rows, columns=["sampler", "parameter here", "in Table 1"])


SENTENCES = ("The final answer is 42.", "The final answer is $70,000.", "The final answer is -5.",
             "The final answer is 33.50.", "The final answer is 33",
             "The final answer is 12. Wait, The final answer is 13.")  # fmt: skip


def readings() -> pd.DataFrame:
    """Return what the official and the mended pattern read in `SENTENCES`."""
    rows = [(text, final_answer.official(text), final_answer.fixed(text)) for text in SENTENCES]
    return pd.DataFrame(rows, columns=["text", "official pattern", "mended pattern"])


# What the published sample can show


def published_cells(table: pd.DataFrame) -> pd.DataFrame:
    """Return every published set with the number of its cells and how far these are from whole questions.

    A share of n questions is a multiple of 1/n; the largest distance to one, in questions, tells whether the
    published percentages, rounded to two decimals, fit n.
    """
    rows = []
    for data, own in table.groupby("data", sort=False):
        n = QUESTIONS[data]
        values = [v for column in COLUMNS if column in own for v in own[column] if v != ""]
        right = np.array(values, dtype=float) / 100 * n
        rows.append((data, n, len(right), f"{np.abs(right - right.round()).max():.3f}"))
    return pd.DataFrame(rows, columns=["data", "questions", "cells", "largest distance to a whole question"])


def published_contrasts(table: pd.DataFrame) -> pd.DataFrame:
    """Return what Table 2 shows of its main comparisons, each cell on its own sample of questions."""
    cells = table.set_index(["data", "sampler"])
    pairs = [(d, "top-nσ, best T, minus greedy", _best(cells, d), cells.loc[(d, "sampling"), "T = 0"])
             for d in QUESTIONS]  # fmt: skip
    for data, column in (("GSM8K", "T = 1"), ("GPQA", "T = 1"), ("GSM8K", "T = 3"), ("GPQA", "T = 3")):
        ours, other = (cells.loc[(data, name), column] for name in ("top-nσ", "min-p"))
        pairs.append((data, f"top-nσ minus min-p, {column}", ours, other))
    rows = []
    for data, what, first, second in pairs:
        n = QUESTIONS[data]
        a, b = float(first) / 100, float(second) / 100
        z = (a - b) / np.sqrt((a * (1 - a) + b * (1 - b)) / n)
        rows.append((data, what, f"{round(a * n)} and {round(b * n)} of {n}",
                     power.published_difference(a, b, n), round(float(z), 1)))  # fmt: skip
    return pd.DataFrame(rows, columns=["data", "comparison", "right", "difference, points", "z"])


def _best(cells: pd.DataFrame, data: str) -> float:
    """Return the largest published cell of top-nσ."""
    return max(float(cells.loc[(data, "top-nσ"), c]) for c in COLUMNS if cells.loc[(data, "top-nσ"), c] != "")


def detectable(n: int) -> pd.DataFrame:
    """Return the smallest true gain over greedy's published accuracy that n and 256 questions can show."""
    rows = []
    for name, p in (("GSM8K, greedy", 0.8125), ("GPQA, greedy", 0.3203)):
        gains = [100 * power.detectable_difference(p, size, paired=True) for size in (256, n)]
        rows.append((name, *(f"{gain:.1f}" for gain in gains)))
    header = ["baseline", "gain that 256 questions show, points", f"gain that {n} questions show, points"]
    return pd.DataFrame(rows, columns=header)
