"""Keys and values of a prefix that several rows share, held once.

The branches of a prompt differ behind it only. Held for each row, the prompt's keys and values are copied
once per branch, moved whenever rows end, and read from memory for every row at every step: with the
1M-parameter model, half of the time of CoT-decoding (k = 10, 100 questions) went into attention and such
copies. Here a step reads them once per prompt, for the queries of all its rows at once; what rows have of
their own stays in `key_values`. That took attention and copies from 3.7 of 7.5 s (under a profiler)
to 2.1 of 6.1.
"""

from collections.abc import Sequence

import numpy as np

CROWDED = 0.75  # share of prefixes with a row left, at which the others are dropped


class SharedPrefix:
    """The prefixes of a batch of rows on a CPU, and which of them each row continues.

    Queries and weights come as (rows, key heads, group, ...): `group` heads of queries share one of keys.

    Args:
        layers: keys and values of each layer, (prefixes, key heads, length, size) float32; not written to.
        bias: (prefixes, 1, 1, length) float32 to add to attention scores; None where nothing is padded.
        owner: (rows,) int64, the prefix of each row.
    """

    def __init__(
        self, layers: Sequence[tuple[np.ndarray, np.ndarray]], bias: np.ndarray | None, owner: np.ndarray
    ) -> None:
        self._layers, self._bias, self._owner = list(layers), bias, owner
        self._lay()

    def select(self, index: np.ndarray) -> None:
        """Keep the rows of `index`, (n,) int64, in its order; a row may be repeated."""
        self._owner = self._owner[index]
        self._lay()

    def scores(self, layer: int, query: np.ndarray) -> np.ndarray:
        """Return the products of queries, (rows, key heads, group, size), with keys: (..., length)."""
        keys = self._layers[layer][0][:, :, None]  # (prefixes, key heads, 1, length, size)
        found = np.matmul(self._gathered(query), keys.swapaxes(-1, -2))
        if self._bias is not None:
            found += self._bias[:, :, None]
        return self._scattered(found)

    def mix(self, layer: int, weights: np.ndarray) -> np.ndarray:
        """Return values averaged by `weights`, (rows, key heads, group, length): (..., size)."""
        return self._scattered(np.matmul(self._gathered(weights), self._layers[layer][1][:, :, None]))

    def _lay(self) -> None:
        """Give each row a place beside the other rows of its prefix."""
        counts = np.bincount(self._owner, minlength=len(self._layers[0][0]))
        if np.count_nonzero(counts) <= CROWDED * len(counts):
            self._drop(counts > 0)
            counts = counts[counts > 0]
        order = np.argsort(self._owner, kind="stable")
        beside = np.empty_like(order)
        beside[order] = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
        self._width = int(counts.max())
        self._place = self._owner * self._width + beside
        self._full = np.array_equal(self._place, np.arange(len(counts) * self._width))

    def _drop(self, used: np.ndarray) -> None:
        """Forget the prefixes that no row continues."""
        self._layers = [(keys[used], values[used]) for keys, values in self._layers]
        self._bias = None if self._bias is None else self._bias[used]
        self._owner = (np.cumsum(used) - 1)[self._owner]

    def _gathered(self, rows: np.ndarray) -> np.ndarray:
        """Return (rows, key heads, group, n) by prefix: (prefixes, key heads, group, width, n)."""
        if not self._full:
            places = np.zeros((len(self._layers[0][0]) * self._width, *rows.shape[1:]), dtype=rows.dtype)
            places[self._place] = rows
            rows = places
        return rows.reshape(-1, self._width, *rows.shape[1:]).transpose(0, 2, 3, 1, 4)

    def _scattered(self, places: np.ndarray) -> np.ndarray:
        """Return what `_gathered` has put by prefix by row again."""
        places = places.transpose(0, 3, 1, 2, 4)
        rows = places.reshape(-1, *places.shape[2:])
        return rows if self._full else rows[self._place]
