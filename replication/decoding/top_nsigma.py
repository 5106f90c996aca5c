"""Top-nσ decoding (Tang, Liu, Xu and Huang, "Top-nσ: Not All Logits Are You Need", arXiv 2411.07641).

Algorithm 1 keeps every token whose logit lies within n standard deviations of the largest one:

    kept(v)  <=>  l_v >= M - n σ,     M = max_u l_u,     σ = std_u l_u over the vocabulary of one row

M and σ scale with the logits, so the kept set is the same for a l + b with any a > 0: before and after
temperature, for logits and for log-probabilities. Only the probabilities inside the set depend on T.

What the paper leaves open, and the choice here:

- σ divides by V - 1 (`ddof=1`, as torch and the official code do); `ddof=0` divides by V. With two tokens the
  second is kept iff n >= √2 with ddof 1 or n >= 2 with ddof 0, whatever the gap.
- A token on the threshold is kept (Algorithm 1). The official vLLM code drops it: n = 0 or σ = 0 then leaves
  nothing. Here the top token and its ties always survive: n = 0 keeps just these, a row of equal logits
  (σ = 0) is kept whole.
- Entries of -inf count neither for M nor for σ and stay excluded; the official code turns such a row into
  NaN. A row with a single finite logit keeps it.
- M and σ are worked out in float32 whatever the dtype of the logits. Exclusion by a large finite number such
  as -1e9 makes σ so large that nothing is cut; it must be -inf.
- Output rows that belong to no token (a vocabulary padded to a round size) distort σ: `vocabulary` leaves
  them out of σ and of the result. Tokens never seen in training stay in.

The second part of the module is theory: where the thresholds of all samplers lie on the axis of raw logits,
and closed forms for Gaussian and uniform logits. The paper treats both cases; its exact statements were not
at hand, so these are derived anew and marked so.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr, logsumexp, ndtr, ndtri, softmax
from torch import Tensor

from replication.decoding.truncation import (
    LogitThreshold,
    check_shape,
    finite_threshold,
    parameter,
    positive_temperature,
)
from replication.lm.statistics import check_ddof, mask, row_statistics
from replication.lm.truncated import Rule
from replication.settings import InputError

Floats = NDArray[np.float64]
UNIFORM_BOUND = 2 * math.sqrt(3)
"""Width of a uniform distribution in its standard deviations: from this n on, top-nσ keeps all of it."""


def threshold(logits: Tensor, n: float = 1.0, ddof: int = 1) -> Tensor:
    """Return the smallest logit that survives, M - n σ: (B, 1) float32 (Algorithm 1, step 4).

    Args:
        logits: (B, V), any floating dtype, raw or divided by a temperature; -inf marks excluded tokens.
        n: width of the window in standard deviations, n >= 0 (paper: 1.0).
        ddof: σ divides by the number of finite entries minus this, 0 or 1.

    Raises:
        InputError: n or ddof out of range; a row with NaN or +inf or without a finite entry.
    """
    check_shape(logits)
    width = multiplier(n)
    statistics = row_statistics(logits, ddof)
    # Guarded: σ is infinite where squares overflow, and 0 times that is NaN.
    window = width * statistics.std if width else torch.zeros_like(statistics.std)
    return finite_threshold((statistics.largest - window)[:, None])


def keep(logits: Tensor, n: float = 1.0, ddof: int = 1) -> Tensor:
    """Return which tokens survive: (B, V) bool, True = kept; never an empty row, never an entry of -inf.

    Args:
        logits: as in `threshold`.
        n: as in `threshold`.
        ddof: as in `threshold`.

    Raises:
        InputError: as in `threshold`.
    """
    return logits.float() >= threshold(logits, n, ddof)


def multiplier(n: float) -> float:
    """Return n as a float; `InputError` unless it is a finite number >= 0."""
    return parameter("Top-nσ", n, lambda value: value >= 0, "n >= 0 (the paper takes 1.0)")


class TopNSigma(LogitThreshold):
    """`keep` as a logits processor; before or after temperature, the result is the same.

    Args:
        n: width of the window in standard deviations, n >= 0 (paper: 1.0).
        ddof: divisor of σ, see `threshold`.
        vocabulary: number of real entries of a row; those behind it neither enter σ nor survive. None: all.

    Raises:
        InputError: an argument out of range; when called, scores narrower than `vocabulary`.
    """

    def __init__(self, n: float = 1.0, ddof: int = 1, vocabulary: int | None = None) -> None:
        self.n = multiplier(n)
        check_ddof(ddof)
        self.ddof = int(ddof)
        if vocabulary is not None and (not isinstance(vocabulary, int) or vocabulary < 1):
            raise InputError(f"Top-nσ needs a vocabulary of at least 1 entry or None, got {vocabulary!r}.")
        self.vocabulary = vocabulary

    @property
    def rule(self) -> Rule | None:
        """The rule as the engine draws from it without building the mask; None with a vocabulary."""
        return Rule("top-nsigma", self.n, self.ddof) if self.vocabulary is None else None

    def threshold(self, scores: Tensor) -> Tensor:
        """Return the smallest logit that survives: (B, 1) float32."""
        if self.vocabulary is not None and scores.shape[-1] < self.vocabulary:
            raise InputError(
                f"Top-nσ was told of a vocabulary of {self.vocabulary}, but the scores have "
                f"{scores.shape[-1]} entries: give the number of the tokenizer's tokens."
            )
        return threshold(scores[..., : self.vocabulary], self.n, self.ddof)

    def keep(self, scores: Tensor) -> Tensor:
        """Return which tokens survive: (B, V) bool."""
        kept = super().keep(scores)
        if self.vocabulary is not None:
            kept[:, self.vocabulary :] = False
        return kept

    def __call__(self, input_ids: Tensor | None, scores: Tensor) -> Tensor:
        """Return the scores with all other tokens at -inf: (B, V), dtype of `scores`, a new tensor."""
        truncated = mask(scores, self.threshold(scores))
        if self.vocabulary is not None:
            truncated[:, self.vocabulary :] = -math.inf
        return truncated


# Thresholds on the axis of raw logits


def _top_k(x: Floats, k: float, temperature: float) -> Floats:
    return np.sort(x, axis=-1)[:, -min(int(k), x.shape[1])]


def _top_p(x: Floats, p: float, temperature: float) -> Floats:
    ordered = -np.sort(-x, axis=-1)
    mass = softmax(ordered / temperature, axis=-1).cumsum(-1)
    crossing = np.minimum((mass < p).sum(-1), x.shape[1] - 1)
    return np.take_along_axis(ordered, crossing[:, None], 1)[:, 0]


def _min_p(x: Floats, p: float, temperature: float) -> Floats:
    return x.max(-1) - temperature * math.log(1 / p)


def _epsilon(x: Floats, epsilon: float, temperature: float) -> Floats:
    cut = temperature * (math.log(epsilon) + logsumexp(x / temperature, axis=-1))
    return np.minimum(cut, x.max(-1))


def _eta(x: Floats, epsilon: float, temperature: float) -> Floats:
    entropy = entr(softmax(x / temperature, axis=-1)).sum(-1)
    log_eta = np.minimum(math.log(epsilon), math.log(epsilon) / 2 - entropy)
    return np.minimum(temperature * (log_eta + logsumexp(x / temperature, axis=-1)), x.max(-1))


def _top_nsigma(x: Floats, n: float, temperature: float) -> Floats:
    finite = np.isfinite(x)
    count = finite.sum(-1)
    mean = np.where(finite, x, 0.0).sum(-1) / count
    square = (np.where(finite, x - mean[:, None], 0.0) ** 2).sum(-1)
    return x.max(-1) - n * np.sqrt(square / np.maximum(count - 1, 1))


RAW_THRESHOLDS: Mapping[str, Callable[[Floats, float, float], Floats]] = {
    "top-k": _top_k,
    "top-p": _top_p,
    "min-p": _min_p,
    "epsilon": _epsilon,
    "eta": _eta,
    "top-nsigma": _top_nsigma,
}


def raw_threshold(rule: str, logits: ArrayLike, value: float, temperature: float = 1.0) -> Floats:
    """Return t such that a sampler applied after temperature keeps exactly the raw logits l >= t.

    top-k: the k-th largest. min-p: M - T ln(1/p). ε: T ln ε + T log Σ exp(l/T). η: the same with
    min(ε, √ε exp(-H)) for ε, H the entropy at T in nats. top-p: the last logit of the smallest set of mass
    p. top-nσ: M - n σ (ddof 1). None exceeds M, since the top token always survives. Derived; the paper says
    only that rules become thresholds. Only those of top-k and top-nσ do not move with T.

    Args:
        rule: a key of `RAW_THRESHOLDS`.
        logits: (B, V) raw logits, -inf for excluded tokens; worked on in float64.
        value: the rule's parameter: k, p, p, ε, ε or n.
        temperature: T > 0.

    Returns:
        (B,) float64. Logits equal to t are all kept, where a top-p by sorting may cut inside such a tie.

    Raises:
        InputError: an unknown rule, a temperature that is not above 0, or rows that cannot be sampled.
    """
    if rule not in RAW_THRESHOLDS:
        raise InputError(f"Unknown rule {rule!r}: choose one of {', '.join(RAW_THRESHOLDS)}.")
    x = np.asarray(logits, dtype=np.float64)
    if x.ndim != 2 or not np.isfinite(x.max(-1, initial=-np.inf)).all():
        raise InputError("raw_threshold needs (B, V) logits without NaN or +inf, some finite in each row.")
    fits, needs = {
        "top-k": (lambda k: k >= 1 and k == int(k), "a whole number k >= 1"),
        "top-nsigma": (lambda n: n >= 0, "n >= 0"),
    }.get(rule, (lambda share: 0 < share <= 1, "a number in (0, 1]"))
    number = parameter(f"The rule {rule}", value, fits, needs)
    return RAW_THRESHOLDS[rule](x, number, positive_temperature(temperature))


# Gaussian logits, l ~ N(μ, σ²). Softmax weighting at T tilts the law of l to N(μ + σ²/T, σ²).


def gaussian_top_p_threshold(mu: float, sigma: float, p: float, temperature: float = 1.0) -> float:
    """Return the raw logit above which a mass of p lies: t = μ + σ²/T + σ Φ⁻¹(1 - p) (derived)."""
    tilt = sigma**2 / positive_temperature(temperature)
    return float(mu + tilt + sigma * ndtri(1 - _mass(p)))


def gaussian_top_p_share(sigma: float, p: float, temperature: float = 1.0) -> float:
    """Return the share of the vocabulary that top-p keeps: 1 - Φ(σ/T + Φ⁻¹(1 - p)) (derived)."""
    return float(ndtr(-(sigma / positive_temperature(temperature) + ndtri(1 - _mass(p)))))


def gaussian_kept_mass(distance: float, n: float, sigma: float, temperature: float = 1.0) -> float:
    """Return the softmax mass that top-nσ keeps: 1 - Φ(d - n - σ/T), d = (M - μ)/σ (derived)."""
    return float(ndtr(multiplier(n) + sigma / positive_temperature(temperature) - distance))


def noise_edge(vocabulary: int) -> float:
    """Return about how many σ above the mean the largest of V Gaussian logits lies: √(2 ln V) (derived).

    An upper estimate: 4.85 for V = 128,256. Top-nσ lets such noise in once d - n falls below it.
    """
    return math.sqrt(2 * math.log(vocabulary))


def noise_to_top(vocabulary: int, distance: float, sigma: float, temperature: float = 1.0) -> float:
    """Return the mass of V Gaussian logits over that of a token d σ above their mean (derived).

    exp(ln V - d σ/T + σ²/(2 T²)): plain sampling collapses where it passes 1.
    """
    spread = sigma / positive_temperature(temperature)
    return math.exp(math.log(vocabulary) - distance * spread + spread**2 / 2)


# Uniform logits on [M - w, M]: σ = w / (2√3).


def uniform_kept_mass(n: float, width: float, temperature: float = 1.0) -> float:
    """Return the softmax mass that top-nσ keeps: (1 - exp(-n w/(2√3 T))) / (1 - exp(-w/T)) (derived)."""
    whole = _width(width) / positive_temperature(temperature)
    return math.expm1(-min(multiplier(n) / UNIFORM_BOUND, 1.0) * whole) / math.expm1(-whole)


def uniform_top_p_threshold(maximum: float, width: float, p: float, temperature: float = 1.0) -> float:
    """Return top-p's raw threshold, M + T ln((1 - p) + p exp(-w/T)) (derived).

    For wide rows it is M + T ln(1 - p), min-p with the parameter 1 - p, as the paper's later version says.
    """
    t, mass = positive_temperature(temperature), _mass(p)
    return maximum + t * math.log(1 - mass + mass * math.exp(-_width(width) / t))


def _mass(p: float) -> float:
    return parameter("The mass p", p, lambda value: 0 < value < 1, "0 < p < 1")


def _width(width: float) -> float:
    return parameter("The width of uniform logits", width, lambda value: value > 0, "a number > 0")
