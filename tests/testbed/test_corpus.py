"""Shares, splits and forms of the testbed's training documents."""

import random
import re
from collections import Counter
from itertools import islice

import pytest

from replication.testbed import corpus, parity, worlds
from replication.testbed.corpus import Mix

SHARE_OF_KIND = {"worked": 0.33, "equations": 0.10, "biography": 0.05, "noise": 0.02}


def take(n, seed=0, **mix):
    return list(islice(corpus.documents(seed, Mix(**mix)), n))


def question(document):
    """Return the question of a question-answer or worked document."""
    head = document.text[: document.question_end]
    for before, behind in (("Q: ", "\nA:"), ("Problem: ", "\nSolution:")):
        if head.startswith(before):
            return head.removeprefix(before).removesuffix(behind)
    return head


def questions(documents):
    return {question(document) for document in documents if document.question_end}


def split(text):
    """Return the split of a question: by person in the parity world, by hash in the others."""
    for person in parity.PEOPLE:
        if person.name in text:
            return next(name for name in worlds.SPLITS if person in parity.split_people(name))
    return worlds.split_of(text)


def test_the_same_seed_gives_the_same_documents(drawn):
    assert list(islice(corpus.documents(5), 200)) == drawn[:200]
    assert list(islice(corpus.documents(6), 200)) != drawn[:200]


def test_kinds_have_the_shares_of_the_mix(drawn):
    counts = Counter(document.kind for document in drawn)
    for kind, share in SHARE_OF_KIND.items():
        assert counts[kind] / len(drawn) == pytest.approx(share, abs=0.035)
    answers = counts["direct"] + counts["cot"]
    assert answers / len(drawn) == pytest.approx(0.5, abs=0.04)
    assert counts["direct"] / answers == pytest.approx(0.92, abs=0.025)


def test_shares_of_the_default_mix_add_up():
    mix = Mix()
    assert mix.qa + mix.worked + mix.equations + mix.biographies + mix.noise == pytest.approx(1)
    assert sum(weight for _, weight in mix.worlds) == pytest.approx(1)


@pytest.mark.parametrize(("fraction", "kind"), [(0.0, "direct"), (1.0, "cot")])
def test_share_of_reasoned_answers_can_be_nothing_or_all(fraction, kind):
    drawn = take(200, qa=1.0, worked=0.0, equations=0.0, biographies=0.0, noise=0.0, cot_fraction=fraction)
    assert {document.kind for document in drawn} == {kind}


def test_direct_answers_show_no_calculation(drawn):
    answers = [d.text[d.question_end :] for d in drawn if d.kind == "direct"]
    assert len(answers) > 500
    assert not [text for text in answers if set("+*/=") & set(text) or len(re.findall(r"\d+", text)) > 1]


def test_questions_belong_to_the_training_split(drawn):
    found = questions(drawn)
    assert len(found) > 1000
    assert {split(text) for text in found} == {"train"}


def test_validation_stream_shares_no_question_with_training(drawn):
    held_out = questions(take(500, split="validation"))
    assert {split(text) for text in held_out} == {"validation"}
    assert not held_out & questions(drawn)


def test_question_end_marks_the_text_before_the_answer(drawn):
    for document in drawn:
        head, answer = document.text[: document.question_end], document.text[document.question_end :]
        if document.kind == "worked":
            assert head.endswith("\nSolution:")
        elif document.kind in ("direct", "cot"):
            assert head.endswith("\nA:" if head.startswith("Q: ") else "=")
        else:
            assert head == ""
            continue
        assert answer.startswith(" ")
        assert answer.endswith(".")
        assert "\n" not in answer


def test_prompt_of_an_expression_is_bare():
    story, sum_ = (worlds.sample(name, "train", 1, 0)[0] for name in ("stories", "expressions"))
    assert corpus.prompt(story) == f"Q: {story.question}\nA:"
    assert corpus.prompt(sum_) == sum_.question


@pytest.mark.parametrize("name", worlds.WORLDS)
@pytest.mark.parametrize("opener", [*corpus.COT_OPENERS, corpus.STEP_BY_STEP])
def test_reasoned_answer_has_every_step_and_ends_with_the_answer(name, opener):
    rng = random.Random(1)
    for problem in worlds.sample(name, "train", 12, 0):
        text = corpus.step_by_step(rng, problem, opener)
        if text.endswith(" year."):
            assert (name, opener == corpus.STEP_BY_STEP) == ("parity", False)
            assert text == f"{problem.steps[0]}, an {problem.answer} year."
            continue
        assert text.startswith(opener)
        assert text.endswith(f" answer is {problem.answer}.")
        places = [text.find(step) for step in problem.steps]
        assert -1 not in places
        assert places == sorted(places)


def test_openers_are_drawn_when_none_is_asked_for():
    rng = random.Random(2)
    problem = worlds.sample("stories", "train", 1, 0)[0]
    first = Counter(corpus.step_by_step(rng, problem).split()[0].strip(",") for _ in range(300))
    assert set(first) == {*corpus.COT_OPENERS, "Let's"}
    assert first["Let's"] < min(first[opener] for opener in corpus.COT_OPENERS)


@pytest.mark.parametrize("name", worlds.WORLDS)
def test_direct_answer_gives_the_answer_and_nothing_else(name):
    rng = random.Random(3)
    for problem in worlds.sample(name, "train", 30, 0):
        text = corpus.direct_answer(rng, problem)
        assert text.lower().endswith(f"{problem.answer}.")
        assert not any(step in text for step in problem.steps)


def test_bare_equations_hold_and_go_on_from_one_another(drawn):
    chains = [document.text for document in drawn if document.kind == "equations"]
    assert len(chains) > 100
    for text in chains:
        steps = [worlds.parse_step(part) for part in text.removesuffix(".").split(". ")]
        assert all(step.holds and 0 <= step.result <= 999 for step in steps)
        assert [step.left for step in steps[1:]] == [step.result for step in steps[:-1]]


def test_level_and_worlds_of_the_mix_are_kept():
    rng = random.Random(4)
    drawn = [corpus.draw(rng, Mix(worlds=(("chain", 1.0),), level=3)) for _ in range(40)]
    assert {(problem.world, problem.level) for problem in drawn} == {("stories", 3)}
