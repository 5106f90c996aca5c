"""Selective language modelling, Rho-1 (Lin, Gou, Gong et al., NeurIPS 2024, arXiv 2404.07965).

A model is trained on whole texts, but only the tokens whose loss exceeds that of a reference model the most
are learnt from. With L the loss -log P(x_i | x_<i) of the model in training, L_RM that of the reference:

    L_Δ(x_i) = L(x_i) - L_RM(x_i)                          Eq. 3   `excess_loss`
    I_k(x_i) = 1 if x_i is in the top share k by score     Eq. 5   `select`, `Selection`
    loss     = 1/(N k) Σ_i I_k(x_i) L(x_i)                 Eq. 4   `selective_loss`; all i, k = 1: Eq. 2
    H_RM     = -Σ_v P_RM(v | x_<i) log P_RM(v | x_<i)      Eq. 8   `entropy`

The reference is the same base model, fine-tuned on a small curated set. Attention sees all tokens; only
losses are left out. The choice is a constant for the gradient, is made anew at each step, and saves no
computation. Each kept token weighs 1/(N k), more than without selection. Self-reference (sec. 3.4) trains the
reference on the pretraining corpus itself and keeps what it finds easy: scores -L_RM and -H_RM.

What the paper leaves open, and the choice here:

- It writes Eq. 4 over a sequence and says that a batch is ranked; which one (of the optimiser step, of a
  device, ...) is not said. `scope` has all three; "batch" is the whole step, over micro-batches and ranks.
- K = max(1, floor(k n + 1e-9)) of n valid tokens; ties go to the earlier token. The paper gives no rounding.
- Every token that has a target can be chosen, end-of-text tokens too; padding and the first token of a
  document packed with restarting positions have none.
- No reference loss is released, so the reference models are stand-ins (`env/rho1/`).

Here are pure functions; `trainer` trains with them, `reference` keeps the reference's losses, `trajectories`
analyses losses over checkpoints. `python -m replication.pretraining.rho1 --config FILE` runs all steps.
"""

from replication.pretraining.masks import (
    intersection,
    random_scores,
    realised_ratio,
    turnover,
    union,
)
from replication.pretraining.selection import (
    SCOPES,
    SCORES,
    Selection,
    excess_loss,
    kept_count,
    select,
    select_across,
)
from replication.pretraining.token_losses import (
    IGNORED,
    entropy,
    selective_loss,
    targets,
    token_losses,
)

__all__ = [
    "IGNORED",
    "SCOPES",
    "SCORES",
    "Selection",
    "entropy",
    "excess_loss",
    "intersection",
    "kept_count",
    "random_scores",
    "realised_ratio",
    "select",
    "select_across",
    "selective_loss",
    "targets",
    "token_losses",
    "turnover",
    "union",
]

if __name__ == "__main__":
    from replication.pretraining.launch import main

    main()
