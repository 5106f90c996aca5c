"""A sweep gathered: the claims at every point of some parameters, as a table, figures and a page."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replication.files import write_atomic
from replication.reporting import html_tables, tables
from replication.reporting.html import page
from replication.reporting.markdown import escape, escape_html, table
from replication.reporting.runs import Row, Run
from replication.reporting.scoreboard import stated

if TYPE_CHECKING:
    import pandas as pd

NAME = "sweep"


@dataclass(frozen=True)
class Point:
    """One point of a sweep.

    Attributes:
        values: swept parameter -> its value here.
        run: what was measured.
    """

    values: Mapping[str, Any]
    run: Run


def describe(values: Mapping[str, Any]) -> str:
    """Return "k = 4, style = direct"."""
    return ", ".join(f"{name} = {value}" for name, value in values.items())


def frame(points: Sequence[Point], topics: Collection[tuple[str, str]]) -> "pd.DataFrame":
    """Return a row per claim and point.

    Args:
        points: in the order of the sweep.
        topics: (paper, file stem) of the notebooks that ran; claims of others are left out.

    Returns:
        Columns paper, claim, a column per swept parameter, run, test, measured, low, high, n, verdict,
        reason.
    """
    import pandas as pd

    rows = [
        {
            "paper": row["paper"],
            "claim": row["claim"],
            **point.values,
            "run": point.run.name,
            "test": row["test"],
        }
        | {"measured": row["measured"], "low": row["ci_low"], "high": row["ci_high"], "n": row["n"]}
        | {"verdict": row["verdict"], "reason": row["reason"]}
        for key in claims(points, topics)
        for point in points
        for row in point.run.claims
        if (row["paper"], row["claim"]) == key
    ]
    return pd.DataFrame(rows)


def claims(points: Sequence[Point], topics: Collection[tuple[str, str]]) -> dict[tuple[str, str], Row]:
    """Return (paper, claim) -> the claim as the first point has it, of the notebooks that ran."""
    found: dict[tuple[str, str], Row] = {}
    for point in points:
        for row in point.run.claims:
            if (row["paper"], row["notebook"]) in topics:
                found.setdefault((row["paper"], row["claim"]), row)
    return found


def write(points: Sequence[Point], topics: Collection[tuple[str, str]], folder: Path) -> "pd.DataFrame":
    """Write `sweep.csv` and `.md`, `figures/<paper>.png`, `.pdf` and `index.html`; return the table.

    Arguments as `frame`.
    """
    from replication.reporting import style
    from replication.reporting.sweep_plots import claims_against

    found = frame(points, topics)
    write_atomic(folder / f"{NAME}.csv", tables.to_csv(found))
    write_atomic(folder / f"{NAME}.md", _markdown(points, topics))
    names = list(points[0].values)
    papers = list(dict.fromkeys(found["paper"])) if len(found) else []
    drawn = []
    for paper in papers:
        figure = claims_against(found[found["paper"] == paper], names)
        if figure is not None:
            style.save(figure, folder / "figures", paper)
            style.plt.close(figure)
            drawn.append(paper)
    body = _body(points, topics, drawn)
    write_atomic(folder / "index.html", page(f"Sweep over {', '.join(names)}", body))
    return found


def _lines(points: Sequence[Point], topics: Collection[tuple[str, str]]) -> list[tuple[str, Row, list[str]]]:
    """Return (name, claim, what each point says about it)."""
    lines = []
    for key, first in claims(points, topics).items():
        own = [{(row["paper"], row["claim"]): row for row in point.run.claims}.get(key) for point in points]
        lines.append((" ".join(key), first, [stated(row) for row in own]))
    return lines


def _markdown(points: Sequence[Point], topics: Collection[tuple[str, str]]) -> str:
    """Return the claims as a Markdown table, a column per point."""
    header = ["Claim", "Test", *(escape(describe(point.values)) for point in points)]
    rows = [[escape(name), escape(row["test"]), *cells] for name, row, cells in _lines(points, topics)]
    return f"# Sweep over {escape(', '.join(points[0].values))}\n\n{table(header, rows)}"


def _body(points: Sequence[Point], topics: Collection[tuple[str, str]], drawn: Sequence[str]) -> str:
    """Return the page: points, figures, claims."""
    names = list(points[0].values)
    heads = [describe(point.values) for point in points]
    rows = [(name, row["statement"], row["test"], *cells) for name, row, cells in _lines(points, topics)]
    addresses = [(f"../{point.run.name}/site/index.html", point.run.name) for point in points]
    runs = [
        f"<li>{escape_html(head)}: {html_tables.link(*address)}</li>"
        for head, address in zip(heads, addresses, strict=True)
    ]
    table_link = html_tables.link(f"{NAME}.csv", f"{NAME}.csv")
    alternative = (
        f"measured values of the claims against {', '.join(names)}; the numbers are in the table below"
    )
    pictures = [html_tables.picture(f"figures/{paper}.png", f"{paper}: {alternative}") for paper in drawn]
    return "\n".join(
        (
            f"<h1>Sweep over {escape_html(', '.join(names))}</h1>",
            f"<p>{len(points)} points, a run each. For programs: {table_link}. "
            "Of a size, 0 means the profile's.</p>",
            *pictures,
            html_tables.table(["Claim", "", "Test", *heads], rows) if rows else "<p>No claim was judged.</p>",
            "<h2>Runs</h2>",
            "<ul>\n" + "\n".join(runs) + "\n</ul>",
        )
    )
