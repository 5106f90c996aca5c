"""From weighted alternative texts to the distribution of the next token, along the tokens of a text."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from replication.settings import InputError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

_PAD = -1


@dataclass(frozen=True)
class Position:
    """The truth about one place of a text.

    Attributes:
        index: place of the predicted token in the text's ids; the prefix is `ids[:index]`.
        probabilities: token id -> probability of following the prefix, in the order of the ids. All are
            above 0, they sum to 1, and the token that does follow is among them.
    """

    index: int
    probabilities: Mapping[int, float]


@lru_cache(maxsize=4)
def _pieces_of(backend: str) -> dict[str, tuple[int, ...]]:
    """Return what is known of a tokenizer's pieces, in one place for a process: biographies have 78,400."""
    return {}


class Coder:
    """Encodes pieces of text without the tokens that a tokenizer puts in front, and remembers them."""

    def __init__(self, tokenizer: "PreTrainedTokenizerFast"):
        """Take a fast tokenizer with an end token.

        Raises:
            InputError: the tokenizer has no fast backend or no end token.
        """
        from tokenizers import Tokenizer

        if getattr(tokenizer, "backend_tokenizer", None) is None or tokenizer.eos_token_id is None:
            raise InputError("The truth needs a fast tokenizer with an end token: use a testbed model's.")
        # A copy, because padding or cutting that a caller has left switched on would go into the pieces.
        described = tokenizer.backend_tokenizer.to_str()
        self.backend = Tokenizer.from_str(described)
        self.backend.no_padding()
        self.backend.no_truncation()
        self.end = (int(tokenizer.eos_token_id),)
        self.start = tuple(self.backend.encode("").ids)  # BOS, if the tokenizer puts it in front
        self._known = _pieces_of(described)

    def pieces(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        """Return the ids of every text, start and end left out."""
        fresh = list(dict.fromkeys(text for text in texts if text not in self._known))
        encoded = self.backend.encode_batch(fresh, add_special_tokens=False)
        self._known |= {text: tuple(e.ids) for text, e in zip(fresh, encoded, strict=True)}
        return [self._known[text] for text in texts]

    def document(self, text: str) -> tuple[int, ...]:
        """Return the ids of a whole document, start and end included."""
        return (*self.backend.encode(text).ids, *self.end)


def matrix(rows: Sequence[Sequence[int]]) -> np.ndarray:
    """Return token rows of different lengths as one (N, L) int32 array, filled up with -1."""
    lengths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
    table = np.full((len(rows), lengths.max()), _PAD, dtype=np.int32)
    flat = np.fromiter((token for row in rows for token in row), dtype=np.int32, count=lengths.sum())
    table[np.arange(table.shape[1]) < lengths[:, None]] = flat
    return table


def follow(
    table: np.ndarray, weights: np.ndarray, ids: Sequence[int], start: int
) -> tuple[list[Position], int]:
    """Follow a text through weighted alternatives until one of them is complete.

    Args:
        table: (N, L) int32 token rows as from `matrix`, none the beginning of another.
        weights: (N,) float64, at least 0; rows of weight 0 are impossible.
        ids: tokens of the text.
        start: where in `ids` the alternatives begin.

    Returns:
        The positions of the alternative that the text takes, and its row.

    Raises:
        InputError: the text takes none of them, or one is the beginning of another, as where the tokenizer
            joins what lies on both sides of a boundary.
    """
    alive, found = np.flatnonzero(weights), []
    for depth in range(table.shape[1]):
        column = table[alive, depth]
        if column[0] == _PAD and len(alive) == 1:
            break
        sums = np.bincount(column - _PAD, weights[alive])  # by token; the end of a row comes first
        tokens = np.flatnonzero(sums) + _PAD
        actual = ids[start + depth] if start + depth < len(ids) else _PAD
        if tokens[0] == _PAD or actual not in tokens:
            raise InputError(
                "The text's tokens follow none of the generated world's alternatives: use a tokenizer that "
                "splits words, digits and signs, such as a testbed model's."
            )
        mass = sums[tokens - _PAD]
        truth = dict(zip(tokens.tolist(), (mass / mass.sum()).tolist(), strict=True))
        found.append(Position(start + depth, truth))
        alive = alive[column == actual]
    if len(alive) > 1:
        raise InputError("Two alternatives have the same tokens: give each of them once.")
    return found, int(alive[0])


def follow_texts(
    coder: Coder, alternatives: Iterable[tuple[str | None, float]], ids: Sequence[int], start: int
) -> tuple[list[Position], int]:
    """Return `follow` for alternatives given as texts; None stands for the end of the document."""
    texts, weights = zip(*alternatives, strict=True)
    coded = iter(coder.pieces([text for text in texts if text is not None]))
    rows = [coder.end if text is None else next(coded) for text in texts]
    return follow(matrix(rows), np.array(weights, dtype=float), ids, start)
