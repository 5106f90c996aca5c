"""Loops and what is counted as one: token rows by hand, and runs of a tiny model."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from replication.decoding.experiment import Experiment
from replication.studies import eta_sampling_repetition as repetition
from replication.studies.samplers import Sampler

SIZES = {"n_questions": 3, "samples": 2, "prompt_tokens": 6, "max_new_tokens": 8}


@pytest.fixture
def small(experiment):
    return Experiment(replace(experiment.settings, paper="eta_sampling", sizes=SIZES))


def paths(*tokens, logprob=-0.5, finish="length"):
    """Path records of one prompt, "0"."""
    return pd.DataFrame(
        {
            "question": "0",
            "branch": range(len(tokens)),
            "tokens": [np.array(own) for own in tokens],
            "logprob": [np.full(len(own), logprob, dtype=np.float32) for own in tokens],
            "text": "x",
            "finish": finish,
        }
    )


def test_a_prompt_gets_its_last_four_tokens_five_times_more():
    assert repetition.repeated([1, 2, 3, 4, 5]) == [1, *[2, 3, 4, 5] * 6]


def test_loop_by_hand():
    assert repetition.in_loop([1, 2, 3, 4], [1, 2, 3, 4, 1, 2, 9], 10) == 0.6
    assert repetition.in_loop([9, 1, 2, 3, 4], [1, 2, 3, 4], 4) == 1.0
    assert repetition.in_loop([1, 2, 3, 4], [], 4) == 0.0
    assert repetition.in_loop([1, 2, 3, 4], [2, 3, 4, 1], 4) == 0.0


def test_measures_by_hand():
    rows = repetition.measures(paths([1, 2, 3, 4] * 2, [5, 6, 7, 8]), {"0": [1, 2, 3, 4]}, 8, 0.6)
    looped, free = rows.iloc[0], rows.iloc[1]
    assert looped["nll"] == pytest.approx(0.5)
    assert looped["repetitive"]
    assert looped["loop"] == 1.0
    assert free["loop"] == 0.0
    assert looped["seen"] == pytest.approx(1 - 4 / 5)  # five 4-grams, four different
    assert looped["distinct"] == pytest.approx(4 / 7)
    assert (free["seen"], free["distinct"]) == (0.0, 1.0)
    strict = repetition.measures(paths([5, 6, 7, 8]), {"0": [1, 2, 3, 4]}, 8, 0.4)
    assert not strict["repetitive"].any()


def test_short_continuations_have_measures():
    rows = repetition.measures(paths([5], finish="eos"), {"0": [1, 2, 3, 4]}, 8, 0.1)
    assert rows[["loop", "seen", "distinct"]].iloc[0].tolist() == [0.0, 0.0, 1.0]
    assert rows["ended"].all()


def cells(top_p, eta):
    """Rows of top-p and η, a repetitive share per prompt."""
    own = repetition.samplers(2048)
    return {
        own[rule].label: pd.DataFrame(
            {
                "question": [str(i) for i in range(len(values))],
                "repetitive": values,
                "loop": [v / 2 for v in values],
                "seen": 0.0,
                "distinct": 1.0,
                "ended": False,
                "nll": 1.0,
                "tokens": 5,
            }
        )
        for rule, values in (("top-p", top_p), ("η", eta))
    }


def test_claims_are_paired_over_prompts():
    found = cells([1.0, 1.0, 0.0, 1.0], [0.0, 1.0, 0.0, 0.0])
    claims = repetition.claims(found, 2048)
    assert (claims["C4a"].value, claims["C4a"].n) == (0.5, 4)
    assert claims["C4b"].value == 0.25
    assert repetition.trapped(found, 2048).value == pytest.approx(0.375)
    shown = repetition.table(found)
    assert [e.value for e in shown["repetitive"]] == [0.75, 0.25]
    drawn = repetition.shares(found, "repetitive")
    assert drawn["accuracy"].tolist() == [0.75, 0.25]
    assert list(drawn["bin"]) == list(found)


def test_threshold_is_a_third_of_held_out_text(small):
    value, limit, n = repetition.threshold(small)
    assert limit == pytest.approx(value / 3)
    assert value > 0
    assert n == 3


def test_runs_of_every_sampler_are_kept(small):
    prompts = repetition.prompts(small)
    assert [len(prompt) for prompt in prompts] == [6, 6, 6]
    looped = [repetition.repeated(prompt) for prompt in prompts]
    found = repetition.runs(small, looped, 0.5)
    assert list(found)[:3] == ["greedy", "sampling", "top-p 0.95"]
    assert len(found) == 6
    assert len(found["greedy"]) == 3
    assert len(found["sampling"]) == 6
    assert found["sampling"]["tokens"].max() <= 8
    computed = small.store.computed
    again = repetition.runs(small, looped, 0.5)
    assert small.store.computed == computed
    pd.testing.assert_frame_equal(found["sampling"], again["sampling"])
    shown = repetition.examples(found, ["greedy", "sampling"], n=2)
    assert len(shown) == 4


def test_a_forbidden_end_gives_the_full_length(small):
    prompts = repetition.prompts(small)
    rows = repetition.continuations(small, Sampler(), prompts, 0.5, endless=True)
    assert (rows["tokens"] == 8).all()
    assert not rows["ended"].any()
