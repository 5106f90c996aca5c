"""What a critical token does: responses continued with it, without it, and with another token in its place.

The paper's comparison (Lin et al., "Critical Tokens Matter", ICML 2025, arXiv 2411.19943, section 2 and
Figure 2) sets the rollouts that made a token critical, of which none was right by definition, against
rollouts with another token in its place. Part of that gain is selection: a position chosen for a count of
zero does better in any second sample. Hence three sets of fresh rollouts:

    kept       y_1..y_t, then n continuations of a stream of their own;
    resampled  y_1..y_{t-1}, then n continuations, in which y_t may come again;
    replaced   y_1..y_{t-1}, then n tokens v_i != y_t, drawn with replacement from P(v) / (1 - P(y_t)) at
               temperature 1 without truncation (authors' released code), one continuation each.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from replication.alignment.rollouts import Rollouts, Sampling, Start, Trajectory
from replication.lm.truncated import Rule, draw
from replication.settings import InputError

if TYPE_CHECKING:
    from replication.lm.loading import LanguageModel

KEPT, RESAMPLED, REPLACED = KINDS = ("kept", "resampled", "replaced")


@dataclass(frozen=True)
class Replacement:
    """Right rollouts around one token.

    Attributes:
        name: of the trajectory.
        index: of the token in the response, from 0.
        n: rollouts of each kind.
        kept: right ones of n with the token.
        resampled: right ones of n with a token drawn anew.
        replaced: right ones of n with another token.
        same: how many of the resampled rollouts began with the token again.
        substitutes: (n,) int64, the tokens in its place in the replaced rollouts.
        generated: tokens that the model generated, of all three kinds.
    """

    name: str
    index: int
    n: int
    kept: int
    resampled: int
    replaced: int
    same: int
    substitutes: np.ndarray
    generated: int


@torch.inference_mode()
def substitutes(logits: Tensor, banned: int, u: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Return tokens drawn from a distribution without one of its tokens, the others in proportion.

    Args:
        logits: (V,) raw logits, V >= 2.
        banned: id that is never drawn.
        u: (n,) float64 in [0, 1).
        temperature: > 0.

    Returns:
        (n,) int64.

    Raises:
        InputError: an id outside the vocabulary, or no other id with a finite logit.
    """
    if not 0 <= banned < len(logits):
        raise InputError(f"The banned id {banned} is outside the model's {len(logits)}.")
    left = logits.float().index_fill(0, torch.tensor([banned], device=logits.device), -torch.inf)
    return draw(left.expand(len(u), -1), Rule("none"), u, temperature).cpu().numpy()


def replace(
    lm: "LanguageModel", trajectories: Sequence[Trajectory], indices: Sequence[int], sampling: Sampling
) -> list[Replacement]:
    """Return the right ones of n rollouts of each kind around one token of each trajectory.

    Args:
        lm: the model.
        trajectories: wrong responses.
        indices: of the token of each response that is kept, drawn anew and replaced, from 0.
        sampling: how rollouts are continued.

    Raises:
        InputError: trajectories that cannot be rolled out, or an index that is missing, outside its response
        or of its last token, behind which nothing is left to be continued.
    """
    if len(indices) != len(trajectories):
        raise InputError(f"One index per trajectory is needed, got {len(indices)} for {len(trajectories)}.")
    for one, index in zip(trajectories, indices, strict=True):
        if not 0 <= index < len(one.response) - 1:
            raise InputError(
                f"Token {index} of trajectory {one.name} is outside the response or its last: of "
                f"{len(one.response)} tokens all but the last can be replaced."
            )
    rollouts = Rollouts(lm, trajectories, sampling)
    starts = [start for number, index in enumerate(indices) for start in _starts(rollouts, number, index)]
    outcomes = rollouts.run(starts)
    results = []
    for number, index in enumerate(indices):
        three = slice(len(KINDS) * number, len(KINDS) * (number + 1))
        right = [int(outcome.right.sum()) for outcome in outcomes[three]]
        again, others = (np.array(list(start.firsts.values())) for start in starts[three][1:])
        one = trajectories[number]
        same = int((again == one.response[index]).sum())
        generated = sum(int(outcome.lengths.sum()) for outcome in outcomes[three])
        results.append(Replacement(one.name, index, sampling.n, *right, same, others, generated))
    return results


def _starts(rollouts: Rollouts, number: int, index: int) -> list[Start]:
    """Return the starts of the three kinds, in the order of `KINDS`."""
    token = rollouts.trajectories[number].response[index]
    u = rollouts.uniforms(number, index, REPLACED)
    tokens = {
        (index + 1, KEPT): rollouts.first_tokens(number, index + 1, KEPT),
        (index, RESAMPLED): rollouts.first_tokens(number, index, RESAMPLED),
        (index, REPLACED): substitutes(rollouts.logits(number, index), token, u),
    }
    return [
        Start(number, length, dict(enumerate(drawn.tolist())), kind)
        for (length, kind), drawn in tokens.items()
    ]
