"""What each notebook left: its files with their checksums, so that a later run notices what became of them.

While a notebook runs, every file that it writes is noted (`replication.files`); its executed copy and its
page follow, and last the event of its end. Before the next run all of them are compared: what is missing or
has another content than any that was noted is removed, and its notebook runs again, from the records.

Files that several notebooks write, such as `claims.json`, belong to all of them. Records and weights have
checksums of their own.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replication import files
from replication.workflow.discovery import Notebook
from replication.workflow.plan import FOLDER, rule_name

NAME = "made"
# Written beside the notebooks' results by whoever looks at them; nobody reads them as results.
LOOSE = ("costs",)


@dataclass(frozen=True)
class Seal:
    """What one notebook left.

    Attributes:
        files: path relative to the run -> every checksum that was noted for it.
        done: the event of its end, {} when it has not come to it.
    """

    files: Mapping[str, frozenset[str]]
    done: Mapping[str, Any]


def path(run_dir: Path, rule: str) -> Path:
    """Return the file of a notebook's seal."""
    return run_dir / FOLDER / NAME / f"{rule}.jsonl"


@contextmanager
def noting(run_dir: Path, rule: str) -> Iterator[None]:
    """Note what this process and its children write, as that of one notebook."""
    log = path(run_dir, rule)
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    os.environ[files.MADE] = str(log)
    try:
        yield
    finally:
        del os.environ[files.MADE]


def end(run_dir: Path, rule: str, made: Iterable[Path], event: Mapping[str, Any]) -> None:
    """Note the last files of a notebook, and that it has ended."""
    log = path(run_dir, rule)
    for file in filter(Path.is_file, made):
        files.note(log, file, files.checksum(file))
    with log.open("a", encoding="utf-8") as handle:
        handle.write(json.dumps({"done": dict(event)}) + "\n")


def read(run_dir: Path, rule: str) -> Seal:
    """Return the seal of a notebook, an empty one where there is none; lines cut off do not count."""
    try:
        lines = path(run_dir, rule).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return Seal({}, {})
    found: dict[str, set[str]] = {}
    done: Mapping[str, Any] = {}
    for line in lines:
        try:
            entry = json.loads(line)
            if "done" in entry:
                done = dict(entry["done"])
            elif name := _inside(entry["file"]):
                found.setdefault(name, set()).add(str(entry["sha256"]))
        except (ValueError, KeyError, TypeError):
            continue
    return Seal({name: frozenset(sums) for name, sums in found.items()}, done)


def _inside(name: str) -> str:
    """Return a noted file's path in the run, "" for files elsewhere and for those that are no results."""
    relative = os.path.normpath(Path(FOLDER, NAME, name))
    parts = Path(relative).parts
    outside = parts[0] == os.pardir or Path(relative).is_absolute()
    # A folder that appears whole is filled under a hidden name: `lm.trainings` checks what is in it.
    hidden = any(part.startswith(".") for part in parts)
    return "" if outside or hidden or set(LOOSE) & set(parts) else relative


def mend(run_dir: Path, notebooks: Iterable[Notebook]) -> list[str]:
    """Remove what is not as its notebook left it, with the notebook's output, so that it runs again.

    Returns:
        A sentence for each such notebook.
    """
    seals = {one: read(run_dir, rule_name(one.label)) for one in notebooks}
    known: dict[str, set[str]] = {}
    for seal in seals.values():
        for name, sums in seal.files.items():
            known.setdefault(name, set()).update(sums)
    wrong = {name: why for name, sums in known.items() if (why := _wrong(run_dir / name, sums))}
    said = []
    for notebook, seal in seals.items():
        output = run_dir / notebook.output
        mine = sorted(set(seal.files) & set(wrong)) if seal.done and output.exists() else []
        if mine:
            more = f" and {len(mine) - 1} more" if len(mine) > 1 else ""
            said.append(f"{notebook.label} runs again: its {mine[0]}{more} {wrong[mine[0]]}")
            for name in [*mine, notebook.output]:
                (run_dir / name).unlink(missing_ok=True)
    return said


def _wrong(file: Path, sums: set[str]) -> str:
    """Return what is the matter with a file, "" when nothing is."""
    try:
        return "" if files.checksum(file) in sums else "was changed or damaged since"
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read ({error.strerror})"


def finished(run_dir: Path, notebooks: Iterable[Notebook]) -> dict[str, Mapping[str, Any]]:
    """Return label -> last event of the notebooks that have ended well and whose output is there."""
    found = {}
    for one in notebooks:
        done = read(run_dir, rule_name(one.label)).done
        if {"state", "seconds", "time"} <= set(done) and (run_dir / one.output).exists():
            found[one.label] = done
    return found
