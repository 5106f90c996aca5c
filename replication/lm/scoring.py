"""Scores of given texts: what a model thinks of each token, without holding the logits of all of them."""

import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from replication.lm.cache import new_cache
from replication.lm.measures import ENTROPY, LOGPROB, TOP1, TOP2, measure, rank
from replication.lm.session import accepted
from replication.settings import InputError

if TYPE_CHECKING:
    from replication.lm.loading import LanguageModel

# Positions (rows x longest sequence) of one forward pass.
TOKEN_BUDGET = 2**14
# Logits held at once: positions x vocabulary; 2**24 float32 are 64 MiB.
LOGIT_BUDGET = 2**24
# Configuration entries of models that change the logits behind the output layer (Gemma 2, Cohere, Granite,
# ...).
POST_PROCESSING = (
    "final_logit_softcapping",
    "logit_scale",
    "logits_scaling",
    "lm_head_multiplier",
    "output_multiplier",
)
_PLAIN_HEAD: "weakref.WeakKeyDictionary[object, bool]" = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class TokenScores:
    """Measures of the tokens of one sequence from `start` on, each given everything before it.

    Attributes:
        start: place in the sequence of the first scored token, at least 1.
        logprob: (n,) float32, nats.
        top1: (n,) float32, largest probability.
        top2: (n,) float32, second largest.
        entropy: (n,) float32, nats.
        rank: (n,) int32, number of ids with a strictly larger logit; 0 is the greedy choice.
    """

    start: int
    logprob: np.ndarray
    top1: np.ndarray
    top2: np.ndarray
    entropy: np.ndarray
    rank: np.ndarray


def score(
    lm: "LanguageModel",
    sequences: Sequence[Sequence[int]],
    *,
    start: int | Sequence[int] = 0,
    token_budget: int = TOKEN_BUDGET,
) -> list[TokenScores]:
    """Return the scores of each sequence's tokens, in the order given.

    Args:
        lm: the model.
        sequences: ids, none empty.
        start: first token to score, one for all or one each; the first token of a text has no context and is
            never scored, so 0 means 1.
        token_budget: largest number of positions of one forward pass.

    Raises:
        InputError: an empty sequence, an id the model does not have, or a text longer than its position
        table.
    """
    starts = [start] * len(sequences) if isinstance(start, int) else list(start)
    if len(starts) != len(sequences) or any(place < 0 for place in starts):
        raise InputError("score needs one start >= 0 for all sequences, or one for each.")
    _check(lm, sequences)
    results: dict[int, TokenScores] = {}
    for batch in _batches(sequences, token_budget):
        rows = [list(sequences[i]) for i in batch]
        begins = [min(max(1, starts[i]), len(sequences[i])) for i in batch]
        for i, begin, values in zip(batch, begins, _score(lm, rows, begins), strict=True):
            floats = values.astype(np.float32)
            results[i] = TokenScores(
                begin,
                floats[LOGPROB],
                floats[TOP1],
                floats[TOP2],
                floats[ENTROPY],
                values[-1].astype(np.int32),
            )
    return [results[i] for i in range(len(sequences))]


def logits_at(
    lm: "LanguageModel",
    sequences: Sequence[Sequence[int]],
    places: Sequence[Sequence[int]],
    *,
    token_budget: int = TOKEN_BUDGET,
) -> list[Tensor]:
    """Return the raw logits that predict chosen tokens of each sequence.

    All of them are held in memory: (number of places) x V float32 numbers.

    Args:
        lm: the model.
        sequences: ids, none empty.
        places: per sequence the places of the predicted tokens, ascending, from 1 up to its length (the token
            behind its end).
        token_budget: largest number of positions of one forward pass.

    Returns:
        Per sequence (len(places), V) float32 on the CPU.

    Raises:
        InputError: as `score`; places out of range or order.
    """
    _check(lm, sequences)
    for i, (own, sequence) in enumerate(zip(places, sequences, strict=True)):
        if list(own) != sorted(set(own)) or (own and not 1 <= own[0] <= own[-1] <= len(sequence)):
            raise InputError(f"Sequence {i} needs ascending places between 1 and {len(sequence)}.")
    found: dict[int, Tensor] = {}
    for batch in _batches(sequences, token_budget):
        rows = [list(sequences[i]) for i in batch]
        for i, logits in zip(batch, _logits(lm, rows, [places[i] for i in batch]), strict=True):
            found[i] = logits
    return [found[i] for i in range(len(sequences))]


@torch.inference_mode()
def _logits(lm: "LanguageModel", rows: list[list[int]], places: Sequence[Sequence[int]]) -> list[Tensor]:
    """Return `logits_at` of one batch."""
    width = max(map(len, rows))
    ids = torch.tensor([row + row[-1:] * (width - len(row)) for row in rows], device=lm.device)
    wanted = torch.zeros((len(rows), width), dtype=torch.bool)
    for i, own in enumerate(places):
        wanted[i, torch.tensor(list(own), dtype=torch.long) - 1] = True
    kept: list[list[Tensor]] = [[] for _ in rows]
    wanted = wanted.to(lm.device)
    chunks = _from_head(lm, ids, wanted) if plain_head(lm) else _from_forward(lm, ids, wanted)
    for (row, column), logits in chunks:
        order = torch.argsort(row * width + column)
        for i, own in zip(row[order].tolist(), logits[order].float().cpu(), strict=True):
            kept[i].append(own)
    return [torch.stack(own) if own else torch.empty((0, lm.choices)) for own in kept]


