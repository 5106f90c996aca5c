"""Votes, the sweep over n, and min-p tuned as n is (Top-nσ, arXiv 2411.07641, Table 3 and claims 6 and 9)."""

from collections.abc import Mapping, Sequence

import pandas as pd

from replication.decoding.experiment import Experiment
from replication.evaluation import paired
from replication.evaluation.claims import Estimate
from replication.evaluation.ranking import trend
from replication.studies import samplers
from replication.studies.samplers import Sampler
from replication.studies.top_nsigma_answers import PLAIN, TOP_K
from replication.studies.top_nsigma_logits import (
    MIN_P,
    NSIGMA,
    STYLE,
    TOP_P,
    Heat,
    kept_sets,
    over_questions,
)

TABLE_3 = (PLAIN, TOP_P, TOP_K, MIN_P, NSIGMA)
NS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 2 * 3**0.5, 5.0)
"""Values of n; 2√3 keeps everything when logits are uniform."""
PS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)
"""Values of min-p's p, as many as of n."""


# Table 3


def votes(experiment: Experiment, heat: Heat) -> pd.DataFrame:
    """Return the paths behind Table 3: many samples a question of every sampler at T = 1, T_c and hot."""
    sizes = experiment.settings.sizes
    return samplers.outcomes(
        experiment,
        TABLE_3,
        heat.three,
        n=int(sizes["n_votes"]),
        samples=int(sizes["samples"]),
        style=STYLE,
    )


def voted(experiment: Experiment, paths: pd.DataFrame) -> pd.DataFrame:
    """Return the majority's answer of each cell and question, see `samplers.voted`."""
    questions = experiment.task.questions(
        "test", int(experiment.settings.sizes["n_votes"]), experiment.settings.seed
    )
    return samplers.voted(paths, experiment.task, {question.id: question.answer for question in questions})


def vote_claims(majority: pd.DataFrame, hot: float) -> dict[str, Estimate]:
    """Return C6a (hot minus T = 1) and C6b (minus min-p when hot) from the rows of `voted`."""
    ours = (NSIGMA.label, hot)
    return {
        "C6a": samplers.gap(majority, ours, (NSIGMA.label, 1.0)),
        "C6b": samplers.gap(majority, ours, (MIN_P.label, hot)),
    }


# The sweep over n


def sweep(
    experiment: Experiment, rule: str, values: Sequence[float], at: Sequence[float], **where: object
) -> pd.DataFrame:
    """Return the outcomes of a rule under every parameter on validation questions, a few samples each."""
    sizes = experiment.settings.sizes
    options = {"n": int(sizes["n_small"]), "samples": int(sizes["few"]), "style": STYLE}
    options["split"] = samplers.tuning_split(experiment.task)
    return samplers.outcomes(experiment, [Sampler(rule, v) for v in values], at, **options | where)


