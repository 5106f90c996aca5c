"""Where everything stands: papers, notebooks, claims, tables and figures of one run."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from replication import papers as cards
from replication.workflow import manifest
from replication.workflow.discovery import Notebook
from replication.workflow.execute import failed_path

ENDINGS = {"table": ("tables", ".csv"), "figure": ("figures", ".png")}


def status(run_dir: Path, notebooks: Sequence[Notebook]) -> dict[str, Any]:
    """Return what is there and what is missing in a run.

    Args:
        run_dir: folder of the run; it need not exist.
        notebooks: the project's notebooks.

    Returns:
        `run` (folder) and `papers`: list of `key`, `title`, `notebooks`, `claims`, `artefacts`. The state of
        a notebook is "done", "failed" or "not run", of an artefact "made", "missing" or "full scale only".
    """
    entries = manifest.read(run_dir).get("notebooks", {})
    keys = dict.fromkeys([*(notebook.paper for notebook in notebooks), *cards.names()])
    found = []
    for key in keys:
        own = [_notebook(one, run_dir, entries) for one in notebooks if one.paper == key]
        found.append(
            {"key": key, "title": key, "notebooks": own}
            | (_facts(key, run_dir) if key in cards.names() else {})
        )
    return {"run": str(run_dir), "papers": found}


def _notebook(notebook: Notebook, run_dir: Path, entries: dict[str, Any]) -> dict[str, Any]:
    """Return name, state and seconds of a notebook."""
    output = run_dir / notebook.output
    state = "done" if output.exists() else "failed" if failed_path(output).exists() else "not run"
    return {"name": notebook.label, "state": state, "seconds": entries.get(notebook.label, {}).get("seconds")}


def _facts(key: str, run_dir: Path) -> dict[str, Any]:
    """Return title, claims and artefacts of a paper."""
    from replication.reporting.scoreboard import scoreboard

    paper = cards.load(key)
    claims = [
        {name: row[name] for name in ("claim", "statement", "verdict", "reason", "notebook")}
        for row in scoreboard(run_dir, [key])
    ]
    return {
        "title": paper.title,
        "claims": claims,
        "artefacts": [_artefact(artefact, run_dir / key) for artefact in paper.artefacts],
    }


def _artefact(artefact: cards.Artefact, folder: Path) -> dict[str, Any]:
    """Return id, title and state of a table or figure."""
    place, ending = ENDINGS[artefact.kind]
    state = artefact.status
    if state == "regenerated":
        made = any((folder / place).glob(f"{artefact.id}*{ending}"))
        state = "made" if made else "missing"
    return {
        "id": artefact.id,
        "kind": artefact.kind,
        "title": artefact.title,
        "state": state,
        "reason": artefact.reason,
    }


def render(content: dict[str, Any]) -> str:
    """Return the status as lines for a terminal."""
    lines = [f"Run {content['run']}"]
    for paper in content["papers"]:
        lines += ["", f"{paper['key']}: {paper['title']}"]
        for notebook in paper["notebooks"]:
            seconds = f" ({notebook['seconds']:.0f} s)" if notebook["seconds"] else ""
            lines.append(f"  notebook  {notebook['name']:40} {notebook['state']}{seconds}")
        lines += [
            f"  claim     {row['claim']:5} {row['verdict']:15} {row['statement']}"
            for row in paper.get("claims", ())
        ]
        for one in paper.get("artefacts", ()):
            why = f": {one['reason']}" if one["reason"] else ""
            lines.append(f"  {one['kind']:9} {one['id']:18} {one['state']}{why}")
    return "\n".join(lines)


def tables(content: dict[str, Any]) -> list[Any]:
    """Return the status as tables for a terminal (`rich.table.Table`), one per paper."""
    from rich.markup import escape
    from rich.table import Table

    found = []
    for paper in content["papers"]:
        table = Table(
            "", "", "state", "", title=f"{paper['key']}: {escape(paper['title'])}", title_justify="left"
        )
        for notebook in paper["notebooks"]:
            seconds = f"{notebook['seconds']:.0f} s" if notebook["seconds"] else ""
            table.add_row("notebook", notebook["name"], notebook["state"], seconds)
        for row in paper.get("claims", ()):
            table.add_row("claim", row["claim"], row["verdict"], escape(row["statement"]))
        for one in paper.get("artefacts", ()):
            table.add_row(one["kind"], one["id"], one["state"], escape(one["reason"]))
        found.append(table)
    return found
