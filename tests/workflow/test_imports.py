"""Arrows between the rooms run down only, and what starts quickly imports nothing heavy."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import replication
from replication import papers

PACKAGE = Path(replication.__file__).parent
HEAVY = ("torch", "transformers", "pandas", "matplotlib", "snakemake", "papermill", "nbconvert")
TRAINERS = ("trl", "peft", "datasets", "transformers.trainer")
FAMILIES = {"decoding", "pretraining", "alignment"}
FLOORS = (
    {"settings"},
    {"files"},
    {"papers"},
    {"testbed"},
    {"tasks"},
    {"lm"},
    FAMILIES,
    {"evaluation"},
    {"reporting", "studies"},
    {"workflow"},
    {"__main__"},
)
"""Rooms from the ground up; those of one floor do not know each other."""
LEVEL = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
# The run's settings read the profiles of their paper when a run is started.
EXCEPTIONS = {("settings", "papers")}
METHODS = {paper.module for paper in map(papers.load, papers.names()) if paper.family in FAMILIES}


def imports(path: Path) -> set[str]:
    """Return the full names that a file imports from the package, inside functions too."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name for name in names if name.startswith("replication.")}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


FILES = [path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"]


def test_every_room_has_a_floor():
    assert {room_of(path) for path in FILES} <= set(LEVEL)


@pytest.mark.parametrize("room", sorted({room_of(path) for path in FILES}))
def test_arrows_run_down(room):
    upward = []
    for path in (path for path in FILES if room_of(path) == room):
        for name in imports(path):
            other = name.split(".")[1]
            if other == "__version__" or other == room or (room, other) in EXCEPTIONS:
                continue
            if LEVEL[other] >= LEVEL[room]:
                upward.append(f"{path.relative_to(PACKAGE)} imports {name}")
    assert upward == []


def test_the_workflow_knows_no_methods():
    rooms = {name.split(".")[1] for path in FILES if room_of(path) == "workflow" for name in imports(path)}
    assert "settings" in rooms
    assert not rooms & {"studies", *FAMILIES}


def test_methods_do_not_import_each_other():
    found = []
    for method in METHODS:
        family = method.split(".")[1]
        others = [path for path in (PACKAGE / family).glob("*.py") if path.stem != method.rpartition(".")[2]]
        found += [f"{path.name} imports {method}" for path in others if method in imports(path)]
    assert "replication.decoding.cot_decoding" in METHODS
    assert found == []


def test_the_command_line_imports_nothing_heavy():
    code = (
        "import sys, replication.workflow.cli, replication.workflow.reproduce, replication.workflow.status\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_studies_import_no_trainer_before_they_train():
    names = sorted(f"replication.studies.{path.stem}" for path in (PACKAGE / "studies").glob("[a-z]*.py"))
    script = f"import sys, {', '.join(names)}; print(*(name for name in {TRAINERS} if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert len(names) > 30
    assert done.stdout.split() == []
