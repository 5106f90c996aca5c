"""ε- and η-sampling ("Truncation Sampling as Language Model Desmoothing", Hewitt, Manning and Liang, 2022).

Findings of EMNLP 2022, arXiv 2210.15191. With P = softmax(l), h its entropy in nats, keep the top token and

    ε:  P(v) >= ε        η:  P(v) >= η,   η = min(ε, α exp(-h)),   α = √ε

The paper writes > (its code keeps equality, as here) and uses no temperature; with one, P and h are those
after it. By h >= -ln max P, η never exceeds α max P: the top token survives η of its own accord, while ε cuts
it where every token lies below ε (possible when V > 1/ε). η follows the entropy once h > ln(α/ε). As T grows,
η ends in keeping everything. ε does not carry over between vocabularies: `scaled_epsilon`.

The view behind the rules [memory: form and constants of this paragraph are recalled, not checked against the
text]: a model is the true distribution P* mixed with a nearly uniform one,

    P(v) = λ P*(v) + (1 - λ) Q(v),     (1 - δ)/V <= Q(v) <= (1 + δ)/V,

whose share is bounded, 1 - λ <= 1 - λ_min, and shrinks with entropy, 1 - λ <= V α exp(-h) / (1 + δ).
Truncation is to recover the support of P*. Each bound gives a principle: do not cut a token with
P > ε = (1 - λ_min)(1 + δ)/V (absolute), nor one with P > α exp(-h) (relative). Top-p breaks the first, ε the
second, locally typical sampling both; η breaks neither.

transformers has both rules as `EpsilonLogitsWarper` and `EtaLogitsWarper`; the tests compare with them. The
docstring of the latter says √(ε exp(-h)); its code, the authors' and this module have √ε exp(-h). The
authors' warper protects, in every row of a batch, the top tokens of all rows; here rows are independent.
In transformers' `generate` use `truncation.tempered(T, Eta(ε))`.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from replication.decoding.truncation import Truncation, check, parameter
from replication.settings import InputError

GPT2_VOCABULARY = 50_257
"""Vocabulary for which the paper's ε were chosen: 3e-4 to 9e-4 (ε), 3e-4 to 2e-3 (η)."""
SUM_TOLERANCE = 1e-4


def keep_epsilon(logits: Tensor, epsilon: float) -> Tensor:
    """Return which tokens ε-sampling keeps: (B, V) bool, True = kept.

    Args:
        logits: (B, V) after temperature, any floating dtype, worked on in float32; -inf never survives.
        epsilon: smallest probability, 0 < ε < 1. The top token and its ties survive below it too.

    Raises:
        InputError: ε out of range; a row with NaN or +inf or without a finite entry.
    """
    check(logits)
    return _at_least(logits.float(), torch.tensor(_epsilon(epsilon)))


def keep_eta(logits: Tensor, epsilon: float, alpha: float | None = None) -> Tensor:
    """Return which tokens η-sampling keeps: (B, V) bool, True = kept.

    Args:
        logits: as in `keep_epsilon`.
        epsilon: as in `eta_threshold`.
        alpha: as in `eta_threshold`.

    Raises:
        InputError: a parameter out of range; a row with NaN or +inf or without a finite entry.
    """
    return _at_least(logits.float(), eta_threshold(logits, epsilon, alpha))


def eta_threshold(logits: Tensor, epsilon: float, alpha: float | None = None) -> Tensor:
    """Return the smallest probability that survives, η = min(ε, α exp(-h)): (B, 1) float32.

    Args:
        logits: (B, V) after temperature, any floating dtype, worked on in float32.
        epsilon: bound of the absolute branch, 0 < ε < 1.
        alpha: factor of the relative branch, > 0; None for √ε as in the paper.

    Raises:
        InputError: as in `keep_eta`.
    """
    check(logits)
    factor = _alpha(epsilon, alpha)
    relative = factor * (-entropy(logits.float().softmax(-1))).exp()
    return relative.clamp(max=epsilon)[:, None]


def switch_entropy(epsilon: float, alpha: float | None = None) -> float:
    """Return the entropy in nats above which η follows it, ln(α/ε); with α = √ε that is ln(1/ε)/2."""
    return math.log(_alpha(epsilon, alpha) / _epsilon(epsilon))