def _check(lm: "LanguageModel", sequences: Sequence[Sequence[int]]) -> None:
    """Raise `InputError` for sequences that cannot be run."""
    for place, sequence in enumerate(sequences):
        if not len(sequence):
            raise InputError(f"Sequence {place} is empty: scoring needs at least one token.")
        if min(sequence) < 0 or max(sequence) >= lm.choices:
            raise InputError(
                f"Sequence {place} has an id outside the model's {lm.choices}: check the tokenizer."
            )
        if lm.context is not None and len(sequence) > lm.context:
            raise InputError(
                f"Sequence {place} has {len(sequence)} tokens, {lm.name} takes {lm.context}: shorten it."
            )


def _batches(sequences: Sequence[Sequence[int]], token_budget: int) -> Iterator[list[int]]:
    """Return groups of places, shortest sequences first, each within the budget or of one sequence."""
    batch: list[int] = []
    for i in sorted(range(len(sequences)), key=lambda i: len(sequences[i])):
        if batch and (len(batch) + 1) * len(sequences[i]) > token_budget:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch


@torch.inference_mode()
def _score(lm: "LanguageModel", rows: list[list[int]], starts: list[int]) -> list[np.ndarray]:
    """Return (5, n) float64 arrays, one per row: the four measures and the rank."""
    width = max(map(len, rows))
    # Padded on the right: behind a causal mask nothing of it reaches the tokens before.
    ids = torch.tensor([row + row[-1:] * (width - len(row)) for row in rows], device=lm.device)
    place = torch.arange(width - 1, device=lm.device)[None]
    ends = torch.tensor([len(row) - 1 for row in rows], device=lm.device)[:, None]
    begins = torch.tensor([start - 1 for start in starts], device=lm.device)[:, None]
    wanted = (place >= begins) & (place < ends)  # (rows, width - 1)
    values = np.zeros((5, *wanted.shape))
    chunks = _from_head(lm, ids, wanted) if plain_head(lm) else _from_forward(lm, ids, wanted)
    for (row, column), logits in chunks:
        tokens = ids[row, column + 1]
        found = torch.cat([measure(logits, tokens), rank(logits, tokens)[None].float()])
        values[:, row.cpu().numpy(), column.cpu().numpy()] = found.cpu().numpy()
    return [
        values[:, i, start - 1 : len(row) - 1]
        for i, (row, start) in enumerate(zip(rows, starts, strict=True))
    ]


Chunk = tuple[tuple[Tensor, Tensor], Tensor]


def _from_head(lm: "LanguageModel", ids: Tensor, wanted: Tensor) -> Iterator[Chunk]:
    """Return places and logits (n, V), block by block, from the last hidden states and the output layer."""
    if not bool(wanted.any()):
        return
    hidden = lm.model.base_model(input_ids=ids, use_cache=False).last_hidden_state
    head = lm.model.get_output_embeddings()
    size = max(1, LOGIT_BUDGET // lm.width)
    rows, columns = wanted.nonzero(as_tuple=True)
    for row, column in zip(rows.split(size), columns.split(size), strict=True):
        yield (row, column), lm.real(head(hidden[row, column]))


def _from_forward(lm: "LanguageModel", ids: Tensor, wanted: Tensor) -> Iterator[Chunk]:
    """Return places and logits (n, V), block by block, from the model's forward pass over pieces of text."""
    size = max(1, LOGIT_BUDGET // (lm.width * len(ids)))
    cache = new_cache(lm.model.config)
    for start in range(0, wanted.shape[1], size):
        piece = ids[:, start : min(start + size, wanted.shape[1])]
        positions = torch.arange(start, start + piece.shape[1], device=ids.device).expand(len(ids), -1)
        options = {"position_ids": positions} if "position_ids" in accepted(type(lm.model)) else {}
        mask = torch.ones((len(ids), start + piece.shape[1]), dtype=torch.long, device=ids.device)
        logits = lm.model(
            input_ids=piece, attention_mask=mask, past_key_values=cache, use_cache=True, **options
        ).logits
        row, column = wanted[:, start : start + piece.shape[1]].nonzero(as_tuple=True)
        if len(row):
            yield (row, column + start), lm.real(logits[row, column])


def plain_head(lm: "LanguageModel") -> bool:
    """Tell whether the model's logits are its output layer's, with nothing behind; found once per model."""
    if lm.model not in _PLAIN_HEAD:
        _PLAIN_HEAD[lm.model] = _probe(lm)
    return _PLAIN_HEAD[lm.model]


@torch.inference_mode()
def _probe(lm: "LanguageModel") -> bool:
    """Compare both ways on two tokens; look for configuration entries that small logits do not show."""
    config = lm.model.config.get_text_config()
    if any(getattr(config, name, None) not in (None, 1, 1.0) for name in POST_PROCESSING):
        return False
    head, base = lm.model.get_output_embeddings(), lm.model.base_model
    if head is None or base is lm.model:
        return False
    ids = torch.arange(2, device=lm.device)[None] % lm.width
    output = base(input_ids=ids, use_cache=False)
    hidden = getattr(output, "last_hidden_state", None)
    if hidden is None:
        return False
    return bool(
        torch.allclose(head(hidden), lm.model(input_ids=ids, use_cache=False).logits, rtol=1e-4, atol=1e-5)
    )
