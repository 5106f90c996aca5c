"""What the trainings on preferences show: the main table, its controls, and curves of log-probabilities."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from replication.alignment.experiment import Trained
from replication.evaluation import clusters, paired
from replication.evaluation.accuracy import mean
from replication.evaluation.claims import Estimate
from replication.lm.shards import each, grid
from replication.studies.alignment import Cell
from replication.studies.cdpo import BY_LABEL, CONTROLS, EQUAL, ROWS, SHUFFLED, TWICE, Row, Study

DPO, RPO, CDPO = (BY_LABEL[label] for label in ("DPO (base)", "RPO (base)", "cDPO (base)"))
DRAWN = (DPO, RPO, EQUAL)  # lines of Figure 4, all at one rate
MAIN = (None, *ROWS)
NAMES = {"TDPO2 (from SFT)": "TokenDPO (from SFT)"}  # as the paper calls it

Outcomes = Mapping[Cell, Mapping[str, np.ndarray]]


def label(row: Row | None) -> str:
    """Return the name of a row; None is the base."""
    return "baseline" if row is None else row.label


def outcomes(study: Study) -> dict[Cell, dict[str, np.ndarray]]:
    """Return the main table's outcomes: cell -> row -> (questions, seeds)."""
    found = grid(study.outcomes, study.cells, MAIN)
    return {cell: dict(zip(map(label, MAIN), own, strict=True)) for cell, own in found.items()}


def controls(study: Study) -> dict[str, np.ndarray]:
    """Return the outcomes of the rows that the paper lacks, in the first cell: row -> (questions, seeds)."""
    found = each(lambda row: study.outcomes(study.cells[0], row), CONTROLS)
    return {row.label: own for row, own in zip(CONTROLS, found, strict=True)}


def stacked(found: Outcomes, name: str) -> np.ndarray:
    """Return the outcomes of a row in all cells, one below the other: (cells * questions, seeds)."""
    return np.concatenate([own[name] for own in found.values()])


def bases(study: Study) -> Estimate:
    """Return the greedy accuracy of the bases, all cells together."""
    return mean(np.concatenate(each(lambda cell: study.right(cell, [study.base(cell)]), study.cells)))


def divergence(study: Study) -> Estimate:
    """Return the mean KL(P_p || P_n) over rejected responses, nats, of the cell where it is smallest."""
    found = each(lambda cell: mean(np.array([one.kl.mean() for one in study.scores(cell)])), study.cells)
    return min(found, key=lambda estimate: estimate.value)


def table_3(found: Outcomes, published: pd.DataFrame) -> pd.DataFrame:
    """Return accuracy by row and cell, over questions and seeds, the published averages beside."""
    known = published.set_index("method")[["GSM8K average", "MATH500 average"]]
    rows = []
    for row in MAIN:
        name = label(row)
        rows.append((name, *(mean(own[name]) for own in found.values()), mean(stacked(found, name)),
                     *known.loc[NAMES.get(name, name)]))  # fmt: skip
    cells = [cell.label for cell in found]
    columns = ["method", *cells, "all cells", "published, GSM8K average", "published, MATH500 average"]
    return pd.DataFrame(rows, columns=columns)


def gaps_table(found: Outcomes) -> pd.DataFrame:
    """Return cDPO minus every other row over all cells, and the exact McNemar test of each seed."""
    ours, rows = stacked(found, CDPO.label), []
    for row in (row for row in MAIN if row is not CDPO):
        other = stacked(found, label(row))
        tests = [paired.mcnemar(a, b) for a, b in zip(ours.T, other.T, strict=True)]
        p_values = ", ".join(f"{test.p_value:.2g}" for test in tests)
        rows.append((label(row), paired.difference(ours, other, resample_seeds=True), p_values))
    return pd.DataFrame(rows, columns=["cDPO minus", "difference", "McNemar, p of each seed"])


