"""What a sample size can show: intervals of published numbers, the smallest difference that shows."""

import math

from scipy.optimize import brentq
from scipy.stats import norm

from replication.evaluation.accuracy import wilson
from replication.evaluation.bootstrap import LEVEL
from replication.evaluation.claims import Estimate
from replication.settings import InputError

POWER = 0.8


def published_proportion(p: float, n: int, level: float = LEVEL) -> Estimate:
    """Return a published accuracy `p` (fraction) on `n` questions with its Wilson interval."""
    _check(p, n)
    return wilson(p * n, n, level)


def half_width(p: float, n: int, level: float = LEVEL) -> float:
    """Return half the width of the Wilson interval of accuracy `p` (fraction) on `n` questions."""
    estimate = published_proportion(p, n, level)
    return (estimate.high - estimate.low) / 2


def published_difference(first: float, second: float, n: int, level: float = LEVEL) -> Estimate:
    """Return first - second of two published accuracies (fractions), each on `n` questions.

    The interval is Newcombe's for independent samples (Newcombe 1998, method 10): the answers per question
    were not published, and on the same questions a paired interval would as a rule be narrower.
    """
    from statsmodels.stats.proportion import confint_proportions_2indep

    _check(first, n)
    _check(second, n)
    low, high = confint_proportions_2indep(
        first * n, n, second * n, n, compare="diff", method="newcomb", alpha=1 - level
    )
    return Estimate(first - second, float(low), float(high), n)


def detectable_difference(
    p: float, n: int, *, paired: bool = False, discordant: float | None = None, power: float = POWER, level:
    float = LEVEL
) -> float:
    """Return the smallest true gain over accuracy `p` that `n` questions show with the given power.

    Two-sided. Unpaired: z-test of two proportions with `n` questions each. Paired: McNemar's test,

        d sqrt(n) = z_level sqrt(psi) + z_power sqrt(psi - d^2),     psi = share of questions that change,

    with psi = `discordant`, or that of independent answers, p (1 - q) + q (1 - p) with q = p + d, when it is
    not known; methods that share most of their answers need less.

    Args:
        p: accuracy of the baseline, fraction.
        n: questions (per method when unpaired).
        paired: the same questions are answered by both methods.
        discordant: psi, fraction; only for paired comparisons.
        power: chance to notice the gain.
        level: coverage of the interval that must exclude zero.

    Returns:
        The gain as a fraction; NaN when not even a gain to 100 % would be noticed.

    Raises:
        InputError: p outside [0, 1], n < 1, or psi outside (0, 1].
    """
    _check(p, n)
    if discordant is not None and not (paired and 0 < discordant <= 1):
        raise InputError("A share of discordant questions needs a paired comparison and a value in (0, 1].")
    z_level, z_power = norm.ppf((1 + level) / 2), norm.ppf(power)

    def shortfall(gain: float) -> float:
        q = p + gain
        if paired:
            psi = max(discordant if discordant is not None else p * (1 - q) + q * (1 - p), gain)
            needed = z_level * math.sqrt(psi) + z_power * math.sqrt(max(psi - gain**2, 0.0))
        else:
            pooled = (p + q) / 2
            needed = z_level * math.sqrt(2 * pooled * (1 - pooled))
            needed += z_power * math.sqrt(p * (1 - p) + q * (1 - q))
        return gain * math.sqrt(n) - needed

    largest = 1 - p
    if largest <= 0 or shortfall(largest) < 0:
        return math.nan
    return float(brentq(shortfall, 1e-9, largest)) if shortfall(1e-9) < 0 else 1e-9


def _check(p: float, n: int) -> None:
    """Raise `InputError` unless `p` is a fraction and `n` a positive number of questions."""
    if not 0 <= p <= 1:
        raise InputError(f"An accuracy needs to be a fraction between 0 and 1, got {p}.")
    if n < 1:
        raise InputError(f"A sample size needs to be at least 1, got {n}.")
