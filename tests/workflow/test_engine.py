"""What Snakemake is told: without a profile to run here, with one to go by it; what each job asks for."""

import json

import pytest

from replication.workflow import engine, events, job, plan
from replication.workflow.discovery import Notebook

GIVEN = {"profile": "cpu", "device": "auto"}


@pytest.fixture
def written(tmp_path, toy):
    """Write the plan of one toy notebook."""

    def write(shards):
        notebook = Notebook(toy(tmp_path / "01_cot_decoding" / "02_x.ipynb", "print(1)"), "cot_decoding")
        expected = {notebook.label: 700}
        chosen = plan.Plan(tmp_path / "run", (notebook,), GIVEN, True, shards=shards, expected=expected)
        return chosen, json.loads(chosen.write().read_text())

    return write


def test_a_profile_takes_the_place_of_the_number_of_cores():
    here, there = engine.arguments("/r/w/plan", "2"), engine.arguments("/r/w/plan", "2", "/c")
    assert here[here.index("--cores") + 1] == "2"
    assert "--profile" not in here
    assert there[there.index("--profile") + 1] == "/c"
    assert "--cores" not in there
    assert "--latency-wait" not in there
    assert here[here.index("--max-jobs-per-timespan") + 1] == engine.PACE
    assert "--max-jobs-per-timespan" not in there


def test_without_shards_a_notebook_is_one_job(written):
    (found,) = written(1)[1]["jobs"]
    assert found["shards"] == []
    assert found["log"] == ".workflow/logs/01_cot_decoding/02_x.log"
    assert found["resources"] == {"mem_mb": 4000, "runtime": 47}


def test_with_shards_it_waits_for_its_workers(written):
    content = written(2)[1]
    assert content["shards"] == 2
    assert content["jobs"][0]["shards"] == [
        {
            "rule": f"nb_01_cot_decoding_02_x_shard_{number}",
            "marker": f".workflow/shards/nb_01_cot_decoding_02_x_shard_{number}.done",
            "log": f".workflow/logs/01_cot_decoding/02_x.shard-{number}.log",
        }
        for number in (1, 2)
    ]


def test_a_notebook_that_failed_by_itself_is_not_repeated_by_a_retry(written, monkeypatch, capsys):
    chosen, content = written(1)
    rule, calls = content["jobs"][0]["rule"], []
    monkeypatch.setattr(job, "execute", lambda *given: calls.append(given) or 1.0)
    monkeypatch.setattr(job, "make_page", lambda *given: None)
    arguments = (str(chosen.file), "01_cot_decoding/02_x")
    events.report(chosen.events, rule, "x", "failed", message="failed in cell [2]", code=1)
    assert job.main(*arguments) == 1
    assert "failed in cell [2]" in capsys.readouterr().out
    assert calls == []
    events.report(chosen.events, rule, "x", "failed", message="lost its kernel", code=138)
    assert job.main(*arguments) == 0
    assert len(calls) == 1
    assert events.last(chosen.events, rule)["state"] == "done"


def test_a_worker_that_fails_leaves_the_rest_to_the_notebook(written, monkeypatch, capsys):
    chosen, _ = written(2)
    monkeypatch.setenv(job.shards.VARIABLE, "2")

    def fails(source, output, *given):
        output.parent.mkdir(parents=True)
        job.failed_path(output).touch()
        raise job.NotebookError("it failed in cell [2]")

    monkeypatch.setattr(job, "execute", fails)
    assert job.main(str(chosen.file), "01_cot_decoding/02_x", "2") == 0
    assert "the rest is left to the notebook: it failed in cell [2]" in capsys.readouterr().out
    left = [path.name for path in (chosen.folder / "shards").iterdir()]
    assert left == ["nb_01_cot_decoding_02_x_shard_2.done"]
