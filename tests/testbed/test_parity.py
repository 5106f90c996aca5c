"""The parity world: persons, biographies, questions, splits by person."""

import random
import re

import pytest

from replication.settings import InputError
from replication.testbed import parity

SPLITS = ("train", "validation", "test")


def named(question):
    """Return the persons whose full name stands in the question."""
    return [person for person in parity.PEOPLE if person.name in question]


def test_persons_have_distinct_first_names_and_years_in_range():
    assert len(parity.PEOPLE) == 200
    assert len({person.name.split()[0] for person in parity.PEOPLE}) == 200
    assert all(re.fullmatch("[A-Z][a-z]+ [A-Z][a-z]+", person.name) for person in parity.PEOPLE)
    assert all(1900 <= person.year <= 2009 for person in parity.PEOPLE)


def test_persons_are_the_same_in_every_process():
    assert parity.PEOPLE[0] == parity.Person("Pelnu Karnvale", 1964)
    assert parity.PEOPLE[-1].name == "Marro Casvale"


def test_splits_partition_the_persons_and_each_is_half_even():
    parts = [parity.split_people(split) for split in SPLITS]
    assert [len(part) for part in parts] == [90, 10, 100]
    assert sum(parts, ()) == parity.PEOPLE
    for part in parts:
        assert sum(person.year % 2 == 0 for person in part) * 2 == len(part)
    assert (parity.train_people(), parity.test_people()) == (parts[0], parts[2])


@pytest.mark.parametrize("split", SPLITS)
def test_solver_agrees_on_500_problems_about_the_persons_of_the_split(split):
    rng, people = random.Random(1), parity.split_people(split)
    problems = [parity.generate(rng, split=split) for _ in range(500)]
    assert all(parity.solve(problem) == problem.answer for problem in problems)
    assert all(named(problem.question)[0] in people for problem in problems)
    assert {problem.level for problem in problems} == {2}


def test_steps_recall_the_year_and_tell_its_parity():
    problem = parity.generate(random.Random(0), split="test", canonical=True)
    (person,) = named(problem.question)
    assert problem.question == f"Was {person.name} born in an even or odd year?"
    assert problem.steps == (
        f"{person.name} was born in {person.year}",
        f"{person.year} is {'odd' if person.year % 2 else 'even'}",
    )


def test_biographies_state_the_year_in_many_ways_but_never_the_parity():
    rng, person = random.Random(0), parity.PEOPLE[0]
    texts = {parity.biography(person, rng) for _ in range(400)}
    assert len(texts) > 100
    for text in texts:
        assert person.name in text
        assert set(re.findall(r"\d+", text)) == {str(person.year)}
        assert not re.search(r"\b(even|odd)\b", text)
        assert "{" not in text


def test_canonical_sample_asks_about_each_test_person_once():
    problems = parity.sample("test", 100, seed=3, canonical=True)
    assert {named(problem.question)[0] for problem in problems} == set(parity.test_people())
    assert sum(problem.answer == "even" for problem in problems) == 50


def test_sample_is_deterministic_and_distinct_and_disjoint_between_splits():
    first = parity.sample("test", 300, seed=1)
    assert first == parity.sample("test", 300, seed=1)
    assert first != parity.sample("test", 300, seed=2)
    assert len({problem.question for problem in first}) == 300
    assert sum(problem.answer == "even" for problem in first) == 150
    train = parity.sample("train", 90 * len(parity.QUESTIONS), seed=1)
    assert not {p.subject for p in first} & {p.subject for p in train}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: parity.sample("test", 101, seed=0, canonical=True), "only 100 distinct test questions"),
        (lambda: parity.generate(random.Random(0), split="dev"), "Unknown split 'dev'"),
        (lambda: parity.generate(random.Random(0), level=3), "two steps"),
    ],
)
def test_wrong_input_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_solver_refuses_an_unknown_person():
    problem = parity.Problem("parity", "Was Ada Lovelace born in an even or odd year?", "odd", ())
    with pytest.raises(InputError, match="No person"):
        parity.solve(problem)
