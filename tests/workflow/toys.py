"""Toy notebooks: a few cells each, in the form of the project's own."""

import json
from pathlib import Path

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
}


def code(source: str, *tags: str) -> dict:
    metadata = {"tags": list(tags)} if tags else {}
    return {"cell_type": "code", "metadata": metadata, "source": source, "outputs": [], "execution_count": None}


def text(source: str) -> dict:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def notebook(path: Path, *sources: str, defaults: dict | None = None) -> Path:
    """Write a notebook with one parameters cell and one code cell per source."""
    lines = "\n".join(f"{name} = {value!r}" for name, value in (defaults or DEFAULTS).items())
    cells = [text("# Toy with $a_1$"), code(lines, "parameters"), *map(code, sources)]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path


def suite(folder: Path, **sources: str) -> Path:
    """Write one notebook per name below `folder/01_cot_decoding`; return `folder`."""
    for name, source in sources.items():
        notebook(folder / "01_cot_decoding" / f"{name}.ipynb", source)
    return folder
