"""Contrastive estimation of critical tokens (Lin, Liang, Xu et al., ICML 2025, arXiv 2411.19943, Eq. 1).

Two models are fine-tuned from one base: P_p on right trajectories, P_n on wrong ones. A token's score is

    log s_t = (1 + β) log P_p(y_t | x, y_<t) - β log P_n(y_t | x, y_<t) - log Z_t,
    Z_t     = Σ_v P_p(v | x, y_<t)^(1+β) P_n(v | x, y_<t)^(-β)        over the whole vocabulary.

So s_t is the softmax of (1 + β) times P_p's logits less β times P_n's, read at y_t; constants of either row
of logits cancel. β = 0, or P_n = P_p, gives s_t = P_p(y_t): a token that is merely improbable scores low as
well, which is why mean KL(P_p || P_n) is returned beside the scores. All is computed in float32, whatever the
models' type:
rounding is multiplied by 1 + β.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from replication.alignment.preferences import forward_kl
from replication.lm.scoring import LOGIT_BUDGET, TOKEN_BUDGET, logits_at
from replication.settings import InputError

if TYPE_CHECKING:
    from replication.lm.loading import LanguageModel


@dataclass(frozen=True)
class Contrast:
    """Scores of the tokens of one response, each an (n,) float32 array.

    Attributes:
        score: s_t, in (0, 1); low is critical.
        positive: log P_p(y_t | x, y_<t), nats.
        negative: log P_n(y_t | x, y_<t), nats.
        kl: KL(P_p || P_n) at the position, nats.
    """

    score: np.ndarray
    positive: np.ndarray
    negative: np.ndarray
    kl: np.ndarray


def contrastive_log_probs(positive: Tensor, negative: Tensor, beta: float = 1.0) -> Tensor:
    """Return log s over the whole vocabulary, which sums to 1 as a distribution.

    Ids that both models exclude (-inf) stay excluded.

    Args:
        positive: (..., V) logits of P_p.
        negative: (..., V) logits of P_n.
        beta: contrast, >= 0; 1 in the paper.

    Returns:
        (..., V) float32.

    Raises:
        InputError: a negative or non-finite beta, or logits of different vocabularies.
    """
    if not 0 <= beta < float("inf"):
        raise InputError(f"The contrast beta needs a number >= 0, got {beta}.")
    if positive.shape[-1] != negative.shape[-1]:
        raise InputError(
            f"The models have {positive.shape[-1]} and {negative.shape[-1]} ids: the normaliser sums over "
            "one vocabulary, so fine-tune both from one base and resize neither."
        )
    positive, negative = positive.float(), negative.float()
    mixed = (1 + beta) * positive - beta * negative
    return mixed.masked_fill(positive == -torch.inf, -torch.inf).log_softmax(-1)


def contrastive_scores(positive: Tensor, negative: Tensor, tokens: Tensor, beta: float = 1.0) -> Tensor:
    """Return s_t of given tokens: (...) float32; logits as `contrastive_log_probs`, tokens (...) int64."""
    found = contrastive_log_probs(positive, negative, beta)
    return found.gather(-1, tokens[..., None])[..., 0].exp()


def check_models(positive: "LanguageModel", negative: "LanguageModel") -> None:
    """Raise `InputError` for two models that do not share vocabulary and tokenizer."""
    if positive.width != negative.width:
        raise InputError(
            f"{positive.name} has {positive.width} ids and {negative.name} {negative.width}: fine-tune both "
            "from one base and resize neither."
        )
    if positive.tokenizer.get_vocab() != negative.tokenizer.get_vocab():
        raise InputError(
            f"{positive.name} and {negative.name} have different tokenizers: fine-tune both from one base."
        )


def score_responses(
    positive: "LanguageModel",
    negative: "LanguageModel",
    prompts: Sequence[Sequence[int]],
    responses: Sequence[Sequence[int]],
    beta: float = 1.0,
    *,
    token_budget: int = TOKEN_BUDGET,
    logit_budget: int = LOGIT_BUDGET,
) -> list[Contrast]:
    """Return the scores of each response's tokens: one forward pass per model and response, in batches.

    Args:
        positive: P_p.
        negative: P_n.
        prompts: ids of each prompt, none empty.
        responses: ids of each response, none empty; the end-of-text token is scored where it is there.
        beta: contrast.
        token_budget: largest number of positions of one forward pass.
        logit_budget: largest number of logits of one model that is held at once, or one response's.

    Raises:
        InputError: models of different vocabularies, an empty prompt or response, lists of different length,
            or what `replication.lm.scoring` refuses.
    """
    check_models(positive, negative)
    if len(prompts) != len(responses):
        raise InputError(f"{len(prompts)} prompts do not fit {len(responses)} responses: give one for each.")
    if empty := [i for i, pair in enumerate(zip(prompts, responses, strict=True)) if not all(map(len, pair))]:
        raise InputError(f"Prompt or response {empty[0]} is empty: both need at least one token.")
    found: dict[int, Contrast] = {}
    for batch in _batches(prompts, responses, logit_budget // positive.width):
        texts = [[*prompts[i], *responses[i]] for i in batch]
        places = [range(len(prompts[i]), len(text)) for i, text in zip(batch, texts, strict=True)]
        p, n = (logits_at(lm, texts, places, token_budget=token_budget) for lm in (positive, negative))
        for i, own, other in zip(batch, p, n, strict=True):
            found[i] = _contrast(own, other, torch.tensor(list(responses[i])), beta)
    return [found[i] for i in range(len(prompts))]


def mean_kl(contrasts: Sequence[Contrast]) -> float:
    """Return the mean of KL(P_p || P_n) over all tokens, nats: near 0, the two fine-tunes say the same."""
    if not contrasts:
        raise InputError("There are no scores to average over: score at least one response.")
    return float(np.concatenate([one.kl for one in contrasts]).mean())


def _contrast(positive: Tensor, negative: Tensor, tokens: Tensor, beta: float) -> Contrast:
    """Return the scores of one response from (n, V) logits."""
    logs = [logits.log_softmax(-1).gather(-1, tokens[:, None])[:, 0] for logits in (positive, negative)]
    score = contrastive_scores(positive, negative, tokens, beta)
    return Contrast(*(values.numpy() for values in (score, *logs, forward_kl(positive, negative))))


def _batches(
    prompts: Sequence[Sequence[int]], responses: Sequence[Sequence[int]], most: int
) -> Iterator[list[int]]:
    """Return groups of places, shortest texts first, with at most `most` response tokens, or one response."""
    batch: list[int] = []
    held = 0
    for i in sorted(range(len(prompts)), key=lambda i: len(prompts[i]) + len(responses[i])):
        if batch and held + len(responses[i]) > most:
            yield batch
            batch, held = [], 0
        batch.append(i)
        held += len(responses[i])
    if batch:
        yield batch
