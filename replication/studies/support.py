"""Truncation measured against the truth: the generated world knows which tokens may come next.

Texts of the world are read by the model token by token (teacher forcing). At every place whose true
distribution is known (`replication.testbed.support`), a sampler's kept set is compared with the true support.
The text is the unit of all intervals: its places are averaged first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from replication.evaluation.accuracy import mean
from replication.evaluation.claims import Estimate
from replication.lm.loading import LanguageModel
from replication.lm.scoring import logits_at
from replication.studies.samplers import Sampler, count
from replication.testbed import support

BLOCK = 512  # places worked on at once


@dataclass(frozen=True)
class Evidence:
    """What a model thinks, and what is true, at N places.

    Attributes:
        logits: (N, V) float32, raw.
        truth: (N, V) float32, the true distribution of the next token.
        place: a row per place: kind of text, text (number of the text), index (place in it), entropy of the
            truth (nats), valid (number of possible tokens).
    """

    logits: Tensor
    truth: Tensor
    place: pd.DataFrame

    def chosen(self, rows: np.ndarray) -> "Evidence":
        """Return the evidence at some places: (N,) bool."""
        mask = torch.tensor(np.asarray(rows, dtype=bool))
        return Evidence(self.logits[mask], self.truth[mask], self.place[mask.numpy()].reset_index(drop=True))


def read(lm: LanguageModel, texts: Sequence[support.OracleText]) -> Evidence:
    """Return the model's logits and the truth at every known place of the texts."""
    places = [[position.index for position in text.positions] for text in texts]
    logits = torch.cat(logits_at(lm, [text.ids for text in texts], places))
    truth, rows = torch.zeros_like(logits), []
    for number, text in enumerate(texts):
        for position in text.positions:
            values = np.array(list(position.probabilities.values()))
            truth[len(rows), list(position.probabilities)] = torch.tensor(values, dtype=torch.float32)
            entropy = float(-(values * np.log(values)).sum())
            rows.append((text.kind, number, position.index, entropy, len(values)))
    return Evidence(logits, truth, pd.DataFrame(rows, columns=["kind", "text", "index", "entropy", "valid"]))


def recovery(evidence: Evidence, sampler: Sampler, temperature: float = 1.0) -> pd.DataFrame:
    """Return how a sampler's kept set agrees with the true support at every place.

    Returns:
        The columns of `evidence.place` and: kept (size of the kept set), impossible (softmax mass on
        impossible tokens after truncation, at the temperature), precision, recall, f1 of the kept set as an
        estimate of the support, lost (true probability of what was cut).
    """
    parts = []
    for start in range(0, len(evidence.logits), BLOCK):
        logits, truth = (x[start : start + BLOCK] for x in (evidence.logits, evidence.truth))
        keep, valid = sampler.keep(logits, temperature), truth > 0
        mass = (logits / temperature).masked_fill(~keep, -torch.inf).softmax(-1)
        both, kept, possible = count(keep & valid), count(keep), count(valid)
        parts.append(
            torch.stack(
                [
                    kept,
                    mass.masked_fill(valid, 0.0).sum(-1),
                    both / kept,
                    both / possible,
                    2 * both / (kept + possible),
                    truth.masked_fill(keep, 0.0).sum(-1),
                ],
                dim=1,
            )
        )
    columns = ["kept", "impossible", "precision", "recall", "f1", "lost"]
    found = pd.DataFrame(torch.cat(parts).numpy().astype(float), columns=columns)
    return pd.concat([evidence.place, found], axis=1)


def over_texts(rows: pd.DataFrame, column: str) -> np.ndarray:
    """Return a column's mean over the places of each text: (texts,) float64."""
    return rows.groupby("text")[column].mean().to_numpy(dtype=float)


def estimate(rows: pd.DataFrame, column: str) -> Estimate:
    """Return the mean of a column over texts with a bootstrap interval; n counts texts."""
    return mean(over_texts(rows, column))


def sweep(
    evidence: Evidence, samplers: Sequence[Sampler], temperatures: Sequence[float]
) -> Mapping[tuple[str, float], pd.DataFrame]:
    """Return `recovery` of every sampler (by its label) at every temperature."""
    return {(s.label, t): recovery(evidence, s, t) for s in samplers for t in temperatures}


def table(swept: Mapping[tuple[str, float], pd.DataFrame], column: str) -> pd.DataFrame:
    """Return a row per sampler and a column per temperature of a column's mean over texts."""
    temperatures = sorted({temperature for _, temperature in swept})
    labels = list(dict.fromkeys(label for label, _ in swept))
    rows = [(label, *(estimate(swept[label, t], column) for t in temperatures)) for label in labels]
    return pd.DataFrame(rows, columns=["sampler", *(f"T = {t:g}" for t in temperatures)])


def curves(swept: Mapping[tuple[str, float], pd.DataFrame], column: str) -> dict[str, pd.DataFrame]:
    """Return per sampler the columns temperature, accuracy (the column's mean), low, high, n for plots."""
    found: dict[str, list[tuple[float, ...]]] = {}
    for (label, temperature), rows in swept.items():
        e = estimate(rows, column)
        found.setdefault(label, []).append((temperature, e.value, e.low, e.high, e.n))
    columns = ["temperature", "accuracy", "low", "high", "n"]
    return {label: pd.DataFrame(rows, columns=columns) for label, rows in found.items()}


def by_entropy(rows: pd.DataFrame, edges: Sequence[float]) -> dict[str, pd.DataFrame]:
    """Return the places in bins of the true entropy (nats), label -> rows; empty bins are left out.

    Args:
        rows: with a column entropy.
        edges: ascending; a bin holds its lower edge.
    """
    bins = {}
    for low, high in pairwise(edges):
        own = rows[(rows["entropy"] >= low) & (rows["entropy"] < high)]
        if len(own):
            bins[f"{low:g} to {high:g}"] = own
    return bins


def held_out(lm: LanguageModel, kinds: Sequence[str], n: int, seed: int = 0) -> list[support.OracleText]:
    """Return n held-out texts of each kind, in the model's tokens."""
    return [text for kind in kinds for text in support.sample(lm.tokenizer, kind, n, seed)]
