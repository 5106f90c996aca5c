"""A run's parameters are checked before any work, each error in one sentence that says what to do."""

import os
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from replication import papers, settings
from replication.settings import InputError, run_name, start

PAPER = "cot_decoding"
STORIES = papers.load(PAPER).task


@pytest.fixture
def begin(tmp_path):
    """`start` with a results folder of its own and the processor as device."""

    def run(paper=PAPER, **changed):
        return start(paper, **({"results_dir": str(tmp_path / "results"), "device": "cpu"} | changed))

    return run


def test_defaults_are_the_profiles(begin, tmp_path):
    run = begin(profile="smoke")
    assert (run.paper, run.profile, run.model, run.task, run.seed) == (PAPER, "smoke", "testbed", STORIES, 0)
    assert run.device == "cpu"
    assert dict(run.sizes) == papers.load(PAPER).profiles["smoke"]
    assert run.run_name == "smoke-testbed"
    assert run.run_dir == tmp_path / "results" / "smoke-testbed"
    assert run.paper_dir == run.run_dir / PAPER
    folders = [run.records_dir, run.tables_dir, run.figures_dir]
    assert folders == [run.paper_dir / name for name in ("records", "tables", "figures")]
    assert list(run.results.iterdir()) == []  # looked at, not filled
    with pytest.raises(FrozenInstanceError):
        run.seed = 1


def test_the_profile_may_name_its_own_task(begin):
    run = begin(profile="paper", model="mistralai/Mistral-7B-v0.1")
    assert (run.task, run.run_name) == ("gsm8k", "paper-Mistral-7B-v0.1")
    assert "task" not in run.sizes
    other = begin(profile="paper", task="multiarith")
    assert other.run_name == "paper-testbed-multiarith"


@pytest.mark.parametrize(
    ("model", "task", "name"),
    [
        ("testbed", "", "cpu-testbed"),
        ("org/name", "", "cpu-name"),
        ("org/name@rev", "", "cpu-name-rev"),
        ("org/name@rev?dtype=float16&chat=true", "", "cpu-name-rev-chat-dtype-float16"),
        ("org/name?chat=true&dtype=float16", "", "cpu-name-chat-dtype-float16"),
        ("testbed?", "", "cpu-testbed"),
        ("/some/folder/tiny/", "", "cpu-tiny"),
        ("testbed", "stories:kind=chain,level=3", "cpu-testbed-stories-kind-chain-level-3"),
        ("org/name@v1.0", "math500", "cpu-name-v1.0-math500"),
    ],
)
def test_names_of_runs(model, task, name):
    assert run_name("cpu", model, task) == name


def test_seeds_and_variants_are_runs_of_their_own(begin, monkeypatch):
    assert begin(profile="cpu", seed=3).run_name == "cpu-testbed-seed3"
    assert begin(profile="cpu", task="coins", seed=3, variant="k-4").run_name == "cpu-testbed-coins-seed3-k-4"
    monkeypatch.setenv(settings.VARIANT_VARIABLE, "k/../4")
    assert begin(profile="cpu").run_name == "cpu-testbed-k-..-4"
    assert begin(profile="cpu", variant="").run_name == "cpu-testbed"


def test_another_task_gets_a_run_of_its_own(begin):
    assert begin(profile="cpu", task=STORIES).run_name == "cpu-testbed"
    assert begin(profile="cpu", task="coins:level=2").run_name == "cpu-testbed-coins-level-2"


def test_sizes_can_be_overridden(begin):
    profile = papers.load(PAPER).profiles["cpu"]
    sizes = begin(profile="cpu", n_questions=7, k=0, seeds=None).sizes
    assert sizes["n_questions"] == 7
    assert sizes["k"] == profile["k"] > 0
    assert sizes["seeds"] == profile["seeds"] > 0
    assert papers.load(PAPER).profiles["cpu"] == profile


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"paper": "nothing"}, "Unknown paper 'nothing'"),
        ({"profile": "huge"}, "Unknown profile 'huge' .*: choose one of smoke, cpu, gpu, paper"),
        ({"n_question": 3}, "Unknown size.* n_question .*n_questions"),
        ({"k": -2, "n_questions": 4}, "Sizes need to be 1 or more, .*: change k"),
        ({"device": "tpu"}, "Unknown device 'tpu': choose one of auto, cpu"),
        ({"seed": -1}, "seed needs to be >= 0, got -1"),
        ({"data_dir": "/no/such/folder"}, "'/no/such/folder' does not exist: give an existing one"),
    ],
)
def test_what_a_user_may_get_wrong(begin, tmp_path, changed, message):
    with pytest.raises(InputError, match=message) as caught:
        begin(**changed)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "results").exists()  # nothing was made for a run that cannot be


def test_results_that_cannot_be_written(begin, tmp_path):
    file = tmp_path / "taken"
    file.write_text("a file")
    for place in (file, file / "below"):
        with pytest.raises(InputError, match=r"cannot be written .*: choose another with RESULTS="):
            begin(results_dir=str(place))
    assert file.read_text() == "a file"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_results_without_permission(begin, tmp_path):
    folder = tmp_path / "closed"
    folder.mkdir(mode=0o500)
    with pytest.raises(InputError, match="cannot be written"):
        begin(results_dir=str(folder))


def test_where_results_lie(monkeypatch, tmp_path):
    monkeypatch.delenv(settings.RESULTS_VARIABLE, raising=False)
    assert settings.results_root() == settings.ROOT / "results"
    monkeypatch.setenv(settings.RESULTS_VARIABLE, str(tmp_path))
    assert settings.results_root() == tmp_path
    assert settings.results_root("here") == Path.cwd() / "here"
    assert settings.results_root("~/there") == Path.home() / "there"


@pytest.mark.parametrize("present", [True, False])
def test_devices(monkeypatch, present):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: present)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert settings.resolve_device("cpu") == "cpu"
    assert settings.resolve_device("auto") == ("cuda" if present else "cpu")
    if present:
        assert settings.resolve_device("cuda") == "cuda"
    else:
        with pytest.raises(InputError, match=r"No cuda device was found .*: use device=cpu"):
            settings.resolve_device("cuda")
    with pytest.raises(InputError, match="No mps device"):
        settings.resolve_device("mps")
