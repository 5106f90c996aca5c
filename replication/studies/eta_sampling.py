"""What ε- and η-sampling (arXiv 2210.15191) and other rules keep, text by text, on any model.

Texts are read token by token. Where a text's next tokens are known (`replication.testbed.support`) the kept
set is compared with the true support; where not, what remains is the comparison with the model's own
distribution. Sums over the places of a text are kept in bins of the entropy, so that means over texts and
resampled texts come from one table. The text is the unit of all intervals.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from replication.decoding.eta_sampling import GPT2_VOCABULARY, entropy
from replication.decoding.experiment import Experiment
from replication.settings import InputError
from replication.studies import eta_sampling_texts as reading
from replication.studies.samplers import Sampler, count, holds

TOP_P, TYPICAL, EPSILON, ETA = "top-p", "typical", "ε", "η"
RULES = (TOP_P, TYPICAL, EPSILON, ETA)
# Published grids, each from the value that cuts least to the one that cuts most.
GRIDS: Mapping[str, tuple[float, ...]] = {
    TOP_P: (0.99, 0.95, 0.92, 0.9, 0.89),
    TYPICAL: (0.95, 0.92, 0.9, 0.2),
    EPSILON: (1e-4, 3e-4, 6e-4, 9e-4, 1e-3),
    ETA: (3e-4, 6e-4, 9e-4, 2e-3, 4e-3),
}
PUBLISHED: Mapping[str, float] = {TOP_P: 0.95, TYPICAL: 0.92, EPSILON: 3e-4, ETA: 6e-4}
"""Parameters of GPT-2 large."""
PRINCIPLE = 6e-4
"""ε of both principles before scaling; α is its root."""
LARGEST = 0.99
"""Thresholds end here: one of 1 or more would mean nothing."""
FURTHER = (Sampler(), Sampler("min-p", 0.1), Sampler("min-p", 0.05), Sampler("top-nσ", 1.0))
CERTAIN, LOW, HIGH = "one token", "0.01 to 0.5", "3 and more"
TRUE_EDGES = {CERTAIN: 0.0, LOW: 0.01, "0.5 to 1": 0.5, "1 to 2": 1.0, "2 to 3": 2.0, HIGH: 3.0}
"""Bins of the true entropy by their lower edges, nats."""
UNKNOWN = "unknown"
MODEL_EDGES = (0.01, 0.25, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0)
"""Edges of the bins of the model's entropy, nats, as in the official repository."""
BELOW, ABOVE = "below 0.01", "8 and more"
TRUTH_COLUMNS = ("precision", "recall", "f1")
COLUMNS = ("kept", "tv", "entropy_kept", "absolute", "relative", *TRUTH_COLUMNS)
MODULES = ("replication.studies.eta_sampling",)


def scaled(value: float, vocabulary: int) -> float:
    """Return a published threshold for another vocabulary, ε * 50257 / V, at most `LARGEST`."""
    return min(LARGEST, value * GPT2_VOCABULARY / vocabulary)


def sampler(rule: str, value: float, vocabulary: int) -> Sampler:
    """Return a rule with a published value; the thresholds of ε and η are scaled to the vocabulary."""
    return Sampler(rule, scaled(value, vocabulary) if rule in (EPSILON, ETA) else value)


def published(vocabulary: int) -> dict[str, Sampler]:
    """Return every rule with its published parameter, scaled."""
    return {rule: sampler(rule, value, vocabulary) for rule, value in PUBLISHED.items()}


def grid(vocabulary: int) -> dict[str, tuple[Sampler, ...]]:
    """Return every rule's published grid, scaled, from the value that cuts least on."""
    return {rule: tuple(sampler(rule, v, vocabulary) for v in values) for rule, values in GRIDS.items()}


def grid_table(vocabulary: int) -> pd.DataFrame:
    """Return the values searched: rule, published values, and those used here."""
    rows = []
    for rule, values in GRIDS.items():
        own = [f"{s.value:.4g}" for s in grid(vocabulary)[rule]]
        rows.append((rule, ", ".join(f"{v:g}" for v in values), ", ".join(own), f"{PUBLISHED[rule]:g}"))
    return pd.DataFrame(rows, columns=["rule", "published grid", f"at V = {vocabulary}", "GPT-2 large"])


def every(vocabulary: int) -> list[Sampler]:
    """Return all samplers that are measured: the grids, further rules, thresholds as printed."""
    own = [s for row in grid(vocabulary).values() for s in row]
    printed = [Sampler(rule, PUBLISHED[rule]) for rule in (EPSILON, ETA)]
    return list({s.label: s for s in (*own, *FURTHER, *printed)}.values())


# What is kept


