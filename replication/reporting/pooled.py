"""The same run under several seeds as one: every claim judged again on its pooled estimate.

The result has the form of a run (`<paper>/claims.json`, scoreboard, manifest), so that it can be compared
like one. A seed changes what is drawn: generated questions, sampled tokens, pairs and orders of trainings,
resamples. The shipped models are the same under every seed, and so are published questions and pretraining
corpora.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replication import papers as cards
from replication.evaluation import claims as judging
from replication.evaluation.claims import NOT_TESTABLE, NOTHING, VERDICTS, ClaimResult, plain
from replication.evaluation.pooling import over_seeds
from replication.files import write_atomic
from replication.reporting import html_tables, scoreboard, tables
from replication.reporting.html import page
from replication.reporting.markdown import SYMBOLS, escape_html, verdict
from replication.reporting.runs import Row, Run, estimate

if TYPE_CHECKING:
    import pandas as pd

NAME = "seeds"


def pool(
    runs: Mapping[int, Run], redrawn: Mapping[str, bool], folder: Path | str | None = None
) -> list[ClaimResult]:
    """Return every claim of some runs that differ in nothing but the seed, judged on its pooled estimate.

    Args:
        runs: seed -> run.
        redrawn: key of the paper -> whether each seed draws all that its claims are measured on.
        folder: where the papers' TOML files lie; the package's own by default.

    Returns:
        Claims in the order of papers and of their files. Seeds in which a claim was not testable are left
        out; where they are more than half, or fewer than two remain, so is the pooled claim.
    """
    found = []
    for key in dict.fromkeys(paper for run in runs.values() for paper in run.papers):
        paper = cards.load(key, folder)
        for claim in paper.claims:
            rows = [row for run in runs.values() for row in run.claims if _is(row, key, claim.id)]
            found.append(_pooled(key, claim, rows, redrawn.get(key, False)))
    return found


def _is(row: Row, paper: str, claim: str) -> bool:
    """Tell whether a stored claim is this one."""
    return (row["paper"], row["claim"]) == (paper, claim)


def _pooled(key: str, claim: cards.Claim, rows: Sequence[Row], redrawn: bool) -> ClaimResult:
    """Return one claim judged over its seeds."""
    words = Counter(row["verdict"] for row in rows)
    counts = ", ".join(f"{words[word]} {word}" for word in VERDICTS if words[word])
    usable = [row for row in rows if row["verdict"] != NOT_TESTABLE]
    if len(usable) < 2 or 2 * len(usable) < len(rows):
        why = next((row["reason"] for row in rows if row["verdict"] == NOT_TESTABLE), "")
        return judging.untestable(key, claim, f"Of {len(rows)} seeds: {counts}. {why}".strip())
    estimates = [estimate(row) or NOTHING for row in usable]
    judged = judging.result(key, claim, over_seeds(estimates, redrawn))
    values = [one.value for one in estimates]
    ends = f"values {plain(min(values))} to {plain(max(values))}"
    return replace(judged, reason=f"{judged.reason} Of {len(rows)} seeds: {counts}; {ends}.")


def frame(results: Sequence[ClaimResult], runs: Mapping[int, Run]) -> "pd.DataFrame":
    """Return a row per claim: pooled estimate and verdict, number of seeds by verdict, each seed's value."""
    import pandas as pd

    rows = []
    for one in results:
        own = {seed: _row(run, one) for seed, run in runs.items()}
        words = Counter(row["verdict"] for row in own.values() if row)
        row: dict[str, Any] = {"paper": one.paper, "claim": one.claim, "statement": one.statement}
        row |= {
            "test": one.test,
            "measured": one.measured,
            "low": one.ci_low,
            "high": one.ci_high,
            "n": one.n,
        }
        row |= {"verdict": one.verdict, "seeds": sum(words.values())}
        row |= {f"seeds {word}": words[word] for word in VERDICTS}
        rows.append(row | {f"seed {seed}": own[seed]["measured"] if own[seed] else None for seed in runs})
    head = ["paper", "claim", "statement", "test", "measured", "low", "high", "n", "verdict", "seeds"]
    head += [*(f"seeds {word}" for word in VERDICTS), *(f"seed {seed}" for seed in runs)]
    return pd.DataFrame(rows, columns=head)


