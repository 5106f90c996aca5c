"""Pages of the noisy corpus: every character labelled, wrong solutions wrong and otherwise consistent."""

import random
import re
from collections import Counter
from itertools import islice, pairwise

import pytest

from replication.settings import InputError
from replication.testbed import corpus, furniture, stories, web
from replication.testbed.worlds import Step, calculate, parse_step, split_of

STEP = re.compile(r"\d+[-+]\d+=\d+")


@pytest.fixture(scope="module")
def drawn():
    return list(islice(web.pages(3), 2000))


def part(page, *labels):
    """Return the text of some labels."""
    return "".join(text for text, label in page.pieces if label in labels)


def answer_of(page):
    """Return the text behind the question, without furniture."""
    return part(page, web.USEFUL, web.WRONG, web.DIRECT)


def given(page):
    """Return the steps that a page writes."""
    return [parse_step(text) for text in STEP.findall(answer_of(page))]


def of_kind(pages, kind):
    return [page for page in pages if page.kind == kind]


def test_labels_cover_the_text(drawn):
    for page in drawn:
        ends = list(range(1, len(page.text) + 1))
        whole = [label for text, label in page.pieces for _ in text]
        assert page.label_at(ends) == whole
        assert set(whole) <= set(web.LABELS)
        assert all(text for text, _ in page.pieces)
    assert {label for page in drawn for _, label in page.pieces} == set(web.LABELS)


def test_label_at_borders():
    page = web.Page((("ab", "question"), ("c", "useful"), ("de", "wrong")), "wrong", None)
    assert page.text == "abcde"
    assert page.label_at([1, 2, 3, 4, 5]) == ["question", "question", "useful", "wrong", "wrong"]
    assert page.label_at([2, 2, 5]) == ["question", "question", "wrong"]
    assert page.label_at([]) == []


def test_pages_hold_the_question_and_furniture_around_it(drawn):
    for page in drawn:
        assert part(page, web.QUESTION) == corpus.prompt(page.problem)
        assert corpus.prompt(page.problem) + answer_of(page) in page.text
        assert not page.text.endswith("\n")
    bare = [page for page in drawn if page.text == corpus.prompt(page.problem) + answer_of(page)]
    assert len(bare) / len(drawn) == pytest.approx(0.6 * 0.6, abs=0.04)
    before = [page for page in drawn if not page.text.startswith("Q: ")]
    assert len(before) / len(drawn) == pytest.approx(0.4, abs=0.04)


def test_kinds_have_their_shares(drawn):
    share = Counter(page.kind for page in drawn)
    for kind, weight in ((web.USEFUL, 0.45), (web.WRONG, 0.30), (web.DIRECT, 0.25)):
        assert share[kind] / len(drawn) == pytest.approx(weight, abs=0.04)


def test_useful_pages_are_right(drawn):
    for page in of_kind(drawn, web.USEFUL):
        assert tuple(map(str, given(page))) == page.problem.steps
        assert stories.solve(page.problem) == page.problem.answer
        assert answer_of(page).endswith(f"The answer is {page.problem.answer}.")
        assert not part(page, web.WRONG, web.DIRECT)


def test_direct_pages_give_the_bare_answer(drawn):
    for page in of_kind(drawn, web.DIRECT):
        assert part(page, web.DIRECT) == f" The answer is {page.problem.answer}."
        assert not part(page, web.USEFUL, web.WRONG)


def test_wrong_pages_differ_and_are_consistent_behind_the_mistake(drawn):
    kinds = Counter()
    for page in of_kind(drawn, web.WRONG):
        right, steps = [parse_step(text) for text in page.problem.steps], given(page)
        assert len(steps) == len(right)
        place = next(i for i, (a, b) in enumerate(zip(right, steps, strict=True)) if a != b)
        kinds["misread" if steps[place].holds else "slip"] += 1
        assert (steps[place].left, steps[place].right) == (right[place].left, right[place].right)
        assert steps[place].result != right[place].result
        assert all(step.holds for step in steps[place + 1 :])
        assert all(later.left == step.result for step, later in pairwise(steps))
        assert [step.right for step in steps] == [step.right for step in right]
        assert min(number for step in steps for number in (step.left, step.right, step.result)) >= 0
        assert answer_of(page).endswith(f"The answer is {steps[-1].result}.")
    assert min(kinds.values()) > 0.3 * sum(kinds.values())


def test_wrong_is_what_differs_from_the_right_solution(drawn):
    for page in of_kind(drawn, web.WRONG):
        right = [piece for step in map(parse_step, page.problem.steps) for piece in numbers(step)]
        right.append(page.problem.answer)
        found = [(text, label) for text, label in page.pieces if re.fullmatch(r"\d+|[-+]", text)]
        found = [(text, label) for text, label in found if label in (web.USEFUL, web.WRONG)]
        for (text, label), wanted in zip(found, right, strict=True):
            assert label == (web.USEFUL if text == wanted else web.WRONG)
        assert any(label == web.WRONG for _, label in found)


def numbers(step):
    """Return the operands, operator and result of a step as texts, in the order of the page."""
    return str(step.left), step.op, str(step.right), str(step.result)


