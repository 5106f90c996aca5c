"""Measurements of the CoT-decoding notebooks: what the runs of an `Experiment` say, as arrays and estimates."""

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd

from replication.decoding import answers
from replication.decoding import cot_decoding as cot
from replication.decoding.experiment import Experiment, Run
from replication.evaluation.accuracy import mean, proportion
from replication.evaluation.claims import Estimate
from replication.evaluation.ranking import auroc

DIRECT = " The answer is"
STEP_BY_STEP = " Let's think step by step."
SAMPLERS = {"temperature": "T = 0.7", "top-k": "k = 10", "top-p": "p = 0.9"}


def read(run: Run, rules: cot.Rules | None = None) -> pd.DataFrame:
    """Return the scored and graded branches of a run, see `cot_decoding.score_branches`."""
    return cot.score_branches(run.frame, run.task, run.lm.tokenizer, rules, gold=run.gold)


def graded(run: Run) -> pd.DataFrame:
    """Return whether each path is right: one row per question, one column per branch."""
    found = answers.read_answers(run.frame, run.task, run.gold)
    return found.pivot(index="question", columns="branch", values="correct").loc[list(run.gold)]


def greedy(branches: pd.DataFrame) -> np.ndarray:
    """Return (questions,) whether the greedy path is right; it is not filtered."""
    return answers.greedy(branches)["correct"].to_numpy()


def max_path(branches: pd.DataFrame, score: str = "delta") -> np.ndarray:
    """Return (questions,) whether the branch with the largest score is right."""
    return cot.select(branches, cot.Rules(score=score))["correct"].to_numpy()


def weighted_vote(branches: pd.DataFrame) -> np.ndarray:
    """Return (questions,) whether the answer with the largest total of Δ is right."""
    return cot.vote(branches)["correct"].to_numpy()


def gain(branches: pd.DataFrame) -> np.ndarray:
    """Return (questions,) max path minus greedy: 1 gained, -1 lost, 0 neither."""
    return max_path(branches).astype(float) - greedy(branches)


def by_k(branches: pd.DataFrame, ks: Iterable[int], score: str = "delta") -> pd.DataFrame:
    """Return whether the max path over the first k branches is right: one row per question, one column per k."""
    return pd.DataFrame({k: max_path(cot.first_k(branches, k), score) for k in ks}).astype(float)


def sampled(experiment: Experiment, decoder: str, **where: object) -> np.ndarray:
    """Return (questions, seeds) whether one sampled path is right, for every seed of the profile."""
    seeds = range(int(experiment.settings.sizes["seeds"]))
    return np.stack([graded(experiment.decode(decoder, seed=s, **where))[0].to_numpy() for s in seeds], axis=1)


def self_consistency(experiment: Experiment, **where: object) -> np.ndarray:
    """Return (questions,) whether the unweighted majority of the sampled paths is right."""
    from replication.decoding import baselines

    run = experiment.decode("self-consistency", **where)
    return baselines.majority(run.frame, run.task, run.gold)["correct"].to_numpy()


def preconditions(experiment: Experiment, branches: pd.DataFrame, **where: object) -> dict[str, Estimate]:
    """Return P1 to P4: what a model must be for the claims to mean anything.

    Args:
        experiment: the runs.
        branches: scored branches of the same model and task.
        **where: model and task, the run's own by default.
    """
    direct = graded(experiment.decode("greedy", suffix=DIRECT, **where))[0]
    reasoned = graded(experiment.decode("greedy", suffix=STEP_BY_STEP, **where))[0]
    first = branches[branches["branch"] == 0]
    return {
        "P1": proportion(direct),
        "P2": proportion(reasoned),
        "P3": proportion(~first["has_cot"]),
        "P4": proportion(branches.groupby("question", sort=False)["has_cot"].any()),
    }


def hidden_paths(branches: pd.DataFrame) -> Estimate:
    """Return the share of questions with a direct greedy path that have a reasoned path among the others."""
    direct = branches.loc[(branches["branch"] == 0) & ~branches["has_cot"], "question"]
    rest = cot.eligible(branches)
    rest = rest[rest["question"].isin(direct)]
    return proportion(rest.groupby("question")["has_cot"].any().reindex(direct, fill_value=False).astype(float))


