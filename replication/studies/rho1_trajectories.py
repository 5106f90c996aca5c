"""How the loss of single tokens moves while a model learns: four classes, their null, who is in them."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from replication.evaluation import clusters
from replication.evaluation.claims import Estimate
from replication.lm.shards import each
from replication.pretraining import trajectories
from replication.pretraining.trajectories import CLASSES
from replication.studies.rho1 import Study
from replication.studies.rho1_tokens import Tokens, tokens
from replication.testbed.web import LABELS

REPEATS = 20
HL, LL = CLASSES.index("H->L"), CLASSES.index("L->L")
MOVING = ("H->L", "L->H")
ENDS = "end of page"


def clm_tokens(study: Study) -> Tokens:
    """Return the token losses of plain language modelling at its checkpoints, the base left out."""
    return tokens(study, each(study.clm, study.seeds), reference=False).later()


def classes(found: Tokens) -> np.ndarray:
    """Return the class of every token under every seed: (S, n) text."""
    return np.stack([trajectories.categories(own.T) for own in found.losses])


def shuffled(found: Tokens, repeats: int = REPEATS) -> dict[str, np.ndarray]:
    """Return how often a token falls into each class when its checkpoints are shuffled: (S, n) each."""
    drawn = [trajectories.null_categories(own.T, seed, repeats) for seed, own in enumerate(found.losses)]
    return {name: np.stack([one[name] for one in drawn]) for name in CLASSES}


def share(found: Tokens, values: np.ndarray) -> Estimate:
    """Return the mean of (S, n) values over tokens, pages and seeds resampled."""
    return clusters.statistic(
        clusters.by_cluster(found.page, values, np.ones(len(found.page))), clusters.ratio
    )


def class_table(
    found: Tokens, own: np.ndarray, null: Mapping[str, np.ndarray], published: pd.DataFrame
) -> pd.DataFrame:
    """Return the share of each class, the same under shuffled checkpoints, and the published share."""
    known = dict(zip(published.iloc[:, 0], published.iloc[:, 1], strict=True))
    rows = [(name, share(found, own == name), share(found, null[name]), known.get(name)) for name in CLASSES]
    return pd.DataFrame(rows, columns=["class", "share", "checkpoints shuffled", "published, %"])


def claims(found: Tokens, own: np.ndarray, null: Mapping[str, np.ndarray]) -> dict[str, Estimate]:
    """Return the estimates of the claims about classes."""
    each = [own == name for name in CLASSES]
    sums = clusters.by_cluster(found.page, *each, np.ones(len(found.page)))
    others = [place for place in range(len(CLASSES)) if place != LL]
    moving = sum((own == name).astype(float) for name in MOVING)
    expected = sum(null[name] for name in MOVING)
    gap = clusters.by_cluster(found.page, moving - expected, np.ones(len(found.page)))
    return {
        "C1a": clusters.statistic(sums, lambda t: t[..., :4].min(-1) / t[..., 4]),
        "C1b": clusters.statistic(sums, lambda t: t[..., HL] / t[..., 4]),
        "C1c": clusters.statistic(sums, lambda t: (t[..., LL] - t[..., others].max(-1)) / t[..., 4]),
        "K1": clusters.statistic(gap, clusters.ratio),
    }


def curves(found: Tokens, own: np.ndarray) -> dict[str, pd.DataFrame]:
    """Return the mean loss of each class over the training: read (tokens), value, low, high, n."""
    series = {}
    for name in CLASSES:
        rows = []
        for place, read in enumerate(found.read):
            mask = own == name
            sums = clusters.by_cluster(found.page, found.losses[:, place] * mask, mask)
            e = clusters.statistic(sums, clusters.ratio, resamples=1000)
            rows.append((read, e.value, e.low, e.high, e.n))
        series[name] = pd.DataFrame(rows, columns=["read", "value", "low", "high", "n"])
    return series


def members(found: Tokens, own: np.ndarray) -> pd.DataFrame:
    """Return what the tokens of each class are: by gold label, share of all tokens and of the classes."""
    rows = []
    for label, name in [*enumerate(LABELS), (-1, ENDS)]:
        there = found.gold == label
        if there.any():
            sums = [clusters.by_cluster(found.page, (own == kind) & there, there) for kind in CLASSES]
            parts = [clusters.statistic(one, clusters.ratio) for one in sums]
            rows.append((name, share(found, there), *parts))
    return pd.DataFrame(rows, columns=["tokens", "of all", *CLASSES])


def fluctuation(found: Tokens) -> np.ndarray:
    """Return the standard deviation of each token's losses about its line, first seed: (n,) nats."""
    return trajectories.fit(found.losses[0].T).residual_std


def restless(spread: np.ndarray) -> float:
    """Return the standard deviation from which on a token belongs to the quarter that fluctuates most."""
    return float(np.sort(spread)[-len(spread) // 4])


def published_curves(published: pd.DataFrame) -> dict[str, list[tuple[float, float]]]:
    """Return the published losses of each class for a figure: [(billions of tokens, nats)].

    Args:
        published: rows of class and losses, whose columns are called "loss at 1B tokens".
    """
    places = {name: float(name.removeprefix("loss at ").partition("B")[0]) for name in published.columns[1:]}
    rows = published.set_index(published.columns[0])
    return {kind: [(at, float(rows.at[kind, name])) for name, at in places.items()] for kind in rows.index}


def examples(found: Tokens, own: np.ndarray, kind: str, number: int = 3) -> dict[str, pd.DataFrame]:
    """Return the losses of the tokens of a class that fluctuate most, first seed: columns read, value."""
    spread = np.where(own[0] == kind, fluctuation(found), -1)
    chosen = np.argsort(-spread, kind="stable")[:number]
    return {f"token {rank + 1}": pd.DataFrame({"read": found.read, "value": found.losses[0][:, place]})
            for rank, place in enumerate(chosen) if spread[place] >= 0}  # fmt: skip
