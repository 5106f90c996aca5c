"""Steps, splits and distinct samples."""

import pytest

from replication.settings import InputError
from replication.testbed import worlds


def test_step_reads_and_writes_its_text():
    step = worlds.parse_step("12+5=17")
    assert (step.left, step.op, step.right, step.result) == (12, "+", 5, 17)
    assert str(step) == "12+5=17"
    assert step.holds


@pytest.mark.parametrize("text", ["12+5=18", "7/2=3", "7/2=4", "8/0=8", "3*3=6", "2-5=3"])
def test_wrong_equations_do_not_hold(text):
    assert not worlds.parse_step(text).holds


@pytest.mark.parametrize("text", ["12 + 5 = 17", "12+5", "a+b=c", "", "1.5+1=2"])
def test_other_texts_are_no_steps(text):
    with pytest.raises(ValueError, match="needs the form"):
        worlds.parse_step(text)


def test_division_must_come_out_even():
    assert worlds.calculate(12, "/", 4) == 3
    with pytest.raises(ValueError, match="13/4"):
        worlds.calculate(13, "/", 4)


def test_splits_are_stable_and_have_the_right_shares():
    names = [worlds.split_of(f"question {i}?") for i in range(4000)]
    assert names == [worlds.split_of(f"question {i}?") for i in range(4000)]
    assert abs(names.count("train") / 4000 - 0.9) < 0.02
    assert abs(names.count("validation") / 4000 - 0.05) < 0.015
    assert worlds.split_of("How many apples does Tom have?") == "train"


def test_sample_gives_distinct_questions_of_its_split_and_repeats_itself():
    found = worlds.sample("stories", "test", 60, seed=3, level=2)
    assert len({p.question for p in found}) == 60
    assert {worlds.split_of(p.question) for p in found} == {"test"}
    assert {p.level for p in found} == {2}
    assert found == worlds.sample("stories", "test", 60, seed=3, level=2)
    assert found != worlds.sample("stories", "test", 60, seed=4, level=2)


def test_sample_passes_options_on():
    found = worlds.sample("stories", "train", 20, seed=0, level=3, kind="chain")
    assert all(step[:-1].count("*") == 0 for p in found for step in p.steps)


def test_bad_requests_say_what_to_do():
    with pytest.raises(InputError, match="use one of stories"):
        worlds.sample("tales", "test", 1, seed=0)
    with pytest.raises(InputError, match="use one of train"):
        worlds.sample("stories", "dev", 1, seed=0)


def test_too_few_questions_is_an_error(monkeypatch):
    class Tiny:
        @staticmethod
        def generate(rng, level=None):
            return worlds.Problem("tiny", f"How many is {rng.randint(0, 9)}?", "1", ())

    monkeypatch.setattr(worlds, "world", lambda name: Tiny)
    with pytest.raises(InputError, match="distinct train questions"):
        worlds.sample("tiny", "train", 50, seed=0)
