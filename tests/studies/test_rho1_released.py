"""Released models under the protocol of the published tables, and the costs of full-scale trainings."""

import json
import shutil

import pandas as pd
import pytest

from replication import papers, settings
from replication.evaluation.claims import Estimate
from replication.lm import harness
from replication.settings import InputError
from replication.studies import rho1_released as released
from replication.studies.rho1_released import Evaluation

HUB = released.C12_MODEL


def published(name):
    entry = papers.load("rho1").published[name]
    return pd.DataFrame([list(row) for row in entry.rows], columns=list(entry.columns))


def answers(right, n):
    outcomes = [i < right for i in range(n)]
    return pd.DataFrame({"question": [f"q{i}" for i in range(n)], "answer": [None, *["1"] * (n - 1)],
                         "correct": outcomes, "exact": outcomes, "finish": "eos", "text": ""})  # fmt: skip


def evaluation(model=HUB, task="gsm8k", right=477, n=1319, missing=None):
    return Evaluation({(model, task, "few_shot_cot"): answers(right, n)}, missing or {}, (task,))


@pytest.fixture
def start(tiny, tmp_path):
    """Starts runs with the tiny model, their records in a temporary folder."""

    def run(**changes):
        chosen = {
            "profile": "smoke",
            "model": tiny,
            "device": "cpu",
            "results_dir": str(tmp_path / "results"),
        }
        return settings.start("rho1", **(chosen | changes))

    return run


