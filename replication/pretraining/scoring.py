"""What a frozen model thinks of blocks: losses and entropies, without the logits of a whole batch at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from replication.lm import packed
from replication.lm.loading import LanguageModel
from replication.lm.scoring import plain_head
from replication.pretraining import token_losses
from replication.pretraining.token_losses import IGNORED, row_losses

# Positions and logits worked on at once: what stays in a processor's cache, what keeps a GPU busy.
CPU_TOKENS, GPU_TOKENS = 2**10, 2**15
CPU_LOGITS, GPU_LOGITS = 2**19, 2**26


def score(
    model: Any, input_ids: Tensor, targets: Tensor, position_ids: Tensor | None = None, entropy: bool = False
) -> tuple[Tensor, Tensor | None]:
    """Return losses and entropies of a model in evaluation mode: no dropout, no gradient, in float32.

    The output layer runs on some positions at a time, and not on those without a target, so that no second
    block of logits lies beside those of a model in training.

    Args:
        model: a transformers causal language model; its mode is set back afterwards.
        input_ids: (B, T) int64, padded on the right.
        targets: (B, T) int64 as `token_losses.targets` returns them.
        position_ids: (B, T) int64, or None for 0, 1, 2, ...
        entropy: whether entropies are wanted.

    Returns:
        (B, T) float32 losses in nats, 0 where there is no target; the same for entropies, or None.
    """
    if packed.fits(model) and not entropy:
        with evaluating(model), torch.inference_mode():
            return _packed(model, input_ids, position_ids, targets), None
    losses = torch.zeros(targets.shape, device=targets.device)
    entropies = torch.zeros_like(losses) if entropy else None
    with evaluating(model), torch.inference_mode():
        for rows, columns, logits in _chunks(model, input_ids, position_ids, targets != IGNORED):
            losses[rows, columns] = row_losses(logits, targets[rows, columns])
            if entropies is not None:
                entropies[rows, columns] = token_losses.entropy(logits)
    return losses, entropies


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Put a model into evaluation mode for a while."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


def inputs(input_ids: Tensor, position_ids: Tensor | None) -> dict[str, Any]:
    """Return the arguments of a forward pass: no labels, no attention mask, no cache.

    Causal attention keeps right padding from real tokens, and positions that restart keep documents apart.
    """
    return {"input_ids": input_ids, "use_cache": False} | (
        {} if position_ids is None else {"position_ids": position_ids}
    )


def _packed(model: Any, ids: Tensor, positions: Tensor | None, targets: Tensor) -> Tensor:
    """Return the losses of a model that `packed` knows, some rows at a time: (B, T) float32."""
    size, found = max(1, CPU_TOKENS // ids.shape[1]), []
    for start in range(0, len(ids), size):
        part = slice(start, start + size)
        layout = packed.documents(ids[part], None if positions is None else positions[part], targets[part])
        found.append(packed.losses(model, layout, targets[part]))
    return torch.cat(found)


def _chunks(
    model: Any, ids: Tensor, positions: Tensor | None, wanted: Tensor
) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Yield rows (n,), columns (n,) and logits (n, V) of the wanted positions, some at a time."""
    width, small = model.get_input_embeddings().weight.shape[0], ids.device.type == "cpu"
    tokens, logits_held = (CPU_TOKENS, CPU_LOGITS) if small else (GPU_TOKENS, GPU_LOGITS)
    plain = plain_head(LanguageModel(model, None, "", ""))
    size = max(1, (tokens if plain else min(tokens, logits_held // width)) // ids.shape[1])
    for start in range(0, len(ids), size):
        part = slice(start, start + size)
        given = inputs(ids[part], None if positions is None else positions[part])
        rows, columns = wanted[part].nonzero(as_tuple=True)
        if not plain:
            yield rows + start, columns, model(**given).logits[rows, columns]
            continue
        hidden, head = model.base_model(**given).last_hidden_state, model.get_output_embeddings()
        pieces = (place.split(max(1, logits_held // width)) for place in (rows, columns))
        for row, column in zip(*pieces, strict=True):
            yield row + start, column, head(hidden[row, column])