def scaled_epsilon(epsilon: float, vocabulary: int, reference: int = GPT2_VOCABULARY) -> float:
    """Return ε for a vocabulary of another size, ε * reference / V, so that ε * V stays the same.

    Raises:
        InputError: the result is 1 or more.
    """
    scaled = _epsilon(epsilon) * reference / vocabulary
    return parameter(f"ε for {vocabulary} tokens", scaled, lambda value: 0 < value < 1, "0 < ε < 1")


def entropy(probabilities: Tensor) -> Tensor:
    """Return the entropy of each row in nats: (..., V) to (...); 0 ln 0 = 0."""
    return torch.special.entr(probabilities).sum(-1)


def _at_least(logits: Tensor, cut: Tensor) -> Tensor:
    """Return the tokens whose probability reaches the cut, and the top token with its ties."""
    top = logits == logits.amax(-1, keepdim=True)
    return top | ((logits.softmax(-1) >= cut.to(logits.device)) & (logits > -torch.inf))


def _epsilon(value: float) -> float:
    return parameter("ε", value, lambda number: 0 < number < 1, "0 < ε < 1 (the paper takes 3e-4 to 2e-3)")


def _alpha(epsilon: float, alpha: float | None) -> float:
    if alpha is None:
        return math.sqrt(_epsilon(epsilon))
    _epsilon(epsilon)
    return parameter("α", alpha, lambda number: number > 0, "a number > 0 (the paper takes √ε)")


class Epsilon(Truncation):
    """`keep_epsilon` as a logits processor, to be called on logits divided by the temperature.

    Args:
        epsilon: smallest probability, 0 < ε < 1.

    Raises:
        InputError: ε out of range.
    """

    def __init__(self, epsilon: float) -> None:
        self.epsilon = _epsilon(epsilon)

    def keep(self, scores: Tensor) -> Tensor:
        """Return which tokens survive: (B, V) bool."""
        return keep_epsilon(scores, self.epsilon)


class Eta(Truncation):
    """`keep_eta` as a logits processor, to be called on logits divided by the temperature.

    Args:
        epsilon: bound of the absolute branch, 0 < ε < 1.
        alpha: factor of the relative branch, > 0; None for √ε as in the paper.

    Raises:
        InputError: a parameter out of range.
    """

    def __init__(self, epsilon: float, alpha: float | None = None) -> None:
        self.epsilon = _epsilon(epsilon)
        self.alpha = None if alpha is None else _alpha(epsilon, alpha)

    def keep(self, scores: Tensor) -> Tensor:
        """Return which tokens survive: (B, V) bool."""
        return keep_eta(scores, self.epsilon, self.alpha)


# The principles


def absolute_violations(probabilities: Tensor, keep: Tensor, epsilon: float) -> Tensor:
    """Return how many tokens of each row are cut although P > ε: (B,) int64.

    Args:
        probabilities: (B, V), rows sum to 1.
        keep: (B, V) bool, the kept set of any rule.
        epsilon: 0 < ε < 1.

    Raises:
        InputError: rows that are no distributions, a keep of another shape or kind, or ε out of range.
    """
    _check_sets(probabilities, keep)
    return (~keep & (probabilities > _epsilon(epsilon))).sum(-1)


def relative_violations(probabilities: Tensor, keep: Tensor, alpha: float) -> Tensor:
    """Return how many tokens of each row are cut although P > α exp(-h): (B,) int64.

    Args:
        probabilities: (B, V), rows sum to 1; h is their entropy in nats.
        keep: (B, V) bool, the kept set of any rule.
        alpha: α > 0; √ε for η-sampling.

    Raises:
        InputError: as in `absolute_violations`, or α out of range.
    """
    _check_sets(probabilities, keep)
    factor = parameter("α", alpha, lambda number: number > 0, "a number > 0")
    return (~keep & (probabilities > factor * (-entropy(probabilities)).exp()[:, None])).sum(-1)


def _check_sets(probabilities: Tensor, keep: Tensor) -> None:
    _check_distribution("probabilities", probabilities)
    if keep.shape != probabilities.shape or keep.dtype != torch.bool:
        raise InputError(
            f"The kept set needs one bool per probability, got {keep.dtype} of shape {tuple(keep.shape)} for "
            f"{tuple(probabilities.shape)}."
        )


def _check_distribution(name: str, values: Tensor) -> None:
    if values.ndim != 2 or not bool((values >= 0).all()):
        raise InputError(f"{name} needs (rows, vocabulary) numbers that are not negative.")
    if not bool(((values.sum(-1) - 1).abs() <= SUM_TOLERANCE).all()):
        raise InputError(f"Each row of {name} needs to sum to 1: pass a softmax, not logits.")


