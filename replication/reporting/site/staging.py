"""The folder that Sphinx builds from: scoreboard, papers, package, and safe copies of the notebooks."""

import html
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

from replication.reporting.site import api, content, notebooks, pages
from replication.reporting.site.content import Artefact, PaperContent

DOWNLOADS = "downloads"


def stage(
    run_dir: Path,
    source: Path,
    downloads: Path,
    papers: list[PaperContent],
    rooms: Collection[str] | None = None,
) -> None:
    """Write everything that Sphinx needs.

    Args:
        run_dir: folder of the run.
        source: folder for pages; made if missing.
        downloads: folder for the files that the pages offer; it belongs into the site's root.
        papers: what `content.collect` returned.
        rooms: those that the API reference shows; all by default.
    """
    for paper in papers:
        _paper(source / "papers" / paper.card.key, paper)
        _downloads(downloads / paper.card.key, paper)
    _api(source / "api", rooms)
    entries = [(paper.card.title, f"papers/{paper.card.key}/index") for paper in papers]
    ends = [
        pages.toctree([("Scoreboard", "self")]),
        pages.toctree(entries, "Papers", depth=2),
        pages.toctree([("", "api/index")], "Package"),
    ]
    parts = pages.board_parts(papers, content.manifest(run_dir))
    _write(source, "index", f"Scoreboard of {run_dir.name}", parts, "\n\n".join(ends), wide=True)


def _paper(folder: Path, paper: PaperContent) -> None:
    """Write a paper's page and its notebooks."""
    import nbformat

    folder.mkdir(parents=True)
    titles = {}
    for path in paper.notebooks:
        notebook = notebooks.read(path)
        titles[path.stem] = notebooks.title(notebook, pages.word(path.stem))
        nbformat.write(notebooks.staged(notebook, _links(paper, path)), folder / path.name)
    end = pages.toctree([("", path.stem) for path in paper.notebooks])
    _write(folder, "index", paper.card.title, pages.paper_parts(paper, titles), end)


def _links(paper: PaperContent, path: Path) -> str:
    """Return the line of links below a notebook's head."""
    file = f"../../{DOWNLOADS}/{paper.card.key}/notebooks/{path.name}"
    return (
        f'<p class="notebook-links"><a href="index.html">{html.escape(paper.card.title)}</a> '
        f'<a class="download" href="{html.escape(file)}" download>ipynb</a> '
        '<button type="button" class="all-code" hidden>Show all code</button></p>'
    )


def _write(
    folder: Path, name: str, title: str, parts: Mapping[str, str], end: str, wide: bool = False
) -> None:
    """Write a page and its fragments, each fragment under its heading."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = []
    for number, (heading, fragment) in enumerate(parts.items()):
        file = f"{name}.{number}.part"
        (folder / file).write_text(fragment, encoding="utf-8")
        shown += [f"## {heading}", file] if heading else [file]
    (folder / f"{name}.md").write_text(pages.page(title, shown, end, wide), encoding="utf-8")


def _downloads(folder: Path, paper: PaperContent) -> None:
    """Copy the files that the pages offer."""
    for path in (*paper.notebooks, *paper.failed):
        _copy(path, folder / "notebooks")
    for kind, artefacts in (("tables", paper.tables), ("figures", paper.figures)):
        for artefact in artefacts:
            _copy_all(artefact, folder / kind)


def _copy_all(artefact: Artefact, folder: Path) -> None:
    """Copy the files of a table or figure."""
    for path in artefact.files.values():
        _copy(path, folder)


def _copy(path: Path, folder: Path) -> None:
    """Copy a file into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, folder / path.name)


def _api(folder: Path, rooms: Collection[str] | None) -> None:
    """Write the API reference: a page per room."""
    folder.mkdir(parents=True)
    found = {room: files for room, files in api.rooms().items() if rooms is None or room in rooms}
    for room, files in found.items():
        (folder / f"{room}.rst").write_text(api.room_page(room, files), encoding="utf-8")
    listed = "\n".join(f"- [](./{room}.rst)" for room in found)
    text = f"# API reference\n\nFrom the docstrings of the package, a page per room.\n\n{listed}\n\n"
    (folder / "index.md").write_text(text + pages.toctree([("", room) for room in found]), encoding="utf-8")
