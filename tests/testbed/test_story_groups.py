import random
import re

import pytest

from replication.testbed import story_groups
from replication.testbed.story_chain import CHAINS
from replication.testbed.story_details import opener
from replication.testbed.story_frames import Stage, draw, parse_plan, set_stage
from replication.testbed.story_parts import Unsuitable, number_words
from replication.testbed.story_words import TABLES, verb_form
from replication.testbed.worlds import parse_step

SCENARIOS = story_groups.SCENARIOS
RUNS = [(index, level) for index, one in enumerate(SCENARIOS) for level in sorted(one.levels)]
SEEDS = 200  # the number of problems drawn from every scenario
NUMBERS = {number_words(n).lower(): n for n in range(100)}
# What a question says without a number: a word or phrase, and the numbers it stands for.
CONSTANTS = {
    r"\b(half|twice|doubled?|just as many|doubles|both|pairs?|couples|and [a-z]+ each)\b": (2,),
    r"\b(and back|perimeter|around|fence around)\b": (2,),
    r"\b(third|thirds|triple|thrice)\b": (3,),
    r"\b(fourths?|quarters?|square)\b": (4,),
    r"\b(legs|wheels)\b": (2, 3, 4, 6, 8),
    r"\b(fifths?|nickels|five-dollar)\b": (5,),
    r"\b(sixths?)\b": (6,),
    r"\b(sevenths?|weeks?)\b": (7,),
    r"\b(eighths?)\b": (8,),
    r"\b(tenths?|dimes|ten-dollar)\b": (10,),
    r"\b(ninths?)\b": (9,),
    r"\b(dozen|years?|feet|months?)\b": (12,),
    r"\b(quarters)\b": (25,),
    r"\b(hours?|minutes)\b": (60,),
    r"(%|percent)": (100,),
    r"50(%| percent)": (2,),
    r"25(%| percent)": (4,),
    r"20(%| percent)": (5,),
    r"10(%| percent)": (10,),
    r"\b(one|times as many|twice)\b": (1,),
    r"\baverage\b|\bshare\b|\bthe same number\b": (2, 3, 4),
}


def told(question):
    """The numbers that a question gives in digits or in words."""
    text = question.lower()
    numbers = {int(digits) for digits in re.findall(r"\d+", text)}
    words = re.findall(r"[a-z]+(?:-[a-z]+)?", text)
    return numbers | {NUMBERS[part] for word in words for part in (word, *word.split("-")) if part in NUMBERS}


def meant(question):
    """The numbers that a question gives by a phrase such as "a dozen" or "half"."""
    text = question.lower()
    return {n for pattern, values in CONSTANTS.items() if re.search(pattern, text) for n in values}


@pytest.fixture(scope="module")
def problems():
    return [
        (index, level, SCENARIOS[index].make(random.Random(f"{index}/{level}/{seed}"), level))
        for index, level in RUNS
        for seed in range(SEEDS)
    ]


def test_every_level_is_served():
    assert {level for one in SCENARIOS for level in one.levels} == {1, 2, 3, 4, 5}
    assert all(one.weight > 0 for one in SCENARIOS)


def test_steps_are_true_and_end_in_the_answer(problems):
    for index, level, problem in problems:
        steps = [parse_step(text) for text in problem.steps]
        assert all(step.holds for step in steps), (index, problem)
        assert str(steps[-1].result) == problem.answer, (index, problem)
        assert len(steps) == problem.level == level, (index, problem)
        assert all(1 <= step.result < 10_000 for step in steps), (index, problem)
        assert problem.world == "stories"


def test_numbers_of_the_steps_come_from_the_question_or_earlier_results(problems):
    for index, _, problem in problems[::2]:
        known = told(problem.question)
        for step in map(parse_step, problem.steps):
            if not {step.left, step.right} <= known:
                known |= meant(problem.question)
            assert {step.left, step.right} <= known, (index, step, problem.question)
            known.add(step.result)


def test_every_result_but_the_last_is_used(problems):
    for index, _, problem in problems:
        steps = [parse_step(text) for text in problem.steps]
        for i, step in enumerate(steps[:-1]):
            later = {n for one in steps[i + 1 :] for n in (one.left, one.right)}
            assert step.result in later, (index, problem)


