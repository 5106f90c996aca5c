"""Measurements of the CoT-decoding notebooks (arXiv 2402.10200): estimates and tables made from its runs.

`branches` is the table of `replication.decoding.cot_decoding.score_branches`, one row per branch. Estimates
are fractions with a 95 % interval; n counts questions. Notebooks find all measurements here: paths, rankings
and decoders are below, outcomes per question come from `cot_outcomes`, and what compares models, tasks or
branching steps from `cot_comparisons`.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from replication.decoding import cot_decoding as cot
from replication.decoding.experiment import Experiment
from replication.evaluation import power
from replication.evaluation.accuracy import mean, proportion
from replication.evaluation.claims import Estimate
from replication.evaluation.paired import difference, lead, mcnemar
from replication.evaluation.ranking import auroc
from replication.studies.cot_comparisons import (
    EASY,
    HARD,
    NO_LADDER,
    NO_TUNED,
    PAIR,
    TABLE_6,
    Tasks,
    bars_by_model,
    base_and_tuned,
    by_fraction,
    by_level,
    by_model,
    by_step,
    by_task,
    control_models,
    curve,
    difficulty_claims,
    early_gain,
    expression_curves,
    expression_starts,
    fraction_curves,
    mean_gain,
    pair,
    saturation_claim,
    size_claims,
    tuning_claims,
    tuning_room,
    vote_curve,
)
from replication.studies.cot_outcomes import (
    PHRASE,
    PLAIN,
    SAMPLERS,
    any_reasoned,
    by_k,
    decoder_names,
    decoders,
    flags_of_chosen,
    forced,
    gain,
    generated,
    graded,
    greedy,
    max_path,
    methods,
    prompted_levels,
    random_branch,
    read,
    sampled,
    self_consistency,
    shuffled,
    shuffled_path,
    votes_by_k,
    weighted_vote,
)
from replication.studies.cot_readings import READINGS, ablation, extended
from replication.studies.cot_tasks import (
    MIXED,
    NO_PEOPLE,
    PARITY,
    STANDS_FOR,
    label,
    numbers,
    published_bars,
    published_sizes,
    size_ends,
    tasks,
    tuning_ends,
)

__all__ = [
    "BASELINES", "DIRECT", "EASY", "HARD", "MIXED", "MOST_NINES", "NO_LADDER", "NO_PEOPLE", "NO_TUNED",
    "OURS", "PAIR", "PARITY", "PHRASE", "PLAIN", "READINGS", "SAMPLERS", "SCORES", "STANDS_FOR",
    "STEP_BY_STEP", "TABLE_6", "Tasks", "ablation", "any_reasoned", "bars_by_model", "base_and_tuned",
    "by_fraction", "by_k", "by_level", "by_model", "by_nines", "by_rank", "by_step", "by_task",
    "chosen_reason", "confidence", "control_models", "cot", "curve", "decoder_names", "decoders",
    "deltas", "difficulty_claims", "early_gain", "expression_curves", "expression_starts", "extended",
    "flags_of_chosen", "forced", "fraction_curves", "gain", "generated", "graded", "greedy", "headroom",
    "hidden_paths", "label", "max_path", "mcnemar_table", "mean_gain", "methods", "numbers", "pair",
    "preconditions", "prompted_levels", "published_bars", "published_precision", "published_sizes",
    "random_branch", "ranked", "ranking_claim", "rankings", "read", "sampled", "saturation_claim",
    "self_consistency", "separation", "separations", "showcase", "shuffled", "shuffled_path",
    "size_claims", "size_ends", "summary", "tasks", "tuning_claims", "tuning_ends", "tuning_room",
    "vote_curve", "votes_by_k", "weighted_vote",
]  # fmt: skip

DIRECT = " The answer is"
STEP_BY_STEP = " Let's think step by step."
"""Texts behind the prompt that force a direct or a reasoned answer."""
MOST_NINES = 5
SCORES = {
    "log-probability": "logprob_sum",
    "length-normalised log-probability": "logprob_mean",
    "Δ (CoT-decoding)": "delta",
    "mean largest probability": "mean_top1",
    "negative mean entropy": "neg_entropy",
    "longest path": "length",
}
"""Ranking of Table 2 and footnote 2 -> column of the scored branches."""
BASELINES = tuple(SCORES)[:2]
OURS = "Δ (CoT-decoding)"


# Paths and confidence (section 2.2, Figure 1, Tables 1, 9, 10 and 13)


def preconditions(experiment: Experiment, branches: pd.DataFrame, **where: object) -> dict[str, Estimate]:
    """Return P1 to P4: what a model must be for the claims to mean anything.

    Args:
        experiment: the runs.
        branches: scored branches of the same model and task.
        **where: model and task, the run's own by default.

    Returns:
        Share of right answers when forced to be direct (P1) and to reason (P2); share of questions whose
        greedy path holds no reasoning (P3), and of those with a reasoned path among the branches (P4).
    """
    first = branches[branches["branch"] == 0]
    return {
        "P1": forced(experiment, DIRECT, **where),
        "P2": forced(experiment, STEP_BY_STEP, **where),
        "P3": proportion(~first["has_cot"]),
        "P4": proportion(any_reasoned(branches)),
    }


def hidden_paths(branches: pd.DataFrame) -> Estimate:
    """Return C1: of the questions with a direct greedy path, the share with a reasoned one among the rest."""
    direct = branches.loc[(branches["branch"] == 0) & ~branches["has_cot"], "question"]
    found = any_reasoned(cot.eligible(branches))
    return proportion(direct.map(found).eq(True))


def chosen_reason(branches: pd.DataFrame) -> Estimate:
    """Return C2a: the share of questions whose branch with the largest Δ reasons (section 2.2: 88 %)."""
    return proportion(flags_of_chosen(branches))


def separation(branches: pd.DataFrame, flag: str = "has_cot") -> Estimate:
    """Return C2b: the AUROC of Δ for branches with a flag against those without, resampled by question."""
    used = cot.eligible(branches).dropna(subset="delta")
    return auroc(used["delta"], used[flag], used["question"])


def separations(branches: pd.DataFrame) -> pd.DataFrame:
    """Return how well Δ tells reasoned from direct branches, and right from wrong ones among each of them."""
    reasons = branches["has_cot"]
    rows = {
        "reasoned against direct, all branches": separation(branches),
        "right against wrong, all branches": separation(branches, "correct"),
        "right against wrong, reasoned branches": separation(branches[reasons], "correct"),
        "right against wrong, direct branches": separation(branches[~reasons], "correct"),
    }
    return pd.DataFrame(
        [(name, e, e.n) for name, e in rows.items()], columns=["Δ separates", "AUROC, %", "n"]
    )


def showcase(branches: pd.DataFrame) -> str:
    """Return the first question that greedy gets wrong and the max path right, else the first of all."""
    rescued = gain(branches) > 0
    return str(branches["question"].drop_duplicates().iloc[int(rescued.argmax())])


def deltas(branches: pd.DataFrame) -> dict[str, pd.Series]:
    """Return Δ of the direct and of the reasoned branches, NaN where a branch has none."""
    return {name: branches.loc[branches["has_cot"] == flag, "delta"]
            for name, flag in (("direct", False), ("reasoned", True))}  # fmt: skip


def confidence(tasks: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return number, mean Δ and accuracy of the direct and the reasoned branches of each task (Table 1).

    The means are over questions, of each question's mean over its branches of that kind.
    """
    rows = []
    for name, branches in tasks.items():
        used = cot.eligible(branches).dropna(subset="delta")
        for reasons, group in used.groupby("has_cot"):
            kind = "reasoned" if reasons else "direct"
            means = (_over_questions(group, column) for column in ("delta", "correct"))
            rows.append((name, kind, len(group), *means))
    return pd.DataFrame(rows, columns=["task", "branches", "number", "mean Δ, %", "right, %"])


