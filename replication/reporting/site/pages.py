"""The pages written for the site: scoreboard and papers. Templates escape all text; Sphinx adds the frame."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from replication.evaluation.claims import VERDICTS
from replication.reporting.html import markdown, sanitise
from replication.reporting.markdown import SYMBOLS, escape
from replication.reporting.scoreboard import Row, measured, summary
from replication.reporting.site.content import Artefact, PaperContent
from replication.reporting.site.notebooks import wide_tables

TEMPLATES = Path(__file__).parent / "templates"
LONG_TABLE = 60


def environment() -> Any:
    """Return Jinja's environment: everything is escaped unless a template says that it is HTML already."""
    import jinja2

    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.globals |= {"SYMBOLS": SYMBOLS, "VERDICTS": VERDICTS, "measured": number, "word": word}
    return made


def word(name: str) -> str:
    """Return the id of a paper, table or figure in words."""
    return name.replace("_", " ")


def number(row: Row) -> str:
    """Return what was measured; a narrow column breaks it between interval and n only."""
    text = measured(row).replace(" ", "\u00a0")
    return text.replace("],\u00a0n", "], n")


def page(title: str, parts: Sequence[str], contents: str = "", wide: bool = False) -> str:
    """Return a MyST page: a title, then fragments of ready HTML by file name or pieces of MyST.

    Args:
        title: plain text; nothing in it acts.
        parts: names of HTML files beside the page, or "## ..." headings.
        contents: MyST for the end, such as a toctree.
        wide: no table of contents beside the page.
    """
    shown = [part if part.startswith("#") else f"```{{raw}} html\n:file: {part}\n```" for part in parts]
    head = ["---\nhide-toc: true\n---"] if wide else []
    return "\n\n".join([*head, f"# {escape(title)}", *shown, contents]) + "\n"


def toctree(entries: Sequence[tuple[str, str]], caption: str = "", depth: int = 1) -> str:
    """Return a hidden toctree of (title, page) pairs; an empty title takes the page's own."""
    head = [f":caption: {caption}"] if caption else []
    lines = [f"{_entry(title)} <{place}>" if title else place for title, place in entries]
    return "\n".join(["```{toctree}", ":hidden:", f":maxdepth: {depth}", *head, "", *lines, "```"])


def _entry(title: str) -> str:
    """Return a title for a toctree, which would take an angle bracket for an address."""
    return title.replace("<", "‹").replace(">", "›")


def board_parts(papers: Sequence[PaperContent], manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return the fragments of the scoreboard by heading: counts, papers by claims, then every claim."""
    rows = [row for paper in papers for row in paper.rows]
    values = {
        "papers": papers, "rows": rows, "counts": summary(rows), "facts": facts(manifest),
        "notebooks": {(paper.card.key, path.stem) for paper in papers for path in paper.notebooks},
    }  # fmt: skip
    wanted = {"": "lead.html", "Papers and claims": "matrix.html", "All claims": "all_claims.html"}
    return {heading: environment().get_template(name).render(values) for heading, name in wanted.items()}


def facts(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return what a manifest says about a run, in words."""
    parameters, package = manifest.get("parameters", {}), manifest.get("package", {})
    hardware = manifest.get("hardware", {})
    seconds = sum(entry.get("seconds") or 0 for entry in manifest.get("notebooks", {}).values())
    changed = " with changes" if package.get("modified") else ""
    commit = f" at commit {package['commit'][:10]}{changed}" if package.get("commit") else ""
    found = {
        "Model": parameters.get("model"),
        "Profile": parameters.get("profile"),
        "Task": parameters.get("task"),
        "Seed": manifest.get("seed"),
        "Finished": manifest.get("finished"),
        "Notebooks": f"{seconds / 60:.0f} minutes in all" if seconds else None,
        "Hardware": ", ".join(map(str, [hardware.get("processor"), *hardware.get("gpu", [])]))
        if hardware.get("processor")
        else None,
        "Package": f"replication {package['version']}{commit}" if package.get("version") else None,
    }
    return {name: str(value) for name, value in found.items() if value not in (None, "")}


def paper_parts(paper: PaperContent, titles: Mapping[str, str]) -> dict[str, str]:
    """Return the fragments of a paper's page by heading ("" for what comes first); empty ones are left out.

    Args:
        paper: what the run holds of it.
        titles: title of each notebook as safe HTML, by file stem.
    """
    templates = environment()
    missing = [one for one in paper.card.artefacts if one.status == "full scale only"]
    wanted = {
        "": ("paper.html", True),
        "Claims": ("claims.html", paper.rows),
        "Notebooks": ("notebooks.html", paper.notebooks or paper.failed),
        "Figures": ("figures.html", paper.figures),
        "Tables": ("tables.html", paper.tables),
        "What needs full scale": ("missing.html", missing),
    }
    values = {
        "paper": paper, "rows": paper.rows, "counts": summary(paper.rows), "titles": titles,
        "missing": missing, "table": table, "size": image_size, "room": paper.card.module.split(".")[1],
        "notebooks": {(paper.card.key, path.stem) for path in paper.notebooks},
    }  # fmt: skip
    return {
        heading: templates.get_template(name).render(values)
        for heading, (name, needed) in wanted.items()
        if needed
    }


def table(artefact: Artefact) -> str:
    """Return a stored table as safe HTML; of a long one its first lines."""
    if "md" not in artefact.files:
        return ""
    lines = artefact.files["md"].read_text(encoding="utf-8").splitlines()
    shown = sanitise(markdown("\n".join(lines[:LONG_TABLE])))
    more = len(lines) - LONG_TABLE
    return wide_tables(shown) + (f"<p>{more} more rows are in the file.</p>" if more > 0 else "")


def image_size(path: Path) -> tuple[int, int]:
    """Return width and height of a PNG in pixels, from its header."""
    head = path.read_bytes()[:24]
    return int.from_bytes(head[16:20]), int.from_bytes(head[20:24])
