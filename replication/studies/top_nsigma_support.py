"""Kept sets against the true support (Top-nσ, arXiv 2411.07641, claim 3): which rule lets noise in, and when.

Only texts whose truth is known can tell noise from tokens that may follow: generated texts, read by a model
that was trained on their like. Other models get a reason in place of numbers.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd

from replication.decoding.experiment import Experiment
from replication.evaluation import paired
from replication.evaluation.claims import Estimate
from replication.settings import InputError
from replication.studies import support
from replication.studies.samplers import Sampler
from replication.studies.support import Evidence
from replication.studies.top_nsigma_logits import GRID, MIN_P, NSIGMA, TOP_P
from replication.testbed import models
from replication.testbed import support as truth

KINDS = ("answers", "worked", "equations", "biographies")
RULES = (Sampler(), Sampler("top-k", 20), TOP_P, MIN_P, NSIGMA)
DESMOOTHING = (Sampler("ε", 9e-4), Sampler("η", 9e-4), Sampler("typical", 0.9))
SAMPLERS = (*RULES, *DESMOOTHING)
ENTROPIES = (0.0, 0.01, 0.7, 1.5, 20.0)
"""Edges of the bins of the true entropy, nats; below the second nothing but one token can follow."""
USUAL = 2048  # vocabulary of the testbed
EVERYWHERE = "all places"
MODULES = ("replication.studies.top_nsigma_support",)
NO_TRUTH = (
    "The truth is known only for generated texts and models trained on just that corpus: use a testbed model "
    "of the ladder (testbed-small, testbed, testbed-large, testbed-wide)."
)
COLUMNS = ["kept", "impossible", "precision", "recall", "f1", "lost"]


def known(experiment: Experiment, model: str = "") -> bool:
    """Tell whether the model was trained on the texts whose truth is known, and on no others."""
    return models.reads_ladder(experiment.model(model).name)


def evidence(experiment: Experiment, model: str = "") -> Evidence:
    """Return logits and truth at known places of held-out texts of each kind.

    The places are spread evenly over all texts, as many as the profile's n_places, or fewer by the factor by
    which the vocabulary is larger than `USUAL`: the work grows with both.

    Raises:
        InputError: a model whose truth is not known.
    """
    if not known(experiment, model):
        raise InputError(NO_TRUTH)
    run, lm = experiment.settings, experiment.model(model)
    texts = support.held_out(lm, KINDS, int(run.sizes["n_texts"]), run.seed)
    limit = int(run.sizes["n_places"]) * min(1.0, USUAL / lm.vocabulary)
    return support.read(lm, thinned(texts, limit))


def thinned(texts: Sequence[truth.OracleText], limit: float) -> list[truth.OracleText]:
    """Return the texts with every k-th of all their places, k the smallest step that leaves at most `limit`.

    A text keeps at least its first place.
    """
    step = max(1, math.ceil(sum(len(text.positions) for text in texts) / limit))
    found, before = [], 0
    for text in texts:
        own = text.positions[-before % step :: step] or text.positions[:1]
        before += len(text.positions)
        found.append(replace(text, positions=own))
    return found


def recovered(experiment: Experiment, model: str = "") -> pd.DataFrame:
    """Return how every kept set agrees with the true support, a mean per text, from the records.

    Returns:
        A row per sampler, temperature, bin and text: sampler, temperature, bin (`EVERYWHERE` or a range of
        the true entropy), kind, text, places (number), and the columns of `support.recovery`.
    """
    run = experiment.settings
    key = {"model": experiment.model(model).fingerprint, "n": run.sizes["n_texts"], "seed": run.seed}
    key |= {
        "places": run.sizes["n_places"],
        "samplers": [s.label for s in SAMPLERS],
        "temperatures": list(GRID),
        "edges": list(ENTROPIES),
    }

    def compute() -> pd.DataFrame:
        seen, parts = evidence(experiment, model), []
        for sampler in SAMPLERS:
            for temperature in GRID:
                rows = support.recovery(seen, sampler, temperature)
                bins = {EVERYWHERE: rows} | support.by_entropy(rows, ENTROPIES)
                means = pd.concat({name: _per_text(own) for name, own in bins.items()}, names=["bin"])
                means = means.reset_index(level="bin")
                parts.append(means.assign(sampler=sampler.label, temperature=float(temperature)))
        return pd.concat(parts, ignore_index=True)

    return experiment.store.frame("recovery", key, compute, MODULES)


def _per_text(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row per text: kind, text, places, and the means of `COLUMNS`."""
    groups = rows.groupby(["kind", "text"], sort=False)
    return groups[COLUMNS].mean().assign(places=groups.size()).reset_index()


