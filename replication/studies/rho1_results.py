"""What the learners can do: accuracy against processed tokens, main table, ratios, and what it costs."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from replication.evaluation import paired
from replication.evaluation.accuracy import mean, proportion
from replication.evaluation.bootstrap import around, counts, expanded
from replication.evaluation.claims import Estimate
from replication.lm.shards import grid
from replication.pretraining.experiment import Trained
from replication.studies.rho1 import LENGTH, RATIO, ROWS, Study, final

RATIOS = (0.4, 0.5, 0.6, 0.7, 0.8, 1.0)
RESAMPLES = 4000
FORWARD, TRAINED = 2, 6  # floating-point operations per parameter and token


def main_runs(study: Study) -> dict[str, list[Trained]]:
    """Return the runs of the main table, a list of seeds each; the reference model was trained once."""
    makers = {
        "CLM": study.clm,
        "SLM, 60 %": study.slm,
        "random, 60 %": study.random,
        "reverse, 60 %": study.reverse,
        "CLM on corpus and clean data": study.both,
    }
    runs = grid(lambda name, seed: makers[name](seed), makers, study.seeds)
    return {"reference model": [study.reference], **runs}


def base_outcomes(study: Study) -> np.ndarray:
    """Return whether the base answers each question rightly: (questions,) by id."""
    answers = study.ask(study.base, study.task, study.questions).sort_values("question")
    return answers["correct"].to_numpy(dtype=float)


PRINTED = {
    "base": "TinyLlama 1.1B",
    "CLM": "TinyLlama-CT 1.1B",
    "SLM, 60 %": "Rho-1-Math 1.1B",
}
"""Rows of the main table -> rows of the published Table 1, the first of a name."""


def main_table(
    study: Study, runs: dict[str, list[Trained]], published: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return the main table: accuracy, processed and selected tokens, and computation in units of CLM's.

    Args:
        study: the trainings.
        runs: of `main_runs`.
        published: Table 1, whose GSM8K column then stands beside; None leaves it out.
    """
    before = base_outcomes(study)
    rows = [("base", "—", "—", None, proportion(before), 1)]
    unit = 0.0
    for name, own in runs.items():
        read = own[0].tokens
        cost = cost_of(study, name, read)
        unit = cost if name == "CLM" else unit
        share = RATIO if "60 %" in name else 1.0
        rows.append(
            (name, f"{read / 1000:.0f}", f"{share * read / 1000:.0f}", cost, study.accuracy(own), len(own))
        )
    shown = [(*row[:3], None if row[3] is None else row[3] / unit, *row[4:]) for row in rows]
    columns = [
        "model",
        "processed, thousand",
        "selected, thousand",
        "computation (CLM = 1)",
        "accuracy",
        "seeds",
    ]
    table = pd.DataFrame(shown, columns=columns)
    if published is not None:
        known = published.drop_duplicates("model").set_index("model")["GSM8K"]
        table["published GSM8K (1.1B)"] = [known.get(PRINTED.get(name)) for name in table["model"]]
    return table


def cost_of(study: Study, name: str, read: int) -> float:
    """Return the computation of a run in passes over a token, with the reference model and its scores.

    A trained token costs 6 operations per parameter, a scored one 2. Selection by excess loss needs the
    reference model and one scoring pass over the corpus.
    """
    own = TRAINED * read
    if not name.startswith(("SLM", "reverse")):
        return own
    return own + TRAINED * study.reference.tokens + FORWARD * len(study.noisy) * LENGTH


def seed_spread(runs: dict[str, list[Trained]]) -> pd.DataFrame:
    """Return the accuracy of every single training."""
    rows = [(name, *(proportion(final(run)) for run in own)) for name, own in runs.items()]
    rows = [row for row in rows if len(row) == 1 + len(runs["CLM"])]
    number = max(len(row) for row in rows) - 1
    return pd.DataFrame(rows, columns=["model", *(f"seed {i}" for i in range(number))])


def main_claims(study: Study, runs: dict[str, list[Trained]]) -> dict[str, Estimate]:
    """Return the estimates of the claims and controls of the main table."""
    slm, clm = runs["SLM, 60 %"], runs["CLM"]
    reference = runs["reference model"] * len(slm)
    return {
        "C2a": study.gap(slm, clm),
        "C2b": study.gap(slm, runs["random, 60 %"]),
        "K2": study.gap(slm, reference),
        "K3": study.gap(slm, runs["CLM on corpus and clean data"]),
        "K4": study.gap(clm, runs["reverse, 60 %"]),
    }


# Accuracy against processed tokens


