"""What the workflow adds to the notebooks' own work: an empty notebook, imports, and its share of a run.

The notebook with one empty cell runs as a job of the workflow (checked, executed, made a page) and by
papermill alone, each in a process of its own. One that imports a study runs as a job whose kernel is started,
and whose kernel is forked from the process that has imported everything (which is not timed: a run has one).
The share is that of the default run in the results folder, if any.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.harness import Case
from replication.settings import ROOT
from replication.workflow import engine, execute, kernels, plan
from replication.workflow.discovery import Notebook

TARGET = 0.15
"""What the workflow may take of a cold run at most."""

ROUNDS = 3
"""Rounds at most: whole processes take seconds, and vary less than single calls do."""

IMPORTS = "import replication.studies.cdpo, transformers.trainer"
"""What a notebook of preferences imports until it trains."""

ALONE = (
    "import sys, papermill; papermill.execute_notebook(*sys.argv[1:], kernel_name='python3', "
    "progress_bar=False, extra_arguments=['--log-level=50'])"
)


def cases(folder: Path, preloader: kernels.Preloader) -> list[Case]:
    """Return the cases: the empty notebook, then the one that imports, both ways.

    Args:
        folder: an empty folder, for the notebooks and their results.
        preloader: the process that forks, started or to be started.
    """
    source, executed = alone(folder)
    started, empty = "imports, kernel started", "empty notebook, papermill alone"
    forked = as_job(folder, "02_imports", IMPORTS, {kernels.VARIABLE: preloader.address})
    return [
        Case(empty, partial(_start, "-c", ALONE, source, executed)),
        Case("empty notebook, job of the workflow", as_job(folder, "01_empty", ""), empty),
        Case(started, as_job(folder, "02_imports", IMPORTS)),
        Case("imports, kernel forked", forked, started),
    ]


def alone(folder: Path) -> tuple[str, str]:
    """Return the paths of the empty notebook, written here, and of papermill's result."""
    return str(_written(folder / "01_nothing" / "01_empty.ipynb", "")), str(folder / "alone.ipynb")


def as_job(
    folder: Path, name: str, source: str, variables: Mapping[str, str] | None = None
) -> Callable[[], None]:
    """Return what runs a notebook of one cell as Snakemake's rules do, with further environment variables."""
    notebook = Notebook(_written(folder / "01_nothing" / f"{name}.ipynb", source), "nothing")
    chosen = plan.Plan(folder / f"run {name} {len(variables or {})}", (notebook,), {}, offline=True)
    chosen.write()
    command = ("-m", "replication.workflow.job", str(chosen.file), notebook.label)
    return partial(_start, *command, variables=variables)


def _written(path: Path, source: str) -> Path:
    """Write a notebook with an empty cell, tagged for parameters, and a code cell where there is a source."""
    import nbformat.v4 as v4

    cells = [v4.new_code_cell("", metadata={"tags": ["parameters"]})]
    cells += [v4.new_code_cell(source)] if source else []
    kernel = {"kernelspec": {"name": execute.KERNEL, "display_name": "Python 3", "language": "python"}}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(v4.new_notebook(cells=cells, metadata=kernel)), encoding="utf-8")
    return path


def environment() -> dict[str, str]:
    """Return the environment variables of a job."""
    with execute.kernel_environment(offline=True):
        return os.environ | engine.job_variables()


def _start(*arguments: str, variables: Mapping[str, str] | None = None) -> None:
    """Run Python to its end; what it says is shown where it fails only."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=environment() | {kernels.VARIABLE: ""} | (variables or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"python {' '.join(arguments[:3])} failed: {done.stdout}{done.stderr}")


# A run's share


def shares(run_dir: Path) -> dict[str, float]:
    """Return what the last run in a folder spent on other things than its notebooks' own work.

    The places of the run are the seconds from its plan to the last job's end, times the notebooks side by
    side. In them lie the cells, and of those the ones that import, which count as the workflow's whatever
    else they do. A place that is empty while the last notebooks end counts as the workflow's too. A notebook
    that reads what an earlier run computed has little work of its own: take a cold run.

    Returns:
        "overhead": 1 - own / places, where own are the cells that do not import; "imports" and "around the
        cells" (processes, kernels, pages, empty places) are its two parts. All empty where no notebook has
        run to its end.
    """
    try:
        content = plan.read(run_dir / plan.FOLDER / plan.PLAN)
        jobs = json.loads((run_dir / "manifest.json").read_text(encoding="utf-8"))["jobs"]
    except (OSError, ValueError, KeyError):
        return {}
    ended = [_ended(run_dir, job["rule"]) for job in content["jobs"]]
    ran = [job for job, end in zip(content["jobs"], ended, strict=True) if end]
    if not ran:
        return {}
    places = jobs * (max(ended) - (run_dir / plan.FOLDER / plan.PLAN).stat().st_mtime)
    spent = [cells(json.loads((run_dir / job["output"]).read_text(encoding="utf-8"))) for job in ran]
    own, imports = (sum(part) for part in zip(*spent, strict=True))
    found = {"overhead": places - own, "imports": imports, "around the cells": places - own - imports}
    return {name: round(seconds / places, 3) for name, seconds in found.items()}


def _ended(run_dir: Path, rule: str) -> float:
    """Return when a job of the last run was done, 0 when it was not."""
    from replication.workflow import events

    last = events.last(run_dir / plan.FOLDER / plan.EVENTS, rule)
    return float(last["time"]) if last.get("state") == "done" else 0.0


def cells(notebook: Mapping[str, Any]) -> tuple[float, float]:
    """Return the seconds of an executed notebook's cells: (those without imports, those with)."""
    own = imports = 0.0
    for cell in notebook["cells"]:
        seconds = cell["metadata"].get("papermill", {}).get("duration") or 0.0
        if cell["cell_type"] == "code" and _imports(cell["source"]):
            imports += seconds
        else:
            own += seconds
    return own, imports


def _imports(source: str | Sequence[str]) -> bool:
    """Tell whether a cell imports anything."""
    lines = "".join(source).splitlines()
    return any(line.startswith(("import ", "from ")) for line in lines)
