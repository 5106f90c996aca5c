"""What a run will cost, before it is started: `python -m replication plan`.

The work that a measured run did (`ledger`) is carried over to the sizes, the model and the task asked for
(`scaling`), and a machine's rules of thumb say how long that takes (`machines`). Nothing is loaded or run.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from replication.settings import InputError
from replication.workflow import growth, ledger, machines
from replication.workflow.checks import Request
from replication.workflow.discovery import Notebook, select
from replication.workflow.machines import Machine, Work
from replication.workflow.scaling import Asked, Scaled, scaled
from replication.workflow.shapes import shape

BASES = ("cpu", "smoke")  # measured profiles that others are carried over from, the better ones first
DRAWING = 4.5e-6  # processor seconds of drawing and packing one token of the testbed's corpus
GIB = 2**30


class Unmeasured(InputError):
    """Nothing is known of a notebook's work."""


@dataclass(frozen=True)
class Cost:
    """Costs of one notebook, or of several.

    Attributes:
        label: its name.
        base: profile that was measured, "" for none.
        generated: tokens generated.
        read: tokens read: prompts and scored texts.
        trained: tokens trained on.
        flops: operations of all of that.
        training_flops: of the training alone.
        bytes: memory of the largest piece.
        seconds: expected on the machine.
    """

    label: str
    base: str
    generated: float = 0.0
    read: float = 0.0
    trained: float = 0.0
    flops: float = 0.0
    training_flops: float = 0.0
    bytes: float = 0.0
    seconds: float = 0.0


def plan(request: Request, machine: Machine, known: Mapping[str, ledger.Ledger] | None = None) -> list[Cost]:
    """Return the costs of every notebook that was asked for, behind those of the larger testbed models.

    Args:
        request: as for `reproduce`; neither model nor data need to be on this machine.
        machine: what it is to run on.
        known: measured entries by profile and label; those of the package by default.

    Raises:
        InputError: an unknown paper or profile, a model or a task of unknown size, or no notebook whose work
            is known.
    """
    known = ledger.load() if known is None else known
    notebooks = select(request.papers, request.notebooks_dir or None)
    shape(request.model)
    rows, errors = [], []
    for one in notebooks:
        try:
            rows.append(of_notebook(one, request, machine, known))
        except Unmeasured as error:
            rows.append(Cost(one.label, ""))
            errors.append(error)
    if len(errors) == len(rows):
        raise errors[0]
    return [*_larger(request, machine), *rows]


def of_notebook(
    notebook: Notebook, request: Request, machine: Machine, known: Mapping[str, ledger.Ledger]
) -> Cost:
    """Return the costs of one notebook, carried over from its own profile or else the first of `BASES`.

    Raises:
        Unmeasured: its work or the growth of its paper's work is not known.
        InputError: an unknown profile, or a task of unknown lengths.
    """
    after = asked(notebook.paper, request)
    usual = request.profile if after.testbed and after.task == after.usual else ""
    base = next((one for one in (usual, *BASES) if notebook.label in known.get(one, {})), "")
    if not base:
        raise Unmeasured(
            f"The work of {notebook.label} has not been measured: run `make reproduce PROFILE=smoke`, then "
            "`python -m replication plan --store smoke-testbed`."
        )
    if not growth.path_of(notebook.paper).is_file():
        raise Unmeasured(f"How the work of {notebook.paper} grows is not stated among the papers' costs.")
    before = asked(notebook.paper, Request(profile=base))
    pieces = [one for entry in known[base][notebook.label] for one in scaled(entry, before, after)]
    return total(notebook.label, base, pieces, machine)


def asked(paper: str, request: Request) -> Asked:
    """Return what a request means for a paper; nothing is read or written."""
    from replication import papers

    card = papers.load(paper)
    if request.profile not in card.profiles:
        known = ", ".join(card.profiles)
        raise InputError(f"Unknown profile {request.profile!r} for {paper}: choose one of {known}.")
    usual = str(card.profiles[request.profile].get("task", card.task))
    return Asked(paper, request.profile, request.model, request.task or usual, usual, request.data_dir)


def total(label: str, base: str, pieces: Iterable[Scaled], machine: Machine) -> Cost:
    """Return the sum of pieces of work on a machine."""
    cost = dict.fromkeys(("generated", "read", "trained", "flops", "training_flops", "bytes", "seconds"), 0.0)
    for one in pieces:
        if one.shape is None or machine.cpu:
            cost["seconds"] += one.seconds * machine.times.get(base, 1.0)
        else:
            cost["seconds"] += machine.seconds(one.shape, one.work)
        if one.shape is not None:
            for kind in ("generated", "read", "trained"):
                cost[kind] += getattr(one.work, kind)
            cost["flops"] += one.work.flops(one.shape)
            cost["training_flops"] += 6 * one.shape.parameters * one.work.trained
            cost["bytes"] = max(cost["bytes"], machine.bytes(one.shape, one.work))
    return Cost(label, base, **cost)


