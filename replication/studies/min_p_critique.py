"""The critique of min-p (arXiv 2506.13681): equal tuning effort, best of N settings.

A cell is a sampler at a temperature. Every rule with a parameter gets as many cells as the others; a rule's
best of N is its best cell among N drawn at random.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from replication.decoding.experiment import Experiment
from replication.evaluation import paired
from replication.evaluation.accuracy import mean
from replication.evaluation.bootstrap import around, with_pseudo
from replication.evaluation.claims import Estimate
from replication.settings import InputError
from replication.studies import samplers
from replication.studies.min_p import prompted, runs
from replication.studies.samplers import PLAIN, Sampler

GRID_TEMPERATURES = (0.3, 0.7, 1.0, 1.5, 2.0, 3.0)
GRID: Mapping[str, tuple[float, ...]] = {
    "min-p": (0.05, 0.1, 0.2, 0.3),
    "top-p": (0.95, 0.9, 0.8, 0.7),
    "top-k": (10, 30, 100, 200),
    PLAIN: (0.0,),
}
OURS = "min-p"
OTHERS = ("top-p", "top-k", PLAIN)
NUMBERS = (1, 2, 3, 4, 6, 8, 12, 16, 24)
DRAWS = 150
RESAMPLES = 1000

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Cells:
    """Outcomes of the cells of one rule.

    Attributes:
        names: (label of the sampler, temperature) of each cell, lowest temperature first.
        outcomes: (questions, cells) float64.
    """

    names: tuple[tuple[str, float], ...]
    outcomes: Floats


def run_grid(
    experiment: Experiment, temperatures: Sequence[float] = GRID_TEMPERATURES, n: int = 0, **where: object
) -> pd.DataFrame:
    """Return the outcomes of all cells on questions of the tuning split, one path a question.

    Args:
        experiment: the runs.
        temperatures: of the grid.
        n: number of questions; 0 for the profile's.
        **where: options of `Experiment.sample`, such as another style.
    """
    n = n or int(experiment.settings.sizes["n_grid"])
    split = samplers.tuning_split(experiment.task)
    chosen = [Sampler(rule, value) for rule, values in GRID.items() for value in values]
    return runs(experiment, chosen, temperatures, n=n, split=split, **where)


def cells(frame: pd.DataFrame) -> dict[str, Cells]:
    """Return the cells of every rule, lowest temperature first and then in the order of the rows."""
    found = {}
    for rule, own in frame.groupby("rule", sort=False):
        names = [(label, t) for t in sorted(own["temperature"].unique()) for label in own["sampler"].unique()]
        columns = [samplers.by_question(samplers.cell(own, *name)) for name in names]
        found[str(rule)] = Cells(tuple(names), np.stack(columns, axis=1))
    return found


def best(grid: Mapping[str, Cells], rules: Sequence[str]) -> tuple[str, str, float]:
    """Return rule, label and temperature of the most accurate cell of some rules.

    Among equals the lowest temperature wins, then the order of the rules and of their cells.
    """
    candidates = [
        (-round(float(value), 9), name[1], place, rule, name[0])
        for place, rule in enumerate(rules)
        for name, value in zip(grid[rule].names, grid[rule].outcomes.mean(axis=0), strict=True)
    ]
    _, temperature, _, rule, label = min(candidates, key=lambda row: row[:3])
    return rule, label, temperature


def judged(
    experiment: Experiment, frame: pd.DataFrame, grid: Mapping[str, Cells], **where: object
) -> dict[str, tuple[str, float, pd.DataFrame]]:
    """Return every rule's best cell of the grid, run on test questions with `samples` paths each.

    Args:
        experiment: the runs.
        frame: rows of `run_grid`, from which the samplers' parameters are taken.
        grid: its cells.
        **where: options of `Experiment.sample`, as for the grid.

    Returns:
        Rule -> (label, temperature, outcomes).
    """
    found = {}
    for rule in grid:
        _, label, temperature = best(grid, [rule])
        value = float(frame.loc[frame["sampler"] == label, "value"].iloc[0])
        samples = int(experiment.settings.sizes["samples"])
        outcome = runs(experiment, [Sampler(rule, value)], [temperature], samples=samples, **where)
        found[rule] = label, temperature, outcome
    return found


def judged_table(
    grid: Mapping[str, Cells],
    chosen: Mapping[str, tuple[str, float, pd.DataFrame]],
    greedy: pd.DataFrame,
) -> pd.DataFrame:
    """Return a row per rule: cells tried, the best one, its accuracy where it was chosen and on test."""
    rows: list[tuple[object, ...]] = []
    for rule, (label, temperature, outcome) in chosen.items():
        column = grid[rule].outcomes[:, grid[rule].names.index((label, temperature))]
        best_one = f"{label}, T = {temperature:g}"
        rows.append((rule, len(grid[rule].names), best_one, mean(column), samplers.estimate(outcome)))
    rows.append(("greedy", 1, "greedy", None, samplers.estimate(greedy)))
    columns = ["rule", "cells tried", "best cell", "validation, %", "test, %"]
    return pd.DataFrame(rows, columns=columns)


def judged_gaps(
    grid: Mapping[str, Cells],
    chosen: Mapping[str, tuple[str, float, pd.DataFrame]],
    greedy: pd.DataFrame,
) -> dict[str, Estimate]:
    """Return on test questions: best min-p minus the best of the others (C4a), greedy minus the best (C4b).

    Which rule is the best of the others, and the best of all, is decided on the grid.
    """
    values = {rule: samplers.by_question(outcome) for rule, (_, _, outcome) in chosen.items()}
    other, first = best(grid, OTHERS)[0], best(grid, tuple(GRID))[0]
    return {
        "C4a": paired.difference(values[OURS], values[other]),
        "C4b": paired.difference(samplers.by_question(greedy), values[first]),
    }


def further_task(
    experiment: Experiment, task: str, temperatures: Sequence[float]
) -> tuple[pd.DataFrame, dict[str, Estimate]]:
    """Return `judged_table` and `judged_gaps` of the selection repeated on another task.

    Half as many validation questions as the main grid has.
    """
    n = max(1, int(experiment.settings.sizes["n_grid"]) // 2)
    frame = run_grid(experiment, temperatures, n, task=task)
    grid, plain = cells(frame), greedy(experiment, task=task)
    chosen = judged(experiment, frame, grid, task=task)
    return judged_table(grid, chosen, plain), judged_gaps(grid, chosen, plain)


def gap_table(gaps: Mapping[str, Estimate]) -> pd.DataFrame:
    """Return `judged_gaps` as a row per comparison, in words."""
    words = {"C4a": "best min-p minus best of the others", "C4b": "greedy minus best of all"}
    rows = [(words[name], gap, gap.n) for name, gap in gaps.items()]
    return pd.DataFrame(rows, columns=["comparison", "difference", "n"])


def greedy(experiment: Experiment, **where: object) -> pd.DataFrame:
    """Return the outcomes of the greedy path under the profile's prompt style."""
    return samplers.greedy(experiment, **prompted(experiment, **where))


