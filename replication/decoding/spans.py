"""Where generated tokens lie in the text, and which of them hold an answer. Shared by the decoding methods.

The characters of a token follow from decoding the ids that were generated, never from encoding the text
again: a second encoding may split it in another way. A token's interval is half-open, [start, end). Tokens
that carry only a part of a character (byte-level BPE, SentencePiece byte fallback) hold that whole character,
so several tokens may share one; special tokens are empty.
"""

from collections.abc import Callable, Sequence

import numpy as np

INCOMPLETE = "\ufffd"
CACHE_LIMIT = 1 << 20
PATHS_LIMIT = 1 << 14
LONGEST_WAIT = 16  # tokens; a character has at most four bytes, so longer waits are bytes that never make one
_Group = list[tuple[int, int, int, int]]


class Offsets:
    """Character intervals of generated tokens, with short windows and whole paths kept between calls.

    The text grows by what a token adds behind its predecessor, which keeps the leading spaces of
    SentencePiece, and bytes wait until their character is complete. Each window is a few tokens, so a path
    costs O(T). A tokenizer whose texts do not add up this way is decoded prefix by prefix, O(T^2).

    Args:
        tokenizer: a transformers tokenizer, or anything with its `decode` and `all_special_ids`.
    """

    def __init__(self, tokenizer: object) -> None:
        self._tokenizer = tokenizer
        self._special = frozenset(getattr(tokenizer, "all_special_ids", ()))
        self._windows: dict[tuple[int, ...], str] = {}
        self._paths: dict[tuple[tuple[int, ...], str | None], np.ndarray] = {}

    def __call__(self, ids: Sequence[int], text: str | None = None) -> np.ndarray:
        """Return the intervals of one path.

        Args:
            ids: (T,) generated token ids, in order.
            text: decoded text of the path, possibly cut at a stop string; None decodes it here.

        Returns:
            (T, 2) int64. Tokens behind the end of `text` (stop string, end of sequence) are empty intervals.
        """
        ids = [int(token) for token in ids]
        path = (tuple(ids), text)
        if (known := self._paths.get(path)) is None:
            if len(self._paths) >= PATHS_LIMIT:
                self._paths.clear()
            known = self._paths[path] = self._intervals(ids, text)
        return known.copy()

    def _intervals(self, ids: list[int], text: str | None) -> np.ndarray:
        full = self.decode(ids) if text is None else text
        pieces, offsets = self._grow(ids)
        if not (pieces.startswith(full) if text is not None else pieces == full):
            offsets = self._prefixes(ids)
        return np.minimum(offsets, len(full))

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of `ids` without special tokens and without clean-up of spaces."""
        return self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)

    def _window(self, window: tuple[int, ...]) -> str:
        if (text := self._windows.get(window)) is None:
            if len(self._windows) >= CACHE_LIMIT:
                self._windows.clear()
            text = self._windows[window] = self.decode(list(window))
        return text

    def _grow(self, ids: list[int]) -> tuple[str, np.ndarray]:
        offsets, parts, group = np.zeros((len(ids), 2), dtype=np.int64), [], []
        position, context, waiting, grown = 0, (), (), ""
        for index, token in enumerate(ids):
            if token in self._special:
                offsets[index] = position + len(grown)
                continue
            waiting = (*waiting, token)
            before = grown
            grown = self._window(context + waiting)[len(self._window(context)) if context else 0 :]
            group.append(_token_in_group(index, before, grown))
            if not grown.endswith(INCOMPLETE) or len(waiting) >= LONGEST_WAIT:
                _settle(offsets, group, position, merged=not grown.startswith(before))
                parts.append(grown)
                context = waiting[-1:] if grown or not context else context
                position, waiting, group, grown = position + len(grown), (), [], ""
        _settle(offsets, group, position, merged=False)
        return "".join([*parts, grown]), offsets

    def _prefixes(self, ids: list[int]) -> np.ndarray:
        offsets, before = np.zeros((len(ids), 2), dtype=np.int64), ""
        for index in range(len(ids)):
            after = self.decode(ids[: index + 1])
            kept = before if after.startswith(before) else before.rstrip(INCOMPLETE)
            offsets[index] = min(len(kept), len(after)), len(after)
            before = after
        return offsets


def _token_in_group(index: int, before: str, after: str) -> tuple[int, int, int, int]:
    """Return (index, first character, end, end if the open bytes turn out to be one character) in a group."""
    closed = len(before.rstrip(INCOMPLETE))
    end = len(after.rstrip(INCOMPLETE))
    return index, closed, len(after), end + after.endswith(INCOMPLETE)


def _settle(offsets: np.ndarray, group: _Group, position: int, *, merged: bool) -> None:
    """Write the intervals of a group: tokens that complete a character together (`merged`) or one by one."""
    reached = 0
    for index, closed, end, end_if_one in group:
        start = closed if merged else min(reached, end)
        offsets[index] = position + start, position + (end_if_one if merged else end)
        reached = end


def answer_span(offsets: np.ndarray, start: int, end: int) -> np.ndarray:
    """Return the indices (n,) of every token that overlaps the characters [start, end), each once, ascending.

    Args:
        offsets: (T, 2) intervals from `Offsets`; empty ones never overlap.
        start: first character of the answer.
        end: one behind its last character.
    """
    first, last = offsets[:, 0], offsets[:, 1]
    return np.flatnonzero((first < end) & (last > start) & (last > first))


def text_tokens(offsets: np.ndarray, length: int) -> int:
    """Return how many leading tokens hold the first `length` characters; stop string and EOS follow them."""
    inside = np.flatnonzero((offsets[:, 0] < length) & (offsets[:, 1] > offsets[:, 0]))
    return int(inside[-1]) + 1 if inside.size else 0


def occurrences(tokens: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return the start indices at which the run `wanted` (n,) occurs in `tokens` (T,), ascending."""
    if not 0 < len(wanted) <= len(tokens):
        return np.empty(0, dtype=np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(np.asarray(tokens), len(wanted))
    return np.flatnonzero((windows == np.asarray(wanted)).all(axis=1))


def pick(candidates: Sequence[int], accept: Callable[[int], bool], occurrence: str) -> int | None:
    """Return the "first" or "last" candidate that `accept` takes, or None."""
    ordered = candidates if occurrence == "first" else reversed(candidates)
    return next((int(candidate) for candidate in ordered if accept(int(candidate))), None)
