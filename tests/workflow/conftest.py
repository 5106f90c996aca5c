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
