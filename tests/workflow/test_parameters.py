import json

import pytest

from replication.settings import InputError
from replication.workflow import parameters


@pytest.fixture
def path(tmp_path, toy):
    return toy(tmp_path / "nb.ipynb")


def test_defaults_are_read_in_order_and_are_those_papermill_sees(path):
    import papermill

    found = parameters.defaults(path)
    assert list(found)[:7] == list(parameters.COMMON)
    assert found["levels"] == [1, 2]
    assert list(papermill.inspect_notebook(str(path))) == list(found)


def test_unknown_names_are_refused(path):
    with pytest.raises(InputError, match="no parameter 'modle': it has profile, model"):
        parameters.check(path, {"modle": "x", "seed": 1})


@pytest.mark.parametrize(
    ("name", "value"),
    [("seed", "1"), ("seed", 1.0), ("seed", True), ("quick", 1), ("model", 5), ("levels", "1")],
)
def test_other_types_are_refused(path, name, value):
    with pytest.raises(InputError, match=f"{name}=.*needs to be"):
        parameters.check(path, {name: value})


def test_a_whole_number_is_a_float(path):
    value = parameters.check(path, {"share": 1})["share"]
    assert value == 1.0
    assert isinstance(value, float)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("seed", "7", 7),
        ("share", "1e-4", 1e-4),
        ("share", "1", 1.0),
        ("quick", "true", True),
        ("quick", "False", False),
        ("model", "05", "05"),
        ("task", "true", "true"),
        ("levels", "[3]", [3]),
    ],
)
def test_texts_become_values_of_the_type_of_the_default(path, name, text, value):
    assert parameters.from_text(path, {name: text}) == {name: value}


@pytest.mark.parametrize(
    ("name", "text"), [("seed", "1e3"), ("seed", "1.5"), ("quick", "yes"), ("levels", "1"), ("levels", "[")]
)
def test_texts_of_another_type_are_refused(path, name, text):
    with pytest.raises(InputError, match=f"{name}="):
        parameters.from_text(path, {name: text})


def test_only_changed_values_are_passed_on(path):
    assert parameters.changed(path, {"seed": 0, "model": "m", "quick": False}) == {"model": "m"}


@pytest.mark.parametrize("line", ["n = 2 * 3", "a = b = 1", "import os", "n: int = 4", "x, y = 1, 2"])
def test_lines_that_are_no_literals_are_refused(tmp_path, toy, line):
    with pytest.raises(InputError, match="name = literal"):
        parameters.defaults(toy(tmp_path / "nb.ipynb", parameters=line))


def test_one_tagged_cell_is_needed(path):
    content = json.loads(path.read_text())
    content["cells"].append(content["cells"][1])
    path.write_text(json.dumps(content))
    with pytest.raises(InputError, match="2 cells tagged"):
        parameters.defaults(path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"nbformat": 3, "cells": []}', "\xff"])
def test_what_is_no_notebook_is_refused(tmp_path, content):
    path = tmp_path / "nb.ipynb"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(InputError, match="not a notebook"):
        parameters.read(path)


def test_folders_become_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "m").mkdir()
    (tmp_path / "testbed").mkdir()
    given = {"model": "m", "data_dir": "d", "results_dir": "", "seed": 1}
    found = parameters.absolute(given)
    assert found == {
        "model": str(tmp_path / "m"),
        "data_dir": str(tmp_path / "d"),
        "results_dir": "",
        "seed": 1,
    }
    assert parameters.absolute({"model": "testbed"}, ("testbed",)) == {"model": "testbed"}
    assert parameters.absolute({"model": "org/name"}) == {"model": "org/name"}
    assert parameters.absolute({"model": "m?chat=true"}) == {"model": f"{tmp_path / 'm'}?chat=true"}
    asked = {"model": "testbed?dtype=float64"}
    assert parameters.absolute(asked, ("testbed",)) == asked
