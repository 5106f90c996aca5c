"""What the testbed's notebook shows, and the easy questions it takes from GSM8K."""

import json

import pandas as pd
import pytest

from replication.lm.records import Store
from replication.settings import InputError
from replication.studies import cot_decoding
from replication.studies import testbed as study
from replication.testbed import models, worlds

EASY = "He sold 48/2 = <<48/2=24>>24 clips.\nAltogether <<48+24=72>>72.\n#### 72"
ROWS = (
    {"question": "How many clips?", "answer": EASY},
    {"question": "How many large ones?", "answer": "<<10*100=1000>>1,000 in all.\n#### 1,000"},
    {"question": "How many dollars?", "answer": "It is <<12*50=600>>600.\n#### $600"},
    {"question": "How many eggs?", "answer": "<<3+4=7>>7\n#### 7"},
    {"no": "answer"},
)


@pytest.mark.parametrize(
    ("solution", "easy"),
    [
        (EASY, True),
        ("One step <<1+1=2>>2.\n#### 2", True),
        ("<<999-0=999>>", True),
        ("<<500+500=1000>>", False),
        ("<<1+1=2>> <<2+2=4>> <<4+4=8>>", False),
        ("<<5*.5=2.5>>", False),
        ("<<5/2=2.5>>", False),
        ("Two and two are four.\n#### 4", False),
        ("", False),
    ],
)
def test_easy_solutions(solution, easy):
    assert study._is_easy(solution) is easy


@pytest.fixture
def written(tmp_path):
    """Folder with a small train.jsonl in a folder gsm8k."""
    path = tmp_path / "data" / "gsm8k" / "train.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return path.parent.parent


def test_easy_questions_of_a_folder(written):
    for folder in (written, written / "gsm8k"):
        task = study.easy_gsm8k(str(folder), 10)
        found = [(q.id, q.text, q.answer) for q in task.questions()]
        assert found == [
            ("gsm8k-easy-0", "How many clips?", "72"),
            ("gsm8k-easy-1", "How many dollars?", "600"),
            ("gsm8k-easy-2", "How many eggs?", "7"),
        ]
        assert (task.kind, task.name) == ("number", "gsm8k-easy")
    task = study.easy_gsm8k(str(written), 2)
    assert [q.answer for q in task.questions()] == ["72", "600"]
    assert [q.answer for q in task.questions("test", 1, seed=3)] == ["72"]
    assert task.grade(task.extract("So it is 600.").value, "600")


def test_without_a_folder_there_is_no_task(tmp_path, written):
    assert study.easy_gsm8k("", 10) is None
    assert study.easy_gsm8k(str(tmp_path), 10) is None
    (written / "gsm8k" / "train.jsonl").write_text("not json\n")
    with pytest.raises(InputError, match=r"train\.jsonl"):
        study.easy_gsm8k(str(written), 10)


def test_where_real_data_lies(monkeypatch):
    monkeypatch.setenv(study.DATA_VARIABLE, "/from/environment")
    assert study.data_folder() == "/from/environment"
    assert study.data_folder("/given") == "/given"
    monkeypatch.delenv(study.DATA_VARIABLE)
    assert study.data_folder() == ""


def test_easy_questions_of_gsm8k(data_dir):
    task = study.easy_gsm8k(str(data_dir), 10_000)
    if task is None:
        pytest.skip(f"no gsm8k/train.jsonl in {data_dir}")
    questions = task.questions()
    assert len(questions) == 1966
    assert questions[0].answer == "72"
    assert all(question.answer.lstrip("-").isdigit() for question in questions)
    assert len({question.text for question in questions}) == 1966


def test_worlds_and_their_solver():
    shown = study.examples()
    assert list(shown.columns) == ["world", "question", "steps of the oracle", "answer"]
    assert shown["world"].tolist() == list(worlds.WORLDS)
    assert shown["answer"].map(len).min() > 0
    checked = study.oracle_check(3)
    assert checked.to_numpy().tolist() == [[name, 3, 3] for name in worlds.WORLDS]


def test_a_solver_that_disagrees_is_counted(monkeypatch):
    coins = worlds.world("coins")
    monkeypatch.setattr(coins, "solve", lambda problem: "perhaps")
    agree = study.oracle_check(2).set_index("world")["solver agrees"]
    assert agree["coins"] == 0
    assert agree.drop("coins").tolist() == [2] * (len(worlds.WORLDS) - 1)