def test_questions_read_like_english(problems):
    for index, _, problem in problems[::3]:
        text = problem.question
        where = (index, text)
        assert text.endswith("?"), where
        assert text.isascii(), where
        assert text[0].isupper() or text[0].isdigit(), where
        assert not re.search(r"[{}\[\]<>|~#]|  | [.,?]|\.\.|,,", text), where
        assert not re.search(r"(?<!\bp)[.?!] [a-z]", text), where
        assert not re.search(r"\b[Aa] (?:[aeio]|8|11\b|18\b)", re.sub(r"\b[Aa] (?=one|eu)", "", text)), where
        assert not re.search(r"\b[Aa]n [bcdfgjklmnpqrstvwxz]", text), where
        assert not re.search(r"(?<![\d$/.])\b1 (?!of |and |on |in |to |from |with )[a-z]+s\b", text), where
        assert not re.search(r"\b([A-Za-z]+) \1\b(?! \1)", text.replace("that that", "")), where


def test_a_seed_gives_the_same_problem():
    for index, level in RUNS:
        first, second = (SCENARIOS[index].make(random.Random(index), level) for _ in range(2))
        assert first == second


def test_wording_varies():
    scenario = SCENARIOS[0]
    texts = {scenario.make(random.Random(seed), 1).question for seed in range(200)}
    openings = {" ".join(text.split()[1:3]) for text in texts}
    assert len(texts) > 195
    assert len(openings) > 20


def test_plan_draws_what_it_says():
    plan = parse_plan("k:2-4 e:10-30/10 c:1,5 c<e u=k*e t=u+c > r=t-c s=r/e")
    for seed in range(50):
        given, work = draw(random.Random(seed), plan)
        assert given["k"] in (2, 3, 4)
        assert given["e"] in (10, 20, 30)
        assert given["t"] == given["k"] * given["e"] + given["c"]
        assert [str(step) for step in work.steps] == [
            f"{given['t']}-{given['c']}={given['u']}",
            f"{given['u']}/{given['e']}={given['k']}",
        ]


def test_plan_without_solution_is_unsuitable():
    with pytest.raises(Unsuitable, match="no numbers satisfy"):
        draw(random.Random(0), parse_plan("a:2-3 b:5-6 > c=a-b"))


def test_formula_that_cannot_be_read_is_refused():
    with pytest.raises(ValueError, match="not a formula"):
        parse_plan("a:2-3 > c=a^b")


@pytest.mark.parametrize(
    ("verb", "forms"),
    [
        ("make", ("makes", "made", "making")),
        ("carry", ("carries", "carried", "carrying")),
        ("wash", ("washes", "washed", "washing")),
        ("blow up", ("blows up", "blew up", "blowing up")),
        ("chop", ("chops", "chopped", "chopping")),
        ("play", ("plays", "played", "playing")),
        ("put", ("puts", "put", "putting")),
    ],
)
def test_verb_forms(verb, forms):
    assert tuple(verb_form(verb, form) for form in ("s", "ed", "ing")) == forms
    assert verb_form(verb, "") == verb


def test_stage_fills_its_own_slots():
    stage = set_stage(random.Random(3), "{A}", {"x": 20, "j": 3, "k": 4}, table="made")
    assert isinstance(stage, Stage)
    assert stage.say("{x!}") == "20"
    assert stage.say("{j//k}") in ("3/4", "three fourths", "three-fourths")
    assert stage.say("{verb.ing}").split()[0].endswith("ing")
    days = {stage.say("{day}"), stage.say("{day2}"), stage.say("{day3}")}
    assert len(days) == 3
    assert stage.say("{day}") in days


def test_tables_have_a_cell_for_every_column():
    for columns, rows in TABLES.values():
        assert rows
        assert all(len(row) == len(columns) for row in rows)
        assert len(set(rows)) == len(rows)


def test_openers_hold_no_numbers():
    rng = random.Random(1)
    said = {opener(rng, "{A} runs.") for _ in range(3000)} - {""}
    assert len(said) > 40
    for text in said:
        assert not any(word in NUMBERS for word in re.findall(r"[a-z]+", text.lower()) if word != "one")
    assert opener(rng, "What is {k/} of {a}?") == ""


def test_chains_serve_every_level():
    for one in CHAINS:
        for level in one.levels:
            assert len(one.make(random.Random(level), level).steps) == level
