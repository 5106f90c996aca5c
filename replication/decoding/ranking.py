"""Scores that rank paths, over the answer's tokens or over the whole path. Shared by the decoding methods.

Wang and Zhou (2024, arXiv 2402.10200) compare their confidence with the two log-probability rankings (Table
2), and mention the mean largest probability and the entropy of the answer tokens (footnote 2) and the length.
Every score is oriented so that greater is better.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from replication.decoding import spans

COLUMNS = ("mean_top1", "neg_entropy", "logprob_sum", "logprob_mean", "length")


class Flat:
    """The tokens of all paths, one behind the other.

    Args:
        frame: path records; rows may differ in length.

    Attributes:
        lengths: (rows,) tokens of each path.
        starts: (rows,) place of each path's first token.
        owner: (tokens,) row of each token.
        parted: rows long enough to hold the forced token of `branch_step`.
        forced: place of that token, one for each of `parted`.
    """

    def __init__(self, frame: pd.DataFrame) -> None:
        self._frame = frame
        self.lengths = np.array([len(tokens) for tokens in frame["tokens"]], dtype=np.int64)
        self.starts = np.cumsum(self.lengths) - self.lengths
        self.owner = np.repeat(np.arange(len(frame)), self.lengths)
        steps = frame["branch_step"].to_numpy(dtype=np.int64)
        self.parted = np.flatnonzero(steps < self.lengths)
        self.forced = self.starts[self.parted] + steps[self.parted]

    def __getitem__(self, column: str) -> np.ndarray:
        """Return a column of per-token values as one float64 array (tokens,)."""
        return np.concatenate([np.empty(0), *self._frame[column]]).astype(np.float64)

    def span_means(self, values: np.ndarray, owned: Sequence[np.ndarray]) -> np.ndarray:
        """Return (rows,) means of `values` (tokens,) over the paths' spans, NaN left out; NaN for none."""
        owner = np.repeat(np.arange(len(owned)), [len(span) for span in owned])
        places = np.concatenate([np.empty(0, dtype=np.int64), *owned]) + self.starts[owner]
        return _means(values[places], owner, len(owned))


def _means(values: np.ndarray, owner: np.ndarray, rows: int) -> np.ndarray:
    known = ~np.isnan(values)
    total = np.bincount(owner[known], values[known], minlength=rows)
    count = np.bincount(owner[known], minlength=rows)
    return np.divide(total, count, out=np.full(rows, np.nan), where=count > 0)


def columns(
    frame: pd.DataFrame,
    owned: Sequence[np.ndarray],
    intervals: Sequence[np.ndarray],
    *,
    first_token: bool = True,
    end: bool = True,
) -> dict[str, np.ndarray]:
    """Return the ranking scores of every path.

    Args:
        frame: path records.
        owned: indices of each path's answer tokens.
        intervals: (T, 2) character intervals of each path's tokens.
        first_token: does the first token (the one at `branch_step`) count in the log-probabilities?
        end: do end of sequence and stop string count in the log-probabilities?

    Returns:
        float64 arrays (rows,): mean_top1 and neg_entropy over the answer tokens (NaN without any);
        logprob_sum and logprob_mean (nats; NaN without tokens) and length (tokens) over the path; and
        first_logprob, the log-probability of the token at `branch_step`.
    """
    flat = Flat(frame)
    logprob = flat["logprob"]
    counted = _counted(frame, flat, intervals, first_token, end)
    first_logprob = np.full(len(frame), np.nan)
    first_logprob[flat.parted] = logprob[flat.forced]
    return {
        "mean_top1": flat.span_means(flat["top1"], owned),
        "neg_entropy": -flat.span_means(flat["entropy"], owned),
        "logprob_sum": np.bincount(flat.owner[counted], logprob[counted], minlength=len(frame)),
        "logprob_mean": _means(logprob[counted], flat.owner[counted], len(frame)),
        "length": flat.lengths.astype(np.float64),
        "first_logprob": first_logprob,
    }


def _counted(
    frame: pd.DataFrame, flat: Flat, intervals: Sequence[np.ndarray], first_token: bool, end: bool
) -> np.ndarray:
    """Return (tokens,) bool: which tokens enter the log-probability scores."""
    counted = np.ones(len(flat.owner), dtype=bool)
    if not first_token:
        counted[flat.forced] = False
    if not end:
        pairs = zip(intervals, frame["text"], strict=True)
        kept = np.array([spans.text_tokens(rows, len(text)) for rows, text in pairs], dtype=np.int64)
        steps = np.arange(len(flat.owner)) - flat.starts[flat.owner]
        counted &= steps < kept[flat.owner]
    return counted
