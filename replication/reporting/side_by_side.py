"""The same table of several runs as one: rows matched by their labels, a group of columns for each run."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from replication.settings import InputError

if TYPE_CHECKING:
    import pandas as pd

ENDINGS = ("_low", "_high", "_n")
NO_LABELS = "its rows have no labels that tell them apart"
NO_MATCH = "no row is labelled alike in two runs"


class NotAlignedError(ValueError):
    """Tables that cannot be laid side by side; the text says why."""


def common_tables(folders: Mapping[str, Path]) -> dict[str, dict[str, Path]]:
    """Return "<paper>/<table>" -> (run -> file) for the tables that two runs or more have.

    Args:
        folders: name of the run -> its folder.
    """
    found: dict[str, dict[str, Path]] = {}
    for name, folder in folders.items():
        for path in sorted(folder.glob("*/tables/*.csv")):
            found.setdefault(f"{path.parents[1].name}/{path.stem}", {})[name] = path
    return {key: files for key, files in sorted(found.items()) if len(files) > 1}


def load(path: Path) -> "pd.DataFrame":
    """Return a stored table as the texts that it holds.

    Raises:
        InputError: a file that is no table.
    """
    import pandas as pd

    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(f"{path} cannot be read as a table ({error}): run its notebook again.") from error


def join(frames: Mapping[str, "pd.DataFrame"]) -> "pd.DataFrame":
    """Return several runs' versions of a table as one.

    Labels are the fewest leading columns that tell the rows apart in every run; a column with an interval is
    a measurement and never one. Columns that are the same in all runs (published values) stand once, the
    others once per run as "<run>: <column>". Rows that only some runs have are kept, with empty cells.

    Args:
        frames: name of the run -> its table, all cells text.

    Raises:
        NotAlignedError: there are no such columns, or no row is labelled alike in two runs.
    """
    import pandas as pd

    labels = _labels(list(frames.values()))
    if not labels:
        raise NotAlignedError(NO_LABELS)
    keyed = {name: frame.set_index(labels) for name, frame in frames.items()}
    rows = list(dict.fromkeys(key for frame in keyed.values() for key in frame.index))
    if len(rows) == sum(map(len, keyed.values())):
        raise NotAlignedError(NO_MATCH)
    columns = list(dict.fromkeys(column for frame in keyed.values() for column in frame.columns))
    same = [column for column in columns if _agrees(column, columns, list(keyed.values()))]
    wide = {}
    for column in same:
        text = {key: value for frame in keyed.values() for key, value in frame[column].items()}
        wide[column] = [text[key] for key in rows]
    for name, frame in keyed.items():
        own = [column for column in columns if column not in same and column in frame]
        texts = {column: frame[column].to_dict() for column in own}
        wide |= {f"{name}: {column}": [texts[column].get(key, "") for key in rows] for column in own}
    tuples = [key if isinstance(key, tuple) else (key,) for key in rows]
    index = pd.MultiIndex.from_tuples(tuples, names=labels)
    return pd.DataFrame(wide, index=index).reset_index()


def _labels(frames: "Sequence[pd.DataFrame]") -> list[str]:
    """Return the fewest leading columns, shared by all, that tell the rows of each apart; [] when none do."""
    chosen: list[str] = []
    for column in frames[0].columns:
        if any(column not in frame or f"{column}{ENDINGS[0]}" in frame for frame in frames):
            break
        chosen.append(column)
        if not any(frame.duplicated(chosen).any() for frame in frames):
            return chosen
    return []


def _agrees(column: str, columns: Sequence[str], frames: "Sequence[pd.DataFrame]") -> bool:
    """Tell whether a column is no measurement and has the same text in every row that runs share."""
    measured = f"{column}{ENDINGS[0]}" in columns or any(
        column.endswith(ending) and column.removesuffix(ending) in columns for ending in ENDINGS
    )
    if measured or any(column not in frame for frame in frames):
        return False
    seen: dict[object, str] = {}
    return all(seen.setdefault(key, text) == text for frame in frames for key, text in frame[column].items())