def flags_of_chosen(branches: pd.DataFrame) -> np.ndarray:
    """Return (questions,) whether the branch with the largest Δ reasons."""
    chosen = cot.select(branches)[["question", "branch"]]
    flags = branches.set_index(["question", "branch"])["has_cot"]
    return np.array([bool(flags.get((q, b), False)) for q, b in chosen.itertuples(index=False)])


def chosen_reason(branches: pd.DataFrame) -> Estimate:
    """Return the share of questions whose branch with the largest Δ reasons (section 2.2: 88 %)."""
    return proportion(flags_of_chosen(branches))


def separation(branches: pd.DataFrame, flag: str = "has_cot") -> Estimate:
    """Return the AUROC of Δ for branches with a flag against those without, questions resampled together."""
    used = cot.eligible(branches).dropna(subset="delta")
    return auroc(used["delta"], used[flag], used["question"])


def separations(branches: pd.DataFrame) -> pd.DataFrame:
    """Return how well Δ tells reasoned from direct branches, and right from wrong ones among each of them."""
    used = cot.eligible(branches)
    rows = {
        "reasoned against direct, all branches": separation(branches),
        "right against wrong, all branches": separation(branches, "correct"),
        "right against wrong, reasoned branches": separation(used[used["has_cot"]], "correct"),
        "right against wrong, direct branches": separation(used[~used["has_cot"]], "correct"),
    }
    return pd.DataFrame([(name, e, e.n) for name, e in rows.items()], columns=["Δ separates", "AUROC, %", "n"])


def showcase(branches: pd.DataFrame) -> str:
    """Return the first question that greedy gets wrong and the max path right; the first one if there is none."""
    rescued = gain(branches) > 0
    return str(branches["question"].drop_duplicates().iloc[int(rescued.argmax())])


def confidence(tasks: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return number, mean Δ and accuracy of the direct and the reasoned branches of each task."""
    rows = []
    for name, branches in tasks.items():
        used = cot.eligible(branches).dropna(subset="delta")
        for reasons, group in used.groupby("has_cot"):
            kind = "reasoned" if reasons else "direct"
            means = (_over_questions(group, column) for column in ("delta", "correct"))
            rows.append((name, kind, len(group), *means))
    return pd.DataFrame(rows, columns=["task", "branches", "number", "mean Δ, %", "right, %"])


def _over_questions(branches: pd.DataFrame, column: str) -> Estimate:
    """Return the mean over questions of a column's mean per question."""
    return mean(branches.groupby("question")[column].mean().to_numpy(dtype=float))


def summary(methods: Mapping[str, np.ndarray], name: str = "method") -> pd.DataFrame:
    """Return a table of methods with accuracy and interval.

    Args:
        methods: name -> (questions,) or (questions, seeds) outcomes.
        name: heading of the first column.
    """
    rows = {label: _accuracy(np.asarray(outcomes)) for label, outcomes in methods.items()}
    cells = [(label, estimate, estimate.n) for label, estimate in rows.items()]
    return pd.DataFrame(cells, columns=[name, "accuracy, %", "n"])


def _accuracy(outcomes: np.ndarray) -> Estimate:
    """Return the mean with Wilson's interval for one path a question, bootstrap over questions for several seeds."""
    return proportion(outcomes) if outcomes.ndim == 1 else mean(outcomes.astype(float))


def pair(branches: pd.DataFrame) -> tuple[Estimate, Estimate]:
    """Return the accuracies of greedy decoding and of CoT-decoding (max path)."""
    return proportion(greedy(branches)), proportion(max_path(branches))


def shuffled(branches: pd.DataFrame, seeds: int = 20) -> np.ndarray:
    """Return (questions,) accuracy of the max path under shuffled Δ minus the mean of the eligible branches."""
    draws = [max_path(cot.shuffle_scores(branches, seed)) for seed in range(seeds)]
    used = cot.eligible(branches)
    order = branches["question"].drop_duplicates()
    by_branch = used.groupby("question")["correct"].mean().reindex(order)
    return np.mean(draws, axis=0) - by_branch.fillna(np.mean(draws)).to_numpy()
