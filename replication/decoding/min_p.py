"""Min-p sampling (Nguyen et al., "Turning Up the Heat", ICLR 2025, arXiv 2407.01082).

With P = softmax(l / T), keep every token that is at least p times as probable as the top token:

    P(v) >= p * max_u P(u)     <=>     l_v >= M - T ln(1/p),     M = max_u l_u

The right side, derived, needs no softmax. It shows what the rule is: a window below the maximum that widens
in proportion to T. A constant added to all logits changes nothing; the set at (p, T) is the set at (p^T, 1);
at most 1 / (p max P) tokens survive; p = 1 keeps the top token and its ties; every token survives once T is
large enough.

Order matters. The paper divides by T first, and so does `MinP` in the package's engine. Applied before the
temperature, the same p gives a window ln(1/p) that does not widen: a different, much stricter sampler at
high T (llama.cpp's default order). In transformers' `generate` a processor comes before the temperature:
write `truncation.tempered(T, MinP(p))` there.

transformers has had the rule since 4.39, as `MinPLogitsWarper` and `generate(min_p=...)`, after its own
temperature. The tests compare the kept sets with it. It differs in working in the dtype of the scores, in
returning a row that is entirely -inf unchanged, and in that beam search raises its smallest number of tokens.
"""

import math

from torch import Tensor

from replication.decoding.truncation import (
    LogitThreshold,
    finite_threshold,
    largest,
    parameter,
    positive_temperature,
)
from replication.lm.truncated import Rule


def threshold(logits: Tensor, p: float, temperature: float = 1.0) -> Tensor:
    """Return the smallest logit that survives, M - T ln(1/p): (B, 1) float32.

    Args:
        logits: (B, V), any floating dtype, worked on in float32; raw when a temperature is given.
        p: the ratio to the top token's probability, 0 < p <= 1 (paper: 0.05 or 0.1).
        temperature: T > 0; 1.0 for logits already divided by it.

    Raises:
        InputError: p or T out of range; a row with NaN or +inf or without a finite entry.
    """
    window = -positive_temperature(temperature) * math.log(ratio(p))
    return finite_threshold(largest(logits) - window)


def keep(logits: Tensor, p: float, temperature: float = 1.0) -> Tensor:
    """Return which tokens survive: (B, V) bool, True = kept; equality is kept, -inf never.

    Args:
        logits: as in `threshold`.
        p: as in `threshold`.
        temperature: as in `threshold`.

    Raises:
        InputError: as in `threshold`.
    """
    return logits.float() >= threshold(logits, p, temperature)


def ratio(p: float) -> float:
    """Return p as a float; `InputError` unless 0 < p <= 1."""
    return parameter("Min-p", p, lambda value: 0 < value <= 1, "0 < p <= 1 (the paper takes 0.05 or 0.1)")


class MinP(LogitThreshold):
    """`keep` as a logits processor, to be called on logits divided by the temperature (module docstring).

    Args:
        p: the ratio to the top token's probability, 0 < p <= 1 (paper: 0.05 or 0.1).

    Raises:
        InputError: p out of range.
    """

    def __init__(self, p: float) -> None:
        self.p = ratio(p)

    @property
    def rule(self) -> Rule:
        """The rule as the engine draws from it without building the mask."""
        return Rule("min-p", self.p)

    def threshold(self, scores: Tensor) -> Tensor:
        """Return the smallest logit that survives: (B, 1) float32."""
        return threshold(scores, self.p)
