from dataclasses import replace

import numpy as np
import pytest

from replication.alignment.critical_tokens import critical_token, tolerated
from replication.alignment.rollouts import Rollouts, Sampling, Start
from replication.alignment.search import count, find
from replication.lm import engine
from replication.settings import InputError

SAMPLING = Sampling(8, temperature=1.2, top_p=1.0, max_new_tokens=8, seed=1)


@pytest.fixture(scope="module")
def found(letter_lm, make_trajectories):
    """Trajectories, and the counts of all their positions."""
    trajectories = make_trajectories(letter_lm, 6)
    return trajectories, count(letter_lm, trajectories, SAMPLING)


def test_every_position_but_the_last_is_counted(letter_lm, found):
    trajectories, counts = found
    rollouts = Rollouts(letter_lm, trajectories, SAMPLING)
    for number, (one, result) in enumerate(zip(trajectories, counts, strict=True)):
        assert len(result.counts) == len(one.response) - 1
        assert (result.tries == 8).all()
        assert result.critical == critical_token(result.counts.tolist(), 8)
        first = dict(enumerate(rollouts.first_tokens(number, 1).tolist()))
        (outcome,) = rollouts.run([Start(number, 1, first)])
        assert outcome.right.sum() == result.counts[0]
        assert result.naive == 8 * sum(range(1, len(one.response)))
        assert result.generated == result.rolled > 0
    everything = np.concatenate([result.counts for result in counts])
    assert 0 < (everything == 0).mean() < 1


@pytest.mark.parametrize("shared_tails", [False, True])
@pytest.mark.parametrize("fallback", [False, True])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("n", [4, 24])
def test_stopping_early_finds_the_same_token(
    make_letter_lm, make_trajectories, n, seed, fallback, shared_tails
):
    letter_lm = make_letter_lm(seed)
    trajectories = make_trajectories(letter_lm, 5, seed)
    sampling = replace(SAMPLING, n=n, seed=seed)
    options = {"fallback": fallback, "shared_tails": shared_tails}
    everything = count(letter_lm, trajectories, sampling, **options)
    for more in ({}, {"chunk": 3}, {"ahead": 3}, {"chunk": 2, "ahead": 2}):
        early = find(letter_lm, trajectories, sampling, **options, **more)
        assert [one.critical for one in early] == [one.critical for one in everything]
        for some, whole in zip(early, everything, strict=True):
            run = some.tries == n
            assert (some.counts[run] == whole.counts[run]).all()
            part = (some.tries > 0) & ~run
            assert (some.counts[part] > tolerated(n)).all()
            assert (some.counts[part] <= whole.counts[part]).all()
            assert some.generated <= whole.generated


def test_early_searches_save_tokens(letter_lm, found):
    trajectories, counts = found
    early, chunks = find(letter_lm, trajectories, SAMPLING), find(letter_lm, trajectories, SAMPLING, chunk=2)
    whole, some, less = (sum(one.generated for one in results) for results in (counts, early, chunks))
    assert less < some < whole


def test_shared_tails_are_the_rollouts_of_the_next_position(letter_lm, found):
    trajectories, plain = found
    rollouts = Rollouts(letter_lm, trajectories, SAMPLING)
    for number, result in enumerate(count(letter_lm, trajectories, SAMPLING, shared_tails=True)):
        response, right = trajectories[number].response, None
        for length in range(len(response) - 1, 0, -1):
            drawn = rollouts.first_tokens(number, length)
            (outcome,) = rollouts.run([Start(number, length, dict(enumerate(drawn.tolist())))])
            same = drawn == response[length]
            right = outcome.right if right is None else np.where(same, right, outcome.right)
            assert result.counts[length - 1] == right.sum()
        assert result.generated < plain[number].generated <= 1.2 * result.rolled


def test_shared_tails_keep_the_distribution_of_a_count(letter_lm, make_trajectories):
    one = make_trajectories(letter_lm, 1)[0]
    sampling = replace(SAMPLING, n=1500)
    (plain,), (shared,) = (count(letter_lm, [one], sampling, shared_tails=choice) for choice in (False, True))
    p = plain.counts / 1500
    spread = np.sqrt(np.maximum(p * (1 - p), 0.01) * 2 / 1500)
    assert (np.abs(plain.counts - shared.counts) / 1500 < 4.5 * spread).all()
    assert (plain.counts > 0).any()


@pytest.mark.parametrize("shared_tails", [False, True])
def test_results_do_not_depend_on_batches_or_order(letter_lm, found, shared_tails, monkeypatch):
    trajectories = found[0]
    one = find(letter_lm, trajectories, SAMPLING, shared_tails=shared_tails)
    turned = find(letter_lm, trajectories[::-1], SAMPLING, shared_tails=shared_tails)[::-1]
    alone = [find(letter_lm, [single], SAMPLING, shared_tails=shared_tails)[0] for single in trajectories]
    monkeypatch.setattr(engine, "TOKEN_BUDGET", 60)
    small = find(letter_lm, trajectories, SAMPLING, shared_tails=shared_tails)
    for other in (turned, alone, small):
        assert [(a.name, a.critical, a.counts.tolist()) for a in other] == [
            (a.name, a.critical, a.counts.tolist()) for a in one
        ]


def test_a_response_of_one_token_has_no_critical_token(letter_lm, found):
    short = replace(found[0][0], response=found[0][0].response[:1])
    for search in (count, find):
        (result,) = search(letter_lm, [short], SAMPLING)
        assert (result.critical, len(result.counts), result.naive) == (None, 0, 0)


def test_bad_input(letter_lm, found):
    with pytest.raises(InputError, match="at least one"):
        count(letter_lm, [], SAMPLING)
    for options in ({"chunk": 0}, {"ahead": 0}):
        with pytest.raises(InputError, match="chunk >= 1 and ahead >= 1"):
            find(letter_lm, found[0], SAMPLING, **options)
