"""Whatever stands in a text or a file, the answer is a value or one sentence: no traceback, no hang.

REPLICATION_FUZZ multiplies the number of cases (`make soak` sets it): at 100 there are more than 100,000 for
extraction and graders and 10,000 for loaders, drawn anew each time.
"""

import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from replication import papers
from replication.settings import InputError
from replication.tasks import extraction, grading, load_task
from replication.tasks.base import Task
from replication.workflow import discovery, parameters

TIMES = int(os.environ.get("REPLICATION_FUZZ", "1"))
TOML = (Path(papers.__file__).parent / "min_p.toml").read_bytes()
PIECES = (
    *("\\boxed{", "\\frac{", "\\", "}", "{", "$", "####", "So the answer is", "yes", "no", "odd", "9" * 50),
    *("1,200", "3/4", "0/0", "-", "−", "1e99", ".5", "٣", "²", "\n", " ", ".", ",", "%", "€"),
    *("\u202e", "\0", "\ud800"),
)
hostile = st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=12).map("".join)
texts = hostile | st.text(max_size=60)
columns = st.sampled_from(["question", "answer", "x"])
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(columns, inner),
    max_leaves=6,
)


def cases(number: int):
    """As many cases as asked for, times TIMES; only a longer run draws others than the last one did."""
    return settings(
        max_examples=number * TIMES,
        derandomize=TIMES == 1,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def utf8(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def told(error: InputError, place: str = "") -> None:
    """An error is one sentence that a person can act on, and names the place."""
    text = str(error)
    assert place in text
    assert 10 < len(text) < 1000
    assert "\n" not in text
    assert text.rstrip().endswith((".", ")", "'")), text


@cases(600)
@given(texts, st.sampled_from(["first", "last"]), st.booleans(), texts)
def test_extraction_finds_a_place_inside_the_text_or_nothing(text, which, fractions, value):
    found = (
        extraction.number(text, which, fractions),
        extraction.option(text, ("odd", "even"), which),
        extraction.math(text),
        extraction.find_number(text, value, fractions),
        extraction.find_text(text, value),
    )
    for answer in filter(None, found):
        assert 0 <= answer.start <= answer.end <= len(text)
        assert isinstance(answer.value, str)
    for start, end in filter(None, (extraction.clause(text), extraction.extract_after(text))):
        assert 0 <= start <= end <= len(text)


@cases(600)
@given(texts, texts, st.sampled_from(["number", "option", "yesno"]))
def test_graders_answer_yes_or_no_and_in_both_directions(value, gold, kind):
    grade = grading.GRADERS[kind]
    assert grade(value, gold) in (True, False)
    assert grade(value, gold) == grade(gold, value)


@cases(30)
@given(texts, texts)
def test_the_grader_of_latex_answers_yes_or_no(value, gold):
    assert grading.math(value, gold) in (True, False)


@pytest.mark.parametrize(
    "text",
    [
        "9" * 1_000_000,
        "1," * 500_000,
        "-" * 1_000_000 + "5",
        "{" * 500_000 + "}" * 500_000,
        "\\boxed{" * 100_000,
        "\\boxed{" * 50_000 + "7" + "}" * 50_000,
        "$" * 1_000_000,
        "\\frac{1}{" * 100_000,
        "1/" * 500_000,
        "٣" * 1_000_000,
        "\u202e12\u202c" * 200_000,
        "\0" * 1_000_000 + "8",
        "So the answer is " * 100_000,
        "1 " * 5_000_000,  # ten million characters in one line
        "e" * 1_000_000 + "1e" * 100_000,
    ],
    ids=lambda text: f"{text[:8]!r}x{len(text)}",
)
def test_adversarial_texts_end_in_time(text):
    started = time.process_time()
    for find in (extraction.number, extraction.math, extraction.clause, extraction.extract_after):
        find(text)
    extraction.option(text, ("odd", "even"))
    for grade in grading.GRADERS.values():
        assert grade(text, "5") in (True, False)
    # Linear time: a quadratic pattern would take hours here.
    assert time.process_time() - started < 60


@cases(60)
@given(st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode()))
def test_a_task_file_is_read_or_refused_by_name(tmp_path_factory, content):
    file = tmp_path_factory.getbasetemp() / "fuzz.jsonl"
    file.write_bytes(b'{"question": "1 + 1?", "answer": "2"}\n' + content)
    for spec in ("gsm8k", "jsonl:kind=latex", "jsonl:kind=yesno"):
        try:
            questions = load_task(spec, str(file)).questions("test", None, 0)
        except InputError as error:
            told(error, "fuzz.jsonl")
        else:
            assert 1 <= len(questions) <= 1 + content.count(b"\n") + 1


@cases(60)
@given(st.integers(0, len(TOML) - 1), st.integers(0, 40), st.binary(max_size=12) | hostile.map(utf8))
def test_a_papers_file_is_read_or_refused_by_name(tmp_path_factory, place, removed, added):
    folder = tmp_path_factory.getbasetemp() / "fuzzed-papers"
    folder.mkdir(exist_ok=True)
    (folder / "min_p.toml").write_bytes(TOML[:place] + added + TOML[place + removed :])
    try:
        paper = papers.load("min_p", folder)
    except InputError as error:
        told(error, "min_p")
    else:
        assert paper.key == "min_p"


@cases(60)
@given(texts, texts)
def test_a_specification_of_a_task_is_read_or_refused(name, options):
    for spec in (name, f"stories:{options}", f"coins:level={options}", f"gsm8k:{options}"):
        try:
            task = load_task(spec, "/nowhere")
        except InputError as error:
            told(error)
        else:
            assert isinstance(task, Task)


@cases(60)
@given(st.dictionaries(st.sampled_from([*parameters.COMMON, "k", "x"]) | texts, texts, max_size=3))
def test_parameters_are_read_or_refused(given_texts):
    path = discovery.FOLDER / "01_cot_decoding" / "02_decoders.ipynb"
    try:
        read = parameters.from_text(path, given_texts)
    except InputError as error:
        told(error)
    else:
        assert set(read) == set(given_texts)
