"""Direct preference optimisation and its variant with a likelihood term.

DPO (Rafailov et al., NeurIPS 2023, arXiv 2305.18290). With y_w chosen over y_l, and log π(y|x) the sum over
all response tokens, the end-of-text token included and without normalisation by length:

    r(x, y) = β log(π_θ(y|x) / π_ref(y|x))                  `implicit_rewards`
    l_DPO   = -log σ(r(x, y_w) - r(x, y_l))                 `dpo_loss`

`smoothing` is the share of labels taken for flipped, -(1 - ε) log σ(z) - ε log σ(-z): the authors'
"conservative DPO", of the same initials as the method that weights critical tokens, and unrelated to it.

Iterative RPO (Pang et al., NeurIPS 2024, arXiv 2404.19733, Eq. 1) adds the chosen response's negative
log-likelihood per token:

    l_RPO = l_DPO - α log π_θ(y_w|x) / |y_w|                `rpo_loss`

Each sequence is divided by its own length, then pairs are averaged; α weights the likelihood term (an earlier
version of the paper weighted the other one; at α = 1 they agree). Pairs of a question come from walking its
right and wrong responses in parallel (`walk`). The paper does not say what happens when K exceeds the number
of different pairs so reached; here they are repeated.
"""

from collections.abc import Sequence
from typing import TypeVar

from torch import Tensor

from replication.alignment.preferences import logistic
from replication.settings import InputError

Item = TypeVar("Item")


def implicit_rewards(log_ratio: Tensor, beta: float) -> Tensor:
    """Return r(x, y) = β log(π_θ / π_ref) without gradient: (B,)."""
    return beta * log_ratio.detach()


def dpo_loss(chosen: Tensor, rejected: Tensor, beta: float = 0.1, smoothing: float = 0.0) -> Tensor:
    """Return the DPO loss of each pair.

    Args:
        chosen: (B,) log-ratios of the chosen responses, see `preferences.log_ratios`.
        rejected: (B,) those of the rejected ones.
        beta: strength of the reference; 0.1 in the paper.
        smoothing: share ε of labels taken for flipped, 0 to below 0.5.

    Returns:
        (B,) float32; log 2 where the policy is the reference.
    """
    return logistic(beta * (chosen - rejected), smoothing)


def length_normalised_nll(log_prob: Tensor, length: Tensor) -> Tensor:
    """Return -log π(y|x) / |y| of each response.

    Args:
        log_prob: (B,) summed log-probabilities, nats.
        length: (B,) tokens of the response alone.

    Returns:
        (B,) nats per token.
    """
    return -log_prob / length


def rpo_loss(
    chosen: Tensor,
    rejected: Tensor,
    chosen_log_prob: Tensor,
    chosen_length: Tensor,
    beta: float = 0.1,
    alpha: float = 1.0,
) -> Tensor:
    """Return the loss of iterative RPO of each pair: DPO + α NLL per token.

    Args:
        chosen: (B,) log-ratios of the chosen responses.
        rejected: (B,) those of the rejected ones.
        chosen_log_prob: (B,) summed log-probabilities of the chosen responses under the policy.
        chosen_length: (B,) their tokens.
        beta: as for DPO.
        alpha: weight of the likelihood; 1 in the paper.

    Returns:
        (B,) float32.
    """
    return dpo_loss(chosen, rejected, beta) + alpha * length_normalised_nll(chosen_log_prob, chosen_length)


def walk(winners: Sequence[Item], losers: Sequence[Item], number: int) -> list[tuple[Item, Item]]:
    """Return `number` (winner, loser) pairs: both lists in parallel, each from its start again at its end.

    A question with an empty list gives no pair.

    Raises:
        InputError: `number` below 1.
    """
    if number < 1:
        raise InputError(f"The number of pairs per question needs to be 1 or more, got {number}.")
    if not winners or not losers:
        return []
    return [(winners[i % len(winners)], losers[i % len(losers)]) for i in range(number)]
