"""Losses of single tokens over the checkpoints of a training (Rho-1, app. D.1 and F of arXiv 2404.07965v4).

Each token's losses l_0..l_n are fitted by a line over the checkpoints, l_j ≈ a j + b (Eq. 6). With ΔL = a n,
the change along the line, and L_mean the mean last loss of all tokens:

    ΔL < -0.2   H->L   learnt            ΔL > 0.2   L->H   unlearnt
    otherwise   L->L   if l_n <= L_mean, else H->H

The flat classes look at the last loss itself, not at the line. The paper says that x_0 is the first
checkpoint, its Figure 3 begins after 1B tokens; either way n is the number of checkpoints less one here.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import least_squares

from replication.settings import InputError

Floats = NDArray[np.float64]
CLASSES = ("H->H", "L->H", "H->L", "L->L")
THRESHOLD = 0.2
"""Change along the line, in nats, up to which a token counts as flat."""
TOLERANCE = 1e-6
"""Nats by which rounding may carry a value past a boundary; boundaries belong to the flat class."""


@dataclass(frozen=True)
class Fit:
    """Lines through the losses of n tokens.

    Attributes:
        slope: (n,) a, nats per checkpoint.
        intercept: (n,) b, nats.
        change: (n,) ΔL, nats from the first checkpoint to the last along the line.
        residual_std: (n,) standard deviation about the line, divisor checkpoints - 2 (or 1); large for tokens
            that fluctuate. The paper names high variance and gives no number.
    """

    slope: Floats
    intercept: Floats
    change: Floats
    residual_std: Floats


def fit(losses: ArrayLike) -> Fit:
    """Return the least-squares line of every token (Eq. 6).

    Args:
        losses: (tokens, checkpoints) nats, checkpoints at equal distances, at least two.

    Raises:
        InputError: another shape, or a loss that is not finite.
    """
    y = _trajectories(losses)
    count = y.shape[1]
    x = np.arange(count) - (count - 1) / 2
    slope = y @ x / (x @ x)
    mean = y.mean(axis=1)
    residual = y - mean[:, None] - slope[:, None] * x
    std = np.sqrt((residual**2).sum(axis=1) / max(count - 2, 1))
    return Fit(slope, mean - slope * (count - 1) / 2, slope * (count - 1), std)


def categories(
    losses: ArrayLike, mean_loss: float | None = None, threshold: float = THRESHOLD
) -> NDArray[np.str_]:
    """Return the class of every token, one of `CLASSES`.

    Args:
        losses: (tokens, checkpoints) nats.
        mean_loss: L_mean, nats; None takes the mean last loss of these tokens.
        threshold: change that makes a token rise or fall, nats (paper: 0.2).

    Returns:
        (tokens,) text.

    Raises:
        InputError: as `fit`.
    """
    y = _trajectories(losses)
    change = fit(y).change
    mean = float(y[:, -1].mean()) if mean_loss is None else mean_loss
    flat = np.where(y[:, -1] <= mean + TOLERANCE, "L->L", "H->H")
    rising = np.where(change > threshold + TOLERANCE, "L->H", flat)
    return np.where(change < -threshold - TOLERANCE, "H->L", rising)


def shares(classes: ArrayLike) -> dict[str, float]:
    """Return the share of tokens in each of `CLASSES`.

    Raises:
        InputError: no tokens.
    """
    found = np.asarray(classes)
    if not found.size:
        raise InputError("Shares of classes need at least one token.")
    return {name: float((found == name).mean()) for name in CLASSES}


def null_categories(
    losses: ArrayLike, seed: int = 0, repeats: int = 20, jointly: bool = False, threshold: float = THRESHOLD
) -> dict[str, Floats]:
    """Return how often each token falls into each class when its checkpoints are shuffled in time.

    Fluctuation alone makes some lines rise and others fall; what exceeds these shares has an order in time.
    The paper has no such control.

    Args:
        losses: (tokens, checkpoints) nats.
        seed: of the permutations.
        repeats: number of shuffles that are averaged over.
        jointly: shuffle all tokens alike, which keeps what a checkpoint does to all of them; otherwise each
            token for itself.
        threshold: as in `categories`.

    Returns:
        Class -> (tokens,) share of the shuffles; L_mean stays that of the true last checkpoint.

    Raises:
        InputError: as `fit`; no repeat.
    """
    y = _trajectories(losses)
    if repeats < 1:
        raise InputError(f"The shuffled classes need at least 1 repeat, got {repeats}.")
    generator = np.random.default_rng(seed)
    mean = float(y[:, -1].mean())
    total = {name: np.zeros(len(y)) for name in CLASSES}
    for _ in range(repeats):
        shuffled = y[:, generator.permutation(y.shape[1])] if jointly else generator.permuted(y, axis=1)
        drawn = categories(shuffled, mean, threshold)
        for name in CLASSES:
            total[name] += (drawn == name) / repeats
    return total


def _trajectories(losses: ArrayLike) -> Floats:
    """Return losses as (tokens, checkpoints) float64; `InputError` where no line can be fitted."""
    y = np.asarray(losses, dtype=np.float64)
    if y.ndim != 2 or y.shape[0] < 1 or y.shape[1] < 2:
        raise InputError(f"Trajectories need losses (tokens, checkpoints >= 2), got the shape {y.shape}.")
    if not np.isfinite(y).all():
        raise InputError("Trajectories need finite losses: leave out padding and checkpoints that diverged.")
    return y


@dataclass(frozen=True)
class AccuracyLaw:
    """Acc(L) = s log(a L + c) (Eq. 7, where s = 1).

    Attributes:
        a: slope inside the logarithm, 1 / nat.
        c: offset inside the logarithm.
        s: factor before it, 1 in the paper.
        rmse: root mean square error of the accuracies.
        slope: dAcc/dL at the mean loss, s a / (a L + c). Its sign is what the claim is about: below 0,
            accuracy rises as the loss falls. The signs of a that the paper prints are the opposite of those
            that its figure needs.
    """

    a: float
    c: float
    s: float
    rmse: float
    slope: float

    def __call__(self, loss: ArrayLike) -> Floats:
        """Return the accuracy at losses in nats; NaN where the logarithm is not defined."""
        inside = self.a * np.asarray(loss, dtype=np.float64) + self.c
        return self.s * np.log(np.where(inside > 0, inside, np.nan))


def accuracy_law(loss: ArrayLike, accuracy: ArrayLike, scaled: bool = False) -> AccuracyLaw:
    """Return the law fitted to checkpoints.

    With s = 1 in closed form: exp(Acc) is linear in L, so ordinary least squares gives a and c. With `scaled`
    the squared error of the accuracies is minimised over a, c and s: units of the accuracy then do not
    matter.

    Args:
        loss: (n,) mean loss of a set of tokens at each checkpoint, nats.
        accuracy: (n,) accuracies as fractions (the paper's fit fails with per cent), or anything if `scaled`.
        scaled: whether s is fitted too.

    Raises:
        InputError: fewer points than parameters, all losses equal, values that are not finite, or a line that
            leaves the domain of the logarithm.
    """
    x, y = (np.asarray(values, dtype=np.float64) for values in (loss, accuracy))
    needed = 4 if scaled else 3
    if (
        x.ndim != 1
        or x.shape != y.shape
        or len(x) < needed
        or not np.isfinite([x, y]).all()
        or np.ptp(x) == 0
    ):
        raise InputError(
            f"The accuracy law needs {needed} or more finite pairs of loss and accuracy, got "
            f"the shapes {x.shape} and {y.shape}."
        )
    a, c = np.polyfit(x - x.mean(), np.exp(y / (np.abs(y).max() or 1.0) if scaled else y), 1)
    if scaled:
        return _scaled_law(x, y)
    return _law(x, y, a, c - a * x.mean(), 1.0)


def _scaled_law(x: Floats, y: Floats) -> AccuracyLaw:
    """Return the fit of three parameters.

    They are s and the logarithms at both ends of the losses, between which a L + c stays above 0.
    """
    share = (x - x.min()) / np.ptp(x)

    def inside(p: Floats) -> Floats:
        return (1 - share) * np.exp(p[1]) + share * np.exp(p[2])

    ends = np.polyval(np.polyfit(share, y, 1), [0.0, 1.0])
    found = [
        least_squares(lambda p: p[0] * np.log(inside(p)) - y, [s, *np.clip(ends / s, -5, 5)])
        for s in (np.abs(y).max() or 1.0, np.ptp(y) or 1.0)
    ]
    s, first, last = min(found, key=lambda one: one.cost).x
    a = (np.exp(last) - np.exp(first)) / np.ptp(x)
    return _law(x, y, a, np.exp(first) - a * x.min(), s)


def _law(x: Floats, y: Floats, a: float, c: float, s: float) -> AccuracyLaw:
    """Return the law with its error and slope; `InputError` where a logarithm is not defined."""
    inside = a * x + c
    if (inside <= 0).any():
        raise InputError("The fitted line leaves the domain of the logarithm: try scaled=True.")
    rmse = float(np.sqrt(np.mean((s * np.log(inside) - y) ** 2)))
    return AccuracyLaw(float(a), float(c), float(s), rmse, float(s * a / (a * x.mean() + c)))