def derivation(rng):
    """Return five steps that come near 0 often."""
    value, steps = 2, []
    for _ in range(5):
        op = rng.choice("+-") if value >= 1 else "+"
        right = rng.randint(1, 9) if op == "+" else rng.randint(1, min(9, value))
        steps.append(Step(value, op, right, calculate(value, op, right)))
        value = steps[-1].result
    return steps


def test_a_mistaken_derivation_stays_above_zero():
    rng = random.Random(1)
    for _ in range(1000):
        steps = derivation(rng)
        wrong = web.mistaken(rng, steps)
        assert wrong != steps
        assert all(min(step.left, step.right, step.result) >= 0 for step in wrong)
        assert sum(not step.holds for step in wrong) <= 1
        assert all(later.left == step.result for step, later in pairwise(wrong))


def test_splits_are_disjoint():
    seen = {}
    for split in ("train", "validation", "test"):
        pages = list(islice(web.pages(0, web.Web(split=split)), 300))
        assert {split_of(page.problem.question) for page in pages} == {split}
        seen[split] = {page.problem.question for page in pages}
    assert not seen["train"] & seen["validation"]
    assert not seen["test"] & (seen["train"] | seen["validation"])


def test_clean_pages_have_question_and_right_solution_only():
    clean = web.Web(level=2, split="validation").clean()
    assert (clean.level, clean.split, clean.worlds) == (2, "validation", web.NOTES)
    for page in islice(web.pages(1, clean), 300):
        assert page.kind == web.USEFUL
        assert {label for _, label in page.pieces} == {web.QUESTION, web.USEFUL}
        assert page.problem.level == 2


def test_the_same_seed_gives_the_same_stream(drawn):
    assert [page.pieces for page in islice(web.pages(3), 200)] == [page.pieces for page in drawn[:200]]
    other = [page.text for page in islice(web.pages(4), 200)]
    assert not {page.text for page in drawn[:200]} & set(other)


def test_general_worlds_have_their_own_wrong_answers():
    pages = list(islice(web.pages(2, web.Web(worlds=web.GENERAL, furniture=0.0)), 1500))
    found = Counter(page.problem.world for page in pages)
    assert set(found) == {"stories", "coins", "lies", "counting", "parity"}
    assert found["stories"] / len(pages) == pytest.approx(0.3, abs=0.04)
    for page in of_kind(pages, web.WRONG):
        assert part(page, web.WRONG)
        assert not page.text.endswith(f"The answer is {page.problem.answer}.")
        if page.problem.answer in web.OTHER:
            assert page.text.endswith(f"The answer is {web.OTHER[page.problem.answer]}.")
    for page in of_kind(pages, web.USEFUL):
        assert all(step in page.text for step in page.problem.steps)


def test_wrong_answers_are_of_the_same_kind():
    rng = random.Random(0)
    assert [web.wrong_answer(rng, answer) for answer in ("yes", "no", "even", "odd")] == [
        "no", "yes", "odd", "even",
    ]  # fmt: skip
    for answer in ("0", "1", "14"):
        found = {web.wrong_answer(rng, answer) for _ in range(200)}
        assert answer not in found
        assert all(int(value) >= 0 for value in found)
        assert len(found) >= 4
    assert {int(web.wrong_answer(rng, "-2")) for _ in range(200)} >= {-12, 8}
    with pytest.raises(ValueError, match="invalid literal"):
        web.wrong_answer(rng, "Tom")


def test_tool_pages_call_a_calculator():
    pages = list(islice(web.pages(5, web.Web(tool=True, furniture=0.0)), 300))
    for page in of_kind(pages, web.USEFUL):
        calls = re.findall(r"<<[^>]*>>\.", page.text)
        assert calls == [f"<<{step}>>." for step in page.problem.steps]
        for call in calls:  # what a page has behind a call is what the calculator says
            opened, _, behind = call.partition("=")
            assert web.tool_call(page.text[: page.text.index(call)] + f"{opened}=") == behind.rstrip(".")
    assert not any("<<" in page.text for page in of_kind(pages, web.DIRECT))


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("A: <<12+5=", "17>>"),
        ("<<12+5=17>>. <<17-20=", "-3>>"),
        ("<<12/4=", "3>>"),
        ("<<13/4=", "error>>"),
        ("<<8/0=", "error>>"),
        ("<<a+b=", "error>>"),
        ("<<1+2+3=", "error>>"),
        ("<<=", "error>>"),
        ("<<1<<2+2=", "4>>"),
    ],
)
def test_the_calculator(text, reply):
    assert web.tool_call(text) == reply


@pytest.mark.parametrize("text", ["", "12+5=", "<<12+5", "<<12+5=17", "<<12+5=17>>", "<<1+1>> 2=", "<< "])
def test_no_open_call_no_reply(text):
    assert web.tool_call(text) is None


@pytest.mark.parametrize("weights", [(0, 0, 0), (1, -1, 1)])
def test_weights_are_checked(weights):
    useful, wrong, direct = weights
    with pytest.raises(InputError, match="weights >= 0"):
        next(web.pages(0, web.Web(useful=useful, wrong=wrong, direct=direct)))


def test_furniture_is_labelled_as_such(drawn):
    fixed = set(furniture.FIXED)
    for page in drawn:
        rest = part(page, furniture.BOILERPLATE)
        if not part(page, furniture.RANDOM):
            assert {line for line in rest.split("\n") if line} <= fixed
