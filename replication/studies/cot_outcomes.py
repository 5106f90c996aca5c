"""Outcomes of the CoT-decoding runs (arXiv 2402.10200): which questions each choice of a path gets right.

`branches` is always the table of `replication.decoding.cot_decoding.score_branches`: one row per branch, with
the columns question, branch, answer, correct, has_cot, delta and excluded among others. Outcomes are arrays
over its questions in their order: bool where a method is right or wrong, float64 where they are differences
or means.
"""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from replication.decoding import answers, baselines
from replication.decoding import cot_decoding as cot
from replication.decoding.experiment import Experiment, Run

SAMPLERS = ("temperature", "top-k", "top-p")
"""The sampling decoders of Table 4."""


def read(run: Run, rules: cot.Rules | None = None) -> pd.DataFrame:
    """Return the scored and graded branches of a run, see `cot_decoding.score_branches`."""
    return cot.score_branches(run.frame, run.task, run.lm.tokenizer, rules, gold=run.gold)


def graded(run: Run) -> pd.DataFrame:
    """Return (questions, branches) bool, whether each path is right; index question, columns branch."""
    found = answers.read_answers(run.frame, run.task, run.gold)
    return found.pivot(index="question", columns="branch", values="correct").loc[list(run.gold)]


def greedy(branches: pd.DataFrame) -> np.ndarray:
    """Return (questions,) bool, whether the greedy path is right; it is not filtered."""
    return answers.greedy(branches)["correct"].to_numpy()


def max_path(branches: pd.DataFrame, score: str = "delta") -> np.ndarray:
    """Return (questions,) bool, whether the branch with the largest score is right.

    Args:
        branches: scored branches.
        score: "delta" is CoT-decoding (equation 1); the other `cot_decoding.SCORES` are the rankings of Table
            2 and footnote 2.
    """
    return cot.select(branches, cot.Rules(score=score))["correct"].to_numpy()


def weighted_vote(branches: pd.DataFrame) -> np.ndarray:
    """Return (questions,) bool, whether the weighted vote of equation 2 is right (Table 7)."""
    return cot.vote(branches)["correct"].to_numpy()


def gain(branches: pd.DataFrame) -> np.ndarray:
    """Return (questions,) float64, max path minus greedy: 1 gained, -1 lost, 0 neither."""
    return max_path(branches).astype(float) - greedy(branches)


def by_k(branches: pd.DataFrame, ks: Iterable[int], score: str = "delta") -> pd.DataFrame:
    """Return whether the max path over the first k branches is right (Figures 5 and 6).

    Returns:
        (questions, len(ks)) float64 of 0 and 1, a column per k; k = 1 is greedy decoding.
    """
    return pd.DataFrame({k: max_path(cot.first_k(branches, k), score) for k in ks}).astype(float)


def sampled(experiment: Experiment, decoder: str, **where: object) -> np.ndarray:
    """Return (questions, seeds) bool, whether one sampled path is right, for every seed of the profile.

    Args:
        experiment: the runs.
        decoder: one of `SAMPLERS`.
        **where: model, task, style and suffix; the run's own by default.
    """
    seeds = range(int(experiment.settings.sizes["seeds"]))
    return np.stack(
        [graded(experiment.decode(decoder, seed=s, **where))[0].to_numpy() for s in seeds], axis=1
    )


def self_consistency(experiment: Experiment, **where: object) -> np.ndarray:
    """Return (questions,) bool, whether the majority of the sampled paths is right (Tables 3, 4 and 7)."""
    run = experiment.decode("self-consistency", **where)
    return baselines.majority(run.frame, run.task, run.gold)["correct"].to_numpy()


def any_reasoned(branches: pd.DataFrame) -> pd.Series:
    """Return whether any branch of a question reasons: bool, indexed by question, in order of appearance."""
    return branches.groupby("question", sort=False)["has_cot"].any()


def flags_of_chosen(branches: pd.DataFrame) -> np.ndarray:
    """Return (questions,) bool, whether the branch with the largest Δ reasons (section 2.2)."""
    chosen = cot.select(branches)[["question", "branch"]]
    flags = branches.set_index(["question", "branch"])["has_cot"]
    return np.array([bool(flags.get(pair, False)) for pair in chosen.itertuples(index=False, name=None)])


# Controls: what a choice without Δ would get


def random_branch(branches: pd.DataFrame) -> np.ndarray:
    """Return (questions, 1) float64, mean accuracy of each question's eligible branches, 0 without any."""
    order = branches["question"].drop_duplicates()
    means = cot.eligible(branches).groupby("question")["correct"].mean().reindex(order, fill_value=0.0)
    return means.to_numpy(dtype=float)[:, None]


def shuffled_path(branches: pd.DataFrame, seed: int) -> np.ndarray:
    """Return (questions,) bool, whether the max path is right after Δ was shuffled within each question.

    Ties are broken at random: sure branches have the same Δ to all the digits that count, and the usual rule,
    the smaller branch, would favour the early ones, which answer directly.
    """
    mixed = cot.shuffle_scores(branches, seed)
    in_random_order = mixed.sample(frac=1.0, random_state=seed)
    ranks = in_random_order.groupby("question")["delta"].rank(method="first")
    return max_path(mixed.assign(delta=ranks))


def shuffled(branches: pd.DataFrame, seeds: int = 20) -> np.ndarray:
    """Return (questions with an eligible branch,) float64, right under shuffled Δ minus a random branch.

    Args:
        branches: scored branches.
        seeds: number of shuffles, which are averaged.
    """
    used = cot.eligible(branches)  # a question without any has no branch to draw
    draws = [shuffled_path(used, seed) for seed in range(seeds)]
    return np.mean(draws, axis=0) - random_branch(used)[:, 0]
