"""Command lines as a person types them: what is wrong is said in one sentence, at once, with exit code 2."""

import json
import subprocess
import sys
import time

import pytest

from replication.workflow.cli import join_pairs

SECONDS = 5.0


def replication(*arguments, cwd=None):
    command = [sys.executable, "-m", "replication", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False)


@pytest.fixture
def ask(tmp_path, toy, model):
    """Call `reproduce` on one toy notebook; later arguments win."""
    toy(tmp_path / "notebooks" / "01_cot_decoding" / "01_x.ipynb", "raise RuntimeError('it ran')")

    def call(*arguments):
        usual = ("--notebooks", tmp_path / "notebooks", "--results", tmp_path / "results", "--model", model)
        return replication("reproduce", *usual, *arguments)

    return call


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--papers", "cot_decoding nope"), "Unknown paper 'nope': choose from cot_decoding."),
        (("--profile", "huge"), "Unknown profile 'huge'"),
        (("--model", "nope"), "Unknown model 'nope'"),
        (("--model", "/no/such/folder"), "The model folder '/no/such/folder' does not exist"),
        (("--task", "nope"), "Unknown task 'nope'"),
        (("--task", "stories:nope=1"), "has no option 'nope'"),
        (("--data-dir", "/no/such/folder"), "The data folder '/no/such/folder' does not exist"),
        (("--device", "gpu"), "Unknown device 'gpu'"),
        (("--seed", "-1"), "The seed needs to be >= 0"),
        (("--jobs", "0"), "The number of jobs needs to be at least 1"),
        (("--shards", "0"), "The number of shards needs to be at least 1"),
        (("--executor-profile", "/no/such"), "No profile.v9+.yaml in the executor profile '/no/such'"),
        (("--results", "/proc/none"), "The results folder /proc/none cannot be written"),
        (("--model", "/tmp/{x}"), "The model folder '/tmp/{x}' does not exist"),
        (("--notebooks", "/no/such/folder"), "No notebook was found in /no/such/folder"),
    ],
)
def test_what_is_wrong_is_one_sentence(ask, tmp_path, arguments, sentence):
    for _attempt in range(2):  # a busy machine gets a second chance
        started = time.monotonic()
        done = ask(*arguments)
        if (seconds := time.monotonic() - started) < SECONDS:
            break
    assert seconds < SECONDS
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
    assert not list(tmp_path.glob("results/*/*/notebooks"))


@pytest.mark.parametrize(
    ("line", "sentence"),
    [("{", "line 2 is not JSON"), ('{"question": "How many?"}', "line 2 lacks the column")],
)
def test_a_bad_line_of_a_file_is_named(ask, tmp_path, line, sentence):
    good = json.dumps({"question": "1 + 1?", "answer": "#### 2"})
    (tmp_path / "test.jsonl").write_text(f"{good}\n{line}\n")
    done = ask("--task", "gsm8k", "--data-dir", tmp_path)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_no_gpu_is_said(ask):
    torch = pytest.importorskip("torch")
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    done = ask("--device", "cuda")
    assert done.returncode == 2
    assert done.stderr == "No cuda device was found on this machine: use device=cpu.\n"


@pytest.mark.parametrize(
    ("pair", "sentence"),
    [
        (("modle", "x"), "no parameter 'modle'"),
        (("seed", "x"), "seed='x' needs to be int"),
        (("seed",), "'seed'"),
    ],
)
def test_run_refuses_wrong_parameters(tmp_path, toy, pair, sentence):
    path = toy(tmp_path / "nb.ipynb")
    done = replication("run", path, "-o", tmp_path / "out.ipynb", "-p", *pair)
    assert done.returncode == 2
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_run_needs_a_notebook_and_a_place(tmp_path, toy):
    done = replication("run", tmp_path / "nope.ipynb")
    assert (done.returncode, "does not exist" in done.stderr) == (2, True)
    done = replication("run", toy(tmp_path / "nb.ipynb"))
    assert (done.returncode, "-o FILE" in done.stderr) == (2, True)