def _row(run: Run, result: ClaimResult) -> Row | None:
    """Return the claim as one run judged it."""
    return next((row for row in run.claims if _is(row, result.paper, result.claim)), None)


def write(runs: Mapping[int, Run], redrawn: Mapping[str, bool], folder: Path) -> list[Row]:
    """Write the pooled run into a folder, in the form of a run; return its claims.

    The folder holds `<paper>/claims.json`, `scoreboard.json` and `.md`, `manifest.json`, `seeds.csv` and
    `.md`, and `site/index.html`. Arguments as `pool`.
    """
    results = pool(runs, redrawn)
    keys = list(dict.fromkeys(one.paper for one in results))
    for key in keys:
        own = [asdict(one) for one in results if one.paper == key]
        text = json.dumps(own, indent=2, ensure_ascii=False, allow_nan=False)
        write_atomic(folder / key / "claims.json", text + "\n")
    rows = scoreboard.write(folder, keys)
    write_atomic(
        folder / "manifest.json", json.dumps(_manifest(runs, redrawn), indent=2, ensure_ascii=False) + "\n"
    )
    table = frame(results, runs)
    write_atomic(folder / f"{NAME}.csv", tables.to_csv(table))
    write_atomic(folder / f"{NAME}.md", tables.to_markdown(table.drop(columns="statement")))
    write_atomic(
        folder / "site" / "index.html", page(f"{folder.name}: scoreboard", _body(results, runs, folder))
    )
    return rows


def _manifest(runs: Mapping[int, Run], redrawn: Mapping[str, bool]) -> dict[str, Any]:
    """Return what the runs have in common, their seeds and names."""
    first = next(iter(runs.values())).manifest
    common = {name: first[name] for name in ("package", "versions", "hardware") if name in first}
    given = dict(first.get("parameters", {})) | {"seed": list(runs)}
    return common | {
        "parameters": given,
        "pooled": {"seeds": list(runs), "runs": [run.name for run in runs.values()]},
        "drawn anew": dict(redrawn),
    }


def _body(results: Sequence[ClaimResult], runs: Mapping[int, Run], folder: Path) -> str:
    """Return the page: how it was pooled, the claims, links to the runs."""
    header = ["Claim", "", "Test", "Pooled", "Verdict", *(f"Seed {seed}" for seed in runs), "Why"]
    rows = []
    for one in results:
        own = [_row(run, one) for run in runs.values()]
        cells = (f"{one.paper} {one.claim}", one.statement, one.test, scoreboard.measured(asdict(one)))
        rows.append((*cells, verdict(one.verdict), *map(_short, own), one.reason))
    links = [
        f"<li>{html_tables.link(f'../../{run.name}/site/index.html', run.name)}</li>" for run in runs.values()
    ]
    return "\n".join(
        (
            f"<h1>{escape_html(folder.name)}</h1>",
            f"<p>{escape_html(explanation(len(runs)))}</p>",
            html_tables.table(header, rows) if rows else "<p>The papers of these runs state no claim.</p>",
            "<h2>Runs</h2>",
            "<ul>\n" + "\n".join(links) + "\n</ul>",
        )
    )


def _short(row: Row | None) -> str:
    """Return "0.31 ✔" of a stored claim."""
    if row is None:
        return "—"
    value = "" if row["measured"] is None else plain(row["measured"])
    return f"{value} {SYMBOLS[row['verdict']]}".strip()


def explanation(number: int) -> str:
    """Return how the numbers of a pooled run came about."""
    return (
        f"Means over {number} seeds, judged by the tests of the papers' files. A seed changes what is drawn: "
        "generated questions, sampled tokens, pairs and orders of trainings, resamples. The shipped models "
        "are the same under every seed, and so are published questions and pretraining corpora; neighbouring "
        "seeds also share some orders of the data. Where everything is drawn anew (decoding on generated "
        "questions) the interval is Student's t over the seeds, never narrower than their own intervals "
        "allow; elsewhere the variation between seeds is added to the interval of one run."
    )
