"""Tables, curves and claims from `eta_sampling.places`: recovery of the support, principles, entropy and TV.

Texts are resampled all together, so that comparisons between samplers, bins and settings are paired.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from replication.decoding.experiment import Experiment
from replication.evaluation import bootstrap, paired
from replication.evaluation.accuracy import mean
from replication.evaluation.claims import NOTHING, Estimate
from replication.settings import InputError, split_model
from replication.studies import eta_sampling as study
from replication.studies import eta_sampling_texts as reading
from replication.studies.eta_sampling import EPSILON, ETA, HIGH, LOW, RULES, TOP_P, TYPICAL
from replication.studies.samplers import Sampler
from replication.testbed import models

RESAMPLES = 2000
FEWEST = 10
"""Texts that a bin needs in order to take part in the worst case."""
POOLED = ("0.01 to 0.25", "0.25 to 0.5")
"""Bins of the model's entropy that the claims on entropy and TV pool."""
WHOLE = "sampling"
TOO_FEW = "Too few texts have places of the kind that the claim is about: raise n_texts."


def _resampled(units: int) -> np.ndarray:
    """Return how often each text is drawn: (RESAMPLES, texts) int32."""
    return bootstrap.counts(units, np.random.default_rng(0), RESAMPLES)


def _bin_means(table: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """Return the mean of each bin over the texts drawn: (R, bins); NaN for a bin without a text.

    Args:
        table: (texts, bins), NaN where a text has no place in a bin.
        drawn: (R, texts) counts.
    """
    sums = drawn @ np.nan_to_num(table)
    numbers = drawn @ (~np.isnan(table)).astype(float)
    return np.divide(sums, numbers, out=np.full_like(sums, np.nan), where=numbers > 0)


# Recovery of the support


def bins_used(frame: pd.DataFrame) -> list[str]:
    """Return the bins of the true entropy that enough texts have for the worst case, ascending."""
    texts = frame[frame["sampler"] == frame["sampler"].iloc[0]].groupby("bin")["text"].nunique()
    return [name for name in study.TRUE_EDGES if texts.get(name, 0) >= FEWEST]


def bins_table(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the texts and places of each bin of the true entropy, by kind of text."""
    own = frame[frame["sampler"] == frame["sampler"].iloc[0]]
    rows = []
    for name in study.TRUE_EDGES:
        part = own[own["bin"] == name]
        kinds = part.groupby("kind", sort=False)["places"].sum()
        cells = {kind: int(kinds.get(kind, 0)) for kind in reading.KINDS}
        total = {"texts": part["text"].nunique(), "places": int(part["places"].sum())}
        rows.append({"entropy of the truth (nats)": name} | total | cells)
    return pd.DataFrame(rows)


def worst_value(frame: pd.DataFrame, label: str) -> tuple[str, float]:
    """Return the bin where a sampler's mean F1 is least, and that F1; NaN where none has enough texts."""
    bins = bins_used(frame)
    if not bins:
        return "none", float("nan")
    means = study.matrix(frame, label, "f1", bins=bins).mean()
    return str(means.idxmin()), float(means.min())


def choose(frame: pd.DataFrame, grid: Mapping[str, Sequence[Sampler]]) -> dict[str, Sampler]:
    """Return every rule's sampler with the best worst bin; among equals the first, which cuts least.

    Args:
        frame: rows of `places` on texts that nothing is judged on.
        grid: rule -> samplers.
    """
    return {rule: max(own, key=lambda s: worst_value(frame, s.label)[1]) for rule, own in grid.items()}


def worst_gap(frame: pd.DataFrame, ours: Sampler, others: Sequence[Sampler]) -> Estimate:
    """Return the worst-bin F1 of one sampler minus the best of the others', texts resampled."""
    bins = bins_used(frame)
    if not bins:
        return NOTHING
    tables = [study.matrix(frame, s.label, "f1", bins=bins).to_numpy() for s in (ours, *others)]
    drawn = _resampled(len(tables[0]))
    gaps = []
    for counts in (np.ones((1, len(tables[0]))), drawn):
        worst = [np.nanmin(_bin_means(table, counts), axis=1) for table in tables]
        gaps.append(worst[0] - np.max(worst[1:], axis=0))
    return bootstrap.around(float(gaps[0][0]), gaps[1], len(tables[0]))


def worst_estimate(frame: pd.DataFrame, one: Sampler) -> Estimate:
    """Return the worst-bin F1 of a sampler with its interval."""
    bins = bins_used(frame)
    if not bins:
        return NOTHING
    table = study.matrix(frame, one.label, "f1", bins=bins).to_numpy()
    worst = np.nanmin(_bin_means(table, _resampled(len(table))), axis=1)
    return bootstrap.around(worst_value(frame, one.label)[1], worst, len(table))


def worst_table(frame: pd.DataFrame, chosen: Sequence[Sampler]) -> pd.DataFrame:
    """Return a row per sampler: worst-bin F1, the bin, F1 in every bin of the true entropy."""
    rows = []
    for one in chosen:
        head = (one.label, worst_estimate(frame, one), worst_value(frame, one.label)[0])
        cells = [_mean(study.in_bin(frame, one.label, "f1", name)) for name in study.TRUE_EDGES]
        rows.append((*head, *cells))
    return pd.DataFrame(rows, columns=["sampler", "worst bin, F1", "which", *study.TRUE_EDGES])


def by_bin(frame: pd.DataFrame, chosen: Sequence[Sampler], column: str) -> pd.DataFrame:
    """Return a row per sampler and a column per bin of the true entropy of a column's mean over texts."""
    rows = [
        (s.label, *(_mean(study.in_bin(frame, s.label, column, name)) for name in study.TRUE_EDGES))
        for s in chosen
    ]
    return pd.DataFrame(rows, columns=["sampler", *study.TRUE_EDGES])


def bin_curves(frame: pd.DataFrame, chosen: Sequence[Sampler], column: str) -> dict[str, pd.DataFrame]:
    """Return per sampler a column's mean in each bin: bin, accuracy (the mean), low, high, n, for plots."""
    found = {}
    for one in chosen:
        cells = {name: _mean(study.in_bin(frame, one.label, column, name)) for name in study.TRUE_EDGES}
        rows = [(name, e.value, e.low, e.high, e.n) for name, e in cells.items() if e.usable]
        found[one.label] = pd.DataFrame(rows, columns=["bin", "accuracy", "low", "high", "n"])
    return found


def _mean(values: np.ndarray) -> Estimate:
    return mean(values) if len(values) else NOTHING


def support_claims(frame: pd.DataFrame | None, vocabulary: int) -> dict[str, Estimate | str]:
    """Return C1a to C2c, with the published parameters.

    Args:
        frame: rows of `places` on test texts, None where the truth is unknown.
        vocabulary: V.
    """
    if frame is None:
        return dict.fromkeys(("C1a", "C1b", "C2a", "C2b", "C2c"), reading.NO_TRUTH)
    own = {rule: s.label for rule, s in study.published(vocabulary).items()}
    low = {rule: study.in_bin(frame, own[rule], "recall", LOW) for rule in (TOP_P, ETA)}
    high = {rule: study.in_bin(frame, own[rule], "recall", HIGH) for rule in (EPSILON, ETA)}
    enough = {"C1a": low, "C1b": low, "C2a": high, "C2b": high, "C2c": high}
    makers: dict[str, Callable[[], Estimate]] = {
        "C1a": lambda: mean(1 - low[TOP_P]),
        "C1b": lambda: paired.difference(low[ETA], low[TOP_P]),
        "C2a": lambda: mean(1 - high[EPSILON]),
        "C2b": lambda: paired.difference(high[ETA], high[EPSILON]),
        "C2c": lambda: mean(high[ETA]),
    }
    return {claim: make() if len(enough[claim][ETA]) else TOO_FEW for claim, make in makers.items()}


def worst_claims(
    frame: pd.DataFrame | None, chosen: Mapping[str, Sampler] | None
) -> dict[str, Estimate | str]:
    """Return C3b and C3c for the chosen samplers."""
    if frame is None or chosen is None:
        return dict.fromkeys(("C3b", "C3c"), reading.NO_TRUTH)
    others = [chosen[rule] for rule in RULES if rule != ETA]
    return {
        "C3b": worst_gap(frame, chosen[ETA], [chosen[TOP_P]]),
        "C3c": worst_gap(frame, chosen[ETA], others),
    }


def recovery_table(frame: pd.DataFrame, chosen: Sequence[Sampler]) -> pd.DataFrame:
    """Return a row per sampler: tokens kept, probability cut off, precision, recall, F1 at all places."""
    rows = []
    for one in chosen:
        shares = (_mean(study.overall(frame, one.label, c)) for c in ("tv", *study.TRUTH_COLUMNS))
        rows.append((one.label, f"{study.overall(frame, one.label, 'kept').mean():.1f}", *shares))
    header = ["sampler", "tokens kept", "probability cut off", "precision", "recall", "F1"]
    return pd.DataFrame(rows, columns=header)


def wide(experiment: Experiment, model: str) -> pd.DataFrame | str:
    """Return `places` of the published settings with a model of a larger vocabulary, or why there is none."""
    if not reading.known(experiment) or not models.reads_ladder(split_model(model)[0]):
        return reading.NO_TRUTH
    try:
        models.folder(model)
    except InputError:
        return f"The model {model} is not among the shipped checkpoints: train it first."
    chosen = list(study.published(experiment.model(model).vocabulary).values())
    return study.places(experiment, model=model, n=int(experiment.settings.sizes["n_wide"]), chosen=chosen)


# The principles


def principle_table(frame: pd.DataFrame, chosen: Sequence[Sampler]) -> pd.DataFrame:
    """Return a row per sampler: the share of places where each principle is violated."""
    rows = [
        (s.label, *(mean(study.overall(frame, s.label, name)) for name in ("absolute", "relative")))
        for s in chosen
    ]
    return pd.DataFrame(rows, columns=["sampler", "absolute violated", "relative violated"])


def principle_claims(frame: pd.DataFrame, vocabulary: int) -> dict[str, Estimate]:
    """Return C6a (top-p, absolute), C6b (ε, relative) and C6c (η, either)."""
    own = study.published(vocabulary)
    epsilon = study.sampler(EPSILON, study.PRINCIPLE, vocabulary)
    either = [study.overall(frame, own[ETA].label, name) for name in ("absolute", "relative")]
    return {
        "C6a": mean(study.overall(frame, own[TOP_P].label, "absolute")),
        "C6b": mean(study.overall(frame, epsilon.label, "relative")),
        # A place may violate both, so that the sum is an upper bound of the share.
        "C6c": mean(np.minimum(1.0, either[0] + either[1])),
    }


# Entropy against total variation


def _totals(frame: pd.DataFrame, label: str, bins: Sequence[str]) -> np.ndarray:
    """Return per text the sums of TV and places, and of entropy kept and places in the bins: (texts, 4)."""
    own = frame[frame["sampler"] == label]
    texts = np.sort(own["text"].unique())
    whole = own.groupby("text")[["tv", "places"]].sum()
    part = own[own["heat"].isin(bins)].groupby("text")[["entropy_kept", "places"]].sum()
    return np.hstack([whole.reindex(texts).to_numpy(), part.reindex(texts, fill_value=0.0).to_numpy()])


def _points(totals: np.ndarray, drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean TV over all places and mean entropy kept in the bins, of the texts drawn: (R,) each."""
    sums = drawn @ totals
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[:, 0] / sums[:, 1], sums[:, 2] / sums[:, 3]


def entropy_tv(
    frame: pd.DataFrame, grid: Mapping[str, Sequence[Sampler]], bins: Sequence[str]
) -> dict[str, pd.DataFrame]:
    """Return per rule its curve: label, tv (all places), entropy (kept, nats, places of the bins), by TV.

    The first row of each is the point without truncation.
    """
    found = {}
    for rule, own in grid.items():
        labels = [WHOLE, *(s.label for s in own)]
        rows = []
        for label in labels:
            totals = _totals(frame, label, bins)
            tv, entropy = _points(totals, np.ones((1, len(totals))))
            rows.append((label, float(tv[0]), float(entropy[0])))
        found[rule] = pd.DataFrame(rows, columns=["sampler", "tv", "entropy"]).sort_values("tv")
    return found


def entropy_tv_panels(
    frame: pd.DataFrame, grid: Mapping[str, Sequence[Sampler]]
) -> dict[str, dict[str, pd.DataFrame]]:
    """Return the curves in each of the repository's bins that any place falls into."""
    occupied = set(frame["heat"])
    return {name: entropy_tv(frame, grid, [name]) for name in study.model_bins() if name in occupied}


def reach(panels: Mapping[str, Mapping[str, pd.DataFrame]]) -> float:
    """Return the largest TV of any rule but typical, whose smallest setting lies far beyond the others."""
    return max(
        own["tv"].max() for curves in panels.values() for rule, own in curves.items() if rule != TYPICAL
    )


def equal_tv_gap(
    frame: pd.DataFrame, grid: Mapping[str, Sequence[Sampler]], other: str, bins: Sequence[str] = POOLED
) -> Estimate:
    """Return the entropy kept by η minus another rule's at equal TV, mean over η's settings, in nats.

    The other rule's curve, begun without truncation, is read off by straight lines; settings of η beyond its
    largest TV are left out.

    Raises:
        InputError: a rule that the grid lacks.
    """
    if other not in grid or ETA not in grid:
        raise InputError(f"The grid needs {ETA} and {other}, it has {', '.join(grid)}.")
    ours = [_totals(frame, s.label, bins) for s in grid[ETA]]
    theirs = [_totals(frame, label, bins) for label in (WHOLE, *(s.label for s in grid[other]))]
    if not ours[0][:, 3].any():
        return NOTHING
    units = len(ours[0])
    plain = _gaps(ours, theirs, np.ones((1, units)))
    return bootstrap.around(float(plain[0]), _gaps(ours, theirs, _resampled(units)), units)


def _gaps(ours: Sequence[np.ndarray], theirs: Sequence[np.ndarray], drawn: np.ndarray) -> np.ndarray:
    """Return the mean difference in entropy at the TVs of ours, for each resample: (R,)."""
    own = [np.stack(points) for points in zip(*(_points(t, drawn) for t in ours), strict=True)]
    line = [np.stack(points) for points in zip(*(_points(t, drawn) for t in theirs), strict=True)]
    found = np.full(len(drawn), np.nan)
    for r in range(len(drawn)):
        order = np.argsort(line[0][:, r], kind="stable")
        x, y = line[0][order, r], line[1][order, r]
        inside = own[0][:, r] <= x[-1]
        if inside.any():
            found[r] = float(np.mean(own[1][inside, r] - np.interp(own[0][inside, r], x, y)))
    return found


def tv_claims(frame: pd.DataFrame, grid: Mapping[str, Sequence[Sampler]]) -> dict[str, Estimate | str]:
    """Return C5a (top-p) and C5b (typical)."""
    found = {"C5a": equal_tv_gap(frame, grid, TOP_P), "C5b": equal_tv_gap(frame, grid, TYPICAL)}
    return {claim: e if e.usable else TOO_FEW for claim, e in found.items()}
