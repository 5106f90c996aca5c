r"""One estimate from the same run under several seeds: the mean, with an interval that includes seeds.

Run i of S gives the value v_i and a 95 % interval of half-width h_i, so a variance w_i = (h_i / 1.96)^2
within the run. With the mean of the values, their sample variance s^2 between the runs and t the quantile
of Student's t with S - 1 degrees of freedom:

    each seed draws its questions anew    mean +- t * sqrt(max(s^2, mean w) / S)
    all seeds share their questions       mean +- sqrt(1.96^2 * mean w + t^2 * s^2 / S)

The first is the random-effects interval of Hartung and Knapp for equally weighted runs, with the usual guard
against a small s^2 (Roever, Knapp and Friede 2015, doi 10.1186/s12874-015-0091-1): runs that agree by chance
do not make it narrower than their own intervals allow. The second adds the variance of the common
questions, which no number of seeds makes smaller; it counts the draws within a run twice and so is a little
too wide. Runs whose values hardly differ (s^2 below a thousandth of mean w) drew nothing anew that matters,
as with claims about published numbers, so it is also used for them.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import norm, t

from replication.evaluation.bootstrap import LEVEL
from replication.evaluation.claims import NOTHING, Estimate

SAME = 1e-3


def over_seeds(estimates: Sequence[Estimate], redrawn: bool, level: float = LEVEL) -> Estimate:
    """Return the mean of one quantity's estimates under several seeds, with the interval described above.

    Args:
        estimates: one per seed; those that are not usable are left out.
        redrawn: whether each seed draws its questions, and all else it is measured on, anew.
        level: coverage of the interval and of the runs' own.

    Returns:
        Estimate whose n is the sum over the runs when they have questions of their own, else that of the
        largest run. NOTHING for fewer than two usable estimates: one seed says nothing about variation
        between seeds.
    """
    found = [one for one in estimates if one.usable]
    if len(found) < 2:
        return NOTHING
    values = np.array([one.value for one in found])
    halves = np.array([(one.high - one.low) / 2 for one in found])
    z, quantile = norm.ppf((1 + level) / 2), t.ppf((1 + level) / 2, len(found) - 1)
    within, between = float(np.mean((halves / z) ** 2)), float(np.var(values, ddof=1))
    if redrawn and between > SAME * within:
        n = sum(one.n for one in found)
        reach = quantile * math.sqrt(max(between, within) / len(found))
    else:
        n = max(one.n for one in found)
        reach = math.sqrt(z**2 * within + quantile**2 * between / len(found))
    mean = float(values.mean())
    return Estimate(mean, mean - float(reach), mean + float(reach), n)
