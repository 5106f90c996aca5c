"""Notebooks found in the project: `notebooks/NN_paper/NN_topic.ipynb`, in the order of their numbers.

Folders from `ABOUT_RUNS` on hold notebooks about finished runs, such as comparisons: they belong to no
paper and are no part of a run.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from replication.settings import ROOT, InputError

FOLDER = ROOT / "notebooks"
NAME = re.compile(r"(\d\d)_([a-z0-9_]+)")
ABOUT_RUNS = 90


@dataclass(frozen=True)
class Notebook:
    """One notebook of a paper.

    Attributes:
        path: the file.
        paper: key of the paper, the folder's name without its number.
    """

    path: Path
    paper: str

    @property
    def topic(self) -> str:
        """File stem, such as "02_decoders"."""
        return self.path.stem

    @property
    def label(self) -> str:
        """Folder and stem, such as "01_cot_decoding/02_decoders"."""
        return f"{self.path.parent.name}/{self.topic}"

    @property
    def output(self) -> str:
        """Where the executed notebook lies, relative to the folder of the run."""
        return f"{self.paper}/notebooks/{self.topic}.ipynb"


def notebooks(folder: Path | str | None = None) -> list[Notebook]:
    """Return the papers' notebooks below `folder` (the project's by default), in the order of their names."""
    return [one for one in _numbered(folder) if not _about_runs(one)]


def about_runs(folder: Path | str | None = None) -> list[Notebook]:
    """Return the notebooks about finished runs, in the order of their names."""
    return [one for one in _numbered(folder) if _about_runs(one)]


def _numbered(folder: Path | str | None) -> list[Notebook]:
    """Return every notebook in a numbered folder."""
    found = []
    for path in sorted(Path(folder or FOLDER).glob("*/*.ipynb")):
        place = NAME.fullmatch(path.parent.name)
        if place and NAME.fullmatch(path.stem):
            found.append(Notebook(path.absolute(), place[2]))
    return found


def _about_runs(notebook: Notebook) -> bool:
    """Tell whether a notebook belongs to no paper."""
    return int(notebook.path.parent.name[:2]) >= ABOUT_RUNS


def select(papers: Sequence[str], folder: Path | str | None = None) -> list[Notebook]:
    """Return the notebooks of some papers, in order; of all when none is named.

    Raises:
        InputError: a paper without notebooks, or no notebook at all.
    """
    found = notebooks(folder)
    known = list(dict.fromkeys(notebook.paper for notebook in found))
    if not found:
        raise InputError(f"No notebook was found in {folder or FOLDER}: it needs NN_paper/NN_topic.ipynb.")
    if unknown := [paper for paper in papers if paper not in known]:
        raise InputError(f"Unknown paper {', '.join(map(repr, unknown))}: choose from {', '.join(known)}.")
    return [notebook for notebook in found if not papers or notebook.paper in papers]


def of_path(path: Path | str) -> Notebook | None:
    """Return the notebook at `path`, or None when it does not lie in a numbered folder of a paper."""
    path = Path(path).absolute()
    place = NAME.fullmatch(path.parent.name)
    found = Notebook(path, place[2]) if place and NAME.fullmatch(path.stem) else None
    return None if found is None or _about_runs(found) else found


def sources() -> list[Path]:
    """Return what every notebook depends on: modules, the papers' facts, the cards of shipped models."""
    package = ROOT / "replication"
    facts = [*(package / "papers").glob("*.toml"), *(package / "testbed" / "checkpoints").glob("*/card.json")]
    return sorted([*package.rglob("*.py"), *facts])


def contents(place: str) -> list[Path]:
    """Return the files of a model or data folder (or the file itself), none for any other name."""
    path = Path(place).expanduser() if place else None
    if path is None or not path.exists():
        return []
    found = [path] if path.is_file() else sorted(path.glob("*"))
    return [file.absolute() for file in found if file.is_file() and not file.name.startswith(".")]