@pytest.fixture
def gsm8k(tmp_path):
    """Folder with three questions of GSM8K's form."""
    folder = tmp_path / "gsm8k"
    folder.mkdir()
    rows = [{"question": f"How many are {i} and 1?", "answer": f"Add.\n#### {i + 1}"} for i in range(3)]
    (folder / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(folder)


def test_models_and_tasks_of_the_profiles(start, tiny):
    cpu, paper = start(profile="cpu", model="testbed"), start(profile="paper", model="testbed")
    assert released.chosen_models(cpu) == list(released.TESTBED)
    assert released.chosen_models(paper) == list(released.RELEASED)
    assert released.chosen_models(paper, [HUB, HUB]) == [HUB]
    assert released.chosen_models(start()) == [tiny]
    assert released.chosen_tasks(cpu) == [released.WORLD]
    assert released.chosen_tasks(paper) == ["gsm8k", "math500"]
    assert released.chosen_tasks(start(task="gsm8k")) == ["gsm8k"]
    assert released.chosen_tasks(cpu, ["svamp"]) == ["svamp"]


def test_table_of_a_world(start, tiny):
    run = start()
    found = released.evaluate(run, [tiny], [released.WORLD], limit=5)
    table = released.table(found, published("table_1"), published("released_rerun"))
    assert list(table["model"]) == ["tiny", "tiny"]
    assert list(table["prompt"]) == ["few-shot", "step by step"]
    assert set(table["n"]) == {run.sizes["n_watch"]}
    assert all(isinstance(one, Estimate) for one in table["accuracy"])
    assert table["published"].isna().all()
    assert table["rerun"].isna().all()


def test_gsm8k_from_a_file(start, tiny, gsm8k):
    found = released.evaluate(start(data_dir=gsm8k), [tiny], ["gsm8k"], limit=6)
    frame = found.answers[tiny, "gsm8k", "few_shot_cot"]
    assert list(frame.columns) == ["question", "answer", "correct", "exact", "finish", "text"]
    assert list(frame["question"]) == ["gsm8k-test-0", "gsm8k-test-1", "gsm8k-test-2"]
    assert set(frame["finish"]) <= {"eos", "stop", "length"}
    protocol = harness.Protocol(harness.Task("x", "number", None, examples=(("a", "b"),)))
    for row in frame.itertuples():
        assert protocol.extract(row.text) == (None if pd.isna(row.answer) else row.answer)
        assert row.correct == protocol.grade(row.answer or None, str(int(row.question[-1]) + 1))


def test_a_killed_run_goes_on_with_the_next_chunk(start, tiny, gsm8k, monkeypatch):
    run, calls, own = start(data_dir=gsm8k), [], harness.answers

    def counting(lm, protocol, questions):
        calls.append(len(questions))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return own(lm, protocol, questions)

    monkeypatch.setattr(released, "CHUNK", 2)
    monkeypatch.setattr(harness, "answers", counting)
    with pytest.raises(KeyboardInterrupt):
        released.evaluate(run, [tiny], ["gsm8k"], limit=4)
    first = released.evaluate(run, [tiny], ["gsm8k"], limit=4)
    again = released.evaluate(run, [tiny], ["gsm8k"], limit=4)
    assert calls == [2, 1, 1]
    pd.testing.assert_frame_equal(*(x.answers[tiny, "gsm8k", "few_shot_cot"] for x in (first, again)))


def test_another_prompt_is_another_record(start, tiny, gsm8k, tmp_path):
    run, prompt = start(data_dir=gsm8k), tmp_path / "prompt.txt"
    prompt.write_text("Question: 1 + 1?\nAnswer: The answer is 2.")
    released.evaluate(run, [tiny], ["gsm8k"], limit=4)
    released.evaluate(run, [tiny], ["gsm8k"], prompt_file=str(prompt), limit=4)
    assert len(list(run.records_dir.glob("harness-*.parquet"))) == 2


def test_wrong_inputs_stop_before_any_model_is_loaded(start, gsm8k, monkeypatch):
    monkeypatch.setattr(released, "load", None)
    with pytest.raises(InputError, match="The prompt file 'no' does not exist"):
        released.evaluate(start(), ["testbed"], [released.WORLD], prompt_file="no")
    with pytest.raises(InputError, match="Unknown task 'gsm9k'"):
        released.evaluate(start(), ["testbed"], ["gsm9k"])
    with pytest.raises(InputError, match="at least one model"):
        released.evaluate(start(), [], ["gsm8k"])


def test_a_model_that_is_not_here_is_told(start, gsm8k, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    found = released.evaluate(start(data_dir=gsm8k), [HUB], ["gsm8k"])
    assert not found.answers
    assert "not on this machine" in found.missing[HUB]
    row = released.table(found, published("table_1"), published("released_rerun")).iloc[0]
    assert (row["model"], row["n"], row["published"], row["rerun"]) == ("rho-math-1b-v0.1", 0, 36.2, 36.2)
    assert not row["accuracy"].usable
    assert released.claims(found, published("released_rerun")) == {"C12": found.missing[HUB]}


def test_weights_that_cannot_be_read_stop_no_other_model(start, tiny, gsm8k, tmp_path):
    broken = tmp_path / "broken"
    shutil.copytree(tiny, broken)
    (broken / "model.safetensors").write_bytes(b"no weights")
    found = released.evaluate(start(data_dir=gsm8k), [str(broken), tiny], ["gsm8k"], limit=4)
    assert "cannot be loaded" in found.missing[str(broken)]
    assert list(found.answers) == [(tiny, "gsm8k", "few_shot_cot")]


def test_a_copy_in_a_folder_counts_as_the_released_model(start, tiny, gsm8k, tmp_path):
    copy = str(tmp_path / "rho-math-7b-v0.1")
    shutil.copytree(tiny, copy)
    found = released.evaluate(start(data_dir=gsm8k), [copy], ["gsm8k"], limit=4)
    row = released.table(found, published("table_1"), published("released_rerun")).iloc[0]
    assert (row["model"], row["published"], row["rerun"]) == ("rho-math-7b-v0.1", 66.9, 66.8)


def test_published_values_of_every_model_and_task():
    tables = published("table_1"), published("released_rerun")
    printed = {}
    for model in (*released.RELEASED, *released.BASES):
        for task in ("gsm8k", "math500", "svamp", "multiarith"):
            row = released.table(evaluation(model, task, 1, 4), *tables).iloc[0]
            printed[model, task] = [row["published"], row["rerun"]]
    assert printed[HUB, "math500"] == [15.6, 15.8]
    assert printed[HUB, "svamp"] == [52.1, None]
    assert printed["microsoft/rho-math-7b-interpreter-v0.1", "math500"] == [51.8, 52.0]
    assert printed["mistralai/Mistral-7B-v0.1", "gsm8k"] == [41.2, None]
    assert {tuple(printed[model, "multiarith"]) for model, _ in printed} == {(None, None)}


def test_claim_of_the_whole_set_has_the_noise_of_an_evaluation():
    rerun = published("released_rerun")
    largest = max(abs(a - b) for a, b in zip(rerun["paper"], rerun["rerun"], strict=True))
    assert released.noise(rerun) == pytest.approx(largest / 100)
    found = released.claims(evaluation(), rerun)["C12"]
    assert (found.value, found.n) == (477 / 1319, 1319)
    assert (found.high - found.value, found.value - found.low) == pytest.approx((largest / 100,) * 2)


def test_claim_of_some_questions_has_their_sampling_error():
    found = released.claims(evaluation(right=36, n=100), published("released_rerun"))["C12"]
    assert (found.value, found.n) == (0.36, 100)
    assert found.low < 0.28 < 0.45 < found.high


def test_reasons_why_the_claim_cannot_be_tested():
    rerun = published("released_rerun")
    assert "do not include microsoft" in released.claims(evaluation("testbed"), rerun)["C12"]
    assert "do not include gsm8k" in released.claims(evaluation(task="svamp"), rerun)["C12"]
    assert released.claims(evaluation("testbed", missing={HUB: "No."}), rerun) == {"C12": "No."}


def test_costs_agree_with_the_hours_of_the_paper():
    table = released.costs().set_index(["configuration", "training"])
    for name, hours in {"level2_tinyllama": 32 * 3.5, "level2_mistral": 32 * 18}.items():
        plain, selective = table.loc[(name, "CLM")], table.loc[(name, "SLM")]
        assert plain["GPU hours"] == pytest.approx(hours, rel=0.02)
        assert selective["GPU hours"] > 4 / 3 * hours * 0.98
        assert float(plain["FLOPs scores"]) == float(plain["FLOPs reference"]) == 0
        assert plain["B tokens"] == plain["B learned from"] == 15
    assert table.loc[("level2_mistral", "SLM"), "B learned from"] == pytest.approx(10.5)
    assert len(table) == 3 * len(released.configurations())


def test_every_configuration_has_its_command():
    lines = released.commands()
    for path in released.configurations():
        assert [line for line in lines if path.name in line and "replication.pretraining.rho1" in line]


def test_no_configurations(tmp_path):
    with pytest.raises(InputError, match="holds no configurations"):
        released.configurations(tmp_path)
