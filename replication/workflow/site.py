"""The scoreboard of a run in files and on the terminal, and the page that leads to every notebook.

This page is light and always there. `reporting.site` builds the full site in its place; that one stays as
long as the run has nothing newer to show.
"""

import html
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from replication import papers as cards

Row = Mapping[str, Any]
REASON = 100


def write(run_dir: Path, papers: Sequence[str]) -> list[dict[str, Any]]:
    """Write `scoreboard.json`, `scoreboard.md` and `site/index.html`; return the judged claims.

    A full site that still shows this run is kept; an outdated one is replaced by the light page.

    Args:
        run_dir: folder of the run.
        papers: papers asked for; those that the run holds already are added.
    """
    from replication.files import write_atomic
    from replication.reporting import scoreboard
    from replication.reporting.html import page
    from replication.reporting.site import fingerprint

    there = [key for key in cards.names() if key in papers or (run_dir / key / "notebooks").is_dir()]
    rows = scoreboard.write(run_dir, there)
    folder = run_dir / "site"
    if full := fingerprint.stored(folder):
        if full == fingerprint.of(run_dir):
            return rows
        shutil.rmtree(folder)
    body = f"<h1>{html.escape(run_dir.name)}</h1>\n{_table(rows)}\n<h2>Notebooks</h2>\n{_links(run_dir)}"
    write_atomic(folder / "index.html", page(f"{run_dir.name}: scoreboard", body))
    return rows


def _table(rows: Sequence[Row]) -> str:
    """Return the judged claims as an HTML table."""
    from replication.reporting.scoreboard import measured

    if not rows:
        return "<p>The papers of this run state no claim.</p>"
    heads = ("Paper", "Claim", "", "Published", "Measured", "Verdict", "Why")
    lines = [
        (
            r["paper"],
            r["claim"],
            r["statement"],
            f"{r['published']} ({r['source']})",
            measured(r),
            r["verdict"],
            r["reason"],
        )
        for r in rows
    ]
    head = "".join(f"<th>{name}</th>" for name in heads)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{html.escape(str(x))}</td>" for x in line) + "</tr>" for line in lines
    )
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def _links(run_dir: Path) -> str:
    """Return a list of links to the pages of the executed notebooks."""
    pages = sorted(run_dir.glob("*/notebooks/[0-9]*.html"))
    items = []
    for path in pages:
        address = html.escape(str(path.relative_to(run_dir)))
        items.append(f'<li><a href="../{address}">{html.escape(path.parents[1].name)}: {path.stem}</a></li>')
    return "<ul>\n" + "\n".join(items) + "\n</ul>" if items else "<p>None has run.</p>"


def render(rows: Sequence[Row]) -> str:
    """Return the scoreboard as lines for a terminal: one per claim, then the counts."""
    from replication.reporting.scoreboard import measured, summary

    if not rows:
        return "Scoreboard: the papers of this run state no claim."
    width = max(len(f"{row['paper']} {row['claim']}") for row in rows)
    lines = []
    for row in rows:
        name = f"{row['paper']} {row['claim']}".ljust(width)
        said = measured(row) if row["measured"] is not None else row["reason"]
        lines.append(f"{name}  {row['verdict']:14}  {said[:REASON]}")
    counts = ", ".join(f"{count} {word}" for word, count in summary(rows).items() if count)
    return "\n".join(["Scoreboard", *lines, f"{len(rows)} claims: {counts}"])
