"""Rows of logits made by hand (Top-nσ, arXiv 2411.07641, claim 8): the closed forms against simulation.

No model takes part. The closed forms are those of `replication.decoding.top_nsigma`.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from scipy.stats import norm, t

from replication.decoding import top_nsigma as rule
from replication.evaluation.claims import Estimate
from replication.lm.records import Store
from replication.studies.samplers import Sampler

SYNTHETIC = (Sampler("top-p", 0.9), Sampler("min-p", 0.1), Sampler("top-k", 20), Sampler("top-nσ", 1.0),
             Sampler("ε", 9e-4), Sampler("η", 9e-4))  # fmt: skip
WRITTEN = ("0.9", "0.1", "20", "1", "9e-4", "9e-4")
PROBABILITIES = (0.41, 0.27, 0.135, 0.08, 0.05, 0.025, 0.015)
"""The bars of Figure 1b."""
NOISE, SIGMA, MU, MAXIMUM = 128_249, 2.13, 0.25, 21.4
"""Tokens, standard deviation, mean and maximum read off Figure 1a."""
TEMPERATURES = (1.0, 1.5, 2.0, 3.0)
NS = (1.0, 2.0, 3.0)
P = 0.9
WIDTH = 20.0
DRAWS, REPLICATES = 128_256, 20
MODULES = ("replication.studies.top_nsigma_theory",)


def published_like_row() -> torch.Tensor:
    """Return (1, V) float64 logits that copy Figure 1: Gaussian quantiles and seven outliers."""
    bulk = norm.ppf((np.arange(NOISE) + 0.5) / NOISE) * SIGMA + MU
    outliers = MAXIMUM + np.log(np.array(PROBABILITIES) / PROBABILITIES[0])
    return torch.from_numpy(np.concatenate([bulk, outliers]))[None]


def kept(logits: torch.Tensor, sampler: Sampler, temperature: float) -> torch.Tensor:
    """Return the kept set in the precision of the logits, where `Sampler.keep` takes float32."""
    scores = logits / temperature
    for processor in sampler.processors():
        scores = processor(torch.zeros((len(scores), 0), dtype=torch.long), scores)
    return scores > -torch.inf


def synthetic(temperatures: Sequence[float] = (1.0, 1.5, 2.0, 3.0, 5.0, 10.0)) -> pd.DataFrame:
    """Return what each rule keeps of `published_like_row`: numbers of tokens and the noise's mass by T.

    Returns:
        A row per temperature with the columns of the published rows "synthetic_row".
    """
    logits, rows = published_like_row(), []
    for temperature in temperatures:
        p = (logits / temperature).softmax(-1)[0]
        sets = [kept(logits, sampler, temperature)[0] for sampler in SYNTHETIC]
        left = p * sets[0]
        masses = (float(part[:NOISE].sum() / part.sum()) for part in (p, left))
        numbers = (int(own.sum()) for own in sets)
        rows.append((f"{temperature:g}", *numbers, *(f"{mass:.4f}" for mass in masses)))
    names = [f"{s.rule} {value}" for s, value in zip(SYNTHETIC, WRITTEN, strict=True)]
    return pd.DataFrame(rows, columns=["T", *names, "noise mass", "noise mass after top-p"])


def by_n(values: Sequence[float] = (0.5, 1.0, 1.5, 2.0, 5.0, 5.5, 6.0, 7.0)) -> pd.DataFrame:
    """Return how many tokens of `published_like_row` top-nσ keeps, by n."""
    logits = published_like_row()
    rows = [(f"{n:g}", int(rule.keep(logits, n).sum())) for n in values]
    return pd.DataFrame(rows, columns=["n", "tokens kept"])


def gaussian(rng: np.random.Generator) -> pd.DataFrame:
    """Return closed form and simulation for one row of Gaussian logits: quantity, T, closed, simulated."""
    logits = np.sort(rng.normal(MU, SIGMA, DRAWS))[::-1]
    sigma = logits.std(ddof=1)
    distance, rows = (logits[0] - logits.mean()) / sigma, []
    for temperature in TEMPERATURES:
        mass = _softmax(logits, temperature)
        share = (np.searchsorted(np.cumsum(mass), P) + 1) / DRAWS
        closed = rule.gaussian_top_p_share(sigma, P, temperature)
        rows.append((f"share of the vocabulary that top-p {P:g} keeps", temperature, closed, share))
        for n in NS:
            found = mass[logits >= logits[0] - n * sigma].sum()
            closed = rule.gaussian_kept_mass(distance, n, sigma, temperature)
            rows.append((f"mass that top-nσ {n:g} keeps", temperature, closed, found))
    return pd.DataFrame(rows, columns=["quantity", "T", "closed form", "simulation"])


def uniform(rng: np.random.Generator) -> pd.DataFrame:
    """Return closed form and simulation for one row of uniform logits, in the columns of `gaussian`."""
    logits = np.sort(rng.uniform(0, WIDTH, DRAWS))[::-1]
    sigma, top, rows = logits.std(ddof=1), logits[0], []
    everything = (logits >= top - rule.UNIFORM_BOUND * sigma).mean()
    rows.append(("share that n = 2√3 keeps", 1.0, 1.0, everything))
    for temperature in TEMPERATURES:
        mass = _softmax(logits, temperature)
        share = (np.searchsorted(np.cumsum(mass), P) + 1) / DRAWS
        same = (logits >= top + temperature * np.log(1 - P)).mean()
        rows.append((f"share that top-p {P:g} keeps, by min-p {1 - P:.1f}", temperature, same, share))
        for n in NS:
            found = mass[logits >= top - n * sigma].sum()
            closed = rule.uniform_kept_mass(n, WIDTH, temperature)
            rows.append((f"mass that top-nσ {n:g} keeps", temperature, closed, found))
    return pd.DataFrame(rows, columns=["quantity", "T", "closed form", "simulation"])


def replicates(store: Store, seed: int = 0) -> pd.DataFrame:
    """Return `gaussian` and `uniform` for `REPLICATES` rows each, with law and replicate, from records."""

    def compute() -> pd.DataFrame:
        parts = []
        for law, simulate in (("Gaussian", gaussian), ("uniform", uniform)):
            for replicate in range(REPLICATES):
                rng = np.random.default_rng((seed, replicate))
                parts.append(simulate(rng).assign(law=law, replicate=replicate))
        return pd.concat(parts, ignore_index=True)

    return store.frame("closed_forms", {"seed": seed, "replicates": REPLICATES}, compute, MODULES)


def comparison(found: pd.DataFrame) -> pd.DataFrame:
    """Return a row per law and quantity and a column per T: closed form, then the simulations' mean."""
    means = found.groupby(["law", "quantity", "T"], sort=False)[["closed form", "simulation"]].mean()
    text = means["closed form"].map("{:.3f}".format) + ", " + means["simulation"].map("{:.3f}".format)
    wide = text.unstack("T", fill_value="").rename(columns="T = {:g}".format)
    order = means.index.droplevel("T").drop_duplicates()
    return wide.loc[order].reset_index()


def gap(found: pd.DataFrame, law: str) -> Estimate:
    """Return C8a ("Gaussian") and C8b ("uniform"): the mean absolute gap; the simulated row is the unit."""
    own = found[found["law"] == law]
    gaps = (own["closed form"] - own["simulation"]).abs().groupby(own["replicate"]).mean()
    return _narrow(gaps.to_numpy())


def _narrow(values: np.ndarray) -> Estimate:
    """Return a mean with Student's interval: gaps are small numbers, not shares of right answers."""
    centre, error = float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
    half = float(t.ppf(0.975, len(values) - 1)) * error
    return Estimate(centre, max(0.0, centre - half), centre + half, len(values))


def _softmax(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Return the probabilities at a temperature, largest first."""
    weights = np.exp((logits - logits[0]) / temperature)
    return weights / weights.sum()
