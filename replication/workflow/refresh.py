"""Fresh outputs for the committed notebooks, taken from a run and rid of what only that run knows."""

import copy
import json
from pathlib import Path
from typing import Any

from replication.settings import InputError
from replication.workflow import discovery, ledger, manifest, parameters, progress
from replication.workflow.discovery import Notebook
from replication.workflow.execute import is_complete

INJECTED = "injected-parameters"
# Times and states of one execution; a stored block of papermill would read as a certificate.
CELL_NOISE = ("papermill", "execution")
NOTEBOOK_NOISE = ("papermill", "widgets")


def refresh(notebooks: list[Notebook], run_dir: Path) -> list[str]:
    """Copy the outputs of a run into the committed notebooks.

    Args:
        notebooks: the committed notebooks; those that the run lacks are left as they are.
        run_dir: folder of the run.

    Returns:
        Labels of the notebooks that were refreshed.

    Raises:
        InputError: the run holds none of them, an incomplete one, or one of another text than the committed.
    """
    from replication.files import write_atomic

    found = [one for one in notebooks if (run_dir / one.output).exists()]
    if not found:
        raise InputError(f"No executed notebook was found in {run_dir}: run `make reproduce` first.")
    texts = {one.path: _text(one, run_dir) for one in found}
    for path, text in texts.items():
        write_atomic(path, text)
    _store_estimates(found, run_dir)
    ledger.store_run([one for one in found if one.path.is_relative_to(discovery.FOLDER)], run_dir)
    return [one.label for one in found]


def _text(notebook: Notebook, run_dir: Path) -> str:
    """Return the refreshed notebook as JSON."""
    executed, committed = parameters.read(run_dir / notebook.output), parameters.read(notebook.path)
    if not is_complete(executed):
        raise InputError(f"{run_dir / notebook.output} did not run to its end: run `make reproduce` again.")
    fresh = strip(executed)
    if [cell["source"] for cell in fresh["cells"]] != [cell["source"] for cell in committed["cells"]]:
        raise InputError(f"{notebook.label} has changed since it was run: run `make reproduce` again.")
    return dump(fresh)


def strip(executed: dict[str, Any]) -> dict[str, Any]:
    """Return an executed notebook as it may be committed.

    Outputs, counts and tags stay. Injected parameters and everything about the one execution go; counts are
    given anew from 1, as a run without injected parameters has them.
    """
    notebook = copy.deepcopy(executed)
    notebook["cells"] = [
        cell for cell in notebook["cells"] if INJECTED not in cell["metadata"].get("tags", [])
    ]
    _drop(notebook["metadata"], NOTEBOOK_NOISE)
    notebook["metadata"].get("language_info", {}).pop("version", None)
    count = 0
    for cell in notebook["cells"]:
        _drop(cell["metadata"], CELL_NOISE)
        if not cell["metadata"].get("tags", True):
            del cell["metadata"]["tags"]
        if cell["cell_type"] == "code":
            count += 1
            cell["execution_count"] = count
            for output in cell["outputs"]:
                if "execution_count" in output:
                    output["execution_count"] = count
    return notebook


def dump(notebook: dict[str, Any]) -> str:
    """Return a notebook as JSON in the layout that Jupyter writes."""
    content = copy.deepcopy(notebook)
    for cell in content["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)
    return json.dumps(content, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _drop(metadata: dict[str, Any], names: tuple[str, ...]) -> None:
    """Remove some entries."""
    for name in names:
        metadata.pop(name, None)


def _store_estimates(notebooks: list[Notebook], run_dir: Path) -> None:
    """Keep the run's seconds as the expected ones of its profile, for the project's own notebooks.

    A notebook that took less than its stages once did found their records: what it takes with none stays.
    """
    from replication.files import write_atomic

    content = manifest.read(run_dir)
    profile = content.get("parameters", {}).get("profile", "")
    own = [one for one in notebooks if one.path.is_relative_to(discovery.FOLDER)]
    counted = ledger.collect(own, run_dir)
    stages = {one.label: sum(e.seconds for e in counted.get(one.label, []) if e.stage) for one in own}
    seconds = {
        label: round(entry["seconds"])
        for label, entry in content.get("notebooks", {}).items()
        if entry["status"] == "done" and entry["seconds"] >= stages.get(label, float("inf"))
    }
    if profile and seconds:
        known = json.loads(progress.ESTIMATES.read_text(encoding="utf-8"))
        known[profile] = dict(sorted((known.get(profile, {}) | seconds).items()))
        write_atomic(progress.ESTIMATES, json.dumps(known, indent=2, sort_keys=True) + "\n")
