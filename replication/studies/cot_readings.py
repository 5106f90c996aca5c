"""CoT-decoding (arXiv 2402.10200) under other readings of the paper: forced token, span, exclusions, ties.

All are functions of the same paths. The extended mode alone ("So the answer is", section 2.2) asks the model
again, for the continuation of every path; these continuations are records of their own.
"""

import hashlib
from collections.abc import Mapping

import pandas as pd

from replication.decoding import cot_decoding as cot
from replication.decoding.experiment import Experiment, Run
from replication.decoding.spans import Offsets
from replication.evaluation.accuracy import proportion
from replication.studies.cot_tasks import numbers

READINGS: dict[str, dict[str, object]] = {
    "the defaults": {},
    "forced token: signed margin": {"first_token_margin": "signed"},
    "forced token: its probability": {"first_token_margin": "prob"},
    "forced token: zero": {"first_token_margin": "zero"},
    "forced token: left out": {"first_token_margin": "skip"},
    "span: extended answer, last occurrence": {"span": "extend"},
    "span: extended answer, first occurrence": {"span": "extend", "occurrence": "first"},
    "unfinished branches kept": {"exclude_unfinished": False},
    "branches that end in a question kept": {"exclude_question": False},
    "no fallback to greedy": {"fallback": "wrong"},
    "ties to the larger branch": {"ties": "larger branch"},
}
"""Readings of what the paper leaves open: name -> fields of `cot_decoding.Rules`."""
MODULES = (
    "replication.lm.engine",
    "replication.decoding.cot_decoding",
    "replication.decoding.continuation",
    "replication.studies.cot_readings",
)


def extended(experiment: Experiment, run: Run) -> pd.DataFrame:
    """Return the continuations of a run's paths behind " So the answer is", row by row, from the records."""
    digest = hashlib.sha256()
    for tokens in run.frame["tokens"]:
        digest.update(" ".join(map(str, tokens)).encode() + b"\n")
    key = {"model": run.lm.fingerprint, "task": run.task.name, "paths": digest.hexdigest()}
    masses = run.task.kind == "yesno"

    def compute() -> pd.DataFrame:
        return cot.extend(run.lm, run.frame, run.prompts, masses=masses, stop=run.task.stop)

    return experiment.store.frame("extension", key, compute, MODULES)


def ablation(experiment: Experiment, runs: Mapping[str, Run]) -> dict[str, pd.DataFrame]:
    """Return the accuracy under each of `READINGS`, by task.

    Args:
        experiment: holds the records of the continuations.
        runs: task -> its branches.

    Returns:
        "max path" and "weighted vote": a row per reading, a column per task.
    """
    extensions = {name: extended(experiment, run) for name, run in runs.items()}
    offsets = {name: Offsets(run.lm.tokenizer) for name, run in runs.items()}
    rows: dict[str, list[tuple[object, ...]]] = {"max path": [], "weighted vote": []}
    for reading, changed in READINGS.items():
        rules = cot.Rules(**changed)
        scored = [_scored(run, rules, extensions[name], offsets[name]) for name, run in runs.items()]
        for choice, choose in zip(rows, (cot.select, cot.vote), strict=True):
            cells = [proportion(choose(branches, rules)["correct"]) for branches in scored]
            rows[choice].append((reading, *cells, numbers(cells)))
    header = ["reading", *(f"{name}, %" for name in runs), "n"]
    return {choice: pd.DataFrame(lines, columns=header) for choice, lines in rows.items()}


def _scored(run: Run, rules: cot.Rules, extension: pd.DataFrame, offsets: Offsets) -> pd.DataFrame:
    return cot.score_branches(
        run.frame, run.task, run.lm.tokenizer, rules, gold=run.gold, extension=extension, offsets=offsets
    )
