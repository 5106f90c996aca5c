"""Positive set, negative set and pairs are chosen as published, and what is left out is counted."""

from collections import Counter

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from replication.alignment import pairs
from replication.alignment.pairs import Sampled, Trajectory
from replication.settings import InputError


def sampled(text, question="q", prompt=(3, 4), ended=True, size=2):
    """Return samples from answers such as "5 5 !7 -": right, wrong with "!", without answer "-"."""
    trajectories = [
        Trajectory((10 + i, *range(20, 18 + size), 2), word.strip("!-"), word[0] not in "!-", ended)
        for i, word in enumerate(text.split())
    ]
    return Sampled(question, prompt, tuple(trajectories))


@pytest.mark.parametrize(
    ("counts", "kept"),
    [
        ({"a": 3, "b": 2, "c": 1, "d": 1, "e": 1, "f": 1, "g": 1}, ["a", "b"]),
        ({"a": 3} | {str(i): 1 for i in range(7)}, ["a"]),
        ({str(i): 1 for i in range(10)}, ["0"]),
        ({"a": 6, "b": 3, "c": 1}, ["a"]),
        ({}, []),
    ],
)
def test_wrong_answers_are_kept_until_they_cover_half(counts, kept):
    assert pairs.kept_answers(Counter(counts).most_common()) == kept


@given(st.dictionaries(st.text("abc", min_size=1), st.integers(1, 9)), st.floats(0.01, 1))
def test_what_is_kept_is_a_prefix_and_no_longer_than_needed(counts, coverage):
    ordered = Counter(counts).most_common()
    kept = pairs.kept_answers(ordered, coverage)
    assert kept == [answer for answer, _ in ordered[: len(kept)]]
    assert bool(kept) == bool(counts)
    before = sum(count for _, count in ordered[: len(kept) - 1]) if kept else 0
    assert not kept or before < coverage * sum(counts.values()) or len(kept) == 1


@pytest.mark.parametrize("coverage", [0, -1, 1.1])
def test_other_coverages_are_refused(coverage):
    with pytest.raises(InputError, match="coverage"):
        pairs.kept_answers([("a", 1)], coverage)


def test_sides_of_a_pair_are_the_most_frequent_answers():
    own = sampled("5 5.0 5.0 !7 !8 !8 !9 - - -")
    (pair,) = pairs.preference_pairs([own])
    answer = {t.tokens: t.answer for t in own.trajectories}
    assert answer[pair.chosen] == "5.0"  # strings are not merged into numbers
    assert answer[pair.rejected] == "8"
    assert pair.prompt == (3, 4)
    assert pair.weights is None


def test_sets_hold_one_trajectory_a_question_and_one_an_answer():
    samples = [sampled("5 5 !7 !7 !8 !8 !9 -", "q1"), sampled("5 5 5", "q2"), sampled("!1 !2 -", "q3")]
    positive = pairs.positive_set(samples)
    assert [one.question for one in positive] == ["q1", "q2"]
    negative = pairs.negative_set(samples)
    answers = {(s.question, t.tokens): t.answer for s in samples for t in s.trajectories}
    assert [answers[one.question, one.response] for one in negative] == ["7", "8", "1"]
    assert all(one.response[-1] == 2 for one in (*positive, *negative))


def test_draws_depend_on_seed_and_question_alone():
    many = [sampled("5 5 5 5 5 !7 !7 !7 !7", f"q{i}") for i in range(12)]
    first = pairs.preference_pairs(many, seed=1)
    assert pairs.preference_pairs(many[::-1], seed=1)[::-1] == first
    assert pairs.preference_pairs(many[3:], seed=1) == first[3:]
    assert pairs.preference_pairs(many, seed=2) != first
    assert len({pair.chosen for pair in first}) > 1
    assert pairs.positive_set(many[3:], seed=1) == pairs.positive_set(many, seed=1)[3:]


def test_every_question_is_accounted_for():
    samples = [
        sampled("5 !7 -", "both"),
        sampled("5 5", "right"),
        sampled("!5 -", "wrong"),
        sampled("- -", "none"),
        sampled("5 !7", "long", size=30),
        sampled("5 !7", "cut", ended=False),
    ]
    table = pairs.report(samples, longest=20).set_index("question")
    outcomes = ["pair", "all right", "all wrong", "no answer", "too long", "too long"]
    assert table["outcome"].tolist() == outcomes
    assert set(outcomes) == set(pairs.OUTCOMES)
    assert table.loc["both", ["samples", "right", "wrong", "unanswered", "unusable"]].tolist() == [
        3,
        1,
        1,
        1,
        0,
    ]
    assert table.loc["long", "unusable"] == table.loc["cut", "unusable"] == 2
    found = pairs.preference_pairs(samples, longest=20)
    assert [pair.question for pair in found] == table.index[table["outcome"] == "pair"].tolist()
    assert max(pair.length for pair in pairs.preference_pairs(samples)) > 20


def test_a_short_trajectory_stands_in_for_a_long_one():
    long, short = Trajectory((9,) * 30, "5", True), Trajectory((8, 2), "5", True)
    own = Sampled("q", (3,), (long, long, short, Trajectory((7, 2), "6", False)))
    for seed in range(5):
        assert pairs.preference_pairs([own], seed, longest=10)[0].chosen == (8, 2)


def test_samples_come_from_graded_paths():
    paths = pd.DataFrame(
        {
            "question": ["a", "b", "a"],
            "tokens": [[5, 2], [6], [7, 8]],
            "finish": ["eos", "length", "stop"],
            "answer": ["1", None, "2"],
            "correct": [True, False, False],
        }
    )
    found = pairs.collect(paths, {"a": [1, 3], "b": [1, 4]})
    assert [own.question for own in found] == ["a", "b"]
    assert found[0].trajectories == (Trajectory((5, 2), "1", True), Trajectory((7, 8), "2", False))
    assert found[1].trajectories == (Trajectory((6,), "", False, ended=False),)
    assert found[0].prompt == (1, 3)
    with pytest.raises(InputError, match="no column answer"):
        pairs.collect(paths.drop(columns="answer"), {})
    with pytest.raises(InputError, match="no prompt"):
        pairs.collect(paths, {"a": [1]})
