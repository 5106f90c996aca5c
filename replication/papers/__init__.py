"""The papers as facts: one TOML file each, read into frozen records.

A file holds what was published (citation, claims, tables, slips) and what was decided before any run: the
test that judges each claim, the sample sizes per profile, the choices where the paper is silent. Nothing is
computed here.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, TypeVar

from replication.papers.records import (
    Artefact,
    Choice,
    Claim,
    Deviation,
    Note,
    Paper,
    Precondition,
    Published,
)
from replication.settings import PROFILES, InputError

__all__ = [
    "Artefact",
    "Choice",
    "Claim",
    "Deviation",
    "Note",
    "Paper",
    "Precondition",
    "Published",
    "check_test",
    "load",
    "names",
]

FOLDER = Path(__file__).resolve().parent
NOTEBOOK = re.compile(r"\d\d_[a-z0-9_]+")
IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
KINDS = ("greater", "less", "within")
STATUSES = ("regenerated", "full scale only")
TEST_KEYS = {"greater": {"null", "margin"}, "less": {"null", "margin"}, "within": {"low", "high"}}

Record = TypeVar("Record")


ENTRIES: dict[str, type] = {
    "preconditions": Precondition,
    "claims": Claim,
    "artefacts": Artefact,
    "published": Published,
    "choices": Choice,
    "deviations": Deviation,
    "slips": Note,
    "controls": Note,
}
HEAD = tuple(field.name for field in fields(Paper) if field.name not in {"profiles", *ENTRIES})


def names(folder: Path | str | None = None) -> list[str]:
    """Return the keys of all papers, sorted; each TOML file in `folder` is one."""
    return sorted(path.stem for path in Path(folder or FOLDER).glob("*.toml"))


def load(name: str, folder: Path | str | None = None) -> Paper:
    """Return the paper whose file is `<name>.toml`.

    Args:
        name: key of the paper.
        folder: where the files lie; the package's own by default.

    Raises:
        InputError: unknown paper, or a file with a missing, unknown, ill-typed or contradictory entry.
    """
    path = Path(folder or FOLDER) / f"{name}.toml"
    if name not in names(folder):
        known = ", ".join(names(folder)) or "none"
        raise InputError(f"Unknown paper {name!r}: the known papers are {known}.")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} is not valid TOML: {error}.") from error
    return _paper(content, path)


def _paper(content: Mapping[str, Any], path: Path) -> Paper:
    """Return the record of a parsed file, every entry checked."""
    file = path.name
    _refuse_unknown(content, {"paper", "profiles", *ENTRIES}, file)
    head = content.get("paper", {})
    _refuse_unknown(head, set(HEAD), f"{file} [paper]")
    if missing := sorted(set(HEAD) - set(head)):
        raise InputError(f"{file} [paper] lacks {', '.join(missing)}.")
    if head["key"] != path.stem:
        raise InputError(f"{file} [paper] key is {head['key']!r}: it needs to be {path.stem!r}, as the file.")
    authors = head["authors"]
    texts = {key: head[key] for key in HEAD} | {
        "authors": ", ".join(authors) if isinstance(authors, list) else authors
    }
    for key, value in texts.items():
        _check_type(value, int if key == "year" else str, f"{file} [paper] {key}")
    lists = {kind: _entries(content.get(kind, []), kind, file) for kind in ENTRIES}
    _check_links(lists, file)
    paper = texts | lists | {"published": {entry.id: entry for entry in lists["published"]}}
    return Paper(profiles=_profiles(content.get("profiles", {}), file), **paper)


def _profiles(tables: Mapping[str, Any], file: str) -> dict[str, dict[str, Any]]:
    """Return the sizes of each profile; only the project's profiles are accepted."""
    _refuse_unknown(tables, set(PROFILES), f"{file} [profiles]")
    for name, sizes in tables.items():
        _check_type(sizes, dict, f"{file} [profiles.{name}]")
    return {name: dict(sizes) for name, sizes in tables.items()}


def _entries(tables: Any, kind: str, file: str) -> tuple[Any, ...]:
    """Return the records of one list of tables; ids are unique in it."""
    _check_type(tables, list, f"{file} [[{kind}]]")
    records = []
    seen: set[str] = set()
    for position, table in enumerate(tables, 1):
        where = f"{file} [[{kind}]] number {position}"
        _check_type(table, dict, where)
        record = _build(ENTRIES[kind], table, f"{where} ({table.get('id', 'no id')})")
        if record.id in seen:
            raise InputError(f"{file} [[{kind}]] has the id {record.id!r} twice: give each entry its own.")
        seen.add(record.id)
        records.append(_checked(record, where))
    return tuple(records)


