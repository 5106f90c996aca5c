"""What a model computes of prompts before the first new token, kept for the next run on the same prompts.

An experiment asks the same questions once per decoding setting, and reading the prompts is a good part of
each run. A batch of the same prompts in the same order finds their keys, values and logits here instead. They
are copies of what the model gave, so no result depends on whether they were found.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from torch import Tensor

from replication.lm.cache import RoomyLayer

if TYPE_CHECKING:
    from transformers.cache_utils import DynamicCache

LIMIT = 2**28  # bytes of all that is kept


class Prefill(NamedTuple):
    """Keys and values of each layer, (rows, heads, width, size) each, and the logits behind, (rows, V)."""

    model: Any  # held, so that its identity is not given to another one
    layers: list[tuple[Tensor, Tensor]]
    logits: Tensor

    @property
    def size(self) -> int:
        """Bytes of the tensors."""
        tensors = [self.logits, *(one for pair in self.layers for one in pair)]
        return sum(one.numel() * one.element_size() for one in tensors)


class Prefills:
    """A store of prefills for models whose weights do not change while it lives.

    The least recently used go first; what is larger than a quarter of the limit is not kept.

    Args:
        limit: bytes of all prefills together.

    Attributes:
        found: number of prefills that were found here.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self.limit, self.found = limit, 0
        self._kept: OrderedDict[tuple[object, ...], Prefill] = OrderedDict()

    def restore(self, model: Any, prompts: Sequence[Sequence[int]], cache: "DynamicCache") -> Tensor | None:
        """Fill an empty cache and return the logits, (rows, V); None where the prompts are not known."""
        key = _key(model, prompts)
        if key not in self._kept:
            return None
        self._kept.move_to_end(key)
        self.found += 1
        kept = self._kept[key]
        for index, (keys, values) in enumerate(kept.layers):
            cache.update(keys, values, index)
        return kept.logits.clone()

    def keep(
        self, model: Any, prompts: Sequence[Sequence[int]], cache: "DynamicCache", logits: Tensor
    ) -> None:
        """Keep copies of what the model has computed of prompts, where every layer sees all of them."""
        if any(type(layer) is not RoomyLayer for layer in cache.layers):
            return
        seen = Prefill(model, [(layer.keys, layer.values) for layer in cache.layers], logits)
        if 4 * seen.size > self.limit:
            return
        copies = [(keys.clone(), values.clone()) for keys, values in seen.layers]
        self._kept[_key(model, prompts)] = Prefill(model, copies, logits.clone())
        while sum(one.size for one in self._kept.values()) > self.limit:
            self._kept.popitem(last=False)


def _key(model: Any, prompts: Sequence[Sequence[int]]) -> tuple[object, ...]:
    """Return what tells one prefill from another."""
    return (id(model), tuple(tuple(prompt) for prompt in prompts))
