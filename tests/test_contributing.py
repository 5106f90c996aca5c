"""The paper of CONTRIBUTING.md, added as the page says: its files in a copy of the project, run, stored."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from replication.settings import ROOT
from replication.workflow import discovery

PAGE = ROOT / "CONTRIBUTING.md"
FILE = re.compile(r"^`([\w/.]+)`:\n\n```\w+\n(.*?)^```$", re.DOTALL | re.MULTILINE)
KEY = "top_k"
NOTEBOOK = "notebooks/40_top_k/01_accuracy"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A copy of the project with the page's files; the large weights are linked to."""
    folder = tmp_path_factory.mktemp("contributed") / "project"
    checkpoints = Path("replication", "testbed", "checkpoints")
    ignored = shutil.ignore_patterns("__pycache__", "checkpoints")
    shutil.copytree(ROOT / "replication", folder / "replication", ignore=ignored)
    (folder / checkpoints).symlink_to(ROOT / checkpoints)
    shutil.copytree(ROOT / "tests" / "notebooks", folder / "tests" / "notebooks", ignore=ignored)
    for name in ("pyproject.toml", "conftest.py"):
        shutil.copy(ROOT / name, folder / name)
    for name, content in FILE.findall(PAGE.read_text(encoding="utf-8")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def python(project: Path, *arguments: str) -> str:
    """Run a module of the copy and return what it printed."""
    environment = os.environ | {"PYTHONPATH": str(project), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-m", *arguments], cwd=project, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def test_the_page_holds_all_files_of_a_paper(project):
    added = [name for name, _ in FILE.findall(PAGE.read_text(encoding="utf-8"))]
    assert added == [
        f"replication/papers/{KEY}.toml",
        f"replication/decoding/{KEY}.py",
        f"tests/decoding/test_{KEY}.py",
        f"{NOTEBOOK}.py",
    ]


def test_the_method_is_clean_and_its_tests_pass(project):
    module, tests = f"replication/decoding/{KEY}.py", f"tests/decoding/test_{KEY}.py"
    python(project, "ruff", "check", module, tests)
    assert "9 passed" in python(project, "pytest", "-q", "-p", "no:cacheprovider", tests)


def test_the_paper_is_found_run_judged_and_stored(project):
    python(project, "jupytext", "--to", "ipynb", "--set-kernel", "python3", f"{NOTEBOOK}.py")
    said = python(project, "replication", "reproduce", "--profile", "smoke", "--papers", KEY, "--jobs", "1")
    assert re.search(rf"{KEY} C1 +(reproduced|partly|not reproduced|inconclusive) ", said)
    paper = project / "results" / "smoke-testbed" / KEY
    claims = json.loads((paper / "claims.json").read_text())
    assert [(one["claim"], one["n"]) for one in claims] == [("C1", 24)]
    assert (paper / "tables" / "accuracy.csv").read_text().count("\n") == 3
    python(project, "replication", "refresh", "--run", "smoke-testbed")
    rules = python(project, "pytest", "-q", "-p", "no:cacheprovider", "tests/notebooks", "-k", "40_top_k")
    assert re.search(r"^\d+ passed, \d+ deselected", rules, re.MULTILINE), rules


@pytest.mark.parametrize("notebook", discovery.notebooks(), ids=lambda notebook: notebook.label)
def test_a_notebook_reads_as_code_and_back(notebook):
    import jupytext

    before = jupytext.read(notebook.path)
    after = jupytext.reads(jupytext.writes(before, "py:percent"), "py:percent")
    assert cells(after) == cells(before)


def cells(notebook) -> list[tuple]:
    return [(cell.cell_type, cell.source, cell.metadata.get("tags", [])) for cell in notebook.cells]
