"""What the figures of the notebooks on η-sampling show, as titles made from the numbers that they draw."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from replication.evaluation.claims import Estimate, plain
from replication.evaluation.wording import versus
from replication.studies.eta_sampling import ETA, TOP_P
from replication.studies.eta_sampling_support import POOLED, equal_tv_gap
from replication.studies.samplers import Sampler


def kept(found: Mapping[str, tuple[pd.DataFrame, Mapping[str, int]]]) -> str:
    """Return between how many tokens each rule keeps over the prefixes.

    Args:
        found: of `eta_sampling_smoothing.distributions`.
    """
    numbers: dict[str, list[int]] = {}
    for _, cuts in found.values():
        for label, number in cuts.items():
            numbers.setdefault(label, []).append(number)
    parts = [f"{label}: {min(own)} to {max(own)}" for label, own in numbers.items()]
    return f"Tokens kept over {len(found)} prefixes: {', '.join(parts)}"


def mass(claims: Mapping[str, Estimate | str]) -> str:
    """Return whether impossible tokens get less where many tokens can follow.

    Args:
        claims: of `eta_sampling_smoothing.claims`.
    """
    gap = claims["C0a"]
    if isinstance(gap, str):
        return "Mass on impossible tokens"
    return versus("Mass on impossible tokens at high entropy", "that at low entropy", gap, decimals=1)


def spread(values: np.ndarray) -> str:
    """Return how far the probabilities of the impossible tokens of one place lie apart.

    Args:
        values: logarithms of these probabilities, up to a constant.
    """
    low, high = np.quantile(values, (0.05, 0.95))
    return f"Nine in ten impossible tokens span {plain((high - low) / np.log(10), 1)} powers of ten"


def recall(panels: Mapping[str, Mapping[str, pd.DataFrame]]) -> str:
    """Return the share of the true tokens that each rule keeps in the bin of highest entropy.

    Args:
        panels: title -> of `eta_sampling_support.bin_curves`; the one called recall is read.
    """
    rows = {label: frame.iloc[-1] for label, frame in panels["recall"].items() if len(frame)}
    if not rows:
        return "No bin has a text"
    bins = {row["bin"] for row in rows.values()}
    parts = [f"{label}: {plain(100 * row['accuracy'], 0)} %" for label, row in rows.items()]
    return f"True tokens kept at an entropy of {bins.pop()}: {', '.join(parts)}"


def equal_tv(frame: pd.DataFrame, grid: Mapping[str, Sequence[Sampler]]) -> str:
    """Return η against top-p in the entropy that is kept at equal TV, in the lowest bins."""
    low, high = POOLED[0].split(" to ")[0], POOLED[-1].split(" to ")[1]
    where = f"in entropy kept at equal TV, at {low} to {high} nats"
    return versus(ETA, TOP_P, equal_tv_gap(frame, grid, TOP_P), where, unit="nats", scale=1.0, decimals=3)


def beyond(panels: Mapping[str, Mapping[str, pd.DataFrame]], reach: float) -> str:
    """Return the settings that lie beyond the right end of the figure, for its caption."""
    far = {
        one.sampler
        for curves in panels.values()
        for frame in curves.values()
        for one in frame.itertuples()
        if one.tv > reach
    }
    return f"beyond the right end: {', '.join(sorted(far))}" if far else "all settings are shown"


def loops(panels: Mapping[str, Mapping[str, pd.DataFrame]], name: str) -> str:
    """Return the largest share of a panel over samplers, for each kind of prompt.

    Args:
        panels: title -> (kind of prompt -> frame with columns bin and accuracy).
        name: title of the panel.
    """
    parts = []
    for kind, frame in panels[name].items():
        top = frame.loc[frame["accuracy"].idxmax()]
        parts.append(f"{kind}: {plain(100 * top['accuracy'], 1)} % ({top['bin']})")
    return f"Largest share {name}: {', '.join(parts)}"
