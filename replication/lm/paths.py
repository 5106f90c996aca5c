"""Path records: what is kept of each generated path, and their table."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

VALUES = ("logprob", "top1", "top2", "entropy")
COLUMNS = ("question", "branch", "tokens", *VALUES, "text", "finish", "prompt_tokens", "branch_step")
TEXTS, ARRAYS = ("question", "text", "finish"), ("tokens", *VALUES)


class Paths:
    """Tokens and measures of the rows of one batch, on the host: (rows, steps) arrays, filled step by step.

    Attributes:
        tokens: (rows, steps) int32.
        values: (4, rows, steps) float32, in the order of `VALUES`.
        length: (rows,) number of tokens so far.
        finish: (rows,) "eos", "stop", "length", or "" while the row runs.
    """

    def __init__(self, rows: int, steps: int) -> None:
        self.tokens = np.zeros((rows, steps), dtype=np.int32)
        self.values = np.zeros((len(VALUES), rows, steps), dtype=np.float32)
        self.length = np.zeros(rows, dtype=np.int64)
        self.finish = np.full(rows, "", dtype=object)

    def write(self, rows: np.ndarray, tokens: np.ndarray, values: np.ndarray) -> None:
        """Append a token and its measures, (n,) and (4, n), to each of `rows`, all of one length so far."""
        step = self.length[rows[0]]
        self.tokens[rows, step] = tokens
        self.values[:, rows, step] = values
        self.length[rows] += 1

    def copy(self, source: np.ndarray, target: np.ndarray) -> None:
        """Give the rows of `target` what the rows of `source` hold, one by one."""
        self.tokens[target] = self.tokens[source]
        self.values[:, target] = self.values[:, source]
        self.length[target] = self.length[source]
        self.finish[target] = self.finish[source]

    def record(self, row: int) -> dict[str, object]:
        """Return the arrays and the finish of one row."""
        length = self.length[row]
        arrays = dict(zip(VALUES, self.values[:, row, :length].copy(), strict=True))
        return {"tokens": self.tokens[row, :length].copy(), **arrays, "finish": self.finish[row]}


def frame(records: Sequence[dict[str, object]]) -> pd.DataFrame:
    """Return records as a table with the columns of `COLUMNS`.

    question str, branch int64, tokens int32 array, the four measures float32 arrays of the same length, text
    str, finish str, prompt_tokens int64, branch_step int64.
    """
    return pd.DataFrame({name: _column(name, [record[name] for record in records]) for name in COLUMNS})


def _column(name: str, values: list[object]) -> np.ndarray | pd.api.extensions.ExtensionArray:
    """Return a column in its dtype, which costs a table of one path less than a cast of the table."""
    if name in TEXTS:
        return pd.array(values, dtype="str")
    column = np.empty(len(values), dtype=object if name in ARRAYS else np.int64)
    column[:] = values
    return column
