"""A sweep: the same notebooks for several values of some parameters, each point a run of its own."""

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from replication.settings import InputError, file_name, model_label, results_root
from replication.workflow import checks, discovery, parameters
from replication.workflow.checks import Request
from replication.workflow.reproduce import Say, reproduce

# These have a place in the name of every run; what else is swept is appended to it.
NAMED = ("profile", "model", "task", "seed")
NEVER = ("results_dir",)
LONGEST = 40
MOST = 1000


@dataclass(frozen=True)
class Point:
    """One point of a sweep.

    Attributes:
        values: swept parameter -> its value here.
        request: what runs at this point.
    """

    values: Mapping[str, Any]
    request: Request


def parse(texts: Sequence[str]) -> dict[str, list[str]]:
    """Return parameter -> values as text, of "name=value,value" each.

    Values that hold commas themselves (lists, task specifications) are parted by semicolons instead.

    Raises:
        InputError: another form, a parameter given twice, a value given twice.
    """
    found: dict[str, list[str]] = {}
    for text in texts:
        name, equals, rest = (part.strip() for part in text.partition("="))
        values = [value.strip() for value in rest.split(";" if ";" in rest else ",")]
        if not (name.isidentifier() and equals and all(values)):
            raise InputError(
                f"Cannot read the sweep {text!r}: write name=value,value (or name=value;value where the "
                "values hold commas)."
            )
        if name in found or len(set(values)) < len(values):
            raise InputError(f"The sweep over {name!r} names something twice: give each value once.")
        found[name] = values
    return found


def points(request: Request, swept: Mapping[str, Sequence[str]]) -> list[Point]:
    """Return every combination of the values, in the order given, as requests that are checked.

    Raises:
        InputError: a parameter that no notebook has or that cannot be swept, a value of another type, too
            many points, or something else about a request, before anything runs.
    """
    if refused := sorted(set(swept) & set(NEVER)):
        raise InputError(f"{refused[0]} cannot be swept: it is the place of all results.")
    own = [name for name in swept if name not in parameters.COMMON]
    base = replace(request, extra=dict(request.extra) | dict.fromkeys(own))
    first = checks.chosen(base)[0]
    typed = {name: [_typed(first, name, text) for text in texts] for name, texts in swept.items()}
    grid = list(itertools.product(*typed.values()))
    if len(grid) > MOST:
        raise InputError(f"The sweep has {len(grid)} points: {MOST} at most.")
    found = [_point(request, dict(zip(typed, values, strict=True))) for values in grid]
    for point in found:
        checks.resolve(point.request)
    return found


def _typed(notebook: discovery.Notebook, name: str, text: str) -> Any:
    """Return a value as the type of the notebook's default."""
    return parameters.from_text(notebook.path, {name: text})[name]


def _point(request: Request, values: Mapping[str, Any]) -> Point:
    """Return the request of one point: common parameters in their places, others as further ones."""
    common = {name: value for name, value in values.items() if name in parameters.COMMON}
    extra = dict(request.extra) | {name: values[name] for name in values if name not in common}
    shown = extra | {name: value for name, value in common.items() if name not in NAMED}
    return Point(values, replace(request, **common, extra=extra, variant=variant(shown)))


def variant(values: Mapping[str, Any]) -> str:
    """Return the part of a run's name that tells its further parameters, such as "k-4".

    A value that a file name cannot hold as it is, or a long one, is told apart by a hash.
    """
    parts = []
    for name, value in values.items():
        text = str(value)
        short = file_name(text).strip("-")[:LONGEST]
        if short != text or not text:
            short = "-".join(filter(None, (short, hashlib.sha256(text.encode()).hexdigest()[:6])))
        parts.append(f"{name}-{short}")
    return "-".join(parts)


def sweep(request: Request, swept: Mapping[str, Sequence[str]], say: Say = print) -> int:
    """Run every point and gather the claims in one table and one page.

    A point that is complete takes seconds, so a sweep that was stopped goes on where it was.

    Args:
        request: what to run; only notebooks that have all swept parameters do.
        swept: parameter -> values as text, see `parse`.
        say: receives every line.

    Returns:
        0 when every notebook of every point ran to its end, 1 otherwise.

    Raises:
        InputError: see `points`.
    """
    from replication.reporting import runs, sweeps

    found = points(request, swept)
    codes = []
    for place, point in enumerate(found, 1):
        say(f"Point {place} of {len(found)}: {sweeps.describe(point.values)}")
        codes.append(reproduce(point.request, say))
        say("")
    notebooks = checks.chosen(found[0].request)
    topics = {(notebook.paper, notebook.topic) for notebook in notebooks}
    folders = [dict.fromkeys(checks.run_dirs(point.request, notebooks).values()) for point in found]
    measured = [
        sweeps.Point(point.values, runs.joined([runs.read(one) for one in own]))
        for point, own in zip(found, folders, strict=True)
    ]
    target = results_root(request.results_dir) / folder_name(request, swept)
    sweeps.write(measured, topics, target)
    say(f"{len(found)} points. Table: {target / 'sweep.csv'} Page: {target / 'index.html'}")
    return max(codes)


def folder_name(request: Request, swept: Mapping[str, Sequence[str]]) -> str:
    """Return the name of the folder that gathers a sweep, the same for the same question."""
    model = model_label(request.model)
    fixed = variant(request.extra)
    name = "-".join(filter(None, ("sweep", request.profile, model, file_name(request.task), fixed, *swept)))
    content = repr([sorted(request.papers), request.topics, request.seed, dict(swept)])
    return f"{name}-{hashlib.sha256(content.encode()).hexdigest()[:6]}"