def controls_table(found: Mapping[str, np.ndarray], first: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Return accuracy of the controls in the first cell, beside cDPO and RPO, and cDPO minus each."""
    ours = first[CDPO.label]
    rows = [(CDPO.label, mean(ours), None), (RPO.label, mean(first[RPO.label]), None)]
    rows += [
        (name, mean(right), paired.difference(ours, right, resample_seeds=True))
        for name, right in found.items()
    ]
    return pd.DataFrame(rows, columns=["row", "accuracy", "cDPO minus it"])


def claims(found: Outcomes, more: Mapping[str, np.ndarray]) -> dict[str, Estimate]:
    """Return the estimates of the claims about accuracy."""
    ours, first = stacked(found, CDPO.label), next(iter(found.values()))[CDPO.label]
    others = {label(row): stacked(found, label(row)) for row in MAIN if row is not CDPO}
    worse = {cell.label: (own[DPO.label] - own["baseline"]).mean(axis=1) for cell, own in found.items()}
    return {
        "C7a": paired.difference(ours, others[RPO.label], resample_seeds=True),
        "C7b": paired.lead(ours, others)[1],
        "K5": paired.difference(first, more[TWICE.label], resample_seeds=True),
        "K6": paired.difference(first, more[SHUFFLED.label], resample_seeds=True),
        "K7": paired.difference(first, more["cDPO, constant weight"], resample_seeds=True),
        "C8": paired.smallest(worse)[1],
    }


# Curves (Figure 4)


def measured(study: Study, row: Row) -> list[Trained]:
    """Return the trainings of a row in the first cell, where pairs are watched."""
    return study.runs(study.cells[0], row)


def at_step(runs: Sequence[Trained], column: str, last: bool = True) -> np.ndarray:
    """Return a measure of each watched pair at the last or the first step: (pairs, seeds)."""
    values = []
    for run in runs:
        step = run.curves["step"].max() if last else run.curves["step"].min()
        values.append(run.curves[run.curves["step"] == step].sort_values("question")[column].to_numpy(float))
    return np.stack(values, axis=1)


def panels(study: Study, per_token: bool = False) -> dict[str, dict[str, pd.DataFrame]]:
    """Return changes by side and method: step, value, low, high, n, over watched pairs and seeds."""
    found: dict[str, dict[str, pd.DataFrame]] = {"chosen": {}, "rejected": {}}
    for row in DRAWN:
        runs = measured(study, row)
        for side, series in found.items():
            series[row.label] = _curve(runs, side, per_token)
    return found


def _curve(runs: Sequence[Trained], side: str, per_token: bool) -> pd.DataFrame:
    """Return the mean change of a side's log-probability from the first step on, with its paired interval."""
    names = [side, f"{side}_tokens", "question"]
    by_step = [dict(iter(run.curves.sort_values("question").groupby("step")[names])) for run in runs]
    first, rows = min(by_step[0]), []
    for step in sorted(by_step[0]):
        columns = []
        for own in by_step:
            length = own[step][f"{side}_tokens"].to_numpy(float) if per_token else 1.0
            columns.append((own[step][side].to_numpy(float) - own[first][side].to_numpy(float)) / length)
        e = clusters.average(np.stack(columns, axis=1))
        rows.append((step, e.value, e.low, e.high, e.n))
    return pd.DataFrame(rows, columns=["step", "value", "low", "high", "n"])


def curve_table(study: Study) -> pd.DataFrame:
    """Return where each method's curves start and end, and the gap between them."""
    rows = []
    for row in (*DRAWN, CDPO, TWICE):
        runs = measured(study, row)
        chosen, rejected = (at_step(runs, side) for side in ("chosen", "rejected"))
        start = {side: at_step(runs, side, last=False) for side in ("chosen", "rejected")}
        changes = (chosen - start["chosen"], rejected - start["rejected"], chosen - rejected)
        rows.append((row.label, *map(clusters.average, changes)))
    return pd.DataFrame(rows, columns=["method", "change of chosen", "change of rejected", "gap at the end"])


def curve_claims(study: Study) -> dict[str, Estimate]:
    """Return the estimates of the claims about log-probabilities."""
    ends = {
        row.label: {side: at_step(measured(study, row), side) for side in ("chosen", "rejected")}
        for row in DRAWN
    }
    start = at_step(measured(study, DPO), "chosen", last=False)
    chosen = {name: own["chosen"] for name, own in ends.items()}
    gap = {name: own["chosen"] - own["rejected"] for name, own in ends.items()}
    return {
        "C6a": clusters.average(chosen[DPO.label] - start),
        "C6b": clusters.average(chosen[RPO.label] - start),
        "C6c": clusters.average(chosen[EQUAL.label] - start),
        "C6d": clusters.average(chosen[EQUAL.label] - chosen[DPO.label]),
        "C6e": clusters.average(gap[EQUAL.label] - gap[RPO.label]),
    }
