"""Critical tokens and cDPO (Lin, Liang, Xu et al., ICML 2025, arXiv 2411.19943).

Preference optimisation whose rejected side is weighted by how critical each token is. With the scores s_t of
`contrastive`, low where a token leads to a wrong answer, and r_t = log(π_θ(y_t|...) / π_ref(y_t|...)):

    φ(x, y)      = γ Σ_t r_t                              chosen
    φ_s(x, y, s) = γ Σ_t (1 - s_t) r_t                    rejected
    l_cDPO       = -log σ(φ(x, y_w) - φ_s(x, y_l, s))     `cdpo_loss`, reduction "sequence"

The weights are constants; there is no likelihood term. s = 0 gives DPO, s = 1 leaves the chosen side alone.
On a prefix that both responses share, DPO's terms cancel while cDPO's leave s_t r_t: a push up, a likelihood
term of its own.

The authors' released code never sums before the sigmoid: it pairs chosen and rejected tokens by their place
in the padded sequence of L' = L - 1 predictions, prompt and padding included,

    l_code = 1/(B L') Σ_i Σ_t -log σ(γ (r^w_t - (1 - s_t) r^l_t))       reduction "token"

with γ = 0.1, where the paper says 1.0. Both defaults are in `GAMMA`.

What the paper leaves open: the weight of the end-of-text token. Here it is scored like any other token; the
released code gives it weight 1 (`token_weights`, `ending`).
"""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from replication.alignment.preferences import logistic
from replication.settings import InputError

GAMMA = {"sequence": 1.0, "token": 0.1}
ENDINGS = ("scored", "one")


def token_weights(scores: Sequence[float], ends: bool, ending: str = "scored") -> np.ndarray:
    """Return the weights 1 - s_t of a rejected response: (n,) float32.

    Args:
        scores: (n,) contrastive scores in (0, 1), that of the end-of-text token included.
        ends: whether the last token is the end of text.
        ending: its weight: "scored" like the others, or "one" as in the authors' released code.

    Raises:
        InputError: an unknown `ending`, or scores outside [0, 1].
    """
    if ending not in ENDINGS:
        raise InputError(f"Unknown ending {ending!r}: choose one of {', '.join(ENDINGS)}.")
    weights = 1 - np.asarray(scores, dtype=np.float32)
    if not ((weights >= 0) & (weights <= 1)).all():
        raise InputError("Contrastive scores are probabilities: give s_t in [0, 1], not its logarithm.")
    if ends and ending == "one":
        weights[-1] = 1.0
    return weights


def cdpo_loss(
    chosen: Tensor, rejected: Tensor, weights: Tensor, gamma: float | None = None, reduction: str = "sequence"
) -> Tensor:
    """Return the loss of cDPO of each pair.

    Args:
        chosen: (B, T) per-token log-ratios of the chosen responses, 0 on prompt and padding.
        rejected: (B, T) those of the rejected ones, in the same columns.
        weights: (B, T) 1 - s_t of the rejected tokens; no gradient flows into them.
        gamma: scale; None takes `GAMMA` of the reduction.
        reduction: "sequence", the paper's, or "token", the authors' released code, for which T is L'.

    Returns:
        (B,) float32; for "token" the mean over the T columns.

    Raises:
        InputError: an unknown reduction.
    """
    if reduction not in GAMMA:
        raise InputError(f"Unknown reduction {reduction!r}: choose one of {', '.join(GAMMA)}.")
    gamma = GAMMA[reduction] if gamma is None else gamma
    difference = chosen - weights.detach() * rejected
    if reduction == "token":
        return logistic(gamma * difference).mean(-1)
    return logistic(gamma * difference.sum(-1))
