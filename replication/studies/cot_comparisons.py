"""CoT-decoding (arXiv 2402.10200) across models, values of k, tasks, branching steps and training mixes.

What the notebooks on size, tuning, tasks and controls need; `branches` is the table of
`replication.decoding.cot_decoding.score_branches`. A claim that a run cannot test is given as its reason, a
text, in place of an estimate.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from replication.decoding.experiment import Experiment
from replication.evaluation.accuracy import proportion
from replication.evaluation.claims import Estimate
from replication.evaluation.contrasts import contrast
from replication.evaluation.curves import accuracy_curve
from replication.evaluation.paired import difference, share_of_gap, smallest
from replication.studies.cot_outcomes import any_reasoned, by_k, gain, greedy, max_path, read, votes_by_k
from replication.studies.cot_tasks import NO_PEOPLE, PARITY
from replication.testbed.models import CONTROL_FRACTIONS

PAIR = ("greedy", "CoT-decoding")


def pair(branches: pd.DataFrame) -> tuple[Estimate, Estimate]:
    """Return the accuracies of greedy decoding and of CoT-decoding (max path)."""
    return proportion(greedy(branches)), proportion(max_path(branches))


def mean_gain(branches: pd.DataFrame) -> Estimate:
    """Return accuracy of CoT-decoding minus greedy on the same questions."""
    return difference(max_path(branches), greedy(branches))


# Size, tuning and k (Figures 3 to 6, Table 5)

NO_LADDER = "Needs models of one family in several sizes: give them as `ladder`."
NO_TUNED = "Needs the tuned version of the model: give it as `tuned`."
Tasks = Mapping[str, Mapping[str, pd.DataFrame]]
"""Task name -> model name -> scored branches."""


def curve(branches: pd.DataFrame, ks: Iterable[int]) -> pd.DataFrame:
    """Return k, accuracy, low, high and n of the max path (Figures 5 and 6), from the prefixes of one run."""
    return accuracy_curve(by_k(branches, ks))


def vote_curve(branches: pd.DataFrame, ks: Iterable[int]) -> pd.DataFrame:
    """Return `curve` of the weighted vote (version 1 of the paper, Figure 4)."""
    return accuracy_curve(votes_by_k(branches, ks))


def bars_by_model(models: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, Estimate]]:
    """Return the bars of every model (Figure 4): model -> (decoder -> accuracy)."""
    return {name: dict(zip(PAIR, pair(branches), strict=True)) for name, branches in models.items()}


def by_model(tasks: Tasks) -> pd.DataFrame:
    """Return a row per task and model (Figure 4): greedy, CoT-decoding, their difference and n."""
    rows = [
        (task, name, *pair(branches), mean_gain(branches), branches["question"].nunique())
        for task, models in tasks.items()
        for name, branches in models.items()
    ]
    return pd.DataFrame(rows, columns=["task", "model", *(f"{p}, %" for p in PAIR), "gain, points", "n"])


def base_and_tuned(tasks: Tasks, base: str, tuned: str) -> pd.DataFrame:
    """Return a row per task and decoder with the base and the tuned model side by side (Table 5)."""
    rows = []
    for task, models in tasks.items():
        columns = zip(PAIR, pair(models[base]), pair(models[tuned]), strict=True)
        rows += [(task, *cells, models[base]["question"].nunique()) for cells in columns]
    return pd.DataFrame(rows, columns=["task", "decoding", "base, %", "tuned, %", "n"])


def size_claims(tasks: Tasks, ladder: Sequence[str]) -> dict[str, Estimate | str]:
    """Return C5b, C5c (year parity, largest minus smallest model) and C5d (smallest gain on the main task).

    Args:
        tasks: the main task first, and year parity where it can be asked, with the models of the ladder.
        ladder: models of one family, small to large; the claims cannot be tested on fewer than two.
    """
    if len(ladder) < 2:
        return dict.fromkeys(("C5b", "C5c", "C5d"), NO_LADDER)
    main = next(iter(tasks.values()))
    gains = {"C5d": smallest({name: gain(main[name]) for name in ladder})[1]}
    if PARITY not in tasks:
        return dict.fromkeys(("C5b", "C5c"), NO_PEOPLE) | gains
    small, large = (tasks[PARITY][ladder[i]] for i in (0, -1))
    return {
        "C5b": difference(greedy(large), greedy(small)),
        "C5c": difference(max_path(large), max_path(small)),
        **gains,
    }


def tuning_claims(models: Mapping[str, pd.DataFrame], base: str, tuned: str) -> dict[str, Estimate | str]:
    """Return C6a (share of the gap that CoT-decoding closes) and C6b (gain of the tuned model).

    Args:
        models: model name -> scored branches of the same questions.
        base: the pre-trained model.
        tuned: its tuned version, "" for none.
    """
    if not tuned:
        return dict.fromkeys(("C6a", "C6b"), NO_TUNED)
    start = greedy(models[base]).astype(float)
    gap = greedy(models[tuned]) - start
    return {"C6a": share_of_gap(max_path(models[base]) - start, gap), "C6b": mean_gain(models[tuned])}


def tuning_room(models: Mapping[str, pd.DataFrame], tuned: str) -> dict[str, float]:
    """Return how much the tuned model could gain at most (C6b): the share that it gets wrong by itself."""
    return {"C6b": 1 - float(greedy(models[tuned]).mean())} if tuned else {}


def saturation_claim(tuned: pd.DataFrame | None, k: int) -> dict[str, Estimate | str]:
    """Return C7b: accuracy of the tuned model at k branches minus at 2."""
    if tuned is None:
        return {"C7b": NO_TUNED}
    outcomes = by_k(tuned, {2, k})
    return {"C7b": difference(outcomes[k], outcomes[2])}


EXPRESSIONS = {"depth 0, 3 operands": (0, 3), "depth 2, 4 operands": (2, 4)}
"""The expressions of Figure 5, right: name -> (depth, operands of a bracket)."""


def expression_curves(experiment: Experiment) -> dict[str, pd.DataFrame]:
    """Return `curve` of every kind of `EXPRESSIONS`, up to twice as many branches as elsewhere."""
    k, n = 2 * int(experiment.settings.sizes["k"]), int(experiment.settings.sizes["n_small"])
    tasks = {name: f"expressions:depth={d},length={width}" for name, (d, width) in EXPRESSIONS.items()}
    runs = {name: read(experiment.branches(task=task, k=k, n=n)) for name, task in tasks.items()}
    return {name: curve(branches, range(1, k + 1)) for name, branches in runs.items()}


def expression_starts(published: pd.DataFrame) -> dict[str, list[tuple[float, float]]]:
    """Return the published start of every curve of `expression_curves`: the greedy accuracy of Table 6."""
    found = published.set_index("task")["greedy"]
    return {name: [(1, found[f"arithmetic d{d} l{width}"])] for name, (d, width) in EXPRESSIONS.items()}


# Tasks and the branching step (Table 6, Figure 2)

TABLE_6 = {
    **{f"coins {n}": f"coins:level={n},canonical=1" for n in (2, 3, 4)},
    **{f"web of lies {n}": f"lies:level={n},canonical=1" for n in (3, 4, 5)},
    **{f"arithmetic d{d} l{n}": f"expressions:depth={d},length={n}" for d in (0, 2) for n in (3, 4)},
    "object counting": "counting:canonical=1",
}
"""Row of Table 6 -> task specification."""
EASY = ("coins 2", "web of lies 3", "arithmetic d0 l3")
HARD = ("coins 4", "web of lies 5")


def by_task(
    levels: Mapping[str, pd.DataFrame], step_by_step: Mapping[str, Estimate] | None = None
) -> pd.DataFrame:
    """Return a row per task: greedy, CoT-decoding, gain, and the share of questions with a reasoned path.

    Args:
        levels: task -> scored branches.
        step_by_step: task -> accuracy behind the step-by-step phrase, a column of its own: whether the model
            can do the task at all when it reasons.
    """
    rows = [
        (name, *pair(b), mean_gain(b), proportion(any_reasoned(b)), b["question"].nunique())
        for name, b in levels.items()
    ]
    header = ["task", *(f"{p}, %" for p in PAIR), "gain, points", "with reasoned path, %", "n"]
    frame = pd.DataFrame(rows, columns=header)
    if step_by_step is not None:
        frame.insert(4, "step by step, %", [step_by_step[name] for name in levels])
    return frame


def by_level(levels: Mapping[float, pd.DataFrame], x: str = "steps") -> dict[str, pd.DataFrame]:
    """Return the curves of both decoders against a difficulty or setting `x`, see `_curve`."""
    outcomes = dict(zip(PAIR, (greedy, max_path), strict=True))
    return {
        name: _curve({at: outcome(b) for at, b in levels.items()}, x) for name, outcome in outcomes.items()
    }


def by_step(steps: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """Return the accuracy of CoT-decoding against the step at which the branches part (Figure 2)."""
    return _curve({step: max_path(branches) for step, branches in steps.items()}, "step")


def _curve(outcomes: Mapping[float, np.ndarray], x: str) -> pd.DataFrame:
    """Return `x`, accuracy, low, high and n of outcomes; their numbers of questions may differ."""
    estimates = {at: proportion(values) for at, values in outcomes.items()}
    rows = [(at, e.value, e.low, e.high, e.n) for at, e in estimates.items()]
    return pd.DataFrame(rows, columns=[x, "accuracy", "low", "high", "n"])


def early_gain(steps: Mapping[int, pd.DataFrame]) -> Estimate:
    """Return C10: accuracy when branching at step 0 minus the mean over steps 1 to 4 (Figure 2)."""
    later = np.mean([max_path(steps[t]) for t in (1, 2, 3, 4)], axis=0)
    return difference(max_path(steps[0]), later)


def difficulty_claims(
    levels: Mapping[str, pd.DataFrame], stories: Mapping[int, pd.DataFrame]
) -> dict[str, Estimate | str]:
    """Return C8a (5 against 2 steps), C8b (gain on easy tasks) and C8c (gain of hard minus easy tasks).

    Args:
        levels: row of Table 6 -> scored branches.
        stories: number of steps -> scored branches of stories.
    """
    easy = EASY[: len(HARD)]  # coins and web of lies have a hard level beside the easy one
    hard_minus_easy = [*((0.5, gain(levels[n])) for n in HARD), *((-0.5, gain(levels[n])) for n in easy)]
    return {
        "C8a": contrast([(1.0, max_path(stories[5])), (-1.0, max_path(stories[2]))]),
        "C8b": contrast([(1 / len(EASY), gain(levels[name])) for name in EASY]),
        "C8c": contrast(hard_minus_easy),
    }


# Controls: models with more or less planted reasoning


def control_models() -> dict[float, str]:
    """Return the small models that differ only in the share of step-by-step answers: share -> name."""
    return {fraction: f"control-{round(100 * fraction):02d}" for fraction in CONTROL_FRACTIONS}


def by_fraction(
    sweep: Mapping[float, pd.DataFrame], step_by_step: Mapping[float, Estimate] | None = None
) -> pd.DataFrame:
    """Return `by_task` with a row per share of step-by-step answers in training."""
    pushed = {f"{fraction:g}": estimate for fraction, estimate in (step_by_step or {}).items()}
    named = by_task({f"{fraction:g}": branches for fraction, branches in sweep.items()}, pushed or None)
    return named.rename(columns={"task": "share in training"})


def fraction_curves(sweep: Mapping[float, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the curves of both decoders against the share of step-by-step answers in training."""
    return by_level(sweep, "cot_fraction")
