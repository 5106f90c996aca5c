"""The files of a comparison: claims, counts, tables, figures, and a page without network or script."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from replication.files import write_atomic
from replication.reporting import comparison, html_tables, side_by_side, tables
from replication.reporting.comparison import Aligned
from replication.reporting.html import page
from replication.reporting.markdown import SYMBOLS, authored, escape, escape_html, table
from replication.reporting.runs import Run
from replication.reporting.scoreboard import stated

FOLDER = "compare"
LONGEST = 100
CLAIMS_HEAD = ("Claim", "", "Test")


def folder_name(names: Sequence[str]) -> str:
    """Return the name of a comparison's folder: the runs' names, shortened by a hash where they are long."""
    full = "_vs_".join(names)
    if len(full) <= LONGEST:
        return full
    digits = hashlib.sha256(full.encode()).hexdigest()[:8]
    return f"{names[0][: LONGEST // 2]}_and_{len(names) - 1}_more-{digits}"


def write(runs: Sequence[Run], folder: Path) -> dict[str, Any]:
    """Write everything about a comparison into a folder; return the content of `comparison.json`.

    The folder holds `claims.csv` and `.md`, `summary.csv` and `.md`, `comparison.json`,
    `tables/<paper>/<id>.csv`, `figures/<paper>.png`, `.pdf` and `.csv`, and `index.html`.

    Raises:
        InputError: the runs have no claim in common, or a table cannot be read.
    """
    aligned = comparison.align(runs)
    names = [run.name for run in runs]
    joined, apart = _tables(runs, folder)
    drawn = _figures(aligned, names, folder)
    write_atomic(folder / "claims.csv", tables.to_csv(comparison.claims_frame(aligned, names)))
    write_atomic(folder / "claims.md", claims_markdown(aligned, names))
    counts = comparison.counts_frame(runs)
    write_atomic(folder / "summary.csv", tables.to_csv(counts))
    write_atomic(folder / "summary.md", tables.to_markdown(counts))
    content = as_json(runs, aligned) | {"tables": joined, "tables_apart": apart}
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    write_atomic(folder / "comparison.json", text + "\n")
    body = _body(runs, aligned, joined, apart, drawn)
    write_atomic(folder / "index.html", page(f"Comparison: {', '.join(names)}", body))
    return content


def as_json(runs: Sequence[Run], aligned: Sequence[Aligned]) -> dict[str, Any]:
    """Return a comparison for programs: runs with what they were given, claims with what changed."""
    names = [run.name for run in runs]
    given = [{"name": run.name, "parameters": run.manifest.get("parameters", {})} for run in runs]
    keep = ("measured", "ci_low", "ci_high", "n", "verdict", "test")
    claims = [
        {
            "paper": one.paper,
            "claim": one.claim,
            "statement": one.facts["statement"],
            "runs": {
                name: {key: entry[key] for key in keep} if entry else None
                for name, entry in zip(names, one.entries, strict=True)
            },
            "changes": list(one.changes),
        }
        for one in aligned
    ]
    return {"runs": given, "changed": sum(bool(one.changes) for one in aligned), "claims": claims}


def claims_markdown(aligned: Sequence[Aligned], names: Sequence[str]) -> str:
    """Return the claims as Markdown, one table per paper: a column per run, what changed in the last."""
    parts = [f"# Comparison: {escape(', '.join(names))}"]
    header = ["", "Claim", *map(escape, names), "Changed"]
    for paper in dict.fromkeys(one.paper for one in aligned):
        rows = [
            [
                escape(one.claim),
                authored(one.facts["statement"]),
                *(stated(entry) for entry in one.entries),
                escape("; ".join(one.changes) or "—"),
            ]
            for one in aligned
            if one.paper == paper
        ]
        parts += [f"## {escape(paper)}", table(header, rows).rstrip("\n")]
    return "\n\n".join(parts) + "\n"


def _tables(runs: Sequence[Run], folder: Path) -> tuple[list[str], dict[str, str]]:
    """Write the tables that can be laid side by side; return their names, and why the others cannot."""
    joined, apart = [], {}
    for name, files in side_by_side.common_tables({run.name: run.folder for run in runs}).items():
        try:
            frame = side_by_side.join({run: side_by_side.load(path) for run, path in files.items()})
        except side_by_side.NotAlignedError as error:
            apart[name] = str(error)
            continue
        write_atomic(folder / "tables" / f"{name}.csv", frame.to_csv(index=False, lineterminator="\n"))
        joined.append(name)
    for path in (folder / "tables").glob("*/*.csv"):  # of an earlier comparison under the same name
        if f"{path.parent.name}/{path.stem}" not in joined:
            path.unlink()
    return joined, apart


def _figures(aligned: Sequence[Aligned], names: Sequence[str], folder: Path) -> list[str]:
    """Write a figure of every paper with measured claims; return the papers' keys."""
    from replication.reporting import style
    from replication.reporting.comparison_plots import forest

    drawn = []
    for paper in dict.fromkeys(one.paper for one in aligned):
        made = forest([one for one in aligned if one.paper == paper], names)
        if made is None:
            continue
        style.save(made[0], folder / "figures", paper)
        style.plt.close(made[0])
        write_atomic(folder / "figures" / f"{paper}.csv", tables.to_csv(made[1]))
        drawn.append(paper)
    return drawn


