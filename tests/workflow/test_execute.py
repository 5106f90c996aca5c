import importlib
import json
import os
import subprocess
import sys

import pytest

from replication import settings
from replication.settings import InputError
from replication.workflow import execute


def outputs(path) -> str:
    cells = json.loads(path.read_text())["cells"]
    return "".join("".join(out.get("text", "")) for cell in cells for out in cell.get("outputs", ()))


def test_a_good_run(tmp_path, toy, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv(settings.VARIANT_VARIABLE, "of another run")
    asked = ("MPLBACKEND", "OMP_NUM_THREADS", "HF_HUB_OFFLINE", settings.VARIANT_VARIABLE)
    cell = f"import os; print(seed, *map(os.environ.get, {asked}))"
    source = toy(tmp_path / "01_p" / "01_{x}.ipynb", cell, "print(os.path.basename(os.getcwd()))")
    target = tmp_path / "out" / "01_{x}.ipynb"
    execute.failed_path(target).parent.mkdir()
    execute.failed_path(target).touch()
    seconds = execute.execute(source, target, {"seed": 3, "model": "testbed"}, True, "k-4")
    assert outputs(target).splitlines() == ["3 module://matplotlib_inline.backend_inline 1 1 k-4", "01_p"]
    assert seconds > 0
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    assert os.environ["MPLBACKEND"] == "Agg"
    assert os.environ[settings.VARIANT_VARIABLE] == "of another run"
    assert "OMP_NUM_THREADS" not in os.environ
    injected = [
        cell for cell in json.loads(target.read_text())["cells"] if "model =" in "".join(cell["source"])
    ]
    assert len(injected) == 1, "a default was injected"


@pytest.mark.parametrize(
    ("source", "code", "sentence"),
    [
        ("1 / 0", 1, r"failed in cell \[2\] with ZeroDivisionError: division by zero"),
        ("raise SystemExit(0)", 1, "stopped before its end"),
        (
            "from replication.settings import InputError\nraise InputError('Use another folder.')",
            2,
            "was refused: Use another folder.",
        ),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 138, "lost its kernel"),
    ],
)
def test_a_bad_run_keeps_the_partial_notebook(tmp_path, toy, source, code, sentence):
    target = tmp_path / "out" / "nb.ipynb"
    notebook = toy(tmp_path / "01_p" / "01_x.ipynb", source, "print('after')")
    with pytest.raises(execute.NotebookError, match=sentence) as caught:
        execute.execute(notebook, target, {})
    assert caught.value.exit_code == code
    assert caught.value.kept == execute.failed_path(target)
    assert [path.name for path in target.parent.iterdir()] == ["nb.failed.ipynb"]
    assert "after" not in outputs(caught.value.kept)


@pytest.mark.parametrize("given", [{"modle": "x"}, {"seed": "3"}])
def test_parameters_are_refused_before_anything_runs(tmp_path, toy, given, monkeypatch):
    monkeypatch.setattr(execute, "_papermill", lambda *args: pytest.fail("it ran"))
    with pytest.raises(InputError):
        execute.execute(toy(tmp_path / "nb.ipynb"), tmp_path / "out" / "nb.ipynb", given)
    assert not (tmp_path / "out").exists()


def test_only_a_kernel_that_does_not_start_is_tried_again(tmp_path, toy, monkeypatch):
    attempts = []

    def dead(*args):
        attempts.append(args)
        raise RuntimeError("Kernel died before replying to kernel_info")

    monkeypatch.setattr(execute, "_papermill", dead)
    with pytest.raises(execute.NotebookError, match="could not start its kernel: Kernel died") as caught:
        execute.execute(toy(tmp_path / "nb.ipynb"), tmp_path / "out.ipynb", {})
    assert len(attempts) == 2
    assert caught.value.kept is None


@pytest.mark.parametrize(
    ("statuses", "end", "complete"),
    [
        (["completed", "completed"], "2026", True),
        (["completed", "pending"], "2026", False),
        (["completed", "running"], None, False),
        (["completed"], None, False),
        ([None], "2026", False),
    ],
)
def test_is_complete(statuses, end, complete):
    cells = [{"cell_type": "code", "metadata": {"papermill": {"status": status}}} for status in statuses]
    notebook = {"cells": cells, "metadata": {"papermill": {"end_time": end}}}
    assert execute.is_complete(notebook) is complete
    assert not execute.is_complete({"cells": [], "metadata": {}})


def test_a_spared_import_is_spared_inside_only(monkeypatch):
    monkeypatch.delitem(sys.modules, execute.SPARED, raising=False)
    with execute.spared_import(), pytest.raises(ImportError):
        importlib.import_module(execute.SPARED)
    assert execute.SPARED not in sys.modules


def test_what_was_imported_before_a_spared_import_stays(monkeypatch):
    before = object()
    monkeypatch.setitem(sys.modules, execute.SPARED, before)
    with execute.spared_import():
        assert sys.modules[execute.SPARED] is before
    assert sys.modules[execute.SPARED] is before


def test_running_a_notebook_imports_no_grammar_of_addresses():
    lines = (
        "import contextlib, pathlib, sys",
        "from replication.workflow import execute",
        "with contextlib.suppress(FileNotFoundError):",
        "    execute._attempt(pathlib.Path('none.ipynb'), pathlib.Path('out.ipynb'), {})",
        f"print('papermill' in sys.modules, {execute.SPARED!r} in sys.modules)",
    )
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "False"]
