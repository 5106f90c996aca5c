"""Records of what a paper's file states: frozen, without behaviour beyond looking an entry up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from replication.settings import InputError


@dataclass(frozen=True)
class Precondition:
    """What a model must show before claims that need it are judged; `test` has the form of a claim's test."""

    id: str
    statement: str
    test: Mapping[str, Any]


@dataclass(frozen=True)
class Claim:
    """One claim of a paper and the rule, fixed before the run, that decides about it.

    Attributes:
        id: "C1", "C2", ...
        statement: the claim in one sentence.
        source: table, figure or section that makes it.
        notebook: file stem of the notebook that measures it.
        test: `kind` ("greater", "less", "within"), `estimate` (what is measured) and the thresholds.
        published: the published numbers as text.
        requires: ids of the preconditions that it needs; all of the paper's unless the file names them.
    """

    id: str
    statement: str
    source: str
    notebook: str
    test: Mapping[str, Any]
    published: str = ""
    requires: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Artefact:
    """A published table or figure, the notebook that shows it, and the reason when it needs full scale.

    `notebook` may be "" for one that is given as "full scale only" and belongs to no notebook in particular.
    """

    id: str
    kind: str
    title: str
    notebook: str
    status: str
    reason: str = ""


@dataclass(frozen=True)
class Published:
    """Rows of a published table or figure, as printed."""

    id: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    note: str = ""


@dataclass(frozen=True)
class Choice:
    """A point that the paper leaves open, and what is done here."""

    id: str
    text: str
    ours: str


@dataclass(frozen=True)
class Deviation:
    """A point where this project does something else than the paper, and why."""

    id: str
    text: str
    reason: str


@dataclass(frozen=True)
class Note:
    """A slip in the publication, or a control that the paper lacks."""

    id: str
    text: str


@dataclass(frozen=True)
class Paper:
    """Everything that a paper's TOML file states.

    Attributes:
        key: name of the file without its ending.
        title: title as published.
        authors: one line, names separated by commas.
        venue: where it was published.
        arxiv: identifier, "" when there is none.
        year: of publication.
        url: address of the paper.
        family: "decoding", "pretraining", "alignment", ...
        module: dotted name of the module that holds the method.
        notebooks: folder below `notebooks/`.
        task: default task.
        profiles: sizes per profile; a `task` there replaces the default.
        preconditions: see `Precondition`.
        claims: see `Claim`.
        artefacts: see `Artefact`.
        published: published rows by id.
        choices: see `Choice`.
        deviations: see `Deviation`.
        slips: known slips in the publication.
        controls: controls that the paper lacks.
    """

    key: str
    title: str
    authors: str
    venue: str
    arxiv: str
    year: int
    url: str
    family: str
    module: str
    notebooks: str
    task: str
    profiles: Mapping[str, Mapping[str, Any]]
    preconditions: tuple[Precondition, ...]
    claims: tuple[Claim, ...]
    artefacts: tuple[Artefact, ...]
    published: Mapping[str, Published]
    choices: tuple[Choice, ...]
    deviations: tuple[Deviation, ...]
    slips: tuple[Note, ...]
    controls: tuple[Note, ...]

    def claim(self, claim_id: str) -> Claim:
        """Return the claim of that id; `InputError` lists the known ones."""
        return _pick(self.claims, claim_id, f"claim of {self.key}")

    def precondition(self, precondition_id: str) -> Precondition:
        """Return the precondition of that id; `InputError` lists the known ones."""
        return _pick(self.preconditions, precondition_id, f"precondition of {self.key}")


def _pick(records: Sequence[Any], wanted: str, what: str) -> Any:
    """Return the record of that id."""
    for record in records:
        if record.id == wanted:
            return record
    raise InputError(f"Unknown {what}: {wanted!r}; known are {', '.join(record.id for record in records)}.")
