import json
from pathlib import Path

import pytest

from replication.settings import InputError
from replication.tasks import load_task, sources

GOOD = {"question": "How many?", "answer": "5"}


def write(path, *lines):
    path.write_bytes(
        b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines)
    )
    return str(path)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([GOOD, b"{not json"], "line 2 is not JSON"),
        ([GOOD, b"", b"[1, 2]"], "line 3 is not a JSON object"),
        ([GOOD, GOOD, {"question": "x"}], "line 3 lacks the column 'answer'"),
        (
            [{"problem": "x", "answer": "1"}],
            "line 1 lacks the column 'question' \\(it has 'problem', 'answer'\\)",
        ),
        ([{"question": "", "answer": "1"}], "line 1 has no text in the column 'question'"),
        ([{"question": None, "answer": "1"}], "line 1 has no text in the column 'question'"),
        ([{"question": "x", "answer": True}], "line 1 has no text in the column 'answer'"),
        ([{"question": "x", "answer": "many"}], "line 1 has the answer 'many', which is not a number"),
        ([GOOD, b'{"question": "\xff", "answer": "1"}'], "line 2 is not UTF-8"),
        ([b'{"question": "\\ud800", "answer": "1"}'], "line 1 holds half of a surrogate pair"),
        ([b'{"question": ' + b"[" * 100_000], "line 1 is not JSON"),
        ([b'{"question": "x", "answer": ' + b"9" * 10_000 + b"}"], "line 1 is not JSON"),
        ([b""], "holds no questions"),
        ([b"\0"], "line 1 is not JSON"),
    ],
)
def test_bad_lines_are_named(tmp_path, lines, message):
    path = write(tmp_path / "mine.jsonl", *lines)
    with pytest.raises(InputError, match=message) as caught:
        load_task("jsonl", path)
    assert "mine.jsonl" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_order_ids_and_first_n(tmp_path):
    rows = [{"question": f"q{n}", "answer": n} for n in range(5)]
    path = write(tmp_path / "mine.jsonl", *rows)
    task = load_task("jsonl", path)
    assert [question.text for question in task.questions(n=3, seed=7)] == ["q0", "q1", "q2"]
    assert [question.id for question in task.questions()] == [f"jsonl-test-{n}" for n in range(5)]
    assert len(task.questions(n=100)) == 5


def test_byte_order_mark_windows_lines_and_empty_lines(tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_bytes(
        b'\xef\xbb\xbf{"question": "x", "answer": "1,000"}\r\n\r\n{"question": "y", "answer": 2.0}\r\n'
    )
    assert [question.answer for question in load_task("jsonl", str(path)).questions()] == ["1000", "2"]


def test_columns_by_option(tmp_path):
    path = write(tmp_path / "mine.jsonl", {"Body": "Tom has 3.", "Ask": "How many?", "out": 3})
    task = load_task("jsonl:question=Body+Ask,answer=out", path)
    assert task.questions()[0].text == "Tom has 3. How many?"
    assert task.questions()[0].id == "jsonl:answer=out,question=Body+Ask-test-0"


def test_kinds_of_answer(tmp_path):
    path = write(tmp_path / "mine.jsonl", {"question": "x", "answer": "Odd."})
    task = load_task("jsonl:kind=option,options=odd|even", path)
    assert task.questions()[0].answer == "odd"
    assert task.extract("It is odd.").value == "odd"
    with pytest.raises(InputError, match="line 1 has the answer 'odd', not one of yes, no"):
        load_task("jsonl:kind=yesno", path)
    with pytest.raises(InputError, match="Unknown kind of answer 'word'"):
        load_task("jsonl:kind=word", path)
    with pytest.raises(InputError, match="kind=option"):
        load_task("jsonl:kind=option", path)


def test_fractions_are_extracted_where_gold_answers_are_fractions(tmp_path):
    path = write(tmp_path / "mine.jsonl", {"question": "x", "answer": "2/3"})
    task = load_task("jsonl", path)
    assert task.grade(task.extract("It is 4/6.").value, task.questions()[0].answer)


def test_folder_and_its_sub_folder(tmp_path):
    (tmp_path / "gsm8k").mkdir()
    write(tmp_path / "gsm8k" / "test.jsonl", {"question": "x", "answer": "so\n#### 1,080"})
    for folder in (tmp_path, tmp_path / "gsm8k"):
        assert load_task("gsm8k", str(folder)).questions()[0].answer == "1080"
    with pytest.raises(InputError, match=r"has no train\.jsonl"):
        load_task("gsm8k", str(tmp_path)).questions("train")


def test_multiarith_joins_its_parts(tmp_path):
    write(tmp_path / "train.jsonl", {"question": "a", "final_ans": "1"})
    write(tmp_path / "test.jsonl", {"question": "b", "final_ans": "2"})
    assert [question.text for question in load_task("multiarith", str(tmp_path)).questions()] == ["a", "b"]


def test_svamp_columns(tmp_path):
    path = write(tmp_path / "a.jsonl", {"Body": "Tom has 3.", "Question": "How many?", "Answer": "3.0"})
    question = load_task("svamp", path).questions()[0]
    assert (question.text, question.answer) == ("Tom has 3. How many?", "3")


def test_missing_folder_and_missing_file(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        load_task("gsm8k", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match=r"has no test\.jsonl"):
        load_task("math500", str(tmp_path))
    with pytest.raises(InputError, match="give their folder or file as data_dir"):
        load_task("jsonl")


def test_unreadable_file(tmp_path, monkeypatch):
    path = write(tmp_path / "mine.jsonl", GOOD)

    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(InputError, match=r"mine.jsonl cannot be read \(Permission denied\)"):
        load_task("jsonl", path)


def test_hub_out_of_reach_says_to_give_a_folder(monkeypatch, tmp_path):
    import datasets

    before = datasets.config.HF_HUB_OFFLINE
    monkeypatch.setattr(sources, "_reach_hub", lambda name: (_ for _ in ()).throw(OSError("no network")))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path)
    with pytest.raises(InputError, match=r"openai/gsm8k \(test\) could not be loaded .* as data_dir"):
        load_task("gsm8k")
    assert datasets.config.HF_HUB_OFFLINE is before


def test_hub_rows_become_questions(monkeypatch):
    import datasets

    asked = []

    def load_dataset(name, config, split):
        asked.append((name, config, split))
        return [{"question": f"{split}?", "final_ans": "4"}]

    monkeypatch.setattr(sources, "_reach_hub", lambda name: None)
    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    questions = load_task("multiarith").questions()
    assert asked == [("ChilleD/MultiArith", None, "train"), ("ChilleD/MultiArith", None, "test")]
    assert [question.text for question in questions] == ["train?", "test?"]


def test_a_slow_look_up_counts_as_out_of_reach():
    import threading

    never = threading.Event()
    assert not sources._within(0.05, never.wait)
    never.set()
    assert sources._within(5.0, lambda: None)
