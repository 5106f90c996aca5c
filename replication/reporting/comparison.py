"""Runs side by side: the same claims of two or more runs, and what changed between them.

What the rule calls a change, per claim:

    verdicts differ       the runs' verdicts are not all the same
    intervals apart       the 95 % intervals of two runs have no point in common
    signs differ          two runs measured on different sides of zero
    rules differ          the claim was judged by different tests, so that verdicts do not compare
    not in every run      a run lacks the claim

Intervals that are apart mean a difference (the converse does not hold: intervals may overlap although the
difference is beyond chance). Runs of one seed share their questions, which this reading leaves unused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from replication.evaluation.claims import VERDICTS
from replication.reporting.runs import Row, Run, estimate
from replication.reporting.scoreboard import summary
from replication.settings import InputError

if TYPE_CHECKING:
    import pandas as pd

VERDICT, APART, SIGN, RULE, LACKING = (
    "verdicts differ",
    "intervals apart",
    "signs differ",
    "rules differ",
    "not in every run",
)
ALL = "all papers"
EMPTY, UNSTATED = "—", "not stated"
SETTINGS = ("profile", "model", "task", "data_dir", "seed", "device")


@dataclass(frozen=True)
class Aligned:
    """One claim in several runs.

    Attributes:
        paper: key of the paper.
        claim: id of the claim.
        entries: the stored claim of each run, None where a run lacks it.
        changes: what changed, in words; () when nothing did.
    """

    paper: str
    claim: str
    entries: tuple[Row | None, ...]
    changes: tuple[str, ...]

    @property
    def facts(self) -> Row:
        """The first run's entry that there is: statement, source, published value, test."""
        return next(entry for entry in self.entries if entry is not None)


def align(runs: Sequence[Run]) -> list[Aligned]:
    """Return every claim of the runs once, in the order of papers and claims.

    Raises:
        InputError: no claim is in two of the runs.
    """
    by_run = [{(row["paper"], row["claim"]): row for row in run.claims} for run in runs]
    papers = dict.fromkeys(paper for run in runs for paper in run.papers)
    keys = dict.fromkeys(key for paper in papers for own in by_run for key in own if key[0] == paper)
    if not any(sum(key in own for own in by_run) > 1 for key in keys):
        held = "; ".join(f"{run.name} has {', '.join(run.papers) or 'no paper'}" for run in runs)
        raise InputError(f"The runs have no claim in common: {held}.")
    names = [run.name for run in runs]
    found = []
    for paper, claim in keys:
        entries = tuple(own.get((paper, claim)) for own in by_run)
        found.append(Aligned(paper, claim, entries, changes(entries, names)))
    return found


def changes(entries: Sequence[Row | None], names: Sequence[str]) -> tuple[str, ...]:
    """Return what changed for one claim between runs, see the module's text.

    Args:
        entries: the stored claim of each run, None where a run lacks it.
        names: of the runs; pairs are named where there are more than two.
    """
    there = [entry for entry in entries if entry is not None]
    measured = [(name, estimate(entry)) for name, entry in zip(names, entries, strict=True)]
    known = [(name, found) for name, found in measured if found is not None]
    apart = [
        (first, second)
        for (first, a), (second, b) in combinations(known, 2)
        if a.low > b.high or b.low > a.high
    ]
    found = {
        VERDICT: len({entry["verdict"] for entry in there}) > 1,
        APART: bool(apart),
        SIGN: min((e.value for _, e in known), default=0) < 0 < max((e.value for _, e in known), default=0),
        RULE: len({entry["test"] for entry in there}) > 1,
        LACKING: len(there) < len(entries),
    }
    pairs = f" ({', '.join(' and '.join(pair) for pair in apart)})" if len(entries) > 2 else ""
    return tuple(word + (pairs if word == APART else "") for word, holds in found.items() if holds)


def claims_frame(aligned: Sequence[Aligned], names: Sequence[str]) -> "pd.DataFrame":
    """Return the claims as a table: five columns per run, what changed in the last."""
    import pandas as pd

    parts = {"measured": "measured", "low": "ci_low", "high": "ci_high", "n": "n", "verdict": "verdict"}
    rows = []
    for one in aligned:
        facts = one.facts
        row = {"paper": one.paper, "claim": one.claim}
        row |= {name: facts[name] for name in ("statement", "published", "source", "test")}
        for name, entry in zip(names, one.entries, strict=True):
            row |= {f"{name}: {part}": entry[key] if entry else None for part, key in parts.items()}
        rows.append(row | {"changed": "; ".join(one.changes)})
    frame = pd.DataFrame(rows)
    for name in names:  # a run that lacks a claim would turn its counts into fractions
        frame[f"{name}: n"] = frame[f"{name}: n"].astype("Int64")
    return frame


def counts_frame(runs: Sequence[Run]) -> "pd.DataFrame":
    """Return how many claims have each verdict: a row per paper and run, at the end a row per run."""
    import pandas as pd

    rows: list[dict[str, Any]] = []
    papers = dict.fromkeys(paper for run in runs for paper in run.papers)
    for paper in [*papers, ALL]:
        for run in runs:
            own = [row for row in run.claims if paper in (ALL, row["paper"])]
            if own:
                rows.append({"paper": paper, "run": run.name, "claims": len(own), **summary(own)})
    return pd.DataFrame(rows, columns=["paper", "run", "claims", *VERDICTS])


def settings_rows(runs: Sequence[Run]) -> list[tuple[str, list[str], bool]]:
    """Return what the runs were given: (setting, its value in each run, whether the values differ).

    A run without a manifest has "not stated" everywhere and differs from none.
    """
    names = dict.fromkeys([*SETTINGS, *(name for run in runs for name in run.manifest.get("parameters", {}))])
    names.pop("papers", None)
    asked = [("parameters", name) for name in names]
    asked += [("package", "version"), ("package", "commit"), ("hardware", "processor")]
    rows = []
    for part, name in asked:
        values = [_text(run.manifest.get(part, {}), name) if run.manifest else UNSTATED for run in runs]
        stated = {value for value in values if value != UNSTATED}
        if stated - {EMPTY}:
            rows.append((name, values, len(stated) > 1))
    return rows


def _text(found: Mapping[str, Any], name: str) -> str:
    """Return an entry as text, "—" when it is missing or empty; of a commit the beginning."""
    value = found.get(name, "")
    text = EMPTY if value in ("", None) else str(value)
    return text[:12] if name == "commit" else text
