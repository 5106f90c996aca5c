"""Questions from jsonl files or the Hugging Face hub, every line checked before use."""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from unittest.mock import patch

from replication.settings import InputError
from replication.tasks import numbers
from replication.tasks.base import Kind, Question, Source

Columns = Sequence[tuple[str, ...]]
"""Alternatives in order of preference; the texts of one alternative's columns are joined by a space."""

_PATIENCE = 3.0


@dataclass(frozen=True)
class Row:
    """One record of a source and how to name its place to the user ("test.jsonl, line 3")."""

    place: str
    values: Mapping[str, object]


@dataclass(frozen=True)
class Hub:
    """A data set of the hub: id, configuration and what it calls its splits."""

    name: str
    config: str | None = None


@dataclass(frozen=True)
class Layout:
    """How the rows of a source become questions.

    Attributes:
        question: columns of the question.
        answer: columns of the gold answer.
        kind: "number" answers must be numbers and are normalised.
        options: the allowed answers of the kind "option".
        level: column of the difficulty, "" for none.
    """

    question: Columns
    answer: Columns
    kind: Kind = "number"
    options: tuple[str, ...] = ()
    level: str = ""


def file_source(
    name: str, data_dir: str, hub: Hub | None, layout: Layout, splits: Mapping[str, Sequence[str]]
) -> Source:
    """Return the source of a task whose questions lie in files or on the hub; its test split is read at once.

    Args:
        name: the task's specification; its part before ":" may be a folder inside `data_dir`.
        data_dir: a jsonl file, or a folder with `<part>.jsonl` files; "" takes the hub.
        hub: where the set is published, None where it is not.
        layout: columns and kind of answer.
        splits: split -> parts that make it up, in order; parts without a file are left out.

    Raises:
        InputError: a folder, file, line or column is missing, or the hub cannot be reached.
    """
    folder = name.partition(":")[0]
    if not data_dir and hub is None:
        raise InputError(f"Task {folder!r} reads files: give their folder or file as data_dir.")

    @cache
    def read(split: str) -> tuple[Question, ...]:
        if data_dir:
            rows = [row for path in find_files(data_dir, folder, splits[split]) for row in read_jsonl(path)]
        else:
            rows = [row for part in splits[split] for row in read_hub(hub, part)]
        return tuple(_question(row, layout, f"{name}-{split}-{index}") for index, row in enumerate(rows))

    read("test")
    return lambda split, n, seed: list(read(split)[:n])


def find_files(data_dir: str, folder: str, parts: Sequence[str]) -> list[Path]:
    """Return the files of a split: `data_dir` itself, or `<part>.jsonl` in it or in its sub-folder.

    Raises:
        InputError: nothing of that name is there.
    """
    root = Path(data_dir).expanduser()
    if root.is_file():
        return [root]
    if not root.is_dir():
        raise InputError(
            f"The data folder {data_dir!r} does not exist: give an existing folder or file as data_dir."
        )
    for place in (root, root / folder):
        if found := [path for part in parts if (path := place / f"{part}.jsonl").is_file()]:
            return found
    wanted = " or ".join(f"{part}.jsonl" for part in parts)
    raise InputError(f"The data folder {data_dir!r} has no {wanted}: put it there or give another data_dir.")


def read_jsonl(path: Path) -> list[Row]:
    """Return the objects of a file with one JSON object per line; empty lines are passed over.

    Raises:
        InputError: the file cannot be read or is empty, or a line is not a JSON object; names file and line.
    """
    try:
        lines = path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n")
    except OSError as error:
        raise InputError(
            f"The file {path} cannot be read ({error.strerror}): check its permissions."
        ) from error
    rows = []
    for number, line in enumerate(lines, start=1):
        if line.strip():
            place = f"{path}, line {number}"
            rows.append(Row(place, _json_object(line, place)))
    if not rows:
        raise InputError(f"The file {path} holds no questions: it needs one JSON object per line.")
    return rows


def read_hub(hub: Hub, part: str) -> list[Row]:
    """Return the rows of one part of a hub data set, from the network or the local cache.

    Raises:
        InputError: neither has it; says to give data_dir.
    """
    try:
        with _offline(not _within(_PATIENCE, lambda: _reach_hub(hub.name))):
            data = _load(hub, part)
    except Exception as error:
        # The hub's client raises errors of many libraries: network, files, parsing, unknown names.
        data = _cached(hub, part)
        if data is None:
            kind = type(error).__name__
            raise InputError(
                f"The data set {hub.name} ({part}) could not be loaded from the hub ({kind}): "
                "give a folder with its jsonl files as data_dir."
            ) from error
    return [Row(f"{hub.name} {part}, row {index}", row) for index, row in enumerate(data, start=1)]


