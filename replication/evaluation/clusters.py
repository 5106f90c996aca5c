"""Statistics of sums over clusters: tokens of a page are not independent, pages are; seeds are replicated."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from replication.evaluation.bootstrap import LEVEL, Floats, around, counts, expanded
from replication.evaluation.claims import NOTHING, Estimate
from replication.settings import InputError

RESAMPLES = 4000


def statistic(
    sums: ArrayLike,
    value: Callable[[Floats], Floats],
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> Estimate:
    """Return a statistic of totals, with a bootstrap interval over clusters and seeds.

    Args:
        sums: (clusters, seeds, columns) sums within each cluster, such as losses and numbers of tokens. The
            same clusters under each seed; both are resampled, all columns together.
        value: maps totals (..., columns) to values (...), such as `ratio`.
        seed: of the resampling.
        resamples: number of resamples.
        level: coverage of the interval.

    Returns:
        Estimate whose n counts clusters. The percentile interval is widened for few clusters as Student's t
        is; that seeds are few is not, so with three of them it is somewhat too narrow.

    Raises:
        InputError: sums that are not three-dimensional, or not finite.
    """
    table = np.asarray(sums, dtype=np.float64)
    if table.ndim != 3 or not np.isfinite(table).all():
        raise InputError(f"Sums need finite numbers (clusters, seeds, columns), got the shape {table.shape}.")
    if not table.size:
        return NOTHING
    units, seeds, _ = table.shape
    rng = np.random.default_rng(seed)
    by_unit, by_seed = (counts(n, rng, resamples).astype(np.float64) for n in (units, seeds))
    drawn = np.einsum("ru,usc->rsc", by_unit, table, optimize=True)
    totals = np.einsum("rs,rsc->rc", by_seed, drawn, optimize=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return around(float(value(table.sum((0, 1)))), value(totals), units, expanded(units, level))


def average(values: ArrayLike) -> Estimate:
    """Return the mean of values of any size, such as nats, with a bootstrap interval over units and seeds.

    For outcomes between 0 and 1 take `accuracy.mean` and `paired.difference`, which keep few units that all
    agree from an interval of width zero; what they add for this would drown changes far below 1.

    Args:
        values: (units, seeds); a difference of two conditions where these are compared.

    Raises:
        InputError: as `statistic`.
    """
    table = np.asarray(values, dtype=np.float64)
    return statistic(np.stack([table, np.ones_like(table)], axis=-1), ratio)


def ratio(totals: Floats) -> Floats:
    """Return the first total divided by the second."""
    return totals[..., 0] / totals[..., 1]


def gap(totals: Floats) -> Floats:
    """Return first / second - third / fourth."""
    return totals[..., 0] / totals[..., 1] - totals[..., 2] / totals[..., 3]


def by_cluster(cluster: ArrayLike, *columns: ArrayLike) -> Floats:
    """Return the sums of token values within clusters: (clusters, seeds, columns).

    Args:
        cluster: (tokens,) numbers 0..clusters-1.
        *columns: (tokens,) or (seeds, tokens) values each; without seeds they count for every seed.
    """
    place = np.asarray(cluster)
    number = int(place.max()) + 1
    wide = [np.atleast_2d(np.asarray(column, dtype=np.float64)) for column in columns]
    seeds = max(len(column) for column in wide)
    full = [np.broadcast_to(column, (seeds, len(place))) for column in wide]
    rows = [[np.bincount(place, weights=row, minlength=number) for row in column] for column in full]
    return np.asarray(rows).transpose(2, 1, 0)
