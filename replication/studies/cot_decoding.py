"""Measurements of the CoT-decoding notebooks (arXiv 2402.10200): arrays, estimates and tables from its runs.

Outcomes are arrays over the questions of a run, in their order: whether a decoder was right, or a difference of that.
"""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from replication.decoding import answers
from replication.decoding import cot_decoding as cot
from replication.decoding.experiment import Experiment, Run
from replication.evaluation import power
from replication.evaluation.accuracy import mean, proportion
from replication.evaluation.claims import Estimate
from replication.evaluation.contrasts import contrast
from replication.evaluation.curves import accuracy_curve
from replication.evaluation.paired import difference, mcnemar, share_of_gap, smallest
from replication.evaluation.ranking import auroc
from replication.testbed.models import CONTROL_FRACTIONS

DIRECT = " The answer is"
STEP_BY_STEP = " Let's think step by step."
SAMPLERS = ("temperature", "top-k", "top-p")
PAIR = ("greedy", "CoT-decoding")


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
    used = cot.eligible(branches)  # a question without any has no branch to draw
    draws = [max_path(cot.shuffle_scores(used, seed)) for seed in range(seeds)]
    return np.mean(draws, axis=0) - random_branch(used)[:, 0]


def mcnemar_table(ours: np.ndarray, others: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Return the difference to each other method, with the exact McNemar test on the same questions."""
    rows = []
    for name, outcomes in others.items():
        test = mcnemar(ours, outcomes)
        p = "below 0.0001" if test.p_value < 1e-4 else f"{test.p_value:.4f}"
        rows.append((name, difference(ours, outcomes), test.only_first, test.only_second, p))
    header = ["compared with", "difference, points", "only ours right", "only the other right", "p (McNemar)"]
    return pd.DataFrame(rows, columns=header)


READINGS = {
    "the defaults": {},
    "forced token: signed margin": {"first_token_margin": "signed"},
    "forced token: its probability": {"first_token_margin": "prob"},
    "forced token: zero": {"first_token_margin": "zero"},
    "forced token: left out": {"first_token_margin": "skip"},
    "unfinished branches kept": {"exclude_unfinished": False},
    "branches that end in a question kept": {"exclude_question": False},
    "no fallback to greedy": {"fallback": "wrong"},
    "ties to the larger branch": {"ties": "larger branch"},
}


def ablation(run: Run) -> pd.DataFrame:
    """Return the accuracy of max path and weighted vote under each reading of what the paper leaves open."""
    rows = []
    for name, changed in READINGS.items():
        rules = cot.Rules(**changed)
        branches = read(run, rules)
        path, vote = (proportion(choose(branches, rules)["correct"]) for choose in (cot.select, cot.vote))
        rows.append((name, path, vote, path.n))
    return pd.DataFrame(rows, columns=["reading", "max path, %", "weighted vote, %", "n"])


def published_precision() -> pd.DataFrame:
    """Return the half-width of the 95 % interval at published accuracies and sample sizes, in points."""
    cells = (
        ("Mistral-7B, greedy", 9.9, 1319),
        ("Mistral-7B, CoT-decoding", 25.1, 1319),
        ("PaLM-2 L, Δ in Table 2", 72.0, 100),
        ("PaLM-2 L, length-normalised in Table 2", 51.0, 100),
        ("PaLM-2 L, year parity", 95.0, 100),
    )
    rows = [(name, value, n, f"± {100 * power.half_width(value / 100, n):.1f}") for name, value, n in cells]
    return pd.DataFrame(rows, columns=["cell", "published, %", "n", "95 % interval, points"])


def curve(branches: pd.DataFrame, ks: Iterable[int]) -> pd.DataFrame:
    """Return accuracy of the max path against k with intervals, from the prefixes of one run."""
    return accuracy_curve(by_k(branches, ks))


# Size, tuning and k

NO_LADDER = "Needs models of one family in several sizes: give them as `ladder`."
NO_TUNED = "Needs the tuned version of the model: give it as `tuned`."
Tasks = Mapping[str, Mapping[str, pd.DataFrame]]
"""Task name -> model name -> scored branches."""


def mean_gain(branches: pd.DataFrame) -> Estimate:
    """Return accuracy of CoT-decoding minus greedy on the same questions."""
    return difference(max_path(branches), greedy(branches))


def published_bars(published: pd.DataFrame, model: str, tasks: Sequence[str], names: Iterable[str]) -> dict:
    """Return the published bars of one model under our group names: name -> (decoder -> percent)."""
    rows = published[published["model"] == model].set_index("task")
    return {name: rows.loc[task, list(PAIR)].to_dict() for name, task in zip(names, tasks, strict=True)}


def bars_by_model(models: Mapping[str, pd.DataFrame]) -> dict[str, dict[str, Estimate]]:
    """Return the bars of every model: model -> (decoder -> accuracy)."""
    return {name: dict(zip(PAIR, pair(branches), strict=True)) for name, branches in models.items()}


def by_model(tasks: Tasks) -> pd.DataFrame:
    """Return a row per task and model: greedy, CoT-decoding, their difference and n."""
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
    """Return C5b, C5c (year parity, largest minus smallest model) and C5d (smallest gain on the stories)."""
    if len(ladder) < 2:
        return dict.fromkeys(("C5b", "C5c", "C5d"), NO_LADDER)
    small, large = (tasks["year parity"][ladder[i]] for i in (0, -1))
    return {
        "C5b": difference(greedy(large), greedy(small)),
        "C5c": difference(max_path(large), max_path(small)),
        "C5d": smallest({name: gain(tasks["stories"][name]) for name in ladder})[1],
    }


def tuning_claims(models: Mapping[str, pd.DataFrame], base: str, tuned: str) -> dict[str, Estimate | str]:
    """Return C6a (share of the gap that CoT-decoding closes) and C6b (gain of the tuned model)."""
    if not tuned:
        return dict.fromkeys(("C6a", "C6b"), NO_TUNED)
    start = greedy(models[base]).astype(float)
    gap = greedy(models[tuned]) - start
    return {"C6a": share_of_gap(max_path(models[base]) - start, gap), "C6b": mean_gain(models[tuned])}


def saturation_claim(tuned: pd.DataFrame | None, k: int) -> dict[str, Estimate | str]:
    """Return C7b: accuracy of the tuned model at k branches minus at 2."""
    if tuned is None:
        return {"C7b": NO_TUNED}
    wide, narrow = (by_k(tuned, [some])[some] for some in (k, 2))
    return {"C7b": difference(wide, narrow)}


# Tasks and the branching step

TABLE_6 = {
    **{f"coins {n}": f"coins:level={n},canonical=1" for n in (2, 3, 4)},
    **{f"web of lies {n}": f"lies:level={n},canonical=1" for n in (3, 4, 5)},
    **{f"arithmetic d{d} l{n}": f"expressions:depth={d},length={n}" for d in (0, 2) for n in (3, 4)},
    "object counting": "counting:canonical=1",
}
EASY = ("coins 2", "web of lies 3", "arithmetic d0 l3")
HARD = ("coins 4", "web of lies 5")


def by_task(levels: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return a row per task: greedy, CoT-decoding, gain, and the share of questions with a reasoned path."""
    rows = [
        (name, *pair(b), mean_gain(b), proportion(b.groupby("question")["has_cot"].any()), b["question"].nunique())
        for name, b in levels.items()
    ]
    return pd.DataFrame(rows, columns=["task", *(f"{p}, %" for p in PAIR), "gain, points", "with reasoned path, %", "n"])


def by_level(levels: Mapping[float, pd.DataFrame], x: str = "steps") -> dict[str, pd.DataFrame]:
    """Return the curves of both decoders against a difficulty or setting `x`."""
    outcomes = {"greedy": greedy, "CoT-decoding": max_path}
    return {name: _curve({at: outcome(b) for at, b in levels.items()}, x) for name, outcome in outcomes.items()}


def by_step(steps: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """Return the accuracy of CoT-decoding against the step at which the branches part."""
    return _curve({step: max_path(branches) for step, branches in steps.items()}, "step")


def _curve(outcomes: Mapping[float, np.ndarray], x: str) -> pd.DataFrame:
    """Return `x`, accuracy, low, high and n of outcomes; their numbers of questions may differ."""
    rows = [(at, e.value, e.low, e.high, e.n) for at, e in ((at, proportion(o)) for at, o in outcomes.items())]
    return pd.DataFrame(rows, columns=[x, "accuracy", "low", "high", "n"])


def early_gain(steps: Mapping[int, pd.DataFrame]) -> Estimate:
    """Return C10: accuracy when branching at step 0 minus the mean over steps 1 to 4."""
    later = np.mean([max_path(steps[t]) for t in (1, 2, 3, 4)], axis=0)
    return difference(max_path(steps[0]).astype(float)[:, None], later[:, None])


def difficulty_claims(
    levels: Mapping[str, pd.DataFrame], stories: Mapping[int, pd.DataFrame]
) -> dict[str, Estimate | str]:
    """Return C8a (5 against 2 steps), C8b (gain on easy tasks) and C8c (gain of hard minus easy tasks)."""
    easy = ("coins 2", "web of lies 3")
    hard_minus_easy = [*((0.5, gain(levels[n])) for n in HARD), *((-0.5, gain(levels[n])) for n in easy)]
    return {
        "C8a": contrast([(1.0, max_path(stories[5])), (-1.0, max_path(stories[2]))]),
        "C8b": contrast([(1 / len(EASY), gain(levels[name])) for name in EASY]),
        "C8c": contrast(hard_minus_easy),
    }


# Controls


def control_models() -> dict[float, str]:
    """Return the small models that differ only in the share of step-by-step answers: share -> name."""
    return {fraction: f"control-{round(100 * fraction):02d}" for fraction in CONTROL_FRACTIONS}


def by_fraction(sweep: Mapping[float, pd.DataFrame]) -> pd.DataFrame:
    """Return a row per share of step-by-step answers in training: greedy, CoT-decoding, gain and reasoned paths."""
    named = by_task({f"{fraction:g}": branches for fraction, branches in sweep.items()})
    return named.rename(columns={"task": "share in training"})


def fraction_curves(sweep: Mapping[float, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return the curves of both decoders against the share of step-by-step answers in training."""
    return by_level(sweep, "cot_fraction")


def random_branch(branches: pd.DataFrame) -> np.ndarray:
    """Return (questions, 1) the mean accuracy of the eligible branches of each question, 0 without any."""
    order = branches["question"].drop_duplicates()
    means = cot.eligible(branches).groupby("question")["correct"].mean().reindex(order, fill_value=0.0)
    return means.to_numpy(dtype=float)[:, None]


def shuffled_path(branches: pd.DataFrame, seed: int) -> np.ndarray:
    """Return (questions,) whether the branch with the largest Δ is right after Δ was shuffled within questions."""
    return max_path(cot.shuffle_scores(branches, seed))