# Best of N settings


def best_of(
    grid: Mapping[str, Cells],
    others: Sequence[str] = OTHERS,
    *,
    halves: bool = False,
    numbers: Sequence[int] = NUMBERS,
    draws: int = DRAWS,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> pd.DataFrame:
    """Return the best of N cells of min-p minus the best of N cells of each of some other rules.

    Args:
        grid: cells of min-p and of the others.
        others: rules whose best counts; a rule with fewer than N cells gives all it has.
        halves: choose on one half of the questions and judge on the other, both ways; else choose and judge
            on all, as the critique does.
        numbers: values of N.
        draws: random orders of the cells; a draw's first N are its N settings.
        resamples: of the questions, for the interval; as in `evaluation.paired`, one pseudo-question for and
            one against min-p join the pool.
        seed: of orders and resamples.

    Returns:
        Columns N, accuracy (the difference, mean over draws), low, high, n (questions).

    Raises:
        InputError: fewer than two questions when they are to be halved.
    """
    rules = (OURS, *others)
    n = len(grid[OURS].outcomes)
    if halves and n < 2:
        raise InputError("Two halves need at least two questions.")
    rng = np.random.default_rng(seed)
    pool = n + 2
    weights = np.vstack([np.r_[np.ones(n), 0, 0], rng.multinomial(pool, np.full(pool, 1 / pool), resamples)])
    even = np.arange(pool) % 2 == 0
    folds = [(even, ~even), (~even, even)] if halves else [(np.full(pool, True),) * 2]
    total = np.zeros((resamples + 1, len(numbers)))
    parts = [{r: _shares(_pooled(grid[r], r == OURS), weights, x) for r in rules} for f in folds for x in f]
    for _ in range(draws):
        orders = {rule: rng.permutation(grid[rule].outcomes.shape[1]) for rule in rules}
        for choose, judge in zip(parts[::2], parts[1::2], strict=True):
            total += _gaps(choose, judge, orders, numbers)
    values = total / (draws * len(folds))
    found = [around(float(values[0, i]), values[1:, i], n) for i in range(len(numbers))]
    rows = [(number, e.value, e.low, e.high, e.n) for number, e in zip(numbers, found, strict=True)]
    return pd.DataFrame(rows, columns=["N", "accuracy", "low", "high", "n"])


def _pooled(own: Cells, ours: bool) -> Floats:
    """Return (questions + 2, cells) outcomes with a pseudo-question for and one against min-p."""
    low, high = (0.0, 1.0) if ours else (1.0, 0.0)
    return with_pseudo(own.outcomes, low, high)


def _shares(outcomes: Floats, weights: Floats, chosen: NDArray[np.bool_]) -> Floats:
    """Return (resamples, cells) weighted accuracies over the chosen questions; 0 where none has weight."""
    own = weights * chosen
    return own @ outcomes / np.maximum(own.sum(axis=1, keepdims=True), 1)


def _gaps(
    choose: Mapping[str, Floats],
    judge: Mapping[str, Floats],
    orders: Mapping[str, NDArray[np.int64]],
    numbers: Sequence[int],
) -> Floats:
    """Return (resamples, numbers) best-of-N accuracies of min-p minus the best of the others."""
    rows = np.arange(len(choose[OURS]))
    found = np.empty((len(rows), len(numbers)))
    for place, number in enumerate(numbers):
        top, score = {}, {}
        for rule, order in orders.items():
            own = choose[rule][:, order[:number]]
            pick = own.argmax(axis=1)
            top[rule], score[rule] = own[rows, pick], judge[rule][:, order[:number]][rows, pick]
        others = [rule for rule in orders if rule != OURS]
        lead = np.stack([top[rule] for rule in others]).argmax(axis=0)
        found[:, place] = score[OURS] - np.stack([score[rule] for rule in others])[lead, rows]
    return found


def best_of_series(grid: Mapping[str, Cells]) -> dict[str, pd.DataFrame]:
    """Return `best_of` against the best of the others, against each alone, and with two halves."""
    series = {"best of the three": best_of(grid)}
    series |= {f"{rule} alone": best_of(grid, (rule,)) for rule in OTHERS}
    return series | {"best of the three, halves": best_of(grid, halves=True)}


def best_of_table(series: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return a row per comparison and a column per N, each cell an `Estimate` of the difference."""
    rows = []
    for name, frame in series.items():
        ends = frame[["accuracy", "low", "high", "n"]].itertuples(index=False)
        found = {f"N = {number}": Estimate(*row) for number, row in zip(frame["N"], ends, strict=True)}
        rows.append({"min-p minus": name} | found)
    return pd.DataFrame(rows)


def at_one(series: pd.DataFrame) -> Estimate:
    """Return the difference at N = 1 (C4c)."""
    row = series[series["N"] == 1].iloc[0]
    return Estimate(float(row["accuracy"]), float(row["low"]), float(row["high"]), int(row["n"]))
