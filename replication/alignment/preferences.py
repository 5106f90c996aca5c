"""Preference pairs, and what every preference loss is made of: masks, log-probabilities, sums, divergences.

All per-token tensors have one alignment: of a row of L ids, column j of L - 1 belongs to the prediction of id
j + 1, and what lies outside the response (prompt, padding) is 0 or masked.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional

from replication.lm.records import canonical
from replication.settings import InputError

IGNORED = -100


@dataclass(frozen=True)
class Pair:
    """Two responses to one prompt, as token ids.

    Attributes:
        question: id of the question.
        prompt: ids of the prompt.
        chosen: ids of the preferred response, with the end-of-text token if it is to be learnt.
        rejected: ids of the other response, likewise.
        weights: a weight per rejected token in [0, 1], such as 1 - s_t; None where none are used.
    """

    question: str
    prompt: tuple[int, ...]
    chosen: tuple[int, ...]
    rejected: tuple[int, ...]
    weights: tuple[float, ...] | None = None

    @property
    def length(self) -> int:
        """Tokens of the longer of the two texts, prompt included."""
        return len(self.prompt) + max(len(self.chosen), len(self.rejected))


def check(pairs: Sequence[Pair], longest: int | None = None) -> None:
    """Raise `InputError` for no pairs, an empty side, weights that do not fit, or texts above `longest`."""
    if not pairs:
        raise InputError(
            "There is no preference pair: sample more responses, or easier and harder questions."
        )
    for pair in pairs:
        if not (pair.prompt and pair.chosen and pair.rejected):
            raise InputError(
                f"The pair of {pair.question} has an empty side: prompt, chosen and rejected need "
                "a token each."
            )
        if pair.weights is None:
            continue
        if len(pair.weights) != len(pair.rejected):
            raise InputError(
                f"The pair of {pair.question} has {len(pair.weights)} weights for {len(pair.rejected)} "
                "rejected tokens: score the very ids that are trained on, the end-of-text token included."
            )
        if not all(0 <= weight <= 1 for weight in pair.weights):
            raise InputError(f"The pair of {pair.question} has a weight outside [0, 1]: give 1 - s_t.")
    long = [pair for pair in pairs if longest is not None and pair.length > longest]
    if long:
        raise InputError(
            f"{len(long)} of {len(pairs)} pairs have more than {longest} tokens, {long[0].question} for one: "
            "leave them out, or raise the limit; cut off, weights and answers would be lost."
        )


def weighted(pairs: Sequence[Pair], weights: Sequence[Sequence[float]]) -> list[Pair]:
    """Return the pairs with the weights of their rejected tokens; `InputError` as `check`."""
    if len(pairs) != len(weights):
        raise InputError(f"{len(weights)} rows of weights do not fit {len(pairs)} pairs: give one for each.")
    found = [replace(pair, weights=tuple(map(float, own))) for pair, own in zip(pairs, weights, strict=True)]
    check(found)
    return found


def digest(pairs: Sequence[Pair], weights: bool = True) -> str:
    """Return 16 hexadecimal digits of the pairs' content, with or without their weights."""
    plain = pairs if weights else [replace(pair, weights=None) for pair in pairs]
    return hashlib.sha256(canonical(list(plain)).encode()).hexdigest()[:16]


def token_log_probs(logits: Tensor, targets: Tensor) -> Tensor:
    """Return log P(target) per position, 0 where the target is -100.

    Args:
        logits: (..., V), any float type.
        targets: (...) int64.

    Returns:
        (...) float32, nats.
    """
    losses = functional.cross_entropy(
        logits.float().reshape(-1, logits.shape[-1]),
        targets.reshape(-1),
        reduction="none",
        ignore_index=IGNORED,
    )
    return -losses.view(targets.shape)


def log_ratios(policy: Tensor, reference: Tensor, mask: Tensor, weights: Tensor | None = None) -> Tensor:
    """Return Σ_t w_t log(π_θ(y_t) / π_ref(y_t)) over the response of each row.

    Args:
        policy: (..., T) per-token log-probabilities of the policy.
        reference: (..., T) those of the reference.
        mask: (..., T) bool, the response.
        weights: (..., T) constants, 1 by default.

    Returns:
        (...) float32.
    """
    ratios = (policy - reference).float().masked_fill(~mask, 0.0)
    return (ratios if weights is None else ratios * weights).sum(-1)


def forward_kl(first: Tensor, second: Tensor) -> Tensor:
    """Return KL(P || Q) = Σ_v P(v) [log P(v) - log Q(v)] over the whole vocabulary.

    Both logarithms come from `log_softmax`: a probability that underflows counts 0, not 0 · (-∞).

    Args:
        first: (..., V) logits of P.
        second: (..., V) logits of Q.

    Returns:
        (...) float32, nats.
    """
    p, q = (functional.log_softmax(logits.float(), dim=-1) for logits in (first, second))
    return functional.kl_div(q, p, reduction="none", log_target=True).sum(-1)


def logistic(logit: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return -(1 - ε) log σ(z) - ε log σ(-z) for each logit z; ε = `smoothing`."""
    loss = -functional.logsigmoid(logit)
    if smoothing:
        loss = (1 - smoothing) * loss - smoothing * functional.logsigmoid(-logit)
    return loss


def halves(values: Tensor) -> tuple[Tensor, Tensor]:
    """Return the chosen and the rejected half of a batch of 2B rows, chosen first."""
    return tuple(torch.chunk(values, 2))
