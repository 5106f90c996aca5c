import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.settings import InputError
from replication.tasks import extraction, prompts


@given(st.text(min_size=1), st.sampled_from(prompts.STYLES))
def test_every_prompt_holds_the_question_once_at_its_end(text, style):
    prompt = prompts.build(text, style, prompts.PARITY)
    assert f"Q: {text}\nA:" in prompt
    assert prompt.rindex(f"Q: {text}\nA:") >= len(prompt) - len(text) - len("Q: \nA: ") - len(
        prompts.STEP_BY_STEP
    )


def test_direct_prompt_as_published():
    assert prompts.build("How many?", "direct") == "Q: How many?\nA:"
    assert prompts.build("1 + 2 =", "direct", bare=True) == "1 + 2 ="


def test_zero_shot_prompt():
    assert prompts.build("How many?", "zero_shot_cot") == "Q: How many?\nA: Let's think step by step."


def test_few_shot_prompt_lists_the_examples_first():
    prompt = prompts.build("How many?", "few_shot_cot", (("a?", "b."), ("c?", "d.")))
    assert prompt == "Q: a?\nA: b.\n\nQ: c?\nA: d.\n\nQ: How many?\nA:"


def test_unknown_style_and_missing_examples():
    with pytest.raises(InputError, match="Unknown prompt style 'chatty'"):
        prompts.build("x", "chatty")
    with pytest.raises(InputError, match="no worked examples"):
        prompts.build("x", "few_shot_cot")


@pytest.mark.parametrize(
    ("examples", "options"),
    [
        (prompts.WORD_PROBLEMS, ()),
        (prompts.EXPRESSIONS, ()),
        (prompts.COUNTING, ()),
        (prompts.PARITY, ("even", "odd")),
        (prompts.COINS, ("yes", "no")),
        (prompts.LIES, ("yes", "no")),
    ],
)
def test_worked_examples_end_in_an_answer_that_is_extracted(examples, options):
    for _, answer in examples:
        stated = answer.rpartition("The answer is ")[2].rstrip(".")
        found = extraction.option(answer, options) if options else extraction.number(answer)
        assert found.value == stated


def test_equations_of_the_word_problems_are_true():
    import re

    equations = [
        equation
        for _, answer in prompts.WORD_PROBLEMS + prompts.COUNTING
        for equation in re.findall(r"(\d+) ([-+*/]) (\d+) = (\d+)", answer)
    ]
    assert len(equations) > 10
    for left, op, right, result in equations:
        value = {"+": int.__add__, "-": int.__sub__, "*": int.__mul__, "/": int.__floordiv__}[op](
            int(left), int(right)
        )
        assert value == int(result), (left, op, right, result)
