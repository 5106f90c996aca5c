"""The preference objectives by name: which loss, and what it needs of a batch."""

from dataclasses import dataclass

from torch import Tensor

from replication.alignment.cdpo import GAMMA, cdpo_loss
from replication.alignment.dpo import dpo_loss, length_normalised_nll, rpo_loss
from replication.alignment.preferences import halves, log_ratios
from replication.alignment.tdpo import tdpo1_loss, tdpo2_loss
from replication.settings import InputError

ALPHA = {"rpo": 1.0, "tdpo2": 0.5}
BETA = 0.1
METHODS = ("sft", "dpo", "rpo", "tdpo1", "tdpo2", "cdpo")


@dataclass(frozen=True)
class Scored:
    """A batch of B pairs as the losses see it; rows are the B chosen responses, then the B rejected ones.

    Attributes:
        policy: (2B, T) per-token log-probabilities of the policy, with gradient; (B, T) for "sft".
        mask: as `policy`, bool: predictions of response tokens.
        reference: as `policy`, those of the reference; None for "sft".
        weights: (2B, T) token weights, 1 on chosen tokens; None where there are none.
        kl: (2B, T) forward divergence from the reference at each position; None where not computed.
    """

    policy: Tensor
    mask: Tensor
    reference: Tensor | None = None
    weights: Tensor | None = None
    kl: Tensor | None = None


@dataclass(frozen=True)
class Objective:
    """One objective.

    Attributes:
        method: one of `METHODS`: "sft" learns the chosen response alone, per token of each sequence, the
            likelihood term of "rpo"; "cdpo" weights the rejected tokens.
        beta: scale of the log-ratios, γ of cDPO; None takes 0.1, and for cDPO what its reduction has.
        alpha: weight of the likelihood in "rpo" (1) and of the divergences in "tdpo2" (0.5); None takes
            these.
        reduction: of "cdpo": "sequence", the paper's, or "token", the authors' released code.
        smoothing: of "dpo": share of labels taken for flipped.
    """

    method: str
    beta: float | None = None
    alpha: float | None = None
    reduction: str = "sequence"
    smoothing: float = 0.0

    def __post_init__(self) -> None:
        """Check every value, and fill in the defaults of the method."""
        if self.method not in METHODS:
            raise InputError(f"Unknown method {self.method!r}: choose one of {', '.join(METHODS)}.")
        if self.reduction not in GAMMA:
            raise InputError(f"Unknown reduction {self.reduction!r}: choose one of {', '.join(GAMMA)}.")
        if self.method != "cdpo" and self.reduction != "sequence":
            raise InputError("Only cdpo has a reduction: leave it out.")
        if self.alpha is not None and self.method not in ALPHA:
            raise InputError(f"{self.method} has no alpha: leave it out.")
        if self.smoothing and self.method != "dpo":
            raise InputError(f"{self.method} has no label smoothing: leave it out.")
        if not 0 <= self.smoothing < 0.5:
            raise InputError(f"smoothing needs a share in [0, 0.5), got {self.smoothing}.")
        if self.beta is None:
            object.__setattr__(self, "beta", GAMMA[self.reduction] if self.method == "cdpo" else BETA)
        if self.alpha is None:
            object.__setattr__(self, "alpha", ALPHA.get(self.method, 0.0))
        if not self.beta > 0 or self.alpha < 0:
            raise InputError(f"beta needs a number > 0 and alpha one >= 0, got {self.beta} and {self.alpha}.")

    @property
    def weighted(self) -> bool:
        """Whether rejected tokens need weights."""
        return self.method == "cdpo"

    @property
    def needs_reference(self) -> bool:
        """Whether the loss compares with a reference."""
        return self.method != "sft"

    @property
    def needs_distribution(self) -> bool:
        """Whether the reference's whole distributions are needed: stored log-probabilities do not do."""
        return self.method in ("tdpo1", "tdpo2")

    def loss(self, batch: Scored) -> Tensor:
        """Return the loss of each pair: (B,) float32."""
        if self.method == "sft":
            return length_normalised_nll(batch.policy.sum(-1), batch.mask.sum(-1))
        if self.method == "cdpo":
            ratios = (batch.policy - batch.reference).masked_fill(~batch.mask, 0.0)
            _, weights = halves(batch.weights)
            return cdpo_loss(*halves(ratios), weights, self.beta, self.reduction)
        chosen, rejected = halves(log_ratios(batch.policy, batch.reference, batch.mask))
        if self.method == "dpo":
            return dpo_loss(chosen, rejected, self.beta, self.smoothing)
        if self.method == "rpo":
            sums, lengths = halves(batch.policy.sum(-1))[0], halves(batch.mask.sum(-1))[0]
            return rpo_loss(chosen, rejected, sums, lengths, self.beta, self.alpha)
        divergences = halves(batch.kl.sum(-1))
        if self.method == "tdpo1":
            return tdpo1_loss(chosen, rejected, *divergences, self.beta)
        return tdpo2_loss(chosen, rejected, *divergences, self.beta, self.alpha)
