"""How log-probabilities of chosen and rejected responses move in a training, and the accuracy after it."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from replication.alignment.experiment import Trained
from replication.alignment.preferences import Pair
from replication.evaluation import clusters
from replication.evaluation.accuracy import mean
from replication.evaluation.claims import Estimate
from replication.studies.dpo_rpo import BASE, CHOSEN, DPO, FROM_SFT, GOLD, RPO, Study

SIDES = ("chosen", "rejected")
FOUR = (DPO, RPO, DPO + FROM_SFT, RPO + FROM_SFT)
# Published rows of Table 1 that ours stand beside.
PUBLISHED_ROWS = {
    BASE: "zero-shot CoT",
    GOLD: "SFT on gold",
    CHOSEN: "SFT on chosen, 1 iteration (STaR)",
    DPO: "DPO from chat model",
    DPO + FROM_SFT: "DPO from SFT on chosen",
    RPO: "iteration 1",
    RPO + FROM_SFT: "iteration 1 from SFT on chosen",
}


def levels(runs: Sequence[Trained], pairs: Sequence[Pair], column: str) -> tuple[list[int], np.ndarray]:
    """Return the measured steps (C,) and a column of the curves at some pairs: (pairs, seeds, C)."""
    wanted = [pair.question for pair in pairs]
    tables = [run.curves.pivot(index="question", columns="step", values=column) for run in runs]
    return list(tables[0].columns), np.stack([table.loc[wanted].to_numpy() for table in tables], axis=1)


def changes(runs: Sequence[Trained], pairs: Sequence[Pair], column: str = "") -> np.ndarray:
    """Return end minus start of a column at each pair: (pairs, seeds); of chosen minus rejected for ""."""
    if not column:
        return changes(runs, pairs, "chosen") - changes(runs, pairs, "rejected")
    _, values = levels(runs, pairs, column)
    return values[..., -1] - values[..., 0]


def least(*values: np.ndarray) -> Estimate:
    """Return the smallest of several means of (pairs, seeds) values, the smallest anew in each resample."""
    sums = np.stack([*values, np.ones_like(values[0])], axis=-1)
    return clusters.statistic(sums, lambda totals: (totals[..., :-1] / totals[..., -1:]).min(-1))


def gaining(study: Study) -> Estimate:
    """Return the share of learnt pairs whose chosen response gains on the rejected one under plain DPO."""
    return mean((changes(study.runs[DPO], study.learnt) > 0).astype(float))


def pair_table(study: Study) -> pd.DataFrame:
    """Return the texts of the first pair that is learnt."""
    tokenizer = study.family.shared.model(study.cell.model).tokenizer
    first = study.pairs[0]
    parts = {"prompt": first.prompt, "chosen": first.chosen, "rejected": first.rejected}
    rows = [(name, tokenizer.decode(ids, skip_special_tokens=True).strip()) for name, ids in parts.items()]
    return pd.DataFrame(rows, columns=["", "text"])


# Figures 2 and 3


def curve(runs: Sequence[Trained], pairs: Sequence[Pair], column: str) -> pd.DataFrame:
    """Return the mean over pairs and seeds: step, value, low, high.

    The interval is that of the change since the start, about the start's mean: how far pairs differ in level
    is no uncertainty about where they move.
    """
    steps, values = levels(runs, pairs, column)
    first = values[..., 0].mean()
    rows = []
    for place, step in enumerate(steps):
        e = clusters.average(values[..., place] - values[..., 0])
        rows.append((step, first + e.value, first + e.low, first + e.high))
    return pd.DataFrame(rows, columns=["step", "value", "low", "high"])


def panel(study: Study, names: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Return the curves of the held-out pairs of some runs: label -> `curve`."""
    short = {name: name.removesuffix(FROM_SFT) for name in names}
    return {
        f"{short[name]}, {side}": curve(study.runs[name], study.held_out, side)
        for name in names
        for side in SIDES
    }


def figure_2(study: Study) -> dict[str, dict[str, pd.DataFrame]]:
    """Return the panels of Figure 2: SFT on chosen and, where the world has them, on gold solutions."""
    titles = {CHOSEN: "a: on chosen responses", GOLD: "b: on gold solutions"}
    return {
        title: {side: curve(study.runs[name], study.held_out, side) for side in SIDES}
        for name, title in titles.items()
        if name in study.runs
    }


