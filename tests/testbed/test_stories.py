"""Word problems: arithmetic, sources of the numbers, grammar, breadth."""

import random
import re
from collections import Counter
from itertools import pairwise

import pytest

from replication.settings import InputError
from replication.testbed import lexicon, stories, story_parts, worlds
from replication.testbed.story_parts import Scene, Unsuitable, frame, frames, tidy

ORAL = {word: n for n, word in enumerate(lexicon.NUMBERS)}
ORAL |= {word: 10 * n for n, word in enumerate(lexicon.TENS) if n}
NAMED = {"twice": 2, "double": 2, "half": 2, "dozen": 12, "quarter": 4, "once": 1, "another": 1}
PARTS = {word: n for n, word in enumerate(lexicon.ORDINALS) if n > 2}
IMPLIED = {1, 2, 3, 4, 5, 7, 10, 12, 24, 30, 52, 60, 100, 365}


@pytest.fixture(scope="module")
def mixed():
    rng = random.Random(11)
    return [stories.generate(rng) for _ in range(3000)]


def told_numbers(question: str) -> set[int]:
    """Return every number that a question names, in digits or in words."""
    found = {int(n) for n in re.findall(r"\d+", question)}
    for word in re.findall(r"[a-z]+(?:-[a-z]+)?", question.lower()):
        tens, _, ones = word.partition("-")
        for table in (ORAL, NAMED, PARTS):
            if tens in table and (not ones or ones in ORAL):
                found.add(table[tens] + (ORAL[ones] if ones else 0))
            singular = tens.removesuffix("s")
            if singular in table:
                found.add(table[singular])
    found |= {100 * ORAL[word] for word in re.findall(r"(\w+) hundred", question.lower()) if word in ORAL}
    return found


def unexplained(problem) -> list[int]:
    """Return the operands that are neither told by the question nor results of earlier steps."""
    known = told_numbers(problem.question)
    missing = []
    for step in map(worlds.parse_step, problem.steps):
        missing += [n for n in (step.left, step.right) if n not in known]
        known.add(step.result)
    return missing


def test_oracle_agrees_with_the_answer(mixed):
    assert all(stories.solve(p) == p.answer for p in mixed[:2000])


def test_solve_refuses_a_wrong_or_idle_step(mixed):
    good = next(p for p in mixed if p.level == 2)
    wrong = worlds.Problem("stories", "?", "9", ("2+2=5", "5+4=9"))
    idle = worlds.Problem("stories", "?", "9", ("2+2=4", "5+4=9"))
    assert stories.solve(good) == good.answer
    with pytest.raises(ValueError, match="wrong step"):
        stories.solve(wrong)
    with pytest.raises(ValueError, match="unused step"):
        stories.solve(worlds.Problem("stories", "?", "9", ("2+1=3", "5+4=9")))
    assert stories.solve(idle) == "9"


@pytest.mark.parametrize("kind", ["chain", "change"])
def test_every_number_comes_from_the_question(kind):
    rng = random.Random(5)
    for _ in range(1500):
        problem = stories.generate(rng, kind=kind)
        assert unexplained(problem) == [], problem


def test_group_stories_use_told_or_common_numbers(mixed):
    strays = [n for p in mixed for n in unexplained(p) if n not in IMPLIED]
    assert len(strays) <= 0.01 * len(mixed), Counter(strays).most_common(5)


@pytest.mark.parametrize("level", [1, 2, 3, 4, 5])
def test_every_scenario_of_a_level_makes_that_level(level):
    rng = random.Random(level)
    for kind in stories.KINDS:
        for scenario in stories.scenarios(kind, level)[0]:
            for _ in range(300):
                try:
                    problem = scenario.make(rng, level)
                    break
                except Unsuitable:
                    continue
            each = 2 if kind == "portions" else 1  # a gift takes a share and what is left
            assert (problem.level, len(problem.steps)) == (level, each * level)
            assert stories.solve(problem) == problem.answer
            assert problem.world == "stories"
            assert problem.subject


def test_levels_are_mixed_as_told(mixed):
    share = Counter(p.level for p in mixed)
    assert all(abs(share[level] / len(mixed) - weight) < 0.04 for level, weight in stories.LEVELS.items())


def test_chain_has_exactly_its_steps_and_stays_small():
    rng = random.Random(2)
    for level in (1, 2, 3, 4, 5):
        for _ in range(300):
            problem = stories.generate(rng, level, "chain")
            steps = [worlds.parse_step(s) for s in problem.steps]
            assert len(steps) == level
            assert 2 <= steps[0].left <= 20
            assert all(s.op in "+-" and 1 <= s.right <= 9 and 0 <= s.result <= 40 for s in steps)
            assert all(b.left == a.result for a, b in pairwise(steps))


def test_same_seed_same_stories():
    a, b = random.Random(9), random.Random(9)
    assert [stories.generate(a) for _ in range(50)] == [stories.generate(b) for _ in range(50)]


def test_breadth_of_wording():
    rng = random.Random(4)
    openings = {" ".join(stories.generate(rng).question.split()[:5]) for _ in range(10_000)}
    assert len(openings) >= 2000


