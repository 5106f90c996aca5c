"""Toy notebooks: a few cells each, in the form of the project's own."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

DEFAULTS = {
    "profile": "cpu",
    "model": "testbed",
    "task": "",
    "data_dir": "",
    "seed": 0,
    "device": "auto",
    "results_dir": "",
    "share": 0.5,
    "quick": False,
    "levels": [1, 2],
}


def code(source: str, *tags: str) -> dict:
    metadata = {"tags": list(tags)} if tags else {}
    return {
        "cell_type": "code",
        "metadata": metadata,
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def write(path: Path, *sources: str, parameters: str = "") -> Path:
    """Write a notebook with one parameters cell and one code cell per source."""
    lines = parameters or "\n".join(f"{name} = {value!r}" for name, value in DEFAULTS.items())
    title = {"cell_type": "markdown", "metadata": {}, "source": "# Toy with $a_1 < b$"}
    cells = [title, code(lines, "parameters"), *map(code, sources)]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


@pytest.fixture(scope="session")
def toy() -> Callable[..., Path]:
    """Writer of a toy notebook: `toy(path, *sources, parameters="")`."""
    return write


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that passes for a model as long as nobody loads it."""
    folder = tmp_path_factory.mktemp("models") / "toy-model"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").touch()
    (folder / "tokenizer.json").touch()
    return folder


JUDGED = """
import pathlib
from replication import papers, settings
from replication.evaluation.claims import ClaimsFile, Estimate, result
run = settings.start(
    "cot_decoding", profile=profile, model=model, task=task, seed=seed, device="cpu", results_dir=results_dir
)
folder = pathlib.Path({folder!r})
with (folder / "ran").open("a") as file:
    file.write(f"{{seed}} {{share}};")
value = 0.6 + 0.01 * seed + share / 10
claim = papers.load("cot_decoding").claim("C1")
judged = [result("cot_decoding", claim, Estimate(value, value - 0.1, value + 0.1, 50))]
ClaimsFile(run.paper_dir / "claims.json").replace("01_paths_and_confidence", judged, ["C1"])
print(run.run_name)
"""


@pytest.fixture(scope="session")
def judged(toy: Callable[..., Path]) -> Callable[[Path], Path]:
    """Writer of a toy notebook that judges claim C1: its value grows with `seed` and `share`.

    It notes in the file `ran` that it ran. Returns the notebook.
    """

    def make(folder: Path) -> Path:
        place = folder / "notebooks" / "01_cot_decoding" / "01_paths_and_confidence.ipynb"
        return toy(place, JUDGED.format(folder=str(folder)))

    return make