def watched(study: Study, runs: Sequence[Trained]) -> tuple[np.ndarray, np.ndarray]:
    """Return steps (C,) and outcomes (questions, seeds, C) of the questions asked at every checkpoint."""
    asked = [q.id for q in study.questions[: int(study.sizes["n_watch"])]]
    tables = []
    for run in runs:
        own = run.answers[run.answers["question"].isin(asked)]
        tables.append(own.pivot(index="question", columns="step", values="correct").astype(float))
    return tables[0].columns.to_numpy(), np.stack([table.to_numpy() for table in tables], axis=1)


def accuracy_curves(study: Study, runs: dict[str, list[Trained]]) -> dict[str, pd.DataFrame]:
    """Return Figure 1: columns read (processed tokens), accuracy, low, high, n."""
    series = {}
    for name in ("SLM, 60 %", "CLM"):
        steps, right = watched(study, runs[name])
        rows = []
        for place, step in enumerate(steps):
            e = mean(right[:, :, place])
            rows.append((step * ROWS * LENGTH, e.value, e.low, e.high, e.n))
        series[name] = pd.DataFrame(rows, columns=["read", "accuracy", "low", "high", "n"])
    return series


def in_percent(series: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return accuracy curves with value, low and high in percent, as figures of trainings take them."""
    columns = {"value": "accuracy", "low": "low", "high": "high"}
    return {
        name: frame[["read", "n"]].assign(**{new: 100 * frame[old] for new, old in columns.items()})
        for name, frame in series.items()
    }


def published_curves(published: pd.DataFrame) -> dict[str, list[tuple[float, float]]]:
    """Return the published curves of Figure 1 for a figure: label -> [(billions of tokens, percent)]."""
    places = published[published.columns[0]].astype(float)
    labels = {"SLM, 60 %": "1B SLM", "CLM": "1B CLM", "7B SLM, 70 %": "7B SLM", "7B CLM": "7B CLM"}
    return {
        ours: list(zip(places, published[theirs].astype(float), strict=True))
        for ours, theirs in labels.items()
    }


def efficiency(study: Study, runs: dict[str, list[Trained]]) -> Estimate:
    """Return how many times earlier selective training first reaches the final accuracy of plain training.

    The accuracy at the watched questions decides; questions and seeds are resampled. Where selective training
    never reaches it, the ratio is that of the lengths, 1.
    """
    steps, slm = watched(study, runs["SLM, 60 %"])
    _, clm = watched(study, runs["CLM"])
    rng = np.random.default_rng(0)
    questions = counts(len(slm), rng, RESAMPLES) / len(slm)
    seeds = counts(slm.shape[1], rng, RESAMPLES) / slm.shape[1]
    curves = [np.einsum("rq,rs,qsc->rc", questions, seeds, one, optimize=True) for one in (slm, clm)]
    value = _earlier(steps, slm.mean((0, 1))[None], clm.mean((0, 1))[None])[0]
    return around(float(value), _earlier(steps, *curves), len(slm), expanded(len(slm)))


def _earlier(steps: np.ndarray, ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Return the last step by the first above 0 at which `ours` (R, C) reaches the end of `theirs`."""
    there = ours[:, 1:] >= theirs[:, -1:] - 1e-12
    first = np.where(there.any(1), there.argmax(1), len(steps) - 2)
    return steps[-1] / steps[1:][first]


# Ratios


def sweep(study: Study) -> dict[float, list[Trained]]:
    """Return the short trainings at every ratio."""
    return grid(lambda ratio, seed: study.short(seed, ratio), RATIOS, study.seeds)


def sweep_curve(study: Study, runs: dict[float, list[Trained]]) -> pd.DataFrame:
    """Return Figure 9: columns ratio (per cent), accuracy, low, high, n."""
    found = {ratio: study.accuracy(own) for ratio, own in runs.items()}
    rows = [(100 * ratio, e.value, e.low, e.high, e.n) for ratio, e in found.items()]
    return pd.DataFrame(rows, columns=["ratio", "accuracy", "low", "high", "n"])


def sweep_table(study: Study, runs: dict[float, list[Trained]], published: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy by ratio beside the published one."""
    rows = [(f"{100 * ratio:.0f} %", study.accuracy(own)) for ratio, own in runs.items()]
    table = pd.DataFrame(rows, columns=["ratio", "accuracy"])
    known = published.set_index(published.columns[0])
    for column in known.columns:
        table[f"published {column}"] = [known[column].get(round(100 * ratio)) for ratio in runs]
    return table


def sweep_claims(runs: dict[float, list[Trained]]) -> dict[str, Estimate]:
    """Return the estimates of the claims of Figure 9."""
    right = {ratio: np.stack([final(run) for run in own], axis=1) for ratio, own in runs.items()}
    gaps = {f"{ratio:g}": (right[ratio] - right[1.0]).mean(1) for ratio in RATIOS if ratio != 1}
    neighbours = (right[0.4] + right[0.8]) / 2
    return {
        "C9a": paired.smallest(gaps)[1],
        "C9b": paired.difference(right[0.6], neighbours, resample_seeds=True),
    }
