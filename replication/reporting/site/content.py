"""What a run holds for its site: papers with their claims, notebooks, tables and figures, as plain data."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replication import papers as cards
from replication.reporting.scoreboard import Row, scoreboard

NOTEBOOK = "[0-9]*.ipynb"
FAILED = ".failed.ipynb"


@dataclass(frozen=True)
class Artefact:
    """A table or figure of a run.

    Attributes:
        id: stem of its files.
        title: from the paper's file; the id in words where the file does not name it.
        files: its files by ending, "csv", "md", "png", "pdf".
    """

    id: str
    title: str
    files: dict[str, Path]


@dataclass(frozen=True)
class PaperContent:
    """What a run holds of one paper.

    Attributes:
        card: the paper's facts.
        rows: its judged claims.
        notebooks: executed notebooks in order.
        failed: partial notebooks of failed runs.
        tables: see `Artefact`.
        figures: see `Artefact`.
    """

    card: cards.Paper
    rows: list[Row]
    notebooks: list[Path]
    failed: list[Path]
    tables: list[Artefact]
    figures: list[Artefact]


def collect(run_dir: Path) -> list[PaperContent]:
    """Return the papers of a run that have an executed notebook, in the order of their folders' numbers."""
    keys = [key for key in cards.names() if any((run_dir / key / "notebooks").glob(NOTEBOOK))]
    return sorted((_paper(run_dir, key) for key in keys), key=lambda paper: paper.card.notebooks)


def manifest(run_dir: Path) -> dict[str, Any]:
    """Return the run's `manifest.json`; {} when there is none that can be read."""
    try:
        content = json.loads((run_dir / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _paper(run_dir: Path, key: str) -> PaperContent:
    """Return what the run holds of one paper."""
    card, folder = cards.load(key), run_dir / key
    found = sorted((folder / "notebooks").glob(NOTEBOOK))
    titles = {artefact.id: artefact.title for artefact in card.artefacts}
    return PaperContent(
        card=card,
        rows=scoreboard(run_dir, [key]),
        notebooks=[path for path in found if not path.name.endswith(FAILED)],
        failed=[path for path in found if path.name.endswith(FAILED)],
        tables=_artefacts(folder / "tables", "csv", ("csv", "md"), titles),
        figures=_artefacts(folder / "figures", "png", ("png", "pdf", "csv"), titles),
    )


def _artefacts(folder: Path, main: str, endings: Sequence[str], titles: dict[str, str]) -> list[Artefact]:
    """Return the artefacts of a folder; one is there when its main file is."""
    found = []
    for path in sorted(folder.glob(f"[!.]*.{main}"), key=lambda path: _order(path.stem, titles)):
        beside = {ending: path.with_suffix(f".{ending}") for ending in endings}
        files = {ending: file for ending, file in beside.items() if file.exists()}
        found.append(Artefact(path.stem, titles.get(path.stem, ""), files))
    return found


def _order(name: str, titles: dict[str, str]) -> tuple[int, str]:
    """Return a key that sorts as the paper's file does, an unknown id behind the known one it begins with."""
    places = [place for place, known in enumerate(titles) if name.startswith(known)]
    return (max(places, default=len(titles)), name)
