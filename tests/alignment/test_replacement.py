from dataclasses import replace as changed

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from replication.alignment.replacement import replace, substitutes
from replication.alignment.rollouts import Rollouts, Sampling, Start
from replication.alignment.search import count
from replication.settings import InputError

SAMPLING = Sampling(12, temperature=1.2, top_p=0.95, max_new_tokens=8, seed=2)


@given(st.integers(0, 5), st.lists(st.floats(0, 0.999), min_size=1, max_size=20), st.floats(0.2, 3))
def test_the_banned_token_never_comes(banned, u, temperature):
    logits = torch.tensor([0.0, 1.0, 8.0, -2.0, 0.5, 3.0])
    drawn = substitutes(logits, banned, np.array(u), temperature)
    assert banned not in drawn
    assert drawn.shape == (len(u),)


def test_the_others_keep_their_proportions():
    logits = torch.tensor([2.0, 0.0, 1.0, -1.0])
    u = (np.arange(20_000) + 0.5) / 20_000
    shares = np.bincount(substitutes(logits, 0, u), minlength=4) / 20_000
    p = logits.softmax(-1).numpy()
    np.testing.assert_allclose(shares, np.where(np.arange(4) == 0, 0, p / (1 - p[0])), atol=1e-4)


def test_counts_are_those_of_rollouts_after_each_token(letter_lm, make_trajectories):
    trajectories = make_trajectories(letter_lm, 3)
    results = replace(letter_lm, trajectories, [0, 1, 2], SAMPLING)
    rollouts = Rollouts(letter_lm, trajectories, SAMPLING)
    for number, (index, result) in enumerate(zip([0, 1, 2], results, strict=True)):
        token = trajectories[number].response[index]
        assert (result.name, result.index, result.n) == (trajectories[number].name, index, 12)
        assert token not in result.substitutes
        firsts = {
            "kept": (index + 1, rollouts.first_tokens(number, index + 1, "kept")),
            "resampled": (index, rollouts.first_tokens(number, index, "resampled")),
            "replaced": (index, result.substitutes),
        }
        assert result.same == (firsts["resampled"][1] == token).sum()
        for kind, (length, drawn) in firsts.items():
            (outcome,) = rollouts.run([Start(number, length, dict(enumerate(drawn.tolist())), kind)])
            assert outcome.right.sum() == getattr(result, kind)


def test_kept_rollouts_are_fresh_and_of_the_same_rate(letter_lm, make_trajectories):
    trajectories = make_trajectories(letter_lm, 1)
    sampling = changed(SAMPLING, n=1500)
    index = 1
    (counted,), (result,) = (
        count(letter_lm, trajectories, sampling),
        replace(letter_lm, trajectories, [index], sampling),
    )
    assert result.kept != counted.counts[index]
    before = counted.counts[index - 1] / 1500  # drawn anew at index: what was counted one token earlier
    assert result.kept / 1500 == pytest.approx(counted.counts[index] / 1500, abs=0.07)
    assert result.resampled / 1500 == pytest.approx(before, abs=0.07)


def test_results_do_not_depend_on_what_runs_together(letter_lm, make_trajectories):
    trajectories = make_trajectories(letter_lm, 3)
    together = replace(letter_lm, trajectories, [0, 1, 2], SAMPLING)
    for number, one in enumerate(together):
        (alone,) = replace(letter_lm, trajectories[number : number + 1], [number], SAMPLING)
        assert (alone.kept, alone.resampled, alone.replaced) == (one.kept, one.resampled, one.replaced)
        assert alone.substitutes.tolist() == one.substitutes.tolist()


def test_bad_input(letter_lm, make_trajectories):
    trajectories = make_trajectories(letter_lm, 1)
    for index in (-1, len(trajectories[0].response) - 1):
        with pytest.raises(InputError, match="all but the last can be replaced"):
            replace(letter_lm, trajectories, [index], SAMPLING)
    with pytest.raises(InputError, match="One index per trajectory"):
        replace(letter_lm, trajectories, [], SAMPLING)
    with pytest.raises(InputError, match="outside the model's 4"):
        substitutes(torch.zeros(4), 4, np.zeros(1))
    with pytest.raises(InputError):
        substitutes(torch.tensor([0.0, -torch.inf]), 0, np.zeros(1))
