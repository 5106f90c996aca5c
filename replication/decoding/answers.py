"""Answers of generated paths and votes over them. Shared by the decoding methods.

A path record is a row of the frame that `replication.lm.engine.generate` returns; a vote sees only the
columns question, branch, answer and a weight.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

COLUMNS = ["question", "answer", "branch", "score", "correct"]
TIES = ("smaller branch", "larger branch")
DECIMALS = 6
"""Scores that agree to this many decimals are ties: probabilities are kept in float32, and their rounding,
which differs between machines and batch sizes, must not choose an answer."""


def read_answers(frame: pd.DataFrame, task: object, gold: Mapping[str, str]) -> pd.DataFrame:
    """Extract and grade the answer of every path.

    Args:
        frame: path records with columns question, branch and text.
        task: a `replication.tasks` task; `extract(text)` and `grade(value, gold)` are used.
        gold: right answer of every question id in `frame`.

    Returns:
        One row per path, same index: question, branch, answer (None when the text holds none), start, end
        (its characters, -1 without an answer), correct (bool).
    """
    found = [task.extract(text) for text in frame["text"]]
    values = [answer.value if answer else None for answer in found]
    return pd.DataFrame(
        {
            "question": frame["question"],
            "branch": frame["branch"],
            "answer": pd.Series(values, index=frame.index, dtype=object),
            "start": [answer.start if answer else -1 for answer in found],
            "end": [answer.end if answer else -1 for answer in found],
            "correct": grade_all(frame["question"], values, task, gold),
        },
        index=frame.index,
    )


def grade_all(
    questions: pd.Series, values: Sequence[str | None], task: object, gold: Mapping[str, str]
) -> np.ndarray:
    """Return (n,) bool, whether each value is right; None is wrong, and equal pairs are graded once."""
    known: dict[tuple[str, str], bool] = {}
    verdicts = np.zeros(len(values), dtype=bool)
    for row, (question, value) in enumerate(zip(questions, values, strict=True)):
        if value is None:
            continue
        pair = (value, gold[question])
        if pair not in known:
            known[pair] = bool(task.grade(*pair))
        verdicts[row] = known[pair]
    return verdicts


def tally(paths: pd.DataFrame, weight: str | None = None, ties: str = "smaller branch") -> pd.DataFrame:
    """Sum the votes of each answer.

    Args:
        paths: rows with question, branch, answer and the weight; rows without an answer must be gone.
        weight: column to sum; None gives every path one vote.
        ties: which of two equal totals stands first: the answer with the smallest branch, or with the
            largest.

    Returns:
        One row per (question, answer): question, answer, score (the total), branch (the path that carries the
        answer with the largest weight; of equals by `ties`). Per question the winner stands first; questions
        keep the order in which they first appear in `paths`.
    """
    rising = ties == TIES[0]
    votes = paths[["question", "branch", "answer"]].assign(
        weight=1.0 if weight is None else paths[weight].astype(np.float64),
        place=pd.factorize(paths["question"])[0],
    )
    votes = votes.sort_values(["place", "weight", "branch"], ascending=[True, False, rising], kind="stable")
    groups = votes.groupby(["question", "answer"], sort=False)
    totals = groups.agg(
        score=("weight", "sum"),
        branch=("branch", "first"),
        earliest=("branch", "min" if rising else "max"),
        place=("place", "first"),
    ).reset_index()
    totals["rounded"] = totals["score"].round(DECIMALS)
    order = ["place", "rounded", "earliest"]
    totals = totals.sort_values(order, ascending=[True, False, rising], kind="stable", ignore_index=True)
    return totals[["question", "answer", "score", "branch"]]


def greedy(answers: pd.DataFrame) -> pd.DataFrame:
    """Return the smallest branch of every question, unfiltered, in the columns of `decided`, score NaN."""
    paths = answers.sort_values("branch", kind="stable").drop_duplicates("question").set_index("question")
    paths = paths.loc[answers["question"].drop_duplicates()].assign(score=np.nan)
    return paths.reset_index()[COLUMNS]


def decided(winners: pd.DataFrame, answers: pd.DataFrame, fallback: str = "greedy") -> pd.DataFrame:
    """Return one row per question, in order of first appearance in `answers`.

    Args:
        winners: at most one row per question with question, answer, branch and score.
        answers: all paths of the questions, with answer and correct.
        fallback: answer of a question without a winner: "greedy" (the first branch's, unfiltered) or "wrong".

    Returns:
        question, answer (None when there is none), branch (-1 when there is none), score (NaN for a
        fallback), correct.
    """
    questions = answers["question"].drop_duplicates()
    graded = answers.drop_duplicates(["question", "answer"]).set_index(["question", "answer"])["correct"]
    rows = winners.set_index("question")[["answer", "branch", "score"]]
    if fallback == "greedy":
        missing = greedy(answers[~answers["question"].isin(rows.index)]).set_index("question")
        parts = [part for part in (rows, missing[["answer", "branch", "score"]]) if len(part)]
        rows = pd.concat(parts) if parts else rows
    rows = rows.reindex(questions)
    answer = [None if pd.isna(value) else value for value in rows["answer"]]
    pairs = zip(questions, answer, strict=True)
    correct = [value is not None and bool(graded[question, value]) for question, value in pairs]
    return pd.DataFrame(
        {
            "question": questions.to_numpy(),
            "answer": pd.Series(answer, dtype=object),
            "branch": rows["branch"].fillna(-1).astype(np.int64).to_numpy(),
            "score": rows["score"].astype(np.float64).to_numpy(),
            "correct": np.array(correct, dtype=bool),
        }
    )