@pytest.mark.parametrize(
    "wrong",
    [
        r"  ",
        r"\b[Aa] [aeio]\w",
        r"\b[Aa]n [bcdfgjklmnpqrstvwyz]",
        r"\b1 (?!of|in|time|as)[a-z]+s\b(?<![su]s)",
        r" [.,?]",
        r"[.?!] [a-z]",
        r"[{}<>|\[\]]",
        r"\bhis his\b|\bthe the\b|\ba a\b",
        r"\b(?:of )?them has\b",
    ],
)
def test_grammar(mixed, wrong):
    bad = [
        p.question
        for p in mixed
        if re.search(wrong, re.sub(r"\b(a\.m|p\.m|Mr|Mrs|Ms|Dr)\.", r"\1", p.question))
    ]
    assert len(bad) <= 0, bad[:5]


def test_questions_start_with_a_capital_and_end_with_a_question_mark(mixed):
    assert all(re.match(r"[A-Z0-9$]", p.question) and p.question.endswith("?") for p in mixed)
    assert all(p.answer.isdigit() for p in mixed)
    assert sum(int(p.answer) < 100 for p in mixed) > 0.7 * len(mixed)


def test_counted_nouns_are_known(mixed):
    assert sum(bool(p.noun) for p in mixed) > 0.9 * len(mixed)


def test_lexicon_is_large_and_consistent():
    assert len(set(lexicon.NAMES)) == len(lexicon.NAMES) >= 250
    assert not set(lexicon.GIRLS) & set(lexicon.BOYS)
    assert len(lexicon.NOUNS) >= 500
    assert len({n.many for n in lexicon.NOUNS}) == len(lexicon.NOUNS)


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("box", "boxes"),
        ("cherry", "cherries"),
        ("toy", "toys"),
        ("piece of candy", "pieces of candy"),
        ("knife", "knives"),
        ("bag of chips", "bags of chips"),
        ("goose", "geese"),
        ("sweet potato", "sweet potatoes"),
        ("bus", "buses"),
        ("loaf of bread", "loaves of bread"),
        ("sheep", "sheep"),
    ],
)
def test_plurals(one, many):
    assert lexicon.plural(one) == many


def test_templates_choose_agree_and_stay_in_tense():
    for seed in range(40):
        scene = Scene(random.Random(seed), x=1, y=3, n=lexicon.noun("orange"))
        text = tidy(scene.say("[she|he] <has/had> {x#n} and <eats/ate> {y#more n} with {n.a} ."))
        assert re.fullmatch(
            r"(She|He) (has|had) (1|one) orange and (eats|ate) (3|three) more oranges with an orange\.", text
        )
        assert (" had " in text) == (" ate " in text)


def test_slots_for_money_times_and_parts():
    scene = Scene(random.Random(0), x=5, k=2, j=4)
    scene.dollar_sign = True
    assert scene.say("{x$} {k*} {k/}") == "$5 twice half"
    scene.dollar_sign = False
    assert scene.say("{x$}") in ("5 dollars", "five dollars")
    assert scene.say("{j/}") in ("1/4", "a quarter", "one quarter", "a fourth", "one fourth")


def test_frame_draws_until_the_plan_works():
    divide = frame(
        "x/y, r1-z", "{A} shares {x#n} by {y}, less {z}. How many {n}?", n="fruit", x=(10, 90), z=(2, 5)
    )
    rng = random.Random(1)
    for _ in range(200):
        problem = divide.make(rng, 2)
        first, second = map(worlds.parse_step, problem.steps)
        assert first.holds
        assert second.holds
        assert second.result >= 1
    with pytest.raises(Unsuitable):
        frame("x-y", "{A}?", x=(1, 2), y=(5, 6)).make(rng, 1)


def test_frames_makes_one_scenario_per_paragraph():
    made = frames("x+y", "{A} {x} {y}?\n\n  {A} and {x}\n {y}?", weight=2.0)
    assert [s.weight for s in made] == [2.0, 2.0]
    assert all(s.levels == {1} for s in made)


def test_a_faulty_template_is_an_error():
    for template in ("<has>", "<has|had/x>", "a ] b", "[a|b", "<a/b"):
        with pytest.raises(ValueError, match="template"):
            story_parts._compile(template)


def test_bad_requests_say_what_to_do():
    rng = random.Random(0)
    with pytest.raises(InputError, match="level from 1 to 5"):
        stories.generate(rng, 6)
    with pytest.raises(InputError, match="use one of chain"):
        stories.generate(rng, 1, "saga")
    with pytest.raises(InputError, match="no option 'colour'"):
        stories.generate(rng, 1, colour="red")


def test_plain_stories_are_short_and_stay_within_their_bounds():
    rng = random.Random(4)
    for level in stories.LEVELS:
        for _ in range(60):
            problem = stories.generate(rng, level, "plain")
            values = [int(part) for step in problem.steps for part in re.findall(r"\d+", step)]
            assert len(problem.steps) == level
            assert max(values) <= 40
            assert stories.solve(problem) == problem.answer
            assert len(problem.question.split()) <= 5 + 6 * level + 7


def test_plain_stories_are_not_among_the_mixed_ones():
    rng = random.Random(5)
    first = {stories.generate(rng).question.split(".")[0] for _ in range(300)}
    assert sum(len(text.split()) == 4 and text.split()[1] == "has" for text in first) < 30
