import pytest

from replication.settings import ROOT, InputError
from replication.workflow import discovery


@pytest.fixture
def folder(tmp_path, toy):
    for name in (
        "01_b/02_y.ipynb",
        "01_b/01_x.ipynb",
        "00_a/01_x.ipynb",
        "loose/01_x.ipynb",
        "01_b/draft.ipynb",
        "90_c/01_x.ipynb",
    ):
        toy(tmp_path / name)
    return tmp_path


def test_notebooks_come_in_the_order_of_their_numbers(folder):
    found = discovery.notebooks(folder)
    assert [one.label for one in found] == ["00_a/01_x", "01_b/01_x", "01_b/02_y"]
    assert [one.paper for one in found] == ["a", "b", "b"]
    assert found[2].output == "b/notebooks/02_y.ipynb"


def test_select_keeps_the_order_and_refuses_unknown_papers(folder):
    assert [one.label for one in discovery.select(["b"], folder)] == ["01_b/01_x", "01_b/02_y"]
    assert len(discovery.select([], folder)) == 3
    with pytest.raises(InputError, match="Unknown paper 'c': choose from a, b"):
        discovery.select(["a", "c"], folder)


def test_no_notebook_is_an_error(tmp_path):
    with pytest.raises(InputError, match="No notebook was found"):
        discovery.select([], tmp_path)


def test_of_path(folder):
    assert discovery.of_path(folder / "01_b" / "02_y.ipynb").label == "01_b/02_y"
    assert discovery.of_path(folder / "loose" / "01_x.ipynb") is None


def test_notebooks_about_runs_belong_to_no_paper(folder):
    assert [one.label for one in discovery.about_runs(folder)] == ["90_c/01_x"]
    assert discovery.of_path(folder / "90_c" / "01_x.ipynb") is None


def test_sources_hold_modules_and_facts():
    names = {str(path.relative_to(ROOT / "replication")) for path in discovery.sources()}
    assert {"settings.py", "papers/cot_decoding.toml", "workflow/discovery.py"} <= names


def test_contents_of_a_folder_a_file_and_a_name(tmp_path):
    (tmp_path / "test.jsonl").touch()
    (tmp_path / ".hidden").touch()
    (tmp_path / "sub").mkdir()
    assert discovery.contents(str(tmp_path)) == [tmp_path / "test.jsonl"]
    assert discovery.contents(str(tmp_path / "test.jsonl")) == [tmp_path / "test.jsonl"]
    assert discovery.contents("org/name") == []
    assert discovery.contents("") == []
