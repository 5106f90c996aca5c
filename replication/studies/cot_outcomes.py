"""Outcomes of the CoT-decoding runs (arXiv 2402.10200): which questions each choice of a path gets right.

`branches` is always the table of `replication.decoding.cot_decoding.score_branches`: one row per branch, with
the columns question, branch, answer, correct, has_cot, delta and excluded among others. Outcomes are arrays
over its questions in their order: bool where a method is right or wrong, float64 where they are differences
or means.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from replication.decoding import answers, baselines
from replication.decoding import cot_decoding as cot
from replication.decoding.experiment import Experiment, Run
from replication.evaluation.accuracy import proportion
from replication.evaluation.claims import Estimate
from replication.lm.shards import each
from replication.testbed import models

SAMPLERS = ("temperature", "top-k", "top-p")
"""The sampling decoders of Table 4."""
PLAIN = ("greedy", "self-consistency", "CoT-decoding, max path", "CoT-decoding, weighted vote")
PHRASE = ("zero-shot CoT", *(f"{name} + zero-shot CoT" for name in PLAIN[1:]))
"""The rows of Table 7, without and with the step-by-step phrase."""


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


def votes_by_k(branches: pd.DataFrame, ks: Iterable[int]) -> pd.DataFrame:
    """Return `by_k` of the weighted vote (version 1 of the paper, Figure 4)."""
    return pd.DataFrame({k: weighted_vote(cot.first_k(branches, k)) for k in ks}).astype(float)


def forced(experiment: Experiment, suffix: str, **where: object) -> Estimate:
    """Return the accuracy of greedy decoding behind the prompt and a text that forces the answer's start."""
    return proportion(graded(experiment.decode("greedy", suffix=suffix, **where))[0])


def prompted_levels(experiment: Experiment, zero_shot: pd.DataFrame) -> dict[str, float]:
    """Return the accuracy in percent of greedy decoding behind step-by-step prompts (version 1, Figure 4).

    Args:
        experiment: the runs.
        zero_shot: scored branches of the zero-shot CoT prompt.

    Returns:
        "zero-shot CoT", and "few-shot CoT" for models and tasks that allow it: the testbed's models never
        read several questions in a row, nor a text as long as such a prompt.
    """
    levels = {"zero-shot CoT": 100 * float(greedy(zero_shot).mean())}
    if experiment.task.examples and experiment.settings.model_name not in models.names():
        levels["few-shot CoT"] = 100 * float(
            graded(experiment.decode("greedy", style="few_shot_cot"))[0].mean()
        )
    return levels


def generated(experiment: Experiment, names: Sequence[str], **where: object) -> dict[str, float]:
    """Return the compute of four decoders: generated tokens a question, over all of its paths (Table 7).

    Args:
        experiment: the runs.
        names: of greedy decoding, self-consistency, max path and weighted vote.
        **where: model, task and style; the run's own by default.
    """
    branches = experiment.branches(**where).frame
    drawn = experiment.decode("self-consistency", **where).frame
    frames = (branches[branches["branch"] == 0], drawn, branches, branches)
    return {name: _tokens(frame) for name, frame in zip(names, frames, strict=True)}


def _tokens(frame: pd.DataFrame) -> float:
    """Return the mean number of generated tokens a question."""
    return float(frame["tokens"].map(len).groupby(frame["question"]).sum().mean())


def sampled(experiment: Experiment, decoder: str, **where: object) -> np.ndarray:
    """Return (questions, seeds) bool, whether one sampled path is right, for every seed of the profile.

    Args:
        experiment: the runs.
        decoder: one of `SAMPLERS`.
        **where: model, task, style and suffix; the run's own by default.
    """
    seeds = range(int(experiment.settings.sizes["seeds"]))
    found = each(lambda seed: graded(experiment.decode(decoder, seed=seed, **where))[0].to_numpy(), seeds)
    return np.stack(found, axis=1)


def self_consistency(experiment: Experiment, **where: object) -> np.ndarray:
    """Return (questions,) bool, whether the majority of the sampled paths is right (Tables 3, 4 and 7)."""
    run = experiment.decode("self-consistency", **where)
    return baselines.majority(run.frame, run.task, run.gold)["correct"].to_numpy()


def decoders(experiment: Experiment, branches: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the outcomes of the decoders of Table 4, in its order.

    Args:
        experiment: the runs.
        branches: scored branches of the run's own model and task.

    Returns:
        Key -> (questions,) bool, of `SAMPLERS` (questions, seeds) bool; `decoder_names` has the names.
    """
    drawn = {name: sampled(experiment, name) for name in ("top-k", "top-p")}
    return drawn | {
        "beam": graded(experiment.decode("beam"))[0].to_numpy(),
        "temperature": sampled(experiment, "temperature"),
        "greedy": greedy(branches),
        "self-consistency": self_consistency(experiment),
        "CoT-decoding": max_path(branches),
    }


def decoder_names(experiment: Experiment) -> dict[str, str]:
    """Return the name of every decoder of `decoders` with its setting, as in Table 4."""
    sizes = experiment.settings.sizes
    return {
        "top-k": "top-k sampling (k = 10)",
        "top-p": "nucleus sampling (p = 0.9)",
        "beam": "beam search (10 beams)",
        "temperature": "temperature sampling (T = 0.7)",
        "greedy": "greedy",
        "self-consistency": f"self-consistency, {sizes['samples']} paths",
        "CoT-decoding": f"CoT-decoding (k = {sizes['k']})",
    }


def methods(
    experiment: Experiment, branches: pd.DataFrame, names: Sequence[str] = PLAIN, **where: object
) -> dict[str, np.ndarray]:
    """Return the outcomes of four rows of Table 7: name -> (questions,) bool.

    Args:
        experiment: the runs.
        branches: scored branches of the same runs.
        names: `PLAIN` or `PHRASE`: of greedy decoding, self-consistency, max path and weighted vote.
        **where: model, task and style; the run's own by default.
    """
    voted = self_consistency(experiment, **where)
    found = (greedy(branches), voted, max_path(branches), weighted_vote(branches))
    return dict(zip(names, found, strict=True))


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
