"""Key-value caches that grow in place.

The library's layer concatenates keys and values anew at every step, which copies the whole cache per token;
here the tensors have room to spare, so that a step writes one column. Nor does a batch copy its cache when
rows end: rows from the end of the batch move to the places of those that have left, and the others stay.
Before that, such copies were 28 % of the time of CoT-decoding on the 1M-parameter model (k = 10, 32
questions; products of matrices 22 %, attention 21 %).
"""

from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache, DynamicLayer

ROOM = 64  # columns


class RoomyLayer(DynamicLayer):
    """A full-attention layer whose tensors, (rows, heads, capacity, width), are filled column by column.

    `keys` and `values` are views of the filled part, so everything inherited sees the usual layer.
    """

    def __init__(self) -> None:
        super().__init__()
        self._room: tuple[Tensor, Tensor] | None = None
        self._length = 0

    def update(
        self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Append the columns of new tokens and return all keys and values."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self._room, self._length = None, 0
        end = self._length + key_states.shape[-2]
        if self._room is None or end > self._room[0].shape[-2]:
            self._room = (
                self._grown(self.keys, key_states, end),
                self._grown(self.values, value_states, end),
            )
        for room, new in zip(self._room, (key_states, value_states), strict=True):
            room[:, :, self._length : end] = new
        self._length = end
        self.keys, self.values = (room[:, :, :end] for room in self._room)
        return self.keys, self.values

    def _grown(self, old: Tensor, new: Tensor, length: int) -> Tensor:
        """Return an empty tensor with room beyond `length`, its first columns those of `old`."""
        room = new.new_empty((*new.shape[:-2], length + ROOM, new.shape[-1]))
        if self._length:
            room[:, :, : self._length] = old
        return room

    def reorder_cache(self, beam_idx: Tensor) -> None:
        """Keep the given rows, in the given order; a row may be repeated."""
        if self._room is None:
            return
        if (places := moved(beam_idx, len(self.keys))) is not None:
            self._fill(places, beam_idx)
            return
        index = beam_idx.to(self.keys.device)
        rooms = []
        for full, used in zip(self._room, (self.keys, self.values), strict=True):
            room = full.new_empty((len(index), *full.shape[1:]))
            room[:, :, : self._length] = used[index]
            rooms.append(room)
        self._room = (rooms[0], rooms[1])
        self.keys, self.values = (room[:, :, : self._length] for room in self._room)

    def _fill(self, places: Tensor, index: Tensor) -> None:
        """Put the rows of `index` at the `places` where rows have left, and drop all behind it."""
        source, target = index[places].to(self.keys.device), places.to(self.keys.device)
        rooms = []
        for full, used in zip(self._room, (self.keys, self.values), strict=True):
            if len(places):
                used[target] = used[source]
            rooms.append(full[: len(index)])
        self._room = (rooms[0], rooms[1])
        self.keys, self.values = (room[:, :, : self._length] for room in self._room)

    def batch_select_indices(self, indices: Tensor) -> None:
        """Keep the given rows."""
        self.reorder_cache(torch.as_tensor(indices))

    def batch_repeat_interleave(self, repeats: int) -> None:
        """Repeat each row `repeats` times."""
        if self._room is not None:
            self.reorder_cache(torch.arange(self.keys.shape[0]).repeat_interleave(repeats))

    def crop(self, tokens_to_remove: int) -> None:
        """Drop the last tokens, given as a negative number."""
        super().crop(tokens_to_remove)
        if self._room is not None:
            self._length = self.keys.shape[-2]

    def reset(self) -> None:
        """Forget everything."""
        super().reset()
        self._room, self._length = None, 0


def moved(index: Tensor, rows: int) -> Tensor | None:
    """Return the places that another row is put at; None where some row is needed after it is written over.

    The rest of the rows stay where they are, so that little is copied when few rows leave.
    """
    if index.device.type != "cpu" or len(index) > rows:
        return None
    places = (index != torch.arange(len(index))).nonzero().squeeze(1)
    return places if bool((index[places] >= len(index)).all()) else None


def new_cache(config: Any) -> DynamicCache:
    """Return an empty cache for a model's configuration; sliding and linear layers stay the library's."""
    cache = DynamicCache(config=config)
    cache.layers = [RoomyLayer() if type(layer) is DynamicLayer else layer for layer in cache.layers]
    if getattr(cache, "layer_class_to_replicate", None) is DynamicLayer:
        cache.layer_class_to_replicate = RoomyLayer
    return cache
