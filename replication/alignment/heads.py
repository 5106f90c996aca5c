"""A causal language model that computes what preference losses need, and no more.

Of a batch of prompts and responses only the positions that predict the response need the output layer. On a
CPU trl's own fused head projects every position, prompt and padding included, and its entropies and
accuracies cost as much again; here the hidden states are picked first. On other devices trl's kernel does
that already and is used, as it is for models that change their logits behind the output layer.
"""

import functools
import types
from typing import Any

import torch
from torch import Tensor
from transformers.modeling_utils import PreTrainedModel
from trl.trainer.utils import add_fused_lm_head

from replication.alignment.preferences import IGNORED, token_log_probs
from replication.lm import packed
from replication.lm.lean import UNALTERED, altered
from replication.lm.loading import LanguageModel
from replication.lm.scoring import plain_head

LOG_PROBS, LOGITS = "log_probs", "logits"


def add_response_head(model: PreTrainedModel) -> None:
    """Let `model(input_ids=..., labels=..., response_head=...)` return a dictionary of what is asked.

    With "log_probs": (B, L - 1) float32 per-token log-probabilities, 0 where the label is -100. With
    "logits": (n, V) float32 logits of the n predicted positions, row by row. Padding is on the right; no
    attention mask is used, for behind a causal one no real token sees padding. Without `response_head` the
    forward pass is what it was. The model is changed in place, through the class's method bound anew, so that
    wrappers for several devices and adapters see a forward pass like any other; `remove_heads` undoes it,
    before which the model must not be deep-copied.
    """
    plain, unaltered = plain_head(LanguageModel(model, None, "", "")), not altered(model)
    add_fused_lm_head(model, outputs=(LOG_PROBS,))
    inner = model.forward

    @functools.wraps(type(model).forward)
    def forward(
        self: Any, *args: Any, response_head: str = "", labels: Tensor | None = None, **kwargs: Any
    ) -> Any:
        if not response_head:
            return inner(*args, **kwargs) if labels is None else inner(*args, labels=labels, **kwargs)
        if response_head == LOG_PROBS and (not plain or labels.device.type != "cpu"):
            found = inner(*args, labels=labels, fused_lm_head=True, **kwargs).log_probs
            return {LOG_PROBS: found}
        targets = labels[:, 1:]
        mask = targets != IGNORED
        logits = _logits(self, inner, mask, plain, args, kwargs)
        if response_head == LOGITS:
            return {LOGITS: logits}
        flat = token_log_probs(logits, targets[mask])
        return {LOG_PROBS: spread(flat, mask)}

    setattr(forward, UNALTERED, unaltered)
    model.forward = types.MethodType(forward, model)


def _logits(model: Any, inner: Any, mask: Tensor, plain: bool, args: tuple, kwargs: dict) -> Tensor:
    """Return (n, V) float32 logits at the positions of the mask."""
    if not plain:
        return inner(*args, **kwargs | {"use_cache": False}).logits[:, :-1][mask].float()
    hidden = model.base_model(*args, **kwargs | {"use_cache": False}).last_hidden_state
    return model.get_output_embeddings()(hidden[:, :-1][mask]).float()


def spread(flat: Tensor, mask: Tensor) -> Tensor:
    """Return values of the True positions, (n,), as a tensor of the mask's shape, 0 elsewhere."""
    return flat.new_zeros(mask.shape).masked_scatter(mask, flat)


def remove_heads(model: PreTrainedModel) -> None:
    """Give a model the forward pass of its class back."""
    model.__dict__.pop("forward", None)


def causal_lm(model: Any) -> PreTrainedModel:
    """Return the causal language model inside an adapter, or the model itself."""
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def labels_of(batch: dict[str, Tensor]) -> Tensor:
    """Return the ids of responses, -100 on prompt and padding: (2B, L) int64."""
    return batch["input_ids"].masked_fill(batch["completion_mask"] == 0, IGNORED)


def forward(model: Any, ids: Tensor, labels: Tensor, distribution: bool) -> tuple[Tensor, Tensor | None]:
    """Return per-token log-probabilities (2B, L - 1), and the (n, V) logits where asked, else None."""
    if packed.fits(model):
        return _packed(model, ids[:, :-1], labels[:, 1:], distribution)
    kind = LOGITS if distribution else LOG_PROBS
    output = model(input_ids=ids, labels=labels, response_head=kind, use_cache=False)
    if not distribution:
        return output[LOG_PROBS], None
    logits, targets = output[LOGITS], labels[:, 1:]
    mask = targets != IGNORED
    return spread(token_log_probs(logits, targets[mask]), mask), logits


def _packed(model: Any, ids: Tensor, targets: Tensor, distribution: bool) -> tuple[Tensor, Tensor | None]:
    """Return `forward` of a model that `packed` knows, common beginnings of pairs read once."""
    layout = packed.texts(ids, targets, paired=len(ids) % 2 == 0)
    if not distribution:
        return -packed.losses(model, layout, targets), None
    logits, mask = packed.logits(model, layout), targets != IGNORED
    return spread(token_log_probs(logits, targets[mask]), mask), logits


@torch.no_grad()
def frozen(model: Any, ids: Tensor, labels: Tensor, distribution: bool) -> tuple[Tensor, Tensor | None]:
    """Return `forward` without gradient."""
    return forward(model, ids, labels, distribution)
