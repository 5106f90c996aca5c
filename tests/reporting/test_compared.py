"""What the notebook of comparisons shows, with runs and without."""

import pytest

from replication.reporting import style
from replication.reporting.compared import Compared
from replication.settings import InputError

CLAIMS = {"toy C1": (0.3, 0.2, 0.4, 50, "reproduced")}


@pytest.fixture
def results(tmp_path, store):
    for name, accuracy in (("cpu-a", "0.1"), ("cpu-b", "0.2")):
        folder = store(tmp_path / name, CLAIMS, parameters={"model": name})
        (folder / "toy" / "tables").mkdir(parents=True)
        (folder / "toy" / "tables" / "table_1.csv").write_text(f"method,accuracy\ngreedy,{accuracy}\n")
        (folder / "toy" / "tables" / "table_2.csv").write_text("text\nx\nx\n")
    return tmp_path


def test_every_part_is_shown(results, shown, monkeypatch):
    figures = []
    monkeypatch.setattr(style, "show", figures.append)
    compared = Compared(results_dir=str(results))
    for part in (compared.settings, compared.counts, compared.changed, compared.figures, compared.claims):
        part()
    compared.tables()
    compared.table("toy/table_1")
    assert "| model | cpu-a | cpu-b | differs |" in shown[0]
    assert "| all papers | cpu-b | 1 | 1 |" in shown[1]
    assert shown[2] == "**0 of 1 claims changed.**\n\n"
    assert len(figures) == 1
    assert shown[4] == "*C1 in the runs cpu-a and cpu-b: 0 of 1 claims changed; n = 50.*"
    assert "## toy" in shown[5]
    assert "| toy/table&#95;1 | 1 | accuracy |" in shown[6]
    assert "no labels" in shown[6]
    assert "| greedy | 0.1 | 0.2 |" in shown[7]
    for name, why in (("toy/table_2", "no labels"), ("toy/table_9", "not in two")):
        with pytest.raises(InputError, match=why):
            compared.table(name)


def test_runs_are_named_in_two_ways(results):
    for runs in ("cpu-b cpu-a", '["cpu-b", "cpu-a"]'):
        assert Compared(runs, str(results)).names == ["cpu-b", "cpu-a"]
    with pytest.raises(InputError, match="no run 'nope'"):
        Compared("cpu-a nope", str(results))
    with pytest.raises(InputError, match="Cannot read the runs"):
        Compared("[", str(results))


def test_without_two_runs_it_says_how_to_make_them(tmp_path, shown):
    compared = Compared(results_dir=str(tmp_path))
    for part in (compared.settings, compared.counts, compared.changed, compared.figures, compared.claims):
        part()
    compared.tables()
    assert [text[:35] for text in shown] == ["There are no two runs to compare: `"]


def test_runs_that_cannot_be_compared_are_no_error_unless_named(results, shown):
    (results / "cpu-b" / "scoreboard.json").write_text("{")
    compared = Compared(results_dir=str(results))
    compared.counts()
    assert "is not a scoreboard" in shown[0]
    with pytest.raises(InputError, match="is not a scoreboard"):
        Compared("cpu-a cpu-b", str(results))
