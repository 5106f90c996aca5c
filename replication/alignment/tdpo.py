"""Token-level direct preference optimisation, TDPO (Zeng et al., ICML 2024, arXiv 2404.11999).

To DPO's logit u, the difference of the responses' log-ratios times β, it adds a difference of sequential
forward divergences, exact sums over the whole vocabulary:

    D(x, y) = Σ_t Σ_v π_ref(v | x, y_<t) [log π_ref(v | x, y_<t) - log π_θ(v | x, y_<t)]     `sequential_kl`
    l_TDPO1 = -log σ(u -   β (D(x, y_l) - D(x, y_w)))                                         `tdpo1_loss`
    l_TDPO2 = -log σ(u - α β (D(x, y_l) - sg[D(x, y_w)]))     sg: no gradient                  `tdpo2_loss`

D is the expectation under the reference, and sums over response positions only. TDPO1 rewards moving the
chosen response's distributions away from the reference; TDPO2 takes that gradient away. α = 0 is DPO. Rewards
that the authors log hold D, so they do not compare with DPO's (`rewards`).

Here both distributions come from `log_softmax`; the authors' released code takes the logarithm of a softmax,
which is not a number once a probability underflows. Its setting of `if_tdpo2` decides which variant "TDPO"
is: say which one was run.
"""

from torch import Tensor

from replication.alignment.preferences import forward_kl, logistic


def sequential_kl(reference_logits: Tensor, policy_logits: Tensor, mask: Tensor) -> Tensor:
    """Return D(x, y) of each row.

    Args:
        reference_logits: (..., T, V) of the reference; no gradient needs to flow here.
        policy_logits: (..., T, V) of the policy.
        mask: (..., T) bool, positions that predict the response.

    Returns:
        (...) float32, nats, >= 0.
    """
    return forward_kl(reference_logits, policy_logits).masked_fill(~mask, 0.0).sum(-1)


def tdpo1_loss(
    chosen: Tensor, rejected: Tensor, chosen_kl: Tensor, rejected_kl: Tensor, beta: float = 0.1
) -> Tensor:
    """Return the loss TDPO1 of each pair.

    Args:
        chosen: (B,) log-ratios of the chosen responses.
        rejected: (B,) those of the rejected ones.
        chosen_kl: (B,) D of the chosen responses.
        rejected_kl: (B,) D of the rejected ones.
        beta: scales log-ratios and divergences alike; 0.1 in the authors' released code.

    Returns:
        (B,) float32.
    """
    return logistic(beta * (chosen - rejected - (rejected_kl - chosen_kl)))


def tdpo2_loss(
    chosen: Tensor,
    rejected: Tensor,
    chosen_kl: Tensor,
    rejected_kl: Tensor,
    beta: float = 0.1,
    alpha: float = 0.5,
) -> Tensor:
    """Return the loss TDPO2 of each pair; arguments as `tdpo1_loss`, `alpha` weights the divergences."""
    return logistic(beta * (chosen - rejected - alpha * (rejected_kl - chosen_kl.detach())))


def rewards(log_ratio: Tensor, kl: Tensor, beta: float = 0.1) -> Tensor:
    """Return β (log-ratio + D) without gradient, (B,): what the authors log as a reward."""
    return beta * (log_ratio + kl).detach()