def _body(
    runs: Sequence[Run],
    aligned: Sequence[Aligned],
    joined: Sequence[str],
    apart: Mapping[str, str],
    drawn: Sequence[str],
) -> str:
    """Return the page: runs, counts, what changed, then a part for each paper."""
    names = [run.name for run in runs]
    changed = [one for one in aligned if one.changes]
    counts = comparison.counts_frame(runs)
    parts = [
        f"<h1>Comparison of {escape_html(', '.join(names))}</h1>",
        f"<p>{len(changed)} of {len(aligned)} claims changed. {_files()}</p>",
        "<h2>Runs</h2>",
        _settings(runs),
        "<h2>Verdicts</h2>",
        html_tables.table(list(counts.columns), counts.values.tolist(), range(2, len(counts.columns))),
        "<h2>What changed</h2>",
        f"<p>{escape_html(_reading())}</p>",
        _claims(changed, names, with_paper=True) if changed else "<p>Nothing.</p>",
    ]
    for paper in dict.fromkeys(one.paper for one in aligned):
        own = [one for one in aligned if one.paper == paper]
        parts += [f"<h2>{escape_html(paper)}</h2>", _claims(own, names)]
        if paper in drawn:
            parts.append(html_tables.picture(f"figures/{paper}.png", _alternative(paper, names)))
        parts.append(_links(paper, joined, apart))
    return "\n".join(parts)


def _files() -> str:
    """Return links to the files for programs."""
    links = [html_tables.link(name, name) for name in ("claims.csv", "summary.csv", "comparison.json")]
    return f"For programs: {', '.join(links)}."


def _reading() -> str:
    """Return how the changes are to be read."""
    symbols = ", ".join(f"{symbol} {word}" for word, symbol in SYMBOLS.items())
    return (
        "A claim is listed when verdicts or tests differ, when two runs' 95 % intervals have no point in "
        "common, when their values lie on different sides of zero, or when a run lacks it. Among many claims "
        "some change by chance; intervals that overlap do not show that two runs are alike. "
        f"Symbols: {symbols}."
    )


def _settings(runs: Sequence[Run]) -> str:
    """Return what the runs were given, what differs marked in words."""
    rows = [
        (name, *values, "differs" if differs else "the same")
        for name, values, differs in comparison.settings_rows(runs)
    ]
    if not rows:
        return "<p>The runs have no manifest.</p>"
    return html_tables.table(["setting", *(run.name for run in runs), ""], rows)


def _claims(aligned: Sequence[Aligned], names: Sequence[str], with_paper: bool = False) -> str:
    """Return claims as an HTML table."""
    rows = [
        (
            f"{one.paper} {one.claim}" if with_paper else one.claim,
            one.facts["statement"],
            one.facts["test"],
            *(stated(entry) for entry in one.entries),
            "; ".join(one.changes) or "—",
        )
        for one in aligned
    ]
    return html_tables.table([*CLAIMS_HEAD, *names, "Changed"], rows)


def _alternative(paper: str, names: Sequence[str]) -> str:
    """Return what stands for the figure where it is not seen."""
    return (
        f"Claims of {paper}: measured values with intervals for {', '.join(names)}, each claim on its own "
        "scale; the numbers are in the table above"
    )


def _links(paper: str, joined: Sequence[str], apart: Mapping[str, str]) -> str:
    """Return the tables of a paper: links to those that were joined, reasons for the others."""
    mine = [name for name in joined if name.startswith(f"{paper}/")]
    items = [f"<li>{html_tables.link(f'tables/{name}.csv', name)}</li>" for name in mine]
    items += [
        f"<li>{escape_html(name)}: not side by side, {escape_html(why)}</li>"
        for name, why in apart.items()
        if name.startswith(f"{paper}/")
    ]
    if not items:
        return ""
    return "<details><summary>Tables side by side</summary>\n<ul>\n" + "\n".join(items) + "\n</ul></details>"
