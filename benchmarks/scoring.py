"""Scores of given texts at the vocabulary of a large model: by full logits and softmax, and by `lm.scoring`.

Wanted are log-probability, top-1, top-2 and entropy of every token. The peer holds the logits of the batch
and what the softmax makes of them; ours works on the output layer a block of positions at a time. The model
is a small random Llama with a vocabulary of 128,256, so that nearly all the time is the output layer's.

Asked about are 64 x 512 tokens, for which the peer would hold logits of 16 GB several times over. So fewer
tokens are timed, and memory is measured, in a process of its own, on that many and on twice as many: the
growth between them tells what the peer would need for all, which is then a calculation and named so. Ours
alone can be measured on all of them, in some minutes:

    python -m benchmarks.memory scoring 1 '{"rows": 64, "tokens": 512, "width": 128256, "peer": false}'
"""

from functools import partial

import numpy as np
import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

from benchmarks.harness import Case
from replication.lm.loading import LanguageModel
from replication.lm.scoring import TokenScores, score

ROWS, TOKENS, WIDTH = 4, 64, 128_256
ALL_ROWS, ALL_TOKENS = 64, 512  # of the work that is asked about
TARGET = 1.0  # asked of ours: the same time or less; of memory, a twentieth of the peer's
PEER = "score: full logits, softmax"
OURS = "score: ours"


class Ids:
    """Stands for a tokenizer that has a number of ids and no texts."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __len__(self) -> int:
        """Return the number of ids."""
        return self.number

    def get_vocab(self) -> dict[str, int]:
        """Return no texts."""
        return {}


def model(width: int) -> LanguageModel:
    """Return a random Llama of 2 layers, 128 wide, with tied embeddings of `width` ids."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=width,
        hidden_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=4,
        intermediate_size=341,
        max_position_embeddings=ALL_TOKENS,
        tie_word_embeddings=True,
        pad_token_id=0,
    )
    return LanguageModel(LlamaForCausalLM(config).eval(), Ids(width), "random", "")


def texts(rows: int, tokens: int, width: int) -> Tensor:
    """Return random ids (rows, tokens)."""
    return torch.randint(1, width, (rows, tokens), generator=torch.Generator().manual_seed(0))


def full(lm: LanguageModel, ids: Tensor) -> Tensor:
    """Return log-probability, top-1, top-2 and entropy of all tokens but the first: (4, rows, tokens - 1)."""
    logits = lm.model(input_ids=ids, use_cache=False).logits[:, :-1]
    logs = logits.float().log_softmax(-1)
    probabilities = logs.exp()
    own = logs.gather(-1, ids[:, 1:, None]).squeeze(-1)
    first, second = probabilities.topk(2, dim=-1).values.unbind(-1)
    return torch.stack([own, first, second, -(probabilities * logs).sum(-1)])


def ours(lm: LanguageModel, ids: Tensor) -> list[TokenScores]:
    """Return the scores of all tokens but the first of each row."""
    return score(lm, ids.tolist())


def cases(rows: int, tokens: int, width: int, peer: bool = True) -> list[Case]:
    """Return the cases on `rows` rows of `tokens` tokens with a vocabulary of `width`."""
    lm, ids = model(width), texts(rows, tokens, width)
    ours(lm, ids[:1, :2])  # finds out once how the model's logits come about
    if not peer:
        return [Case(OURS, partial(ours, lm, ids))]
    return [Case(PEER, partial(full, lm, ids)), Case(OURS, partial(ours, lm, ids), PEER, TARGET)]


def check(rows: int, tokens: int, width: int) -> dict[str, float]:
    """Return the largest differences between both, which have to be 0, about."""
    lm, ids = model(width), texts(rows, tokens, width)
    theirs, found = full(lm, ids).numpy(), ours(lm, ids)
    names = ("logprob", "top1", "top2", "entropy")
    own = np.array([[getattr(one, name) for one in found] for name in names])
    gaps = np.abs(own - theirs).max(axis=(1, 2))
    return {f"{name}, largest difference": float(f"{gap:.2g}") for name, gap in zip(names, gaps, strict=True)}


def memory(once: dict[str, float], twice: dict[str, float], rows: int, tokens: int) -> dict[str, float]:
    """Return what the peaks say, in MiB by case: once with `rows` rows, twice with double as many.

    The peer's peak of the whole work is a calculation: its peak a token times the tokens.
    """
    if not once or not twice:
        return {}
    slope = (twice[PEER] - once[PEER]) / (rows * tokens)
    whole = slope * ALL_ROWS * ALL_TOKENS
    return {
        "peer's peak of twice the rows by that of once": round(twice[PEER] / once[PEER], 2),
        "our peak of twice the rows by that of once": round(twice[OURS] / once[OURS], 2),
        "peak of the peer by ours, twice the rows": round(twice[PEER] / twice[OURS], 1),
        f"peer's peak of {ALL_ROWS} x {ALL_TOKENS} tokens, GiB, calculated": round(whole / 1024, 1),
    }
