"""Rows of one batch on their way through a model: cache, masks, positions, the next token's logits."""

import inspect
from collections.abc import Sequence
from functools import cache as memoised
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from replication.lm.cache import RoomyLayer, new_cache
from replication.lm.key_values import KeyValues
from replication.lm.lean import lean
from replication.lm.prefills import Prefills
from replication.settings import InputError

if TYPE_CHECKING:
    from replication.lm.loading import LanguageModel


@memoised
def accepted(kind: type) -> frozenset[str]:
    """Return the argument names of a model class's forward pass."""
    return frozenset(inspect.signature(kind.forward).parameters)


class Session:
    """A batch of rows that share their steps.

    Args:
        lm: the model.
        prompts: ids of each row's prompt, none empty; padded on the left to the longest.
        steps: the largest number of tokens that a row will be given.
        prefills: where the prompts' part is looked up and kept; None computes it.

    Attributes:
        logits: (rows, V) raw logits of the next token, as the model gives them, padding cut off.
        ids: (rows, width + tokens given so far) int64: padded prompts and tokens.
    """

    def __init__(
        self,
        lm: "LanguageModel",
        prompts: Sequence[Sequence[int]],
        steps: int,
        prefills: Prefills | None = None,
    ) -> None:
        self._model, self._real = lm.model, lm.real
        self._names = accepted(type(lm.model))
        if "past_key_values" not in self._names:
            raise InputError(f"{type(lm.model).__name__} keeps no key-value cache: use a Transformer model.")
        self._last_position = None if lm.context is None else lm.context - 1
        self._cache = new_cache(lm.model.config)
        width = max(len(prompt) for prompt in prompts)
        self._ids = torch.full((len(prompts), width + steps), lm.pad_id)
        self._mask = torch.ones_like(self._ids)
        for row, prompt in enumerate(prompts):
            self._ids[row, width - len(prompt) : width] = torch.as_tensor(list(prompt))
            self._mask[row, : width - len(prompt)] = 0
        self._ids, self._mask = self._ids.to(lm.device), self._mask.to(lm.device)
        self._next_position = self._mask[:, :width].sum(-1)  # (rows,)
        self._length = width
        positions = (self._mask[:, :width].cumsum(-1) - 1).clamp_(min=0)
        known = prefills.restore(lm.model, prompts, self._cache) if prefills is not None else None
        self.logits = self._forward(self._ids[:, :width], positions) if known is None else known
        if prefills is not None and known is None:
            prefills.keep(lm.model, prompts, self._cache, self.logits)
        # Steps only: prompts are read by the library, whose large passes have little to gain.
        self._lean = lean(lm.model) if steps and _whole(self._cache) else None
        if self._lean is not None:
            self._lean.reserve(width + steps)
            self._held = KeyValues(self._cache, self._mask[:, :width], steps)
            self._cache = None  # its tensors go as soon as they are copied elsewhere

    @property
    def ids(self) -> Tensor:
        """Padded prompts and the tokens given so far."""
        return self._ids[:, : self._length]

    def step(self, tokens: Tensor) -> None:
        """Give each row one more token, (rows,) int64, and compute the logits behind it."""
        self._ids[:, self._length] = tokens
        self._length += 1
        positions = self._next_position
        if self._last_position is not None:  # only rows that have ended can be beyond the table
            positions = positions.clamp(max=self._last_position)
        if self._lean is None:
            self.logits = self._forward(tokens[:, None], positions[:, None])
        else:
            self.logits = self._real(self._lean.step(tokens, positions, self._held))
        self._next_position = self._next_position + 1

    def select(self, index: Tensor) -> None:
        """Keep the rows of `index`, (n,) int64, in its order; a row may be repeated."""
        if self._lean is None:
            self._cache.reorder_cache(index)
        else:
            self._held.select(index)
        index = index.to(self._ids.device)
        self._ids, self._mask = self._ids[index], self._mask[index]
        self._next_position, self.logits = self._next_position[index], self.logits[index]

    def _forward(self, ids: Tensor, positions: Tensor) -> Tensor:
        """Run the model over new columns and return the logits of the last: (rows, V)."""
        options: dict[str, Any] = {"position_ids": positions, "logits_to_keep": 1, "return_dict": True}
        options = {
            name: value for name, value in options.items() if name in self._names or name == "return_dict"
        }
        output = self._model(
            input_ids=ids,
            attention_mask=self._mask[:, : self._length],
            past_key_values=self._cache,
            use_cache=True,
            **options,
        )
        return self._real(output.logits[:, -1])


def _whole(cache: Any) -> bool:
    """Tell whether every layer keeps all that it has seen."""
    return all(type(layer) is RoomyLayer for layer in cache.layers)