def kept(
    logits: Tensor, valid: Tensor | None, chosen: Sequence[Sampler], epsilon: float
) -> dict[str, pd.DataFrame]:
    """Return what every sampler keeps at each place, at temperature 1.

    Args:
        logits: (N, V) float32.
        valid: (N, V) bool, the true support, or None.
        chosen: samplers.
        epsilon: ε of the two principles, α is its root.

    Returns:
        Per label a row per place: kept (size of the kept set), tv (probability cut off, which is the total
        variation between the model and the truncated distribution), entropy_kept (nats, after truncation),
        absolute and relative (1 where the principle is violated), precision, recall and f1 of the kept set
        (NaN without the truth).
    """
    p = logits.softmax(-1)
    absolute, relative = p > epsilon, p > epsilon**0.5 * (-entropy(p)).exp()[:, None]
    found = {}
    for one in chosen:
        keep = one.keep(logits)
        q = p * keep
        mass, size = q.sum(-1), count(keep)
        columns = [
            size,
            (1 - mass).clamp(min=0),
            (entropy(q) / mass + mass.log()).clamp(min=0),
            *(holds(above & ~keep) for above in (absolute, relative)),
        ]
        if valid is None:
            columns += [torch.full_like(size, torch.nan)] * len(TRUTH_COLUMNS)
        else:
            both, possible = count(keep & valid), count(valid)
            columns += [both / size, both / possible, 2 * both / (size + possible)]
        found[one.label] = pd.DataFrame(torch.stack(columns, 1).double().numpy(), columns=list(COLUMNS))
    return found


def true_bin(values: np.ndarray) -> np.ndarray:
    """Return the bin of each true entropy (nats): a label of `TRUE_EDGES`, `UNKNOWN` for NaN."""
    labels = np.array([*TRUE_EDGES, UNKNOWN], dtype=object)
    place = np.digitize(values, list(TRUE_EDGES.values())[1:])
    return labels[np.where(np.isnan(values), len(TRUE_EDGES), place)]


def model_bin(values: np.ndarray) -> np.ndarray:
    """Return the bin of each entropy of the model (nats): a label of `model_bins()`, `BELOW` or `ABOVE`."""
    labels = np.array([BELOW, *model_bins(), ABOVE], dtype=object)
    return labels[np.digitize(values, MODEL_EDGES)]


def model_bins() -> list[str]:
    """Return the labels of the bins of the model's entropy, ascending."""
    return [f"{low:g} to {high:g}" for low, high in pairwise(MODEL_EDGES)]


def places(
    experiment: Experiment,
    split: str = "test",
    model: str = "",
    n: int = 0,
    texts_file: str = "",
    chosen: Sequence[Sampler] = (),
) -> pd.DataFrame:
    """Return sums over the places of every text, in bins of both entropies, from the records.

    Args:
        experiment: the run.
        split: of the texts.
        model: as in `texts`.
        n: as in `texts`.
        texts_file: as in `texts`.
        chosen: samplers; `every` by default.

    Returns:
        A row per sampler, text, bin of the true entropy ("bin") and of the model's ("heat"): sampler, kind,
        text, bin, heat, places (number), and the sums of `COLUMNS`.
    """
    lm = experiment.model(model)
    chosen = list(chosen) or every(lm.vocabulary)
    key = {"model": lm.fingerprint, "samplers": [s.label for s in chosen]}
    key |= {"texts": reading.described(experiment, split, model, n, texts_file)}
    key |= {"principle": scaled(PRINCIPLE, lm.vocabulary)}

    def compute() -> pd.DataFrame:
        given, parts = reading.texts(experiment, split, model, n, texts_file), []
        for logits, true, place in reading.chunks(lm, given):
            bins = {"bin": true_bin(place["entropy"].to_numpy(dtype=float))}
            bins["heat"] = model_bin(entropy(logits.softmax(-1)).numpy())
            rows = kept(logits, None if true is None else true > 0, chosen, float(key["principle"]))
            parts += [_sums(place, bins, own).assign(sampler=label) for label, own in rows.items()]
        return pd.concat(parts, ignore_index=True)

    return experiment.store.frame("places", key, compute, MODULES)


def _sums(place: pd.DataFrame, bins: Mapping[str, np.ndarray], rows: pd.DataFrame) -> pd.DataFrame:
    """Return the sums of the rows in each text and bin."""
    whole = pd.concat([place[["kind", "text"]], rows], axis=1).assign(**bins)
    groups = whole.groupby(["kind", "text", "bin", "heat"], sort=False)
    return groups[list(COLUMNS)].sum(min_count=1).assign(places=groups.size()).reset_index()


# Means over texts


def matrix(
    frame: pd.DataFrame, label: str, column: str, by: str = "bin", bins: Sequence[str] = ()
) -> pd.DataFrame:
    """Return a column's mean over the places of each text and bin.

    Args:
        frame: rows of `places`.
        label: a sampler's.
        column: of `COLUMNS`.
        by: "bin" (true entropy) or "heat" (the model's).
        bins: columns in this order; all that occur by default.

    Returns:
        Texts x bins, NaN where a text has no place in a bin; texts ascending, the same for every sampler.

    Raises:
        InputError: no such sampler.
    """
    own = frame[frame["sampler"] == label]
    if own.empty:
        raise InputError(f"Nothing was measured for {label!r}: use one of the samplers of the run.")
    sums = own.groupby(["text", by])[[column, "places"]].sum()
    table = (sums[column] / sums["places"]).unstack(by)
    return table.reindex(columns=list(bins)) if bins else table


def in_bin(frame: pd.DataFrame, label: str, column: str, name: str, by: str = "bin") -> np.ndarray:
    """Return a column's mean per text over its places in a bin, texts without such a place left out."""
    return matrix(frame, label, column, by, [name])[name].dropna().to_numpy(dtype=float)


def overall(frame: pd.DataFrame, label: str, column: str) -> np.ndarray:
    """Return a column's mean per text over all its places: (texts,) float64, texts ascending."""
    return matrix(frame.assign(all="all"), label, column, "all")["all"].to_numpy(dtype=float)
