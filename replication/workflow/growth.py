"""How the work of a paper's notebooks grows with the sizes of a profile: `papers/costs/<key>.toml`.

A term is made of sizes, such as "n_watched * (1 + n_sampled * epochs / 150)". A size may have a cap, as in
"base_steps<160"; a whole number is a constant; of a size that is a text, the number of its words counts.
"cells" is that number times the worlds that the testbed's models are asked, 1 for another model, which is
asked its own task alone.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from replication import papers
from replication.settings import InputError
from replication.workflow.ledger import Entry

Sizes = Mapping[str, Any]
FACTOR = re.compile(r"(?P<name>[a-z_]\w*|\d+)(?:<(?P<cap>\d+))?")
TOKEN = re.compile(r"[a-z_]\w*(?:<\d+)?|\d+|[+*/()]")
MAIN = "main"
OTHER = "other"  # what belongs to no stage
KINDS = ("generated", "read", "trained")


@dataclass(frozen=True)
class Growth:
    """What decides about the work of a paper's notebooks.

    Attributes:
        model: size that names the model of a stage, "main" for the run's own.
        models: pattern of stages -> another such size.
        asked: terms whose first size is a number of questions, the second paths a question, the others
            multiply: a stage with these numbers grows with all of them.
        grows: pattern of stages -> term, or kind of work -> term.
        worlds: tasks that models of the testbed are asked side by side.
        packed: whether trainings and scoring read blocks of one length, whatever the task's texts are.
    """

    model: str = MAIN
    models: Mapping[str, str] = field(default_factory=dict)
    asked: tuple[str, ...] = ()
    grows: Mapping[str, Any] = field(default_factory=dict)
    worlds: int = 1
    packed: bool = False

    def role(self, entry: Entry) -> str:
        """Return the size that names the entry's model, or `MAIN`."""
        return next((name for pattern, name in self.models.items() if _fits(entry, pattern)), self.model)

    def term(self, entry: Entry, kind: str, before: Sizes) -> str:
        """Return the term that one kind of an entry's work grows with, "1" where nothing is stated.

        Args:
            entry: counted with the sizes `before`.
            kind: of `KINDS`.
            before: sizes of a profile, "cells" among them where the paper has them.
        """
        for pattern, term in self.grows.items():
            if _fits(entry, pattern) and (text := term if isinstance(term, str) else term.get(kind, "")):
                return text
        return self.rows(entry, before) if entry.questions else "1"

    def rows(self, entry: Entry, before: Sizes) -> str:
        """Return the term of a stage of paths: that of its questions and paths, or of its questions alone."""
        stated = [(term, [part.strip() for part in term.split("*")]) for term in self.asked]
        for term, parts in stated:
            if [value(part, before) for part in parts[:2]] == [entry.questions, entry.paths]:
                return term
        alone = (parts[0] for _, parts in stated if value(parts[0], before) == entry.questions)
        return next(alone, "1")


def load(key: str, folder: Path | None = None) -> Growth:
    """Return what is stated of a paper.

    Raises:
        InputError: nothing is, or something that cannot be read.
    """
    path = path_of(key, folder)
    if not path.is_file():
        raise InputError(
            f"How the work of {key} grows is not stated: write {path.name} among the papers' costs."
        )
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        found = Growth(**content | {"asked": tuple(content.get("asked", ()))})
    except (tomllib.TOMLDecodeError, TypeError) as error:
        raise InputError(f"{path.name} of the costs cannot be read: {error}.") from error
    return found


def path_of(key: str, folder: Path | None = None) -> Path:
    """Return the file of a paper."""
    return (folder or Path(papers.FOLDER) / "costs") / f"{key}.toml"


def sizes_of(key: str, profile: str, worlds: int, testbed: bool) -> dict[str, Any]:
    """Return the sizes of a paper's profile, with "cells" where models are named."""
    sizes = dict(papers.load(key).profiles[profile])
    if "models" in sizes:
        sizes["cells"] = worlds * value("models", sizes) if testbed else 1
    return sizes


def ratio(term: str, before: Sizes, after: Sizes) -> float:
    """Return a term's value with some sizes over that with others."""
    return product(term, after) / product(term, before)


def product(term: str, sizes: Sizes) -> float:
    """Return the value of a term.

    Raises:
        InputError: a size that the profile does not have, or something that is no term.
    """
    tokens = TOKEN.findall(term)
    if "".join(tokens) != "".join(term.split()):
        raise InputError(f"{term!r} is no term: write sizes and numbers with *, /, + and parentheses.")
    rest = [*tokens, ""]
    found = _sum(rest, sizes)
    if rest != [""]:
        raise InputError(f"{term!r} is no term: {rest[0]!r} stands where nothing may stand.")
    return found


def _sum(rest: list[str], sizes: Sizes) -> float:
    """Return the value of products joined by "+", taken from the front of `rest`."""
    found = _product(rest, sizes)
    while rest[0] == "+":
        del rest[0]
        found += _product(rest, sizes)
    return found


def _product(rest: list[str], sizes: Sizes) -> float:
    """Return the value of factors joined by "*" and "/", taken from the front of `rest`."""
    found = _factor(rest, sizes)
    while rest[0] in ("*", "/"):
        sign = rest.pop(0)
        factor = _factor(rest, sizes)
        found = found * factor if sign == "*" else found / factor
    return found


def _factor(rest: list[str], sizes: Sizes) -> float:
    """Return the value of a size, a number or a sum in parentheses, taken from the front of `rest`."""
    first = rest.pop(0)
    if first != "(":
        return value(first, sizes)
    found = _sum(rest, sizes)
    if rest.pop(0) != ")":
        raise InputError("A parenthesis of a term is not closed.")
    return found


def value(part: str, sizes: Sizes) -> float:
    """Return one factor of a term, at least 1 where it is a size."""
    match = FACTOR.fullmatch(part)
    if match is None:
        raise InputError(f"{part!r} is no factor of a term: write a size, a size with a cap, or a number.")
    name, cap = match["name"], match["cap"]
    if name.isdigit():
        return float(name)
    if name not in sizes:
        raise InputError(f"The costs name the size {name!r}: the profile has {', '.join(sorted(sizes))}.")
    size = sizes[name]
    number = float(len(size.split())) if isinstance(size, str) else float(size)
    return max(1.0, min(number, float(cap)) if cap else number)


def _fits(entry: Entry, pattern: str) -> bool:
    """Tell whether a pattern is meant for an entry."""
    return fnmatchcase(entry.stage or OTHER, pattern)