def summed(rows: Sequence[Cost]) -> Cost:
    """Return the costs of all rows; the memory is that of the largest."""
    kinds = ("generated", "read", "trained", "flops", "training_flops", "seconds")
    sums = {kind: sum(getattr(row, kind) for row in rows) for kind in kinds}
    return Cost("in all", "", **sums, bytes=max(row.bytes for row in rows))


def _larger(request: Request, machine: Machine) -> list[Cost]:
    """Return the costs of the larger testbed models, which a run of the profile for GPUs trains itself."""
    from replication.testbed import grown

    if request.profile != "gpu" or request.model not in grown.STAND_INS:
        return []
    pieces = []
    for name, recipe in grown.LARGER.items():
        tokens = recipe.steps * recipe.rows * recipe.row_tokens
        work = Work(trained=tokens, calls=recipe.steps)
        pieces.append(Scaled(shape(name), work, Machine(machines.CPU, "").seconds(shape(name), work)))
        pieces.append(Scaled(None, Work(), DRAWING * tokens))
    return [total("larger testbed models", "recipes", pieces, machine)]


# What is shown


def render(rows: Sequence[Cost], machine: Machine, request: Request) -> str:
    """Return the costs as a table in text, with what they assume."""
    heads = ("notebook", "generated", "read", "trained", "FLOPs", "of training", "memory", "time")
    table = [heads, *(_cells(row) for row in rows), _cells(summed(rows))]
    widths = [max(len(line[i]) for line in table) for i in range(len(heads))]
    lines = []
    for first, *others in table:
        cells = (cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))
        lines.append("  ".join([first.ljust(widths[0]), *cells]))
    notes = _notes(rows, machine, request)
    return "\n".join([*lines[:-1], "-" * len(lines[0]), lines[-1], "", *notes])


def _cells(row: Cost) -> tuple[str, ...]:
    """Return a row's cells."""
    counts = [_count(value) for value in (row.generated, row.read, row.trained)]
    memory = f"{row.bytes / GIB:.1f} GiB" if row.bytes else "-"
    time = hours(row.seconds) if row.base or row.seconds else "?"
    return (row.label, *counts, _count(row.flops), _count(row.training_flops), memory, time)


def _count(number: float) -> str:
    """Return a number with three digits, "-" for none."""
    if not number:
        return "-"
    for size, sign in ((1e15, ""), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number:.2e}" if not sign else f"{number / size:.3g} {sign}"
    return f"{number:.0f}"


def hours(seconds: float) -> str:
    """Return a time in seconds, minutes or hours."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _notes(rows: Sequence[Cost], machine: Machine, request: Request) -> list[str]:
    """Return what the numbers assume, and what does not fit."""
    own = shape(Asked("", request.profile, request.model, "", "").stands_for(request.model))
    bases = sorted({row.base for row in rows} - {"", "recipes"})
    unknown = [row.label for row in rows if not row.base]
    notes = [
        f"On {machine.name}; {own.name} has {own.parameters / 1e6:,.1f}M parameters.",
        f"Carried over from the measured profile {' and '.join(bases)}, to within about a factor of two.",
    ]
    if unknown:
        notes.append(f"Not measured, and not in the sums: {', '.join(unknown)}.")
    if machine.cpu:
        jobs = max(1, request.jobs)
        notes.append(f"With {jobs} notebooks side by side about {hours(summed(rows).seconds / jobs)}.")
    else:
        notes.append(
            f"Reached of the data sheet: {machines.BANDWIDTH:.0%} of the bandwidth, {machines.READING:.0%} "
            f"of the operations in reading, {machines.TRAINING:.0%} in training; a step takes "
            f"{1e3 * machines.LAYER_SECONDS:g} ms a layer at least."
        )
        large = [row.label for row in rows if row.bytes > machine.memory]
        if large:
            notes.append(
                f"Beyond the {machine.memory / 1e9:.0f} GB of one device, with all weights trained: "
                f"{', '.join(large)}. Train with adapters or on several devices, or take a smaller model."
            )
    return notes


def as_json(rows: Sequence[Cost], machine: Machine) -> str:
    """Return the costs for programs."""
    content: dict[str, Any] = {"machine": asdict(machine), "notebooks": [asdict(row) for row in rows]}
    return json.dumps(content | {"total": asdict(summed(rows))}, indent=2)
