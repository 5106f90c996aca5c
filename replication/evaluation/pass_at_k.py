"""pass@k as a curve over k, with intervals over the questions or trajectories that were sampled from."""

from collections.abc import Sequence

from numpy.typing import ArrayLike

from replication.evaluation.accuracy import mean, pass_at_k
from replication.evaluation.bootstrap import LEVEL, RESAMPLES
from replication.evaluation.claims import Estimate
from replication.settings import InputError


def powers_of_two(n: int) -> tuple[int, ...]:
    """Return 1, 2, 4, ... up to n: the values of k that papers plot."""
    return tuple(2**power for power in range(n.bit_length()))


def curve(
    correct: ArrayLike,
    n: int,
    ks: Sequence[int] | None = None,
    *,
    seed: int = 0,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
) -> dict[int, Estimate]:
    """Return the mean unbiased pass@k for each k (`accuracy.pass_at_k`; Chen et al. 2021, Eq. 1).

    The means do not fall as k grows. For every k the same resamples of the units are taken.

    Args:
        correct: (units,) right samples of each, 0 <= c <= n.
        n: samples of each unit, n >= 1.
        ks: the values of k, 1 <= k <= n: beyond n samples nothing is known; `powers_of_two(n)` by default.
        seed: of the resampling.
        resamples: number of resamples.
        level: coverage of the intervals, bootstrapped over units (`accuracy.mean`).

    Returns:
        One estimate per k, in the order of `ks`; NaN where there are no units.

    Raises:
        InputError: n or a k out of range, or more right samples than n.
    """
    if n < 1:
        raise InputError(f"pass@k needs n >= 1 samples, got {n}.")
    values = {k: pass_at_k(n, correct, k) for k in (powers_of_two(n) if ks is None else ks)}
    return {k: mean(value, seed=seed, resamples=resamples, level=level) for k, value in values.items()}
