import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.settings import InputError
from replication.tasks import base, load_task
from replication.tasks.base import Question, Task

WORLDS = ("stories", "parity", "expressions", "coins", "lies", "counting")


def task(kind="number", options=()):
    questions = [Question(f"x-test-{n}", f"q{n}", str(n)) for n in range(4)]
    return Task("x", kind, lambda split, n, seed: questions[:n], options=options)


def test_tasks_are_discovered():
    known = set(base.task_factories())
    assert known >= {*WORLDS, "gsm8k", "math500", "multiarith", "svamp", "jsonl"}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("nothing", "Unknown task 'nothing': choose one of coins, counting, expressions, gsm8k"),
        ("", "Unknown task ''"),
        ("stories:level", "Cannot read 'level'"),
        ("stories:=3", "Cannot read '=3'"),
        ("stories:depth=3", "has no option 'depth': it takes level, kind"),
        ("stories:level=many", "needs a whole number, got 'many'"),
        ("stories:kind=3", "needs a text, got 3"),
        ("stories:level=99", "level"),
        ("expressions:depth=7", "depth"),
        ("coins:level=99999999999999999", "needs a whole number"),
    ],
)
def test_bad_specifications(spec, message):
    with pytest.raises(InputError, match=message):
        load_task(spec)


@pytest.mark.parametrize("n", [0, -1, 1.5, "3", True])
def test_bad_number_of_questions(n):
    with pytest.raises(InputError, match="whole number of 1 or more"):
        task().questions(n=n)


def test_unknown_split():
    with pytest.raises(InputError, match="has no split 'dev': choose one of test"):
        task().questions("dev")


@pytest.mark.parametrize("name", WORLDS)
def test_worlds_are_tasks(name):
    world = load_task(name)
    questions = world.questions(n=8, seed=1)
    assert [question.id for question in questions] == [f"{name}-test-{n}" for n in range(8)]
    assert questions == world.questions(n=8, seed=1)
    assert questions != world.questions(n=8, seed=2)
    assert not {q.text for q in questions} & {q.text for q in world.questions("validation", n=8, seed=1)}
    for question in questions:
        prompt = world.prompt(question)
        assert prompt == (question.text if name == "expressions" else f"Q: {question.text}\nA:")
        assert question.text in world.prompt(question, "few_shot_cot")
        found = world.extract(f" First we think. The answer is {question.answer}.")
        assert world.grade(found.value, question.answer)
        assert not world.grade(None, question.answer)


def test_options_choose_the_level():
    assert {question.level for question in load_task("stories:level=3,kind=chain").questions(n=4)} == {3}
    assert {question.level for question in load_task("coins", level=2).questions(n=4)} == {2}
    assert all("(" not in q.text for q in load_task("expressions:depth=0,length=3").questions(n=4))


def test_continuation_is_cut_and_placed():
    found = task().extract_continuation(" $14.50. Tom has 3.")
    assert (found.value, found.start, found.end) == ("14.5", 2, 7)
    assert task().extract_continuation("\n") is None


def test_find_back_per_kind():
    assert task().find_back("8 or 18", "8").start == 0
    assert task("option", ("even", "odd")).find_back("Odd, not even", "odd").start == 0


def test_question_hash_depends_on_texts_answers_and_order():
    questions = task().questions()
    digest = Task.question_hash(questions)
    assert len(digest) == 64
    assert digest == Task.question_hash(tuple(questions))
    assert digest != Task.question_hash(questions[::-1])
    assert digest != Task.question_hash(questions[:3])
    assert digest != Task.question_hash([*questions[:3], Question("x-test-3", "q3", "4")])


@given(st.text())
def test_question_hash_takes_any_text(text):
    assert len(Task.question_hash([Question("x", text, text)])) == 64


def test_gsm8k_from_files(data_dir):
    gsm8k = load_task("gsm8k", str(data_dir / "gsm8k"))
    questions = gsm8k.questions()
    assert len(questions) == 1_319
    assert (questions[0].id, questions[0].answer) == ("gsm8k-test-0", "18")
    assert sum(float(question.answer) >= 1_000 for question in questions) > 50
    assert len(gsm8k.questions("train")) == 7_473
    assert gsm8k.questions(n=100) == questions[:100]


def test_math500_from_files(data_dir):
    math500 = load_task("math500", str(data_dir))
    questions = math500.questions()
    assert len(questions) == 500
    assert {question.level for question in questions} == {1, 2, 3, 4, 5}
    for question in questions:
        found = math500.extract(f"Thus the value is $\\boxed{{{question.answer}}}$.")
        assert math500.grade(found.value, question.answer), question
    assert sum(math500.grade("12345678", question.answer) for question in questions[:60]) == 0
