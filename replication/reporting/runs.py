"""Finished runs, found by name or folder and read from their files."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from replication.evaluation.claims import VERDICTS, ClaimResult, Estimate
from replication.settings import InputError

SCOREBOARD = "scoreboard.json"
FIELDS = tuple(one.name for one in fields(ClaimResult))
NUMBERS = ("measured", "ci_low", "ci_high")

Row = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """One run as its files tell it.

    Attributes:
        name: the folder's name, with its parent's in front where two runs would read alike.
        folder: where its files lie.
        claims: its scoreboard, one dict in the form of `claims.json` each.
        manifest: what ran, {} when the run has no manifest that can be read.
    """

    name: str
    folder: Path
    claims: tuple[Row, ...]
    manifest: Mapping[str, Any] = field(default_factory=dict)

    @property
    def papers(self) -> tuple[str, ...]:
        """Keys of the papers that it judged, in order."""
        return tuple(dict.fromkeys(row["paper"] for row in self.claims))


def available(results: Path) -> list[str]:
    """Return the names of the runs of a results tree that have a scoreboard, sorted."""
    return sorted(path.parent.name for path in results.glob(f"*/{SCOREBOARD}"))


def find(wanted: Sequence[str], results: Path, least: int = 2) -> list[Run]:
    """Return runs by their names in `results` or by their folders, each once, in the order given.

    Args:
        wanted: names or folders.
        results: root of the results tree.
        least: fewest runs that make sense.

    Raises:
        InputError: a run that does not exist or has no scoreboard, one that is named twice, fewer than
            `least`, or a scoreboard that cannot be read.
    """
    folders = [_folder(name, results) for name in wanted]
    if twice := sorted({str(wanted[i]) for i, one in enumerate(folders) if one in folders[:i]}):
        raise InputError(f"The run {twice[0]!r} is named twice: name each run once.")
    if len(folders) < least:
        raise InputError(
            f"A comparison needs {least} runs or more, got {len(folders)}: {_choices(results)}; another "
            "comes from `make reproduce MODEL=testbed-small`, say."
        )
    names = [folder.name for folder in folders]
    unique = [f"{one.parent.name}-{one.name}" if names.count(one.name) > 1 else one.name for one in folders]
    return [read(folder, name) for folder, name in zip(folders, unique, strict=True)]


def read(folder: Path, name: str = "") -> Run:
    """Return the run in a folder, called by the folder's name unless given another.

    Raises:
        InputError: a scoreboard that is missing or does not hold claims.
    """
    file = folder / SCOREBOARD
    try:
        claims = json.loads(file.read_text(encoding="utf-8"))["claims"]
        rows = tuple(_checked(row) for row in claims)
    except OSError as error:
        raise InputError(
            f"{file} cannot be read ({error.strerror}): run `make reproduce` or `python -m replication "
            f"scoreboard {folder}` first."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{file} is not a scoreboard ({error}): write it anew with `python -m replication scoreboard "
            f"{folder}`."
        ) from error
    return Run(name or folder.name, folder, rows, _json(folder / "manifest.json"))


def joined(parts: Sequence[Run]) -> Run:
    """Return several runs as one that bears the first one's name: papers whose usual tasks set them apart."""
    first = parts[0]
    return Run(first.name, first.folder, tuple(row for run in parts for row in run.claims), first.manifest)


def estimate(row: Row | None) -> Estimate | None:
    """Return the measurement of a stored claim, None where there is none."""
    if row is None or any(row[name] is None for name in NUMBERS):
        return None
    return Estimate(row["measured"], row["ci_low"], row["ci_high"], row["n"])


def _folder(name: str, results: Path) -> Path:
    """Return the folder of a run."""
    inside = results / name
    outside = Path(name).expanduser().absolute()
    for folder in (inside, outside):
        if (folder / SCOREBOARD).is_file():
            return folder.resolve()
    if inside.is_dir() or outside.is_dir():
        folder = inside if inside.is_dir() else outside
        raise InputError(
            f"The run {name!r} has no {SCOREBOARD}: finish it with `make reproduce`, or judge what there is "
            f"with `python -m replication scoreboard {folder}`."
        )
    raise InputError(f"There is no run {name!r}: {_choices(results)}.")


def _choices(results: Path) -> str:
    """Return which runs there are, as the end of a sentence."""
    there = available(results)
    return f"{results} has {', '.join(there)}" if there else f"{results} has none yet"


def _checked(row: Any) -> Row:
    """Return the fields of a claim; KeyError, TypeError or ValueError when it is none."""
    found = {name: row[name] for name in FIELDS}
    for name in NUMBERS:
        value = found[name]
        if value is not None and (isinstance(value, bool) or not math.isfinite(value)):
            raise ValueError(f"{name} of claim {found['claim']} is {value!r}")
    if type(found["n"]) is not int or found["verdict"] not in VERDICTS:
        raise ValueError(f"claim {found['claim']} has n = {found['n']!r}, verdict {found['verdict']!r}")
    return found


def _json(path: Path) -> dict[str, Any]:
    """Return a JSON object, {} when it is missing or damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