def by_nines(tasks: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the accuracy of reasoned branches against Δ, by task: does Δ tell right from wrong among them?

    Nearly all of them have a Δ close to 1, which is why its leading nines are counted: 0 below 0.9, 1 from
    0.9, 2 from 0.99, ..., at most `MOST_NINES`.

    Returns:
        Task -> rows with nines, accuracy (mean over questions of each question's mean over its branches in
        the bin), low, high, n (questions), branches. Empty bins are left out.
    """
    return {name: _by_nines(branches) for name, branches in tasks.items()}


def _by_nines(branches: pd.DataFrame) -> pd.DataFrame:
    used = cot.eligible(branches).dropna(subset="delta")
    used = used[used["has_cot"]]
    doubt = (1 - used["delta"].to_numpy()).clip(min=10.0**-MOST_NINES)
    nines = np.floor(-np.log10(doubt) + 1e-9).astype(int)  # 1 - 0.9 is a little below 0.1
    rows = []
    for count, group in used.groupby(nines):
        e = _over_questions(group, "correct")
        rows.append((count, e.value, e.low, e.high, e.n, len(group)))
    return pd.DataFrame(rows, columns=["nines", "accuracy", "low", "high", "n", "branches"])


def by_rank(branches: pd.DataFrame) -> pd.DataFrame:
    """Return a row per branch: probability of its first token, Δ, how often it reasons and is right."""
    rows = []
    for rank, group in branches.groupby("branch"):
        sure, first = group["delta"].median(), np.exp(group["first_logprob"].median())
        shares = (proportion(group[column]) for column in ("has_cot", "correct"))
        rows.append((rank, f"{first:.2g}", f"{sure:.5f}", *shares))
    header = ["branch", "probability of the first token (median)", "Δ (median)", "reasons, %", "right, %"]
    return pd.DataFrame(rows, columns=header)


def _over_questions(branches: pd.DataFrame, column: str) -> Estimate:
    """Return the mean over questions of a column's mean per question."""
    return mean(branches.groupby("question")[column].mean().to_numpy(dtype=float))


# Rankings and decoders (Tables 2, 3, 4 and 7)


def summary(methods: Mapping[str, np.ndarray], name: str = "method") -> pd.DataFrame:
    """Return a table of methods with accuracy and interval.

    Args:
        methods: name -> (questions,) bool outcomes, or (questions, seeds) outcomes or means in [0, 1].
        name: heading of the first column.
    """
    rows = {label: _accuracy(np.asarray(outcomes)) for label, outcomes in methods.items()}
    cells = [(label, estimate, estimate.n) for label, estimate in rows.items()]
    return pd.DataFrame(cells, columns=[name, "accuracy, %", "n"])


def _accuracy(outcomes: np.ndarray) -> Estimate:
    """Return the mean, with Wilson's interval for one path a question, else bootstrapped over questions."""
    return proportion(outcomes) if outcomes.ndim == 1 else mean(outcomes.astype(float))


def ranked(branches: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return which questions each of `SCORES` gets right by the branch that it puts first."""
    return {name: max_path(branches, score) for name, score in SCORES.items()}


def rankings(tasks: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return a row for greedy decoding and each of `SCORES`, a column of accuracies per task (Table 2)."""
    columns = {name: {"greedy": greedy(b)} | ranked(b) for name, b in tasks.items()}
    rows = []
    for score in ("greedy", *SCORES):
        cells = [proportion(own[score]) for own in columns.values()]
        rows.append((score, *cells, numbers(cells)))
    return pd.DataFrame(rows, columns=["ranking", *(f"{name}, %" for name in columns), "n"])


def ranking_claim(branches: pd.DataFrame) -> tuple[Estimate, float]:
    """Return by how much Δ is ahead of the better log-probability ranking, and by how much it could be."""
    found = ranked(branches)
    others = {name: found[name] for name in BASELINES}
    room = 1 - max(float(outcomes.mean()) for outcomes in others.values())
    return lead(found[OURS], others)[1], room


def headroom(outcomes: np.ndarray) -> float:
    """Return by how much anything could be ahead of a method: the share of questions that it gets wrong."""
    return 1 - float(np.asarray(outcomes).mean())


def mcnemar_table(ours: np.ndarray, others: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Return the difference to each other method, with the exact McNemar test on the same questions.

    Args:
        ours: (questions,) bool.
        others: name -> (questions,) bool.
    """
    rows = []
    for name, outcomes in others.items():
        test = mcnemar(ours, outcomes)
        p = "below 0.0001" if test.p_value < 1e-4 else f"{test.p_value:.4f}"
        rows.append((name, difference(ours, outcomes), test.only_first, test.only_second, p))
    header = ["compared with", "difference, points", "only ours right", "only the other right", "p (McNemar)"]
    return pd.DataFrame(rows, columns=header)


def published_precision() -> pd.DataFrame:
    """Return the half-width of the 95 % interval at published accuracies (Tables 2 and 4), in points."""
    cells = (
        ("Mistral-7B, greedy", 9.9, 1319),
        ("Mistral-7B, CoT-decoding", 25.1, 1319),
        ("PaLM-2 L, Δ in Table 2", 72.0, 100),
        ("PaLM-2 L, length-normalised in Table 2", 51.0, 100),
        ("PaLM-2 L, year parity", 95.0, 100),
    )
    rows = [(name, value, n, f"± {100 * power.half_width(value / 100, n):.1f}") for name, value, n in cells]
    return pd.DataFrame(rows, columns=["cell", "published, %", "n", "95 % interval, points"])