def swept(
    frame: pd.DataFrame, kind: str = "", bin_: str = EVERYWHERE, chosen: tuple[Sampler, ...] = SAMPLERS
) -> Mapping[tuple[str, float], pd.DataFrame]:
    """Return rows of `recovered` by sampler and temperature, as `support.table` and `support.curves` take it.

    Args:
        frame: rows of `recovered`.
        kind: kind of text, all by default.
        bin_: bin of the true entropy.
        chosen: samplers.
    """
    own = frame[(frame["bin"] == bin_) & ((frame["kind"] == kind) | (kind == ""))]
    cells = dict(list(own.groupby(["sampler", "temperature"], sort=False)))
    return {(s.label, t): cells[s.label, t] for s in chosen for t in GRID if (s.label, t) in cells}


def table(frame: pd.DataFrame, column: str, **where: str) -> pd.DataFrame:
    """Return a row per sampler and a column per temperature of a column's mean over texts."""
    return support.table(swept(frame, **where), column)


def panels(
    frame: pd.DataFrame, column: str, chosen: tuple[Sampler, ...] = RULES
) -> dict[str, dict[str, pd.DataFrame]]:
    """Return the curves of every kind of text, for `sampler_plots.lines`."""
    kinds = frame["kind"].drop_duplicates()
    return {kind: support.curves(swept(frame, kind, chosen=chosen), column) for kind in kinds}


def at_temperature(frame: pd.DataFrame, temperature: float, bin_: str = EVERYWHERE) -> pd.DataFrame:
    """Return a row per sampler at one temperature: kept, mass on impossible tokens, precision, recall, F1."""
    cells = swept(frame, bin_=bin_)
    rows = []
    for sampler in SAMPLERS:
        if (sampler.label, temperature) not in cells:
            continue
        own = cells[sampler.label, temperature]
        shares = (support.estimate(own, c) for c in ("impossible", "precision", "recall", "f1", "lost"))
        rows.append((sampler.label, f"{support.estimate(own, 'kept').value:.1f}", *shares))
    header = ["sampler", "tokens kept", "mass on impossible, %", "precision, %", "recall, %", "F1, %"]
    return pd.DataFrame(rows, columns=[*header, "true mass cut off, %"])


def by_entropy(frame: pd.DataFrame, temperature: float) -> pd.DataFrame:
    """Return a row per sampler: its mass on impossible tokens by bin of the true entropy."""
    bins = [name for name in frame["bin"].drop_duplicates() if name != EVERYWHERE]
    cells = {name: swept(frame, bin_=name) for name in bins}
    rows = [
        (s.label, *(support.estimate(cells[name][s.label, temperature], "impossible") for name in bins))
        for s in SAMPLERS
    ]
    return pd.DataFrame(rows, columns=["sampler", *(f"entropy {name} nats" for name in bins)])


def places(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the number of texts and of known places of each kind and bin of the true entropy."""
    first = frame[(frame["sampler"] == SAMPLERS[0].label) & (frame["temperature"] == GRID[0])]
    rows = []
    for kind, own in first.groupby("kind", sort=False):
        counts = own.groupby("bin", sort=False)["places"].sum()
        bins = {name: int(count) for name, count in counts.items()}
        rows.append({"kind": kind, "texts": own["text"].nunique()} | bins)
    counts = pd.DataFrame(rows)
    return counts.fillna(0).astype(dict.fromkeys(counts.columns[1:], int))


def claims(frame: pd.DataFrame | None, hot: float) -> dict[str, Estimate | str]:
    """Return C3b and C3c (hot minus T = 1 of top-p and min-p) and C3d (top-nσ minus min-p when hot)."""
    if frame is None:
        return dict.fromkeys(("C3b", "C3c", "C3d"), NO_TRUTH)
    cells = swept(frame)
    mass = {cell: support.over_texts(rows, "impossible") for cell, rows in cells.items()}
    return {
        "C3b": paired.difference(mass[TOP_P.label, hot], mass[TOP_P.label, 1.0]),
        "C3c": paired.difference(mass[MIN_P.label, hot], mass[MIN_P.label, 1.0]),
        "C3d": paired.difference(mass[NSIGMA.label, hot], mass[MIN_P.label, hot]),
    }
