import json

import pytest

from replication.settings import InputError
from replication.workflow import discovery, manifest, progress
from replication.workflow.refresh import refresh


@pytest.fixture
def executed(tmp_path, toy, monkeypatch):
    """A committed notebook, and its run as papermill leaves it."""
    monkeypatch.setattr(progress, "ESTIMATES", tmp_path / "estimates.json")
    monkeypatch.setattr(discovery, "FOLDER", tmp_path / "notebooks")
    progress.ESTIMATES.write_text('{"smoke": {"01_p/01_x": 1}}')
    path = toy(tmp_path / "notebooks" / "01_p" / "01_x.ipynb", "print(1)", "2")
    content = json.loads(path.read_text())
    injected = {"cell_type": "code", "id": "i", "metadata": {"tags": ["injected-parameters"]}, "outputs": []}
    content["cells"].insert(2, injected | {"source": ["results_dir = 'someone'"], "execution_count": 2})
    for number, cell in enumerate(content["cells"]):
        cell["metadata"]["papermill"] = {"status": "completed", "start_time": "2026-01-01"}
        cell["metadata"].setdefault("tags", [])
        if cell["cell_type"] == "code":
            cell["execution_count"] = number
    content["cells"][-2]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": ["1\n"]}]
    result = {
        "output_type": "execute_result",
        "data": {"text/plain": ["2"]},
        "metadata": {},
        "execution_count": 4,
    }
    content["cells"][-1]["outputs"] = [result]
    content["metadata"] |= {"papermill": {"end_time": "2026-01-01"}, "widgets": {}}
    content["metadata"]["language_info"] = {"name": "python", "version": "3.11.7"}
    run = tmp_path / "results" / "cpu-testbed"
    target = run / "p" / "notebooks" / "01_x.ipynb"
    target.parent.mkdir(parents=True)
    target.write_text(json.dumps(content))
    manifest.write(run, {"profile": "cpu"}, 1, {"01_p/01_x": {"state": "done", "seconds": 3.4, "time": 0}})
    return discovery.notebooks(path.parents[1]), run


def test_outputs_counts_and_tags_stay_and_the_rest_goes(executed):
    notebooks, run = executed
    assert refresh(notebooks, run) == ["01_p/01_x"]
    content = json.loads(notebooks[0].path.read_text())
    cells = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in cells] == [1, 2, 3]
    assert cells[0]["metadata"] == {"tags": ["parameters"]}
    assert cells[1]["metadata"] == {}
    assert cells[1]["outputs"][0]["text"] == ["1\n"]
    assert cells[2]["outputs"][0]["execution_count"] == 3
    assert content["metadata"]["language_info"] == {"name": "python"}
    assert {"papermill", "widgets"}.isdisjoint(content["metadata"])
    assert "2026" not in notebooks[0].path.read_text()
    assert "someone" not in notebooks[0].path.read_text()
    assert json.loads(progress.ESTIMATES.read_text()) == {"cpu": {"01_p/01_x": 3}, "smoke": {"01_p/01_x": 1}}


def test_a_refreshed_notebook_is_a_valid_one_and_stays_as_it_is(executed):
    import nbformat

    notebooks, run = executed
    refresh(notebooks, run)
    before = notebooks[0].path.read_text()
    nbformat.validate(nbformat.reads(before, as_version=4))
    refresh(notebooks, run)
    assert notebooks[0].path.read_text() == before


def test_a_notebook_that_has_changed_since_is_refused(executed, toy):
    notebooks, run = executed
    toy(notebooks[0].path, "print(1)", "3")
    with pytest.raises(InputError, match="01_p/01_x has changed since"):
        refresh(notebooks, run)


def test_an_incomplete_run_is_refused(executed):
    notebooks, run = executed
    target = run / notebooks[0].output
    target.write_text(target.read_text().replace('"completed"', '"pending"'))
    with pytest.raises(InputError, match="did not run to its end"):
        refresh(notebooks, run)


def test_an_empty_run_is_refused(executed, tmp_path):
    with pytest.raises(InputError, match="No executed notebook"):
        refresh(executed[0], tmp_path)


def test_a_tool_is_stored_by_the_command_once_it_was_run_into_the_folder(executed, capsys):
    from replication.workflow import cli_reading

    notebooks, run = executed
    folder = notebooks[0].path.parents[1]
    for name, text in (("91_tool/01_y", "notebook"), ("92_other/01_z", "left alone")):
        path = folder / f"{name}.ipynb"
        path.parent.mkdir()
        path.write_text(notebooks[0].path.read_text())
        if text == "notebook":
            target = run / "tool" / "notebooks" / path.name
            target.parent.mkdir(parents=True)
            target.write_text((run / notebooks[0].output).read_text())
    before = path.read_text()
    cli_reading.refresh(run.name, str(run.parent), str(folder))
    assert capsys.readouterr().out.split() == ["01_p/01_x", "91_tool/01_y"]
    assert '"1\\n"' in (folder / "91_tool" / "01_y.ipynb").read_text()
    assert path.read_text() == before
    assert json.loads(progress.ESTIMATES.read_text())["cpu"] == {"01_p/01_x": 3}
