"""The scoreboard: every claim of every paper of a run with its verdict, from the papers' `claims.json`."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from replication import papers as cards
from replication.evaluation.claims import VERDICTS, ClaimsFile, plain, rule, untestable
from replication.files import write_atomic
from replication.reporting.markdown import authored, escape, table, verdict

NOT_RUN = "Its notebook has not run."
OTHER_RULE = "It was judged by an earlier rule: run its notebook again."

Row = dict[str, Any]


def scoreboard(
    run_dir: Path | str, papers: Sequence[str] | None = None, folder: Path | str | None = None
) -> list[Row]:
    """Return every claim of the papers, one dict in the form of `claims.json` each.

    Args:
        run_dir: folder of one run, `results/<run>`.
        papers: keys of the papers asked for; those that have a folder in the run by default.
        folder: where the papers' TOML files lie; the package's own by default.

    Returns:
        Claims in the order of the papers and of their files. A claim without a result, or judged by another
        rule than the file states now, is "not testable" and says so.

    Raises:
        InputError: an unknown paper, or a `claims.json` that does not hold claims.
    """
    run = Path(run_dir)
    wanted = list(papers) if papers is not None else [key for key in cards.names(folder) if (run /
    key).is_dir()]
    rows: list[Row] = []
    for key in wanted:
        paper = cards.load(key, folder)
        stored = {entry["claim"]: entry for entry in ClaimsFile(run / key / "claims.json").read()}
        rows += [_row(key, claim, stored.get(claim.id)) for claim in paper.claims]
    return rows


def _row(key: str, claim: cards.Claim, entry: Row | None) -> Row:
    """Return the stored result of a claim, or say why there is none."""
    if entry is None:
        return asdict(untestable(key, claim, NOT_RUN))
    if entry["test"] != rule(claim.test):
        return asdict(untestable(key, claim, OTHER_RULE))
    return entry


def summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """Return how many claims have each verdict, all verdicts named, in their fixed order."""
    found = Counter(row["verdict"] for row in rows)
    return {word: found[word] for word in VERDICTS}


def to_markdown(rows: Sequence[Mapping[str, Any]], run: str = "") -> str:
    """Return the scoreboard as Markdown: counts first, then one table per paper."""
    counts = ", ".join(f"{verdict(word)}: {count}" for word, count in summary(rows).items())
    parts = [f"# Scoreboard{': ' + escape(run) if run else ''}", f"{len(rows)} claims. {counts}."]
    for key in dict.fromkeys(row["paper"] for row in rows):
        parts += [f"## {escape(key)}", claims_table([row for row in rows if row["paper"] == key])]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def claims_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return judged claims as a Markdown table."""
    header = ["", "Claim", "Published", "Measured", "Verdict", "Why"]
    return table(header, [_cells(row) for row in rows])


def _cells(row: Mapping[str, Any]) -> list[str]:
    """Return the cells of one judged claim."""
    texts = (row["statement"], f"{row['published']} ({row['source']})".strip())
    return [escape(row["claim"]), *map(authored, texts), measured(row), verdict(row["verdict"]),
    escape(row["reason"])]


def measured(row: Mapping[str, Any]) -> str:
    """Return "0.31 [0.27, 0.36], n = 500" of a stored claim; a dash when nothing was measured."""
    values = (row["measured"], row["ci_low"], row["ci_high"])
    if any(value is None for value in values):
        return "—"
    value, low, high = map(plain, values)
    return f"{value} [{low}, {high}], n = {row['n']}"


def stated(row: Mapping[str, Any] | None) -> str:
    """Return "0.31 [0.27, 0.36], n = 500: ✔ reproduced"; the verdict alone when nothing was measured."""
    if row is None:
        return "—"
    number = measured(row)
    return verdict(row["verdict"]) if number == "—" else f"{number}: {verdict(row['verdict'])}"


def write(
    run_dir: Path | str, papers: Sequence[str] | None = None, folder: Path | str | None = None
) -> list[Row]:
    """Write `scoreboard.json` and `scoreboard.md` in the run's folder, atomically; return the rows.

    Arguments and errors as `scoreboard`. The JSON holds `run`, `summary` (verdict -> count) and `claims`.
    """
    run = Path(run_dir)
    rows = scoreboard(run, papers, folder)
    content = {"run": run.name, "summary": summary(rows), "claims": rows}
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    write_atomic(run / "scoreboard.json", text + "\n")
    write_atomic(run / "scoreboard.md", to_markdown(rows, run.name))
    return rows
