"""Accuracy as a function of the number of branches or samples, from prefixes of one run."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from replication.evaluation.accuracy import proportion
from replication.settings import InputError

if TYPE_CHECKING:
    import pandas as pd


def by_prefix(
    frame: "pd.DataFrame",
    choose: Callable[["pd.DataFrame"], bool],
    ks: Sequence[int] | None = None,
    *,
    question: str = "question",
    branch: str = "branch",
) -> "pd.DataFrame":
    """Return whether the answer chosen among the first k branches is right, for each question and k.

    Args:
        frame: one row per (question, branch), in any order.
        choose: gets the rows of one question's first k branches, sorted by branch; returns whether its choice
            is right.
        ks: numbers of branches, 1 <= k <= branches per question; 1..branches by default.
        question: column of the question's label.
        branch: column of the branch number, 0 = first.

    Returns:
        (questions, len(ks)) float64 frame of 0 and 1, indexed by question in order of appearance, columns ks.

    Raises:
        InputError: a question that lacks a branch below the largest k.
    """
    import pandas as pd

    wanted = list(ks) if ks is not None else list(range(1, int(frame[branch].max()) + 2))
    rows = {}
    for label, group in frame.groupby(question, sort=False):
        ordered = group.sort_values(branch)
        if ordered[branch].tolist()[: max(wanted)] != list(range(max(wanted))):
            raise InputError(f"Question {label!r} needs branches 0 to {max(wanted) - 1}, one row each.")
        rows[label] = [float(bool(choose(ordered.iloc[:k]))) for k in wanted]
    return pd.DataFrame.from_dict(rows, orient="index", columns=wanted, dtype=np.float64)


def accuracy_curve(outcomes: "pd.DataFrame", x: str = "k") -> "pd.DataFrame":
    """Return `x`, `accuracy`, `low`, `high`, `n` (Wilson) per column of `outcomes` (questions, steps)."""
    import pandas as pd

    estimates = [proportion(outcomes[column].to_numpy()) for column in outcomes.columns]
    return pd.DataFrame(
        {
            x: list(outcomes.columns),
            "accuracy": [e.value for e in estimates],
            "low": [e.low for e in estimates],
            "high": [e.high for e in estimates],
            "n": [e.n for e in estimates],
        }
    )