# The smoothing model


def smooth(p_true: Tensor, lam: float | Tensor, q: Tensor | None = None) -> Tensor:
    """Return the smoothed distribution λ P* + (1 - λ) Q: (B, V) [memory].

    Args:
        p_true: (B, V) true distributions P*.
        lam: λ in (0, 1], one number or (B, 1).
        q: (B, V) smoothing distributions Q; None for the uniform one.

    Raises:
        InputError: λ out of range, or rows that are no distributions.
    """
    share = torch.as_tensor(lam, dtype=p_true.dtype, device=p_true.device)
    if not bool(((share > 0) & (share <= 1)).all()):
        raise InputError(f"The smoothing model needs 0 < λ <= 1, got {lam!r}.")
    noise = torch.full_like(p_true, 1 / p_true.shape[-1]) if q is None else q
    _check_distribution("P*", p_true)
    _check_distribution("Q", noise)
    return share * p_true + (1 - share) * noise


def noise_bounds(vocabulary: int, delta: float = 0.0) -> tuple[float, float]:
    """Return the smallest and largest probability that Q may give a token, (1 ∓ δ)/V [memory].

    Raises:
        InputError: V < 1 or δ outside [0, 1].
    """
    if vocabulary < 1:
        raise InputError(f"The smoothing model needs a vocabulary of at least 1, got {vocabulary!r}.")
    spread = parameter("δ", delta, lambda value: 0 <= value <= 1, "0 <= δ <= 1")
    return (1 - spread) / vocabulary, (1 + spread) / vocabulary


def smoothing_bound(entropy: float, alpha: float, vocabulary: int, delta: float = 0.0) -> float:
    """Return the largest share 1 - λ of Q at an entropy h in nats, V α exp(-h) / (1 + δ), at most 1 [memory].

    Raises:
        InputError: a parameter out of range.
    """
    factor = parameter("α", alpha, lambda number: number > 0, "a number > 0")
    return min(1.0, factor * math.exp(-entropy) / noise_bounds(vocabulary, delta)[1])


class SupportBounds(NamedTuple):
    """Probabilities above which a token is certain to lie in the support of P*.

    Attributes:
        absolute: ε of the absolute principle, (1 - λ_min)(1 + δ)/V.
        relative: α exp(-h) of the relative principle.
    """

    absolute: float
    relative: float


def support_bounds(
    lam_min: float, alpha: float, entropy: float, vocabulary: int, delta: float = 0.0
) -> SupportBounds:
    """Return both bounds for a row: P above either one implies P* > 0.

    A token outside the support has P = (1 - λ) Q <= (1 - λ)(1 + δ)/V; the bounds on 1 - λ give the two values
    (derived from the model, whose form is [memory]).

    Args:
        lam_min: smallest λ of any context, in (0, 1].
        alpha: α > 0 of the bound that shrinks with entropy.
        entropy: h of the row in nats.
        vocabulary: V.
        delta: δ in [0, 1]; 0 for a uniform Q.

    Raises:
        InputError: a parameter out of range.
    """
    least = parameter("λ_min", lam_min, lambda value: 0 < value <= 1, "0 < λ_min <= 1")
    factor = parameter("α", alpha, lambda number: number > 0, "a number > 0")
    return SupportBounds((1 - least) * noise_bounds(vocabulary, delta)[1], factor * math.exp(-entropy))


def certain_support(probabilities: Tensor, lam: float | Tensor, delta: float = 0.0) -> Tensor:
    """Return which tokens are certain to lie in the support of P*, P > (1 - λ)(1 + δ)/V: (B, V) bool.

    Args:
        probabilities: (B, V) smoothed distributions P.
        lam: λ of each row, in (0, 1], one number or (B, 1).
        delta: δ in [0, 1].

    Raises:
        InputError: λ or δ out of range, or rows that are no distributions.
    """
    _check_distribution("P", probabilities)
    share = torch.as_tensor(lam, dtype=probabilities.dtype, device=probabilities.device)
    if not bool(((share > 0) & (share <= 1)).all()):
        raise InputError(f"The smoothing model needs 0 < λ <= 1, got {lam!r}.")
    return probabilities > (1 - share) * noise_bounds(probabilities.shape[-1], delta)[1]
