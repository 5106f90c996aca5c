"""The protocol of math-evaluation-harness: prompts, stops, where the answer stands, when it is right."""

import dataclasses
import json

import pytest

from replication.lm import harness
from replication.lm.harness import Protocol
from replication.settings import InputError
from replication.tasks import load_task, prompts
from replication.tasks.base import Question, Task


def task(kind, **changes):
    asked = [Question(f"made-test-{i}", f"How many is {i}?", str(i)) for i in range(3)]
    return Task(
        "made", kind, lambda split, n, seed: asked[:n], examples=(("a?", "b."), ("c?", "d.")), **changes
    )


NUMBER, MATHS, YESNO = (Protocol(task(kind)) for kind in ("number", "latex", "yesno"))
YESNO = dataclasses.replace(YESNO, task=dataclasses.replace(YESNO.task, options=("yes", "no")))

NUMBERS = [
    ("The final answer is $18$. I hope it is correct. 7", "18"),
    ("The answer is 5. Final Answer: The final answer is $9$. I hope it is correct.", "9"),
    ("so \\boxed{1,200} of 3", "1200"),
    ("\\boxed{3} and \\boxed{18} eggs, the answer is 4", "18"),
    ("\\boxed{} The answer is 4.", "4"),
    ("first \\boxed{18 \\text{ eggs}} then 5", "18"),
    ("She has 3 * 6 = 18. The answer is 18.", "18"),
    ("The answer is 4. No, the answer is $18. She is 5.", "18"),
    ("The answer is: 3.50 dollars", "3.5"),
    ("The answer is 5 + 3 = 8.", "8"),
    ("The answer is 3/4.", "0.75"),
    ("So the final answer is 12 of 20.\nThat was 7", "20"),
    ("it takes 1,234 hours", "1234"),
    ("first 7, then 18 eggs", "18"),
    ("minus: -5", "-5"),
    ("The answer is", None),
    ("The answer is five, not 6", "6"),
    ("no number here", None),
    ("", None),
]
LATEX = [
    ("Thus \\boxed{7}. Final Answer: The final answer is $\\dfrac12$. I hope it is correct.", "\\frac{1}{2}"),
    ("so $x = 3$ and \\boxed{\\frac{2}{3}}", "\\frac{2}{3}"),
    ("The answer is $[2,5)$. We used 7", "[2,5)"),
    ("The answer is \\frac{3}{4}.", "\\frac{3}{4}"),
    ("which gives $x = 3$ or 12", "12"),
    ("open \\boxed{4 and 12", "12"),
    ("nothing", None),
]


@pytest.mark.parametrize(("text", "value"), NUMBERS)
def test_number_in_a_response(text, value):
    assert NUMBER.extract(text) == value


@pytest.mark.parametrize(("text", "value"), LATEX)
def test_latex_in_a_response(text, value):
    assert MATHS.extract(text) == value


@pytest.mark.parametrize(
    ("text", "value"), [("No, or so. The answer is yes. No.", "yes"), ("yes, no", "no"), ("maybe", None)]
)
def test_option_in_a_response(text, value):
    assert YESNO.extract(text) == value


@pytest.mark.parametrize(
    ("value", "gold", "right"),
    [
        ("18", "18", True),
        ("18.00", "18", True),
        ("0.5", "50", True),
        ("50", "0.5", True),
        ("18.001", "18", True),
        ("18.01", "18", False),
        ("1800.1", "18", True),
        ("-18", "18", False),
        ("0", "0", True),
        ("1", "0", False),
        ("nan", "18", False),
        ("2/3", "2/3", True),
        (None, "18", False),
    ],
)
def test_numbers_are_right_within_the_tolerance(value, gold, right):
    assert NUMBER.grade(value, gold) is right


def test_words_have_no_tolerance():
    assert YESNO.grade("yes", "yes")
    assert not YESNO.grade("no", "yes")


def test_prompt_of_a_published_task():
    question = Question("x", "How many?", "1")
    assert NUMBER.prompt(question) == (
        "Question: a?\nAnswer: b.\n\n\nQuestion: c?\nAnswer: d.\n\n\nQuestion: How many?\nAnswer:"
    )
    assert MATHS.prompt(question).endswith("Solution: d.\n\n\nProblem:\nHow many?\nSolution:")
    bare = dataclasses.replace(NUMBER, style="zero_shot_cot")
    assert bare.prompt(question) == f"Question: How many?\nAnswer: {prompts.STEP_BY_STEP}"
    assert NUMBER.stop == ("\n\nQuestion:", "\n\nProblem:", "</s>")
    assert (NUMBER.length, dataclasses.replace(NUMBER, limit=9).length) == (1024, 9)


def test_prompt_of_a_generated_world_is_in_its_own_form():
    protocol = Protocol(load_task("stories:kind=plain,level=2"))
    (question,) = protocol.task.questions("test", 1)
    prompt = protocol.prompt(question)
    assert prompt.count("Q: ") == 3
    assert prompt.endswith(f"\n\nQ: {question.text}\nA:")
    assert "\nQ:" in protocol.stop
    assert protocol.length == protocol.task.max_new_tokens


def test_prompt_file_takes_the_place_of_the_examples(tmp_path):
    file = tmp_path / "prompt.md"
    file.write_text("Question: é {x}?\nAnswer: The answer is 1.\n\n", encoding="utf-8")
    protocol = dataclasses.replace(NUMBER, prefix=harness.read_prefix(str(file)))
    found = protocol.prompt(Question("x", "And {y}?", "1"))
    assert found == "Question: é {x}?\nAnswer: The answer is 1.\n\n\nQuestion: And {y}?\nAnswer:"
    assert harness.read_prefix("") == ""


@pytest.mark.parametrize(
    ("content", "message"), [(None, "does not exist"), (b"\xff\xfea", "not UTF-8"), (b" \n", "is empty")]
)
def test_prompt_file_that_cannot_be_used(tmp_path, content, message):
    file = tmp_path / "prompt.md"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match=message):
        harness.read_prefix(str(file))


def test_wrong_protocols():
    with pytest.raises(InputError, match="Unknown prompt style 'direct'"):
        dataclasses.replace(NUMBER, style="direct")
    bare = dataclasses.replace(NUMBER.task, examples=())
    with pytest.raises(InputError, match="no worked examples: give a prompt_file"):
        Protocol(bare)
    assert Protocol(bare, prefix="Question: x\nAnswer: y").prefix


@pytest.mark.parametrize(("name", "field"), [("gsm8k", "answer"), ("math500", "solution")])
def test_published_solutions_hold_their_answers(data_dir, name, field):
    protocol = Protocol(load_task(name, str(data_dir)))
    lines = (data_dir / name / "test.jsonl").read_text(encoding="utf-8").splitlines()
    pairs = zip(lines, protocol.task.questions(), strict=True)
    values = [(protocol.extract(json.loads(line)[field]), question.answer) for line, question in pairs]
    assert not [pair for pair in values if not protocol.grade(*pair)]