def _build(record: type[Record], table: Mapping[str, Any], where: str) -> Record:
    """Return a record from a table: unknown, missing and ill-typed keys are refused."""
    known = {field.name: field for field in fields(record)}  # type: ignore[arg-type]
    _refuse_unknown(table, set(known), where)
    if missing := [key for key, field in known.items() if field.default is MISSING and key not in table]:
        raise InputError(f"{where} lacks {', '.join(missing)}.")
    values = {}
    for key, value in table.items():
        wanted = dict if key == "test" else list if key in {"columns", "rows", "requires"} else str
        _check_type(value, wanted, f"{where} {key}")
        values[key] = _frozen(value) if wanted is list else value
    return record(**values)


def _checked(record: Any, where: str) -> Any:
    """Return the record after the checks that its kind needs."""
    if not IDENTIFIER.fullmatch(record.id):
        raise InputError(f"{where} has the id {record.id!r}: use letters, digits, '_', '-' and '.'.")
    elsewhere = isinstance(record, Artefact) and record.status == "full scale only" and not record.notebook
    if isinstance(record, Claim | Artefact) and not (elsewhere or NOTEBOOK.fullmatch(record.notebook)):
        raise InputError(f"{where} has the notebook {record.notebook!r}: give a stem such as '02_decoders'.")
    if isinstance(record, Claim | Precondition):
        check_test(record.test, f"{where} ({record.id}) test")
    if isinstance(record, Artefact):
        _check_artefact(record, where)
    if isinstance(record, Published) and any(len(row) != len(record.columns) for row in record.rows):
        raise InputError(f"{where} ({record.id}) has a row whose length is not that of its columns.")
    return record


def _check_artefact(artefact: Artefact, where: str) -> None:
    """Raise `InputError` for an unknown kind or status, or a reason left out."""
    if artefact.kind not in ("table", "figure"):
        raise InputError(f"{where} has the kind {artefact.kind!r}: use 'table' or 'figure'.")
    if artefact.status not in STATUSES:
        raise InputError(f"{where} has the status {artefact.status!r}: use one of {', '.join(STATUSES)}.")
    if artefact.status == "full scale only" and not artefact.reason:
        raise InputError(f"{where} is given as full scale only without a reason: state it.")


def check_test(test: Mapping[str, Any], where: str) -> None:
    """Check a test's form.

    Args:
        test: `kind`, `estimate` and the thresholds: `null` and `margin` for "greater" and "less" (a missing
            margin is the null value), `low` and `high` for "within".
        where: named in the error.

    Raises:
        InputError: an unknown kind or key, a threshold that is no number, or thresholds in the wrong order.
    """
    kind = test.get("kind")
    if kind not in KINDS:
        raise InputError(f"{where} has the kind {kind!r}: use one of {', '.join(KINDS)}.")
    _refuse_unknown(test, {"kind", "estimate", *TEST_KEYS[kind]}, where)
    _check_type(test.get("estimate"), str, f"{where} estimate")
    for key in TEST_KEYS[kind] & set(test):
        _check_type(test[key], (int, float), f"{where} {key}")
    if kind == "within":
        if not ("low" in test and "high" in test and test["low"] <= test["high"]):
            raise InputError(f"{where} needs low and high with low <= high.")
        return
    null = test.get("null", 0.0)
    margin = test.get("margin", null)
    if (margin < null) if kind == "greater" else (margin > null):
        relation = ">=" if kind == "greater" else "<="
        raise InputError(f"{where} needs margin {relation} null, got margin {margin} and null {null}.")


def _check_links(lists: Mapping[str, Sequence[Any]], file: str) -> None:
    """Raise `InputError` when a claim requires a precondition that the file does not state."""
    known = {entry.id for entry in lists["preconditions"]}
    for claim in lists["claims"]:
        if unknown := sorted(set(claim.requires or ()) - known):
            raise InputError(f"{file} claim {claim.id} requires {', '.join(unknown)}: no such precondition.")


def _refuse_unknown(table: Mapping[str, Any], known: set[str], where: str) -> None:
    """Raise `InputError` that names every key outside `known`."""
    if unknown := sorted(set(table) - known):
        allowed = ", ".join(sorted(known))
        raise InputError(f"{where} has unknown key(s) {', '.join(unknown)}: known are {allowed}.")


def _check_type(value: Any, wanted: type | tuple[type, ...], where: str) -> None:
    """Raise `InputError` when a value is of another type; a boolean is no number."""
    if not isinstance(value, wanted) or isinstance(value, bool):
        names_ = " or ".join(kind.__name__ for kind in (wanted if isinstance(wanted, tuple) else (wanted,)))
        raise InputError(f"{where} needs to be {names_}, got {value!r}.")


def _frozen(value: Any) -> Any:
    """Return lists as tuples, all the way down."""
    return tuple(_frozen(item) for item in value) if isinstance(value, list) else value
