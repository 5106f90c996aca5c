"""Marks of a model whose responses are known."""

import pytest
import torch

from replication.testbed import corpus, examination, worlds


class Parrot:
    """A model that answers every prompt with the same text."""

    device = "cpu"

    def __init__(self, core, text):
        self.ids = core.encode(text, add_special_tokens=False)
        self.prompts = []

    def generate(self, input_ids, attention_mask, **options):
        self.options = options
        self.prompts += [
            row[mask.bool()].tolist() for row, mask in zip(input_ids, attention_mask, strict=True)
        ]
        said = torch.tensor(self.ids).expand(len(input_ids), -1)
        return torch.cat([input_ids, said], dim=1)


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(examination, "QUESTIONS", 12)
    few = {"chain": ("stories", {"level": 1, "kind": "chain"}), "coins": ("coins", {"level": 2})}
    monkeypatch.setattr(examination, "EXAMS", few)
    return {
        name: worlds.sample(world, "validation", 12, 0, **options) for name, (world, options) in few.items()
    }


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (" The answer is 14.", "14"),
        (" We get 12+5=17. We get 17-3=14. The answer is 14.", "14"),
        (" 5 apples, no: -3", "-3"),
        (" Yes.", "yes"),
        (" The answer is no. The answer is Yes.", "yes"),
        (" Anna was born in 1950, an EVEN year.", "even"),
        (" nobody knows oddly", ""),
        ("", ""),
    ],
)
def test_last_number_or_option_is_the_answer(text, answer):
    assert examination.last_answer(text) == answer


@pytest.mark.parametrize(
    ("text", "exam"), [(" The answer is no. Yes.", "coins"), (" It is 3, no, 4", "chain")]
)
def test_marks_count_the_right_answers(core, short, text, exam):
    marks = examination.examine(Parrot(core, text), core)
    answer = examination.last_answer(text)
    right = sum(problem.answer == answer for problem in short[exam]) / 12
    assert set(marks) == set(short)
    assert marks[exam] == {"greedy": right, "step by step": right}


def test_a_model_that_is_always_right_has_full_marks(core, short, monkeypatch):
    only = {"sums": ("stories", {"level": 1, "kind": "chain"})}
    monkeypatch.setattr(examination, "EXAMS", only)
    fixed = [worlds.Problem("stories", f"Question {i}?", "7", ("3+4=7",)) for i in range(5)]
    monkeypatch.setattr(worlds, "sample", lambda *args, **options: fixed)
    marks = examination.examine(Parrot(core, " There are 7."), core)
    assert marks == {"sums": {"greedy": 1.0, "step by step": 1.0}}


def test_prompts_are_those_of_the_corpus_with_and_without_the_phrase(core, short):
    parrot = Parrot(core, " No.")
    examination.examine(parrot, core)
    plain = [corpus.prompt(problem) for problem in short["chain"]]
    wanted = plain + [f"{text} {corpus.STEP_BY_STEP}" for text in plain]
    assert parrot.prompts[:24] == [core.encode(text) for text in wanted]
    assert parrot.options == {
        "do_sample": False,
        "num_beams": 1,
        "max_new_tokens": examination.NEW_TOKENS,
    }


@pytest.mark.parametrize("name", examination.EXAMS)
def test_every_exam_has_enough_test_questions(name):
    world, options = examination.EXAMS[name]
    problems = worlds.sample(world, "test", examination.QUESTIONS, 0, **options)
    assert len({problem.question for problem in problems}) == examination.QUESTIONS
    assert all(examination.last_answer(problem.answer) == problem.answer for problem in problems)