def column(row: Row, columns: Columns) -> str:
    """Return the text of the first alternative that the row has; numbers become text.

    Raises:
        InputError: no alternative is complete, or one holds no text.
    """
    for names in columns:
        if all(name in row.values for name in names):
            return " ".join(_text(row, name) for name in names)
    wanted = " or ".join("+".join(names) for names in columns)
    has = ", ".join(map(repr, list(row.values)[:12])) or "none"
    raise InputError(
        f"{row.place} lacks the column {wanted!r} (it has {has}): name the right one as an option."
    )


def split_columns(names: str) -> Columns:
    """Return the single alternative of an option such as "question" or "Body+Question"."""
    return (tuple(names.split("+")),)


def _question(row: Row, layout: Layout, identity: str) -> Question:
    """Return the question of a row, its gold answer checked."""
    text, gold = column(row, layout.question), column(row, layout.answer)
    level = row.values.get(layout.level, 0)
    return Question(identity, text, _gold(gold, row, layout), level if isinstance(level, int) else 0)


def _gold(gold: str, row: Row, layout: Layout) -> str:
    """Return the gold answer: behind "####" where that occurs, numbers normalised, options in lower case."""
    gold = gold.rpartition("####")[2].strip() if layout.kind != "latex" else gold
    if layout.kind == "number":
        if (number := numbers.normalise(gold)) is None:
            shown = gold if len(gold) <= 40 else f"{gold[:40]}..."
            raise InputError(
                f"{row.place} has the answer {shown!r}, which is not a number: name another column."
            )
        return number
    if layout.options and (gold := gold.rstrip(".").lower()) not in layout.options:
        raise InputError(f"{row.place} has the answer {gold[:40]!r}, not one of {', '.join(layout.options)}.")
    return gold


def _text(row: Row, name: str) -> str:
    value = row.values[name]
    if (
        isinstance(value, bool)
        or not isinstance(value, str | int | float)
        or not (text := str(value).strip())
    ):
        raise InputError(
            f"{row.place} has no text in the column {name!r}: mend the line or name another column."
        )
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise InputError(f"{row.place} holds half of a surrogate pair in the column {name!r}: mend the line.")
    return text


def _json_object(line: bytes, place: str) -> dict[str, object]:
    try:
        value = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise InputError(f"{place} is not UTF-8 text: convert the file to UTF-8.") from error
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else type(error).__name__
        raise InputError(f"{place} is not JSON ({reason}): it needs one JSON object per line.") from error
    if not isinstance(value, dict):
        raise InputError(
            f'{place} is not a JSON object: it needs one such as {{"question": ..., "answer": ...}}.'
        )
    return value


def _load(hub: Hub, part: str) -> Iterable[Mapping[str, object]]:
    """Return the rows of one part of a hub data set."""
    import datasets

    return datasets.load_dataset(hub.name, hub.config, split=part)


def _cached(hub: Hub, part: str) -> Iterable[Mapping[str, object]] | None:
    """Return the rows that an earlier run left on this machine, None when there are none."""
    try:
        with _offline(True):
            return _load(hub, part)
    except Exception:
        return None


@contextmanager
def _offline(wanted: bool) -> Iterator[None]:
    """Let the hub's client use its cache at once, not after half a minute of retries."""
    with ExitStack() as stack:
        if wanted:
            import datasets
            import huggingface_hub

            stack.enter_context(patch.object(datasets.config, "HF_HUB_OFFLINE", True))
            stack.enter_context(patch.object(huggingface_hub.constants, "HF_HUB_OFFLINE", True))
        yield


def _reach_hub(name: str) -> None:
    """Ask the hub for a file of a data set; every answer will do except that of a server out of order."""
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.errors import HfHubHTTPError

    try:
        get_hf_file_metadata(hf_hub_url(name, "README.md", repo_type="dataset"), timeout=_PATIENCE)
    except HfHubHTTPError as error:
        if error.response.status_code >= 500:
            raise


def _within(seconds: float, action: Callable[[], None]) -> bool:
    """Tell whether `action` succeeds in time; in a thread, as a name look-up has no limit of its own."""
    succeeded = threading.Event()

    def run() -> None:
        try:
            action()
        except Exception:  # the transport library differs between versions of the hub's client
            return
        succeeded.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    return succeeded.is_set()