def test_run_checks_a_notebook_of_a_paper_as_reproduce_does(tmp_path, toy, model):
    path = toy(tmp_path / "01_cot_decoding" / "01_x.ipynb", "print('ran')")
    done = replication("run", path, "-p", "model", "nope", "-p", "results_dir", tmp_path)
    assert (done.returncode, "Unknown model 'nope'" in done.stderr) == (2, True)
    done = replication("run", path, "-p", "model", model, "-p", "results_dir", tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "cpu-toy-model" / "cot_decoding" / "notebooks" / "01_x.ipynb").exists()


def test_run_writes_the_executed_notebook(tmp_path, toy):
    path = toy(tmp_path / "nb.ipynb", "print(task, share)")
    arguments = ("-p", "task", "a=b, c", "-p", "share", "2", "-o", "out.ipynb")
    done = replication("run", path, *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert "a=b, c 2.0" in (tmp_path / "out.ipynb").read_text()


def test_join_pairs():
    asked = ["run", "nb", "-p", "task", "a=b", "-p", "n=1", "-o", "x", "-p", "last"]
    assert join_pairs(asked) == ["run", "nb", "-p", "task=a=b", "-p", "n=1", "-o", "x", "-p", "last"]


def test_list_is_for_people_and_programs(tmp_path, toy):
    toy(tmp_path / "notebooks" / "01_cot_decoding" / "01_x.ipynb")
    where = ("--notebooks", tmp_path / "notebooks", "--results", tmp_path / "results")
    papers = json.loads(replication("list", "--json", *where).stdout)["papers"]
    paper = next(paper for paper in papers if paper["key"] == "cot_decoding")
    assert paper["notebooks"] == [{"name": "01_cot_decoding/01_x", "state": "not run", "seconds": None}]
    assert {claim["verdict"] for claim in paper["claims"]} == {"not testable"}
    assert {one["state"] for one in paper["artefacts"]} == {"missing", "full scale only"}
    shown = replication("list", *where).stdout
    assert "01_cot_decoding/01_x" in shown
    assert "Chain-of-Thought Reasoning Without Prompting" in shown


def test_plan_says_what_a_run_costs_before_it_starts(tmp_path):
    usual = ("plan", "--papers", "cot_decoding", "--results", tmp_path / "results")
    model = ("--profile", "paper", "--model", "mistralai/Mistral-7B-v0.1", "--task", "gsm8k", "--gpu", "h100")
    done = replication(*usual, *model, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    content = json.loads(done.stdout)
    assert content["machine"]["key"] == "h100"
    assert content["total"]["generated"] > 1319 * 10 * 100
    assert sum(one["seconds"] for one in content["notebooks"]) == pytest.approx(content["total"]["seconds"])
    assert not (tmp_path / "results").exists()
    refused = replication(*usual, "--gpu", "abacus")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("Unknown machine 'abacus'")


def test_scoreboard_of_a_folder(tmp_path):
    done = replication("scoreboard", tmp_path / "nope")
    assert (done.returncode, "does not exist" in done.stderr) == (2, True)
    (tmp_path / "cot_decoding" / "notebooks").mkdir(parents=True)
    done = replication("scoreboard", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "cot_decoding C1 " in done.stdout
    assert (tmp_path / "scoreboard.md").exists()


@pytest.mark.parametrize(
    ("chosen", "name"),
    [
        (("--run", "cpu-nope"), "cpu-nope"),
        (("--profile", "gpu", "--model", "org/my@v1", "--seed", "3"), "gpu-my-v1-seed3"),
    ],
)
def test_a_site_of_no_run_is_refused_in_one_sentence(tmp_path, chosen, name):
    (tmp_path / "cpu-other").mkdir()
    (tmp_path / "cpu-other" / "manifest.json").write_text("{}")
    done = replication("report", *chosen, "--results", tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"No run {name!r} lies in {tmp_path}; there: cpu-other.")
    assert len(done.stderr.splitlines()) == 1
