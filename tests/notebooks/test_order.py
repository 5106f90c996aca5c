"""The order in which workers are given notebooks and files of tests."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

from replication.settings import ROOT


def rules():
    spec = importlib.util.spec_from_file_location("root_conftest", ROOT / "conftest.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def item(path, slow=False):
    return SimpleNamespace(path=Path(path), get_closest_marker=lambda name: slow and name == "slow")


def test_long_notebooks_come_first_then_files_of_slow_tests_and_files_stay_together():
    items = [
        item("tests/a/test_quick.py"),
        item("tests/b/test_one.py", slow=True),
        item("tests/b/test_one.py"),
        item("tests/c/test_all.py", slow=True),
        item("tests/c/test_all.py", slow=True),
        item("tests/d/test_one.py", slow=True),
        item("tests/e/test_quick.py"),
        item("notebooks/01_cot_decoding/01_paths_and_confidence.ipynb"),
        item("notebooks/08_cdpo/03_preferences.ipynb"),
    ]
    rules().pytest_collection_modifyitems(items)
    assert [str(one.path) for one in items] == [
        "notebooks/08_cdpo/03_preferences.ipynb",
        "notebooks/01_cot_decoding/01_paths_and_confidence.ipynb",
        "tests/c/test_all.py",
        "tests/c/test_all.py",
        "tests/b/test_one.py",
        "tests/b/test_one.py",
        "tests/d/test_one.py",
        "tests/a/test_quick.py",
        "tests/e/test_quick.py",
    ]
