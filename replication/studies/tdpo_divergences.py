"""Sequential divergences, preference accuracy, entropy and reward of DPO, TDPO1 and TDPO2."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from replication.alignment.experiment import Trained
from replication.evaluation import clusters, paired
from replication.evaluation.accuracy import mean, proportion
from replication.evaluation.claims import Estimate, plain
from replication.studies.tdpo import ALPHAS, DPO, SFT, TDPO1, Study, tdpo2

BETA = 0.1
CHOSEN, REJECTED, MARGIN = "on chosen", "on rejected", "margin"
average = clusters.average  # for the notebook
PANELS = {"b: on chosen": CHOSEN, "c: on rejected": REJECTED, "d: rejected minus chosen": MARGIN}
NO_VERDICT = (
    "The reward here is whether the answer is right, at one point of each training: too few points at equal "
    "divergence for an order, so the frontier is shown and not judged."
)


def divergence(runs: Sequence[Trained], which: str) -> tuple[list[int], np.ndarray]:
    """Return the measured steps (C,) and divergences of the held-out pairs: (pairs, seeds, C) nats."""
    if which == MARGIN:
        steps, rejected = divergence(runs, REJECTED)
        return steps, rejected - divergence(runs, CHOSEN)[1]
    column = "chosen_kl" if which == CHOSEN else "rejected_kl"
    tables = [run.curves.pivot(index="question", columns="step", values=column) for run in runs]
    return list(tables[0].columns), np.stack([table.to_numpy() for table in tables], axis=1)


def last(runs: Sequence[Trained], which: str) -> np.ndarray:
    """Return the divergences at the end: (pairs, seeds) nats."""
    return divergence(runs, which)[1][..., -1]


def smallest_fall(values: Sequence[np.ndarray]) -> Estimate:
    """Return the smallest fall from one to the next of the means of (pairs, seeds) values."""
    sums = np.stack([*values, np.ones_like(values[0])], axis=-1)
    return clusters.statistic(
        sums, lambda t: (t[..., :-2] / t[..., -1:] - t[..., 1:-1] / t[..., -1:]).min(-1)
    )


# The figure, panels b to d


def curves(study: Study) -> dict[str, dict[str, pd.DataFrame]]:
    """Return the panels of the figure: title -> method -> step, value, low, high."""
    found: dict[str, dict[str, pd.DataFrame]] = {}
    for title, which in PANELS.items():
        found[title] = {name: _curve(*divergence(runs, which)) for name, runs in study.runs.items()}
    return found


def _curve(steps: Sequence[int], values: np.ndarray) -> pd.DataFrame:
    """Return means with intervals by step."""
    rows = [(step, clusters.average(values[..., place])) for place, step in enumerate(steps)]
    return pd.DataFrame(
        [(step, e.value, e.low, e.high) for step, e in rows], columns=["step", "value", "low", "high"]
    )


def ends(study: Study, published: pd.DataFrame) -> pd.DataFrame:
    """Return the divergences at the end beside the published ones."""
    known = {row[0]: row[1:] for row in published.itertuples(index=False)}
    rows = []
    for name, runs in study.runs.items():
        found = [clusters.average(last(runs, which)) for which in PANELS.values()]
        rows.append((name, *found, *known.get(name, (None, None))))
    columns = ["method", *PANELS.values(), "published, on chosen", "published, on rejected"]
    return pd.DataFrame(rows, columns=columns)


def divergence_claims(study: Study) -> dict[str, Estimate]:
    """Return the estimates of the claims about divergences, nats."""
    runs, sweep = study.runs, [study.runs[tdpo2(alpha)] for alpha in ALPHAS]
    best = runs[tdpo2()]

    def gap(first: Sequence[Trained], second: Sequence[Trained], which: str) -> Estimate:
        return clusters.average(last(first, which) - last(second, which))

    return {
        "C2a": clusters.average(last(runs[DPO], MARGIN)),
        "C2b": gap(runs[DPO], best, REJECTED),
        "C2c": gap(runs[DPO], best, CHOSEN),
        "C2d": gap(runs[TDPO1], runs[DPO], CHOSEN),
        "C2e": gap(runs[DPO], runs[TDPO1], REJECTED),
        "C2f": gap(runs[DPO], best, MARGIN),
        "C2g": smallest_fall([last(own, REJECTED) for own in sweep]),
        "C2h": smallest_fall([last(own, CHOSEN) for own in sweep]),
        "C2i": smallest_fall([last(own, MARGIN) for own in sweep]),
        "K1": gap(runs[TDPO1][:1], [study.without_gradient], CHOSEN),
    }


def by_seed(study: Study) -> pd.DataFrame:
    """Return the divergence on rejected responses at the end of every single training, nats."""
    rows = [(name, *last(runs, REJECTED).mean(0)) for name, runs in study.runs.items()]
    return pd.DataFrame(rows, columns=["method", *(f"seed {seed}" for seed in study.seeds)])


# Preference accuracy and entropy


def prefers(runs: Sequence[Trained], with_divergence: bool = False) -> np.ndarray:
    """Return whether the implicit reward is larger for the chosen response: (pairs, seeds) float64.

    Args:
        runs: trainings whose start is their reference.
        with_divergence: add the divergence to the log-ratio, as the authors' released code logs rewards.
    """
    rewards = []
    for side in ("chosen", "rejected"):
        tables = [run.curves.pivot(index="question", columns="step", values=side) for run in runs]
        ratio = np.stack([table.iloc[:, -1] - table.iloc[:, 0] for table in tables], axis=1)
        extra = last(runs, CHOSEN if side == "chosen" else REJECTED) if with_divergence else 0.0
        rewards.append(BETA * (ratio + extra))
    return (rewards[0] > rewards[1]).astype(float)


def by_question(study: Study, runs: Sequence[Trained | str], column: str) -> np.ndarray:
    """Return sums of a column of the models' own samples and numbers of tokens and samples.

    Returns:
        (questions, models, 3): sum, tokens, samples.
    """
    tables = [study.own(run) for run in runs]
    found = []
    for table in tables:
        groups = table.groupby("question", sort=True)
        parts = [groups[column].sum(), groups["tokens"].sum(), groups.size()]
        found.append(np.stack([part.to_numpy(dtype=float) for part in parts], axis=-1))
    return np.stack(found, axis=1)


def entropy(study: Study, runs: Sequence[Trained | str]) -> Estimate:
    """Return the mean entropy of a token of own samples, nats."""
    return clusters.statistic(by_question(study, runs, "entropy")[..., :2], clusters.ratio)


def entropy_gap(study: Study, first: Sequence[Trained], second: Sequence[Trained]) -> Estimate:
    """Return the difference of two mean entropies, nats."""
    sums = [by_question(study, runs, "entropy")[..., :2] for runs in (first, second)]
    return clusters.statistic(np.concatenate(sums, axis=-1), clusters.gap)


def per_sample(study: Study, runs: Sequence[Trained | str], column: str) -> Estimate:
    """Return the mean of a column over own samples: "correct" is the reward, "log_ratio" the divergence."""
    return clusters.statistic(by_question(study, runs, column)[..., [0, 2]], clusters.ratio)


def table_hh(study: Study, published: pd.DataFrame) -> pd.DataFrame:
    """Return preference accuracy by both readings and entropy, beside the published numbers."""
    known = {row[0]: row[1:] for row in published.itertuples(index=False)}
    rows: list[tuple] = [(SFT, None, None, _text(entropy(study, [study.start]), 3), None, None)]
    for name, runs in study.runs.items():
        shown = known.get("TDPO2" if name == tdpo2() else name, (None, None))
        both = [mean(prefers(runs, flag)) for flag in (False, True)]
        rows.append((name, *both, _text(entropy(study, runs), 3), *shown))
    columns = ["method", "prefers the chosen, %", "the same, divergence in the reward, %",
               "entropy, nats a token", "published, %", "published entropy"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _text(e: Estimate, decimals: int) -> str:
    """Return an estimate in nats as text, for a column beside percentages."""
    return f"{e.value:.{decimals}f} ({e.low:.{decimals}f} to {e.high:.{decimals}f})"


def preference_claims(study: Study) -> dict[str, Estimate]:
    """Return the estimates of the claims about preference accuracy and entropy."""
    runs = study.runs
    return {
        "C3a": paired.difference(prefers(runs[tdpo2()]), prefers(runs[DPO]), resample_seeds=True),
        "C3b": entropy_gap(study, runs[tdpo2()], runs[DPO]),
        "C3c": entropy_gap(study, runs[TDPO1], runs[DPO]),
    }


# Reward


def frontier(study: Study) -> dict[str, pd.DataFrame]:
    """Return panel a: method -> divergence (nats a sample) and reward, a row for each training.

    Without intervals: all models answer the same questions, whose choice moves all points together.
    """
    found = {}
    for name, runs in study.runs.items():
        rows = [
            [per_sample(study, [run], column).value for column in ("log_ratio", "correct")] for run in runs
        ]
        found[name] = pd.DataFrame(rows, columns=["divergence", "reward"])
    return found


def frontier_title(points: Mapping[str, pd.DataFrame]) -> str:
    """Return the mean divergence and share of right samples of some methods, as the title of panel a."""
    means = {name: points[name].mean() for name in (DPO, TDPO1, tdpo2())}
    places = [
        f"{name}: {plain(own['divergence'])} nats, {100 * own['reward']:.0f} %" for name, own in means.items()
    ]
    return "Means; " + ";\n".join(["; ".join(places[:2]), places[2]])


def rewards(study: Study) -> pd.DataFrame:
    """Return the share of right samples and of right greedy answers, and the divergence of the samples."""
    start = [study.start]
    rows = [(SFT, per_sample(study, start, "correct"), proportion(study.right(start)[:, 0]), None)]
    for name, runs in study.runs.items():
        far = per_sample(study, runs, "log_ratio")
        greedy = study.accuracy(runs) if name in (DPO, TDPO1, tdpo2()) else None
        rows.append((name, per_sample(study, runs, "correct"), greedy, _text(far, 2)))
    columns = ["method", "right samples, %", "right greedy answers, %", "divergence of samples, nats"]
    return pd.DataFrame(rows, columns=columns)