def test_kinds_of_documents():
    kinds = study.document_kinds(60)
    assert list(kinds.columns) == ["kind", "share, %", "shortest example"]
    assert kinds["kind"].is_unique
    shares = kinds["share, %"].astype(float)
    assert shares.sum() == pytest.approx(100, abs=0.3)
    assert shares.is_monotonic_decreasing


def test_kinds_are_those_of_the_recipe():
    """The shares shown are those that the shipped model read, not the defaults of the corpus."""
    shown = study.document_kinds(2000).set_index("kind")["share, %"].astype(float)
    mix = models.recipe("testbed").mix
    wanted = {
        "direct": mix.qa * (1 - mix.cot_fraction),
        "cot": mix.qa * mix.cot_fraction,
        "worked": mix.worked,
        "equations": mix.equations,
        "biography": mix.biographies,
    }
    assert set(shown.index) == set(wanted)  # no noise
    for kind, share in wanted.items():
        assert shown[kind] == pytest.approx(100 * share, abs=3)
    tuned = study.document_kinds(300, "testbed-tuned").set_index("kind")["share, %"].astype(float)
    assert set(tuned.index) == {"cot", "direct"}
    assert tuned["cot"] == pytest.approx(90, abs=6)


@pytest.fixture
def checkpoints(monkeypatch, tmp_path):
    """Two checkpoints without weights, with card and losses, in place of the shipped ones."""
    card = {"parameters": 300_000, "steps": 2, "tokens": 2.5e6, "loss": 1.234, "validation_loss": 1.5}
    losses = pd.DataFrame({"step": [1, 2], "tokens": [1, 2], "loss": [3.0, 2.0], "validation": [3.1, 2.1]})
    names = ("testbed-small", "testbed")
    for name in names:
        folder = tmp_path / name
        folder.mkdir()
        (folder / models.WEIGHTS).touch()
        (folder / models.CARD).write_text(json.dumps(card))
        losses.to_csv(folder / "losses.csv", index=False)
    monkeypatch.setattr(models, "CHECKPOINTS", tmp_path)
    monkeypatch.setattr(models, "names", lambda: names)
    return losses


def test_ladder_and_losses(checkpoints):
    rows = study.ladder()
    header = ["model", "parameters", "steps", "tokens, millions", "training loss", "validation loss"]
    assert list(rows.columns) == header
    assert rows.loc[0].tolist() == ["testbed-small", 300_000, 2, "2.5", "1.23", "1.50"]
    assert rows["model"].tolist() == ["testbed-small", "testbed"]
    curves = study.loss_curves(["testbed"])
    pd.testing.assert_frame_equal(curves["testbed"], checkpoints)


def test_short_training(checkpoints, monkeypatch, tmp_path):
    from replication.testbed import training

    again = [{"step": 1, "tokens": 1, "loss": 3.004, "validation": 3.1}]
    monkeypatch.setattr(training, "rerun", lambda name, chunks: again[:chunks])
    rows = study.short_training(Store(tmp_path), 1)
    header = ["step", "loss, shipped", "loss, again", "validation, shipped", "validation, again"]
    assert list(rows.columns) == header
    assert rows.to_numpy().tolist() == [[1, 3.0, 3.0, 3.1, 3.1]]


def test_abilities(experiment, tiny, monkeypatch):
    monkeypatch.setattr(study, "MODELS", (tiny,))
    monkeypatch.setattr(study, "ABILITIES", {"sums": "stories:level=1", "coins": "coins:level=2"})
    rows = study.abilities(experiment)
    assert list(rows.columns) == ["world", "model", "greedy, %", "step by step, %", "n"]
    assert rows[["world", "n"]].to_numpy().tolist() == [["sums", 4], ["coins", 4]]
    run = experiment.decode("greedy", task="stories:level=1", suffix=cot_decoding.STEP_BY_STEP)
    assert rows["step by step, %"][0].value == cot_decoding.graded(run)[0].mean()


def test_real_questions_are_all_asked(experiment, tiny, written):
    """The profile's number of questions is for the worlds: the real ones are asked as given."""
    row = json.dumps(ROWS[3]) + "\n"
    (written / "gsm8k" / "train.jsonl").write_text(row * 6)
    task = study.easy_gsm8k(str(written), 6)
    assert len(task.questions()) == 6 > experiment.settings.sizes["n_questions"]
    bars = study.real_accuracy(experiment, task, [tiny])
    assert list(bars) == [tiny]
    assert list(bars[tiny]) == ["greedy", "step by step", "CoT-decoding"]
    assert {estimate.n for estimate in bars[tiny].values()} == {6}
    assert all(estimate.value in (0.0, 1.0) for estimate in bars[tiny].values())  # one question, six times