def diversity(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the share of different answers among each question's samples; no answer is one more kind.

    Returns:
        Columns sampler, rule, value, temperature, question, distinct.
    """
    keys = ["sampler", "rule", "value", "temperature", "question"]
    kinds = frame.assign(kind=frame["answer"].map(lambda answer: "" if pd.isna(answer) else f"={answer}"))
    share = kinds.groupby(keys, sort=False)["kind"].agg(lambda own: own.nunique() / len(own))
    return share.rename("distinct").reset_index()


def sweep_table(experiment: Experiment, frame: pd.DataFrame) -> pd.DataFrame:
    """Return a row per parameter and temperature: exact match, share of different answers, kept set.

    The size of the kept set is a mean over the steps of the greedy answers to test questions.
    """
    rules = [Sampler(rule, value) for rule, value in frame[["rule", "value"]].drop_duplicates().to_numpy()]
    at = tuple(sorted(frame["temperature"].unique()))
    kept = kept_sets(experiment, rules, at)
    distinct = diversity(frame)
    rows = []
    for sampler in rules:
        for temperature in at:
            sets = kept[(kept["sampler"] == sampler.label) & (kept["temperature"] == temperature)]
            cell = (sampler.label, temperature)
            rows.append((sampler.label, f"{temperature:g}",
                         samplers.estimate(samplers.cell(frame, *cell)),
                         samplers.estimate(samplers.cell(distinct, *cell), "distinct"),
                         f"{over_questions(sets, 'kept').value:.2f}"))  # fmt: skip
    return pd.DataFrame(
        rows, columns=["sampler", "T", "exact match, %", "different answers, %", "tokens kept"]
    )


def spread(distinct: pd.DataFrame, temperature: float = 1.0) -> str:
    """Return in words how far the diversity of answers moves over all n at a temperature.

    The least possible share is one kind of answer among all samples.
    """
    means = distinct[distinct["temperature"] == temperature].groupby("value")["distinct"].mean()
    low, high = 100 * means.min(), 100 * means.max()
    return f"different answers at T = {temperature:g}, mean by n: {low:.1f} % to {high:.1f} % of the samples"


def sweep_curves(frame: pd.DataFrame, column: str) -> dict[str, pd.DataFrame]:
    """Return per temperature the columns value, accuracy, low, high and n of a column."""
    found = {}
    for temperature, own in frame.groupby("temperature"):
        rows = [(value, e.value, e.low, e.high, e.n) for value, cell in own.groupby("value")
                for e in (samplers.estimate(cell, column),)]  # fmt: skip
        found[f"T = {temperature:g}"] = pd.DataFrame(rows, columns=["value", "accuracy", "low", "high", "n"])
    return found


def n_claims(distinct: pd.DataFrame, heat: Heat) -> dict[str, Estimate]:
    """Return C9a (diversity against n) and C9c (effect of n minus effect of T) from `diversity`."""
    cold = distinct[distinct["temperature"] == 1.0]
    by_n = cold.pivot(index="question", columns="value", values="distinct")
    by_t = distinct[distinct["value"] == 1.0].pivot(
        index="question", columns="temperature", values="distinct"
    )
    of_n = by_n[2.0] - by_n[0.5]
    of_t = (by_t[heat.cell] - by_t[1.0]).loc[of_n.index]
    return {
        "C9a": trend(list(by_n.columns), by_n.to_numpy()),
        "C9c": paired.difference(of_n.to_numpy(), of_t.to_numpy()),
    }


def steadiness(experiment: Experiment, heat: Heat) -> Estimate:
    """Return C9b: exact match of top-nσ 1 at T_c minus T = 1 on the test questions."""
    n = int(experiment.settings.sizes["n_questions"])
    frame = samplers.outcomes(experiment, (NSIGMA,), sorted({1.0, heat.cell}), n=n, style=STYLE)
    return samplers.gap(frame, (NSIGMA.label, heat.cell), (NSIGMA.label, 1.0))


# n tuned against p tuned


def best(frame: pd.DataFrame, temperature: float, widest: bool) -> Sampler:
    """Return the sampler with the largest exact match at a temperature; of equals the one that cuts less.

    Args:
        frame: outcomes of one rule under several parameters.
        temperature: of the cells.
        widest: whether a larger parameter cuts less (n) or more (p).
    """
    own = frame[frame["temperature"] == temperature]
    means = own.groupby(["rule", "value"])["correct"].mean().round(9)
    value = (max if widest else min)(means[means == means.max()].index.get_level_values("value"))
    return Sampler(str(own["rule"].iloc[0]), float(value))


def tuned(
    experiment: Experiment, by_n: pd.DataFrame, by_p: pd.DataFrame, at: Sequence[float]
) -> tuple[pd.DataFrame, Mapping[float, Estimate]]:
    """Return how the best n and the best p of validation questions do on test questions.

    Args:
        experiment: the runs.
        by_n: outcomes of top-nσ under `NS`.
        by_p: outcomes of min-p under `PS`.
        at: temperatures of both.

    Returns:
        A row per temperature, and min-p minus top-nσ by temperature (K1 when hot).
    """
    n, rows, gaps = int(experiment.settings.sizes["n_questions"]), [], {}
    for temperature in at:
        pair = best(by_n, temperature, True), best(by_p, temperature, False)
        frame = samplers.outcomes(experiment, pair, (temperature,), n=n, style=STYLE)
        ours, other = ((s.label, temperature) for s in pair)
        gaps[temperature] = samplers.gap(frame, other, ours)
        cells = (samplers.estimate(samplers.cell(frame, *cell)) for cell in (ours, other))
        rows.append((f"{temperature:g}", *(s.label for s in pair), *cells, gaps[temperature]))
    header = ["T", "best n", "best p", "top-nσ, %", "min-p, %", "min-p minus top-nσ, points"]
    return pd.DataFrame(rows, columns=header), gaps
