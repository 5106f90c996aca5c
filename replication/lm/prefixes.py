"""What a model computes of whole texts, from which it can go on after any prefix of theirs.

Rollouts start from every position of a text. Attention looks back only, so keys and values of a prefix are
the first columns of those of the text: it is read once, and each start takes a copy of its columns. They
agree with those of a prefix read alone up to the rounding of the model's arithmetic.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from replication.lm.cache import RoomyLayer, new_cache
from replication.lm.prefills import Prefills
from replication.lm.session import accepted

if TYPE_CHECKING:
    from transformers.cache_utils import DynamicCache

    from replication.lm.loading import LanguageModel

# Positions, and logits, of one forward pass.
POSITIONS, LOGITS = 2**13, 2**27


class Prefixes(Prefills):
    """Texts read once: the prefills of all their prefixes of at least a given length.

    Takes, per text, the keys and values of all positions and the logits of the positions from `start` - 1 on.
    Where a layer does not see the whole text (sliding windows) keys and values are not kept, and prefixes are
    read anew when they are asked for.

    Args:
        lm: the model; its weights may not change while this lives.
        texts: ids of each text, none empty, none longer than the model's context.
        starts: length of the shortest prefix of each text that is asked for, 1 <= start <= length.
    """

    def __init__(self, lm: "LanguageModel", texts: Sequence[Sequence[int]], starts: Sequence[int]) -> None:
        super().__init__()
        self._lm = lm
        self._texts, self._starts = [list(text) for text in texts], list(starts)
        self._layers: list[list[tuple[Tensor, Tensor]] | None] = [None] * len(texts)
        self._logits: list[Tensor] = [torch.empty(0)] * len(texts)
        for numbers in self._batches():
            self._read(numbers)

    def logits(self, text: int, length: int) -> Tensor:
        """Return the raw logits behind the first `length` ids of a text, by its number: (V,)."""
        return self._logits[text][length - self._starts[text]]

    def restore(self, model: Any, prompts: Sequence[Sequence[int]], cache: "DynamicCache") -> Tensor | None:
        """Fill an empty cache and return the logits, (rows, V); None where a prompt is not a known prefix."""
        numbers = [self._number(list(prompt)) for prompt in prompts]
        if model is not self._lm.model or any(n is None or self._layers[n] is None for n in numbers):
            return None
        self.found += 1
        width = max(len(prompt) for prompt in prompts)
        for index in range(len(self._layers[numbers[0]])):
            pairs = [self._layers[number][index] for number in numbers]
            keys, values = (
                torch.stack(
                    [_padded(pair[part], len(p), width) for pair, p in zip(pairs, prompts, strict=True)]
                )
                for part in (0, 1)
            )
            cache.update(keys, values, index)
        return torch.stack([self.logits(n, len(p)) for n, p in zip(numbers, prompts, strict=True)])

    def keep(self, *_: Any) -> None:
        """Keep nothing: what is asked for was read at the start."""

    def _number(self, prompt: list[int]) -> int | None:
        """Return the number of the first text that begins with the prompt."""
        fits = (
            number
            for number, text in enumerate(self._texts)
            if self._starts[number] <= len(prompt) <= len(text) and text[: len(prompt)] == prompt
        )
        return next(fits, None)

    def _batches(self) -> Iterator[list[int]]:
        """Return the numbers of texts that are read together, the shortest first."""
        order = sorted(range(len(self._texts)), key=lambda number: (len(self._texts[number]), number))
        most = min(POSITIONS, max(1, LOGITS // self._lm.width))
        batch: list[int] = []
        for number in order:
            if batch and (len(batch) + 1) * len(self._texts[number]) > most:
                yield batch
                batch = []
            batch.append(number)
        if batch:
            yield batch

    @torch.inference_mode()
    def _read(self, numbers: list[int]) -> None:
        """Read texts side by side, padded on the right, where no text looks."""
        model, texts = self._lm.model, [self._texts[number] for number in numbers]
        width = max(map(len, texts))
        ids = torch.tensor([text + [self._lm.pad_id] * (width - len(text)) for text in texts])
        mask = torch.tensor([[1] * len(text) + [0] * (width - len(text)) for text in texts])
        cache = new_cache(model.config)
        options: dict[str, Any] = {"return_dict": True}
        if "position_ids" in accepted(type(model)):
            options["position_ids"] = torch.arange(width, device=model.device).expand(len(texts), -1)
        output = model(
            input_ids=ids.to(model.device),
            attention_mask=mask.to(model.device),
            past_key_values=cache,
            use_cache=True,
            **options,
        )
        whole = all(type(layer) is RoomyLayer for layer in cache.layers)
        for row, number in enumerate(numbers):
            length = len(texts[row])
            own = output.logits[row, self._starts[number] - 1 : length]
            self._logits[number] = self._lm.real(own).clone()
            if whole:
                self._layers[number] = [
                    (layer.keys[row, :, :length].clone(), layer.values[row, :, :length].clone())
                    for layer in cache.layers
                ]


def _padded(columns: Tensor, length: int, width: int) -> Tensor:
    """Return the first `length` columns of (heads, columns, size), with zeros before them up to `width`."""
    return torch.nn.functional.pad(columns[:, :length], (0, 0, width - length, 0))
