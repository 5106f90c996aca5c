"""Which tokens of a batch are learnt from: scores of tokens, and the exact top share of them.

A score is better when it is larger. Of n tokens that can be predicted,

    K = max(1, floor(ratio n + 1e-9))

are kept: those of the largest scores, ties by the smaller place, so exactly K, whatever the ties. Padding
never takes part. Places count row by row through the whole batch: through micro-batches in their order, and
within a micro-batch through the ranks in theirs, as the Trainer deals out the rows of its data. So one
process, several ranks and accumulated micro-batches keep the same tokens.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from replication.pretraining.masks import random_scores
from replication.settings import InputError

SCOPES = ("batch", "microbatch", "sequence")
SCORES = ("excess", "reference", "entropy", "random", "reverse", "loss", "all")
# What is needed for a score besides the mask of valid positions.
OWN_LOSS = ("excess", "reverse", "loss")
REFERENCE_LOSS = ("excess", "reverse", "reference")

Gather = Callable[[Tensor], Sequence[Tensor]]
"""Returns the tensors (n_r,) that all ranks called it with, in the order of the ranks; n_r may differ."""


def excess_loss(losses: Tensor, reference: Tensor) -> Tensor:
    """Return the loss of the model in training minus that of the reference model (Rho-1, Eq. 3).

    Signed: a token that the learner predicts better than the reference has a negative excess.

    Args:
        losses: (B, T), nats.
        reference: (B, T), nats, aligned with `losses`.

    Returns:
        (B, T) float32, a constant for the gradient.

    Raises:
        InputError: shapes that differ.
    """
    if losses.shape != reference.shape:
        raise InputError(
            f"The excess loss needs two losses of one shape, got {tuple(losses.shape)} and "
            f"{tuple(reference.shape)}: score the same blocks with both models."
        )
    return losses.detach().float() - reference.detach().float()


@dataclass(frozen=True)
class Selection:
    """The rule by which tokens are chosen.

    Attributes:
        ratio: share k of the valid tokens that is kept, in (0, 1] (paper: 0.6 for 1.1B, 0.7 for 7B).
        scope: among which tokens is ranked: all of an optimiser step ("batch"), those of one forward pass
            ("microbatch") or of one row ("sequence"). The paper says "batch" and leaves open which.
        score: "excess" L - L_RM (paper); "reference" -L_RM and "entropy" -H_RM (self-reference, sec. 3.4);
            controls: "random", "reverse" L_RM - L, "loss" L; "all" keeps everything, which is plain causal
            language modelling.
        seed: of random scores, >= 0.

    Raises:
        InputError: a value out of range.
    """

    ratio: float = 0.6
    scope: str = "batch"
    score: str = "excess"
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every value."""
        check_ratio(self.ratio)
        if self.scope not in SCOPES:
            raise InputError(f"Unknown scope {self.scope!r}: choose one of {', '.join(SCOPES)}.")
        if self.score not in SCORES:
            raise InputError(f"Unknown score {self.score!r}: choose one of {', '.join(SCORES)}.")
        if not isinstance(self.seed, int) or isinstance(self.seed, bool) or self.seed < 0:
            raise InputError(f"The seed of a selection needs to be a whole number >= 0, got {self.seed!r}.")
        if self.score == "all" and self.ratio != 1:
            raise InputError(f"The score 'all' keeps every token: give ratio 1 with it, not {self.ratio}.")

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that the score needs besides ids and labels."""
        needs = {"random": ("block",), "entropy": ("reference_entropy",)}
        return needs.get(self.score, ("reference_loss",) if self.score in REFERENCE_LOSS else ())

    @property
    def needs_losses(self) -> bool:
        """Whether the score is made from the losses of the model in training."""
        return self.score in OWN_LOSS

    def scores(
        self,
        shape: tuple[int, int],
        losses: Tensor | None = None,
        reference: Tensor | None = None,
        entropy: Tensor | None = None,
        block: Tensor | None = None,
    ) -> Tensor:
        """Return the score of every position: (B, T) float32, larger is better, no gradient.

        Args:
            shape: (B, T).
            losses: (B, T) losses of the model in training, nats.
            reference: (B, T) losses of the reference model, nats.
            entropy: (B, T) entropies of the reference model, nats.
            block: (B,) integer numbers of the rows' blocks, for random scores.

        Raises:
            InputError: what the score is made from is missing or has another shape.
        """
        given = {"losses": losses, "reference_loss": reference, "reference_entropy": entropy, "block": block}
        for name in (*(("losses",) if self.needs_losses else ()), *self.columns):
            value, wanted = given[name], shape[:1] if name == "block" else shape
            if value is None or tuple(value.shape) != tuple(wanted):
                got = "nothing" if value is None else tuple(value.shape)
                raise InputError(
                    f"The score {self.score!r} needs {name} of shape {tuple(wanted)}, got {got}."
                )
        if self.score in ("excess", "reverse"):
            return excess_loss(losses, reference) * (1.0 if self.score == "excess" else -1.0)
        if self.score == "random":
            return random_scores(self.seed, block, shape[1])
        if self.score == "all":
            return torch.zeros(shape)
        value = {"reference": reference, "entropy": entropy, "loss": losses}[self.score]
        return value.detach().float() * (1.0 if self.score == "loss" else -1.0)


def check_ratio(ratio: float) -> None:
    """Raise `InputError` unless the ratio is a number in (0, 1]."""
    if isinstance(ratio, bool) or not isinstance(ratio, (int, float)) or not 0 < ratio <= 1:
        raise InputError(f"A selection needs a ratio in (0, 1] (the paper takes 0.6), got {ratio!r}.")


def kept_count(n_valid: int, ratio: float) -> int:
    """Return how many of `n_valid` tokens are kept: max(1, floor(ratio n + 1e-9)).

    The small term keeps 0.7 * 10 at 7; the paper leaves rounding open.

    Raises:
        InputError: no valid token, or a ratio outside (0, 1].
    """
    check_ratio(ratio)
    if n_valid < 1:
        raise InputError("No token of the batch can be predicted: all its labels are -100.")
    return max(1, math.floor(ratio * n_valid + 1e-9))


def kept_counts(valid: Tensor, ratio: float) -> Tensor:
    """Return how many tokens of each row are kept: (B,) int64, 0 for rows without a valid one."""
    check_ratio(ratio)
    n = valid.sum(-1)
    return (ratio * n.double() + 1e-9).floor().long().clamp(min=1).minimum(n)


def select(scores: Tensor, valid: Tensor, ratio: float, scope: str = "batch") -> Tensor:
    """Return which tokens are kept (Rho-1, Eq. 5): the top share of the batch or of each row.

    Args:
        scores: (B, T) floating point; compared in float32.
        valid: (B, T) bool, the positions that have a target.
        ratio: share kept, in (0, 1].
        scope: "batch" ranks over all rows given ("microbatch" is the same here), "sequence" within each row.

    Returns:
        (B, T) bool, exactly K kept, or in each row K of its own n.

    Raises:
        InputError: shapes that differ, an unknown scope, no valid token, or a score that is not a number.
    """
    if scope not in SCOPES:
        raise InputError(f"Unknown scope {scope!r}: choose one of {', '.join(SCOPES)}.")
    if scope != "sequence":
        return select_across([(scores, valid)], ratio)[0][0]
    _check(scores, valid)
    kept_count(int(valid.sum()), ratio)
    order = scores.float().argsort(dim=-1, descending=True, stable=True)
    # A second stable sort puts padding behind every real token, also behind one whose score is -inf.
    order = order.gather(1, (~valid).gather(1, order).to(torch.uint8).argsort(dim=-1, stable=True))
    places = torch.arange(scores.shape[1], device=scores.device).expand_as(order)
    ranks = torch.empty_like(order).scatter_(1, order, places)
    return ranks < kept_counts(valid, ratio)[:, None]


def select_across(
    parts: Sequence[tuple[Tensor, Tensor]], ratio: float, gather: Gather | None = None, rank: int = 0
) -> tuple[list[Tensor], Tensor]:
    """Return the tokens kept of a batch that is spread over micro-batches and ranks.

    Exact: the scores of all ranks are gathered, 4 bytes a token, and every rank ranks all of them.

    Args:
        parts: scores (B, T) and valid positions (B, T) of this rank's micro-batches; shapes may differ, every
            rank has the same number of micro-batches.
        ratio: share kept, in (0, 1].
        gather: collects tensors from all ranks; None is a single process.
        rank: place of this process among the ranks.

    Returns:
        A (B, T) bool mask for each micro-batch, and the smallest kept score, a float32 scalar.

    Raises:
        InputError: as `select`.
    """
    for scores, valid in parts:
        _check(scores, valid)
    own = [scores.detach().float()[valid] for scores, valid in parts]  # row by row, padding left out
    lengths = torch.tensor([len(flat) for flat in own], device=own[0].device)
    if gather is None:
        sizes, everyone = [lengths.tolist()], [torch.cat(own)]
    else:
        sizes, everyone = [part.tolist() for part in gather(lengths)], gather(torch.cat(own))
    pieces = [flat.split(size) for flat, size in zip(everyone, sizes, strict=True)]
    whole = torch.cat([piece for micro in zip(*pieces, strict=True) for piece in micro])
    kept, cutoff = _top(whole, kept_count(len(whole), ratio))
    mine = kept.split([size for micro in zip(*sizes, strict=True) for size in micro])[rank :: len(sizes)]
    masks = []
    for (_, valid), flat in zip(parts, mine, strict=True):
        mask = torch.zeros_like(valid)
        mask[valid] = flat
        masks.append(mask)
    return masks, cutoff


def _top(flat: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return which `count` of the scores (n,) are the largest, ties by place, and the smallest of them.

    Comparing with the smallest alone would keep all of its ties.
    """
    cutoff = flat.topk(count, sorted=False).values.min()
    if bool(flat.isnan().any()):
        raise InputError("A score is not a number: the loss diverged, so lower the learning rate.")
    above = flat > cutoff
    ties = flat == cutoff
    return above | (ties & (ties.cumsum(0) <= count - above.sum())), cutoff


def _check(scores: Tensor, valid: Tensor) -> None:
    """Raise `InputError` unless scores and valid positions fit each other."""
    if scores.ndim != 2 or scores.shape != valid.shape or valid.dtype != torch.bool:
        raise InputError(
            f"A selection needs scores (B, T) and a bool mask of the same shape, got {tuple(scores.shape)} "
            f"and {valid.dtype} {tuple(valid.shape)}."
        )
