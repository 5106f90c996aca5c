"""`build`: the site of a run, whole or not at all."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from replication.reporting.site import fingerprint
from replication.settings import InputError

FOLDER = "site"
CONFIGURATION = Path(__file__).parent
NEEDED = ("sphinx", "myst_nb", "furo")
LAST_LINES = 12


@dataclass(frozen=True)
class Site:
    """A built site.

    Attributes:
        index: its first page.
        warnings: what Sphinx found odd, a line each.
        fresh: False when nothing had changed, so that the site of before was kept.
    """

    index: Path
    warnings: list[str]
    fresh: bool


def build(run_dir: Path, rooms: Collection[str] | None = None) -> Site:
    """Build `<run>/site` from the executed notebooks, claims, tables and figures of a run; run no notebook.

    Args:
        run_dir: folder of the run.
        rooms: those that the API reference shows; all by default.

    Raises:
        InputError: the run does not exist or holds no executed notebook, or Sphinx is not installed.
        RuntimeError: Sphinx failed; the message ends with its last lines.
    """
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise InputError(
            f"The site needs {', '.join(missing)}: run `make setup`, or install `replication[site]`."
        )
    from replication.reporting.site import content, staging

    papers = content.collect(run_dir) if run_dir.is_dir() else []
    if not papers:
        raise InputError(f"No executed notebook was found in {run_dir}: run `make reproduce` first.")
    target, key = run_dir / FOLDER, fingerprint.of(run_dir)
    if fingerprint.stored(target) == key:
        return Site(target / "index.html", [], fresh=False)
    with tempfile.TemporaryDirectory(prefix=".site-", dir=run_dir) as name:
        work = Path(name)
        staging.stage(run_dir, work / "source", work / staging.DOWNLOADS, papers, rooms)
        warnings = _sphinx(work, f"replication: {run_dir.name}")
        (work / staging.DOWNLOADS).rename(work / "html" / staging.DOWNLOADS)
        fingerprint.store(work / "html", key)
        _swap(work / "html", target, work / "before")
    return Site(target / "index.html", warnings, fresh=True)


def _sphinx(work: Path, title: str) -> list[str]:
    """Run Sphinx in a process of its own and return its warnings."""
    log = work / "warnings"
    command = [
        sys.executable, "-m", "sphinx", "-b", "html", "-q", "-j", str(min(2, os.cpu_count() or 1)),
        "-c", str(CONFIGURATION), "-d", str(work / "doctrees"), "-w", str(log),
        "-D", f"html_title={title}", str(work / "source"), str(work / "html"),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    said = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    lines = [line.replace(f"{work / 'source'}{os.sep}", "") for line in said.splitlines() if line.strip()]
    if done.returncode:
        last = (lines + done.stderr.splitlines())[-LAST_LINES:]
        raise RuntimeError("\n".join([f"Sphinx stopped with code {done.returncode}:", *last]))
    for name in (".buildinfo", "objects.inv"):
        (work / "html" / name).unlink(missing_ok=True)
    return lines


def _swap(made: Path, target: Path, before: Path) -> None:
    """Put a built folder into place; the one before it is moved away first."""
    if target.exists():
        target.rename(before)
    made.rename(target)
    shutil.rmtree(before, ignore_errors=True)