def figure_3(study: Study) -> dict[str, dict[str, pd.DataFrame]]:
    """Return the panels of Figure 3: DPO without and with the likelihood term, from base and from SFT."""
    return {"a: from the base": panel(study, FOUR[:2]), "b: from SFT on chosen": panel(study, FOUR[2:])}


def movement(study: Study) -> pd.DataFrame:
    """Return how far each run moves chosen, rejected and their difference, at held-out and learnt pairs."""
    rows = []
    for name, runs in study.runs.items():
        for kind, pairs in (("held out", study.held_out), ("learnt", study.learnt)):
            found = [clusters.average(changes(runs, pairs, column)) for column in (*SIDES, "")]
            rows.append((name, kind, *found))
    return pd.DataFrame(rows, columns=["training", "pairs", "chosen", "rejected", "chosen - rejected"])


def movement_claims(study: Study) -> dict[str, Estimate]:
    """Return the estimates of the claims about Figures 2 and 3 and of their controls, nats."""
    runs = study.runs

    def moved(name: str, column: str, pairs: Sequence[Pair] = study.held_out) -> np.ndarray:
        return changes(runs[name], pairs, column)

    sft, learnt = DPO + FROM_SFT, study.learnt
    return {
        "C1a": clusters.average(moved(DPO, "chosen")),
        "C1b": clusters.average(moved(sft, "chosen")),
        "C1c": clusters.average(moved(sft, "chosen") - moved(DPO, "chosen")),
        "C2a": clusters.average(moved(RPO, "chosen")),
        "C2b": clusters.average(moved(RPO + FROM_SFT, "chosen")),
        "C2c": clusters.average(moved(RPO, "chosen") - moved(DPO, "chosen")),
        "C2d": clusters.average(moved(RPO + FROM_SFT, "chosen") - moved(sft, "chosen")),
        "C2e": -least(*(-moved(name, "rejected") for name in (RPO, RPO + FROM_SFT))),
        "C2f": least(*(moved(name, "") for name in FOUR)),
        "C3a": clusters.average(moved(CHOSEN, "rejected")),
        "C3b": clusters.average(moved(CHOSEN, "rejected") - 0.5 * moved(CHOSEN, "chosen")),
        "K1a": clusters.average(moved(DPO, "chosen", learnt)),
        "K1b": clusters.average(moved(RPO, "chosen", learnt)),
        "K1c": clusters.average(moved(CHOSEN, "rejected", learnt)),
    }


def by_seed(study: Study) -> pd.DataFrame:
    """Return the mean change of the held-out chosen responses of every single training, nats."""
    rows = []
    for name, runs in study.runs.items():
        found = list(changes(runs, study.held_out, "chosen").mean(0))
        rows.append((name, *found, *[None] * (len(study.seeds) - len(runs))))
    return pd.DataFrame(rows, columns=["training", *(f"seed {seed}" for seed in study.seeds)])


# Table 1, one iteration


def table_1(study: Study, published: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy and gain over the base of every run beside the published accuracy."""
    known = published_accuracy(published)
    rows = [(BASE, mean(study.base_right), None, 1, known.get(PUBLISHED_ROWS[BASE]))]
    for name, runs in study.runs.items():
        shown = known.get(PUBLISHED_ROWS.get(name, ""))
        rows.append((name, study.accuracy(runs), study.gain(runs), len(runs), shown))
    columns = ["model", "accuracy", "above the base", "seeds", "published, GSM8K"]
    return pd.DataFrame(rows, columns=columns)


def published_accuracy(published: pd.DataFrame) -> Mapping[str, float]:
    """Return the published greedy accuracies by row."""
    return dict(zip(published.iloc[:, 0], published.iloc[:, 1], strict=True))


def accuracy_claims(study: Study) -> dict[str, Estimate]:
    """Return the estimates of the claims about accuracy after one iteration."""
    runs = study.runs
    return {
        "C4a": study.gain(runs[RPO]),
        "C4b": study.gap(runs[RPO], runs[DPO]),
        "C4c": study.gap(runs[RPO], runs[CHOSEN]),
        "C4d": study.gap(runs[CHOSEN], runs[DPO]),
        "C4e": study.gap(runs[DPO + FROM_SFT], runs[DPO]),
        "C4f": study.gap(runs[RPO + FROM_SFT], runs[RPO]),
    }
