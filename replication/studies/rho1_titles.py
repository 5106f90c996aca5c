"""What the figures of the notebooks on Rho-1 show, as titles made from the numbers that they draw."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from replication.evaluation.claims import Estimate, plain
from replication.evaluation.wording import versus
from replication.studies import rho1_selection as chosen
from replication.studies.rho1_tokens import Tokens


def share(names: Sequence[str | None], wanted: Sequence[str], what: str) -> str:
    """Return the share of a page's tokens that are of some kinds.

    Args:
        names: kind of each token of the page.
        wanted: kinds that count.
        what: what such tokens are.
    """
    return f"{100 * np.mean([name in wanted for name in names]):.0f} % of the page's tokens {what}"


def ends(series: Mapping[str, pd.DataFrame]) -> str:
    """Return from which to which loss each class moves, first to last checkpoint: "H->L 7.9 to 1.1"."""
    parts = [
        f"{label} {plain(frame['value'].iloc[0], 1)} to {plain(frame['value'].iloc[-1], 1)}"
        for label, frame in series.items()
        if frame["value"].notna().all()
    ]
    return f"Mean loss, nats: {', '.join(parts)}"


def swings(panels: Mapping[str, Mapping[str, pd.DataFrame]]) -> str:
    """Return how far the single losses of a figure move at most."""
    spans = [np.ptp(frame["value"]) for own in panels.values() for frame in own.values()]
    return f"Single losses swing by up to {max(spans, default=0.0):.1f} nats in classes called flat"


def kept(values: Sequence[float], flags: Sequence[bool]) -> str:
    """Return the share of a page that is kept, and the smallest excess loss of it.

    Args:
        values: excess loss of each token, nats.
        flags: which are kept.
    """
    inside = [value for value, flag in zip(values, flags, strict=True) if flag]
    least = f", from an excess loss of {plain(min(inside), 2)} nats on" if inside else ""
    return f"{100 * np.mean(list(flags)):.0f} % of the page is kept{least}"


def learning(values: Sequence[float], read: float, edge: float = chosen.EDGES[2]) -> str:
    """Return after how many tokens which share of a page still has an excess loss, nats."""
    still = 100 * np.mean([value >= edge for value in values])
    when = f"After {read / 1000:.0f} thousand tokens"
    return f"{when}: excess loss of {edge:g} nats or more at {still:.0f} % of the page"


def losses(claims: Mapping[str, Estimate]) -> str:
    """Return SLM against CLM at the end, on target and on selected tokens (claims C6a and C6b)."""
    options = {"unit": "nats", "scale": 1.0, "decimals": 2}
    target = versus("SLM", "CLM", -claims["C6a"], "on target text", **options)
    return f"{target}; {versus('SLM', 'CLM', -claims['C6b'], 'on selected tokens', **options)}"


def ranks(points: Mapping[str, pd.DataFrame]) -> str:
    """Return the rank correlation of accuracy and loss for each set of tokens."""
    parts = [f"{name} tokens: {plain(chosen.correlation(own).value, 2)}" for name, own in points.items()]
    return f"Rank correlation of accuracy with the loss of {', of '.join(parts)}"


def bump(found: Tokens) -> str:
    """Return the bump of the loss at the choosing checkpoint, for the own choice and another seed's."""
    masks = chosen.own_masks(found)
    values = [chosen.bump(found, masks).value]
    values += [chosen.bump(found, np.roll(masks, 1, axis=0)).value] if len(masks) > 1 else []
    names = ("chosen by the learner", "by another seed's")
    parts = [f"{name}: {plain(value, 3)}" for name, value in zip(names, values, strict=False)]
    return f"Bump of the loss where tokens are chosen, nats: {', '.join(parts)}"


def turnover(curve: pd.DataFrame) -> str:
    """Return the share of tokens that change in the first and in the last third of the training."""
    third = max(1, len(curve) // 3)
    first, last = curve["value"].iloc[:third].mean(), curve["value"].iloc[-third:].mean()
    return (
        f"Selection that changes between checkpoints: {100 * first:.1f} % in the first third, "
        f"{100 * last:.1f} % in the last"
    )


def earlier(estimate: Estimate) -> str:
    """Return how much earlier SLM reaches the final accuracy of CLM (claim C3)."""
    if not estimate.usable or estimate.value <= 1:
        return "SLM does not reach the final accuracy of CLM earlier"
    low, high = plain(estimate.low, 0), plain(estimate.high, 0)
    return f"SLM reaches CLM's final accuracy {plain(estimate.value, 0)} times earlier [{low}, {high}]"


def best_ratio(curve: pd.DataFrame) -> str:
    """Return the best ratio and the accuracy there and at 100 %."""
    best, whole = curve.loc[curve["accuracy"].idxmax()], curve.loc[curve["ratio"].idxmax()]
    return (
        f"Highest at {best['ratio']:.0f} %: {100 * best['accuracy']:.0f} % right; "
        f"all tokens: {100 * whole['accuracy']:.0f} %"
    )


def worlds(gap: Estimate) -> str:
    """Return SLM against CLM on the mean of the worlds (claim C5)."""
    return versus("SLM", "CLM", gap, "on the mean of the worlds")
