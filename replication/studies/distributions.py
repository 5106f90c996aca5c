"""What truncation rules keep of one distribution, at several temperatures."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch

from replication.studies.samplers import Sampler

TEMPERATURES = (0.7, 1.0, 1.5, 2.0, 3.0)
SAMPLERS = (
    Sampler("top-k", 10), Sampler("top-p", 0.9), Sampler("min-p", 0.1), Sampler("top-nσ", 1.0),
    Sampler("ε", 1e-3), Sampler("η", 1e-3),
)  # fmt: skip


def kept(
    logits: np.ndarray,
    ids: Sequence[int],
    samplers: Sequence[Sampler] = SAMPLERS,
    temperatures: Sequence[float] = TEMPERATURES,
) -> pd.DataFrame:
    """Return what each rule keeps of a distribution at each temperature.

    Args:
        logits: (V,) raw logits.
        ids: the tokens that are told one by one.
        samplers: rules with parameters.
        temperatures: all above 0.

    Returns:
        A row each: rule, value, temperature, count (tokens kept), mass (their probability at that
        temperature), kept (bool per entry of `ids`).
    """
    row, rows = torch.from_numpy(np.asarray(logits, dtype=np.float32))[None], []
    for sampler in samplers:
        for temperature in temperatures:
            keep = sampler.keep(row, temperature)[0].numpy()
            mass = float(probabilities(logits, temperature)[keep].sum())
            rows.append((sampler.rule, sampler.value, temperature, int(keep.sum()), mass, keep[list(ids)]))
    return pd.DataFrame(rows, columns=["rule", "value", "temperature", "count", "mass", "kept"])


def probabilities(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Return the softmax (V,) float64 of logits at a temperature."""
    return (torch.from_numpy(np.asarray(logits)).double() / temperature).softmax(-1).numpy()
