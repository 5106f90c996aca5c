import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from replication.alignment.rollouts import Rollouts, Sampling, Start, Trajectory, grader
from replication.lm import engine
from replication.settings import InputError
from replication.tasks.base import Task

SAMPLING = Sampling(6, temperature=1.3, top_p=0.9, max_new_tokens=8, seed=3)


def full(rollouts, number, length, stream=""):
    return Start(
        number, length, dict(enumerate(rollouts.first_tokens(number, length, stream).tolist())), stream
    )


def test_rollouts_are_the_engines_samples_after_the_prefix(letter_lm, make_trajectories):
    from transformers import TopPLogitsWarper

    texts = []
    trajectories = [
        replace(one, judge=lambda text: texts.append(text)) for one in make_trajectories(letter_lm)
    ]
    rollouts = Rollouts(letter_lm, trajectories, SAMPLING)
    starts = [full(rollouts, number, length) for number, length in ((0, 2), (1, 1), (2, 3))]
    outcomes = rollouts.run(starts)
    prefixes = [
        [*trajectories[s.trajectory].prompt, *trajectories[s.trajectory].response[: s.length]] for s in starts
    ]
    table = engine.generate(
        letter_lm,
        prefixes,
        ids=["w0@2", "w1@1", "w2@3"],
        branches=6,
        do_sample=True,
        temperature=1.3,
        processors=[TopPLogitsWarper(0.9)],
        max_new_tokens=8,
        seed=3,
    )
    assert np.concatenate([one.lengths for one in outcomes]).tolist() == list(map(len, table["tokens"]))
    kept = [trajectories[s.trajectory].response[: s.length] for s in starts for _ in range(6)]
    wanted = {letter_lm.decode([*left, *tokens]) for left, tokens in zip(kept, table["tokens"], strict=True)}
    assert set(texts) == wanted


def test_a_rollout_is_the_same_whatever_runs_with_it(letter_lm, make_trajectories, monkeypatch):
    trajectories = make_trajectories(letter_lm)
    rollouts = Rollouts(letter_lm, trajectories, SAMPLING)
    starts = [full(rollouts, number, length) for number in range(len(trajectories)) for length in (1, 2)]
    together = rollouts.run(starts)
    turned = rollouts.run(starts[::-1])[::-1]
    monkeypatch.setattr(engine, "TOKEN_BUDGET", 1)
    small = rollouts.run(starts)
    alone = Rollouts(letter_lm, trajectories[2:3], SAMPLING)
    start = full(alone, 0, 2)
    assert start.firsts == starts[5].firsts
    for other in (turned, small, [*together[:5], *alone.run([start])]):
        for left, right in zip(together, other, strict=False):
            assert left.right.tolist() == right.right.tolist()
            assert left.lengths.tolist() == right.lengths.tolist()


def test_part_of_the_branches(letter_lm, make_trajectories):
    rollouts = Rollouts(letter_lm, make_trajectories(letter_lm), SAMPLING)
    whole = full(rollouts, 0, 1)
    some = whole._replace(firsts={b: whole.firsts[b] for b in (1, 4)})
    (one,), (part,) = rollouts.run([whole]), rollouts.run([some])
    assert part.right.tolist() == one.right[[1, 4]].tolist()
    assert part.lengths.tolist() == one.lengths[[1, 4]].tolist()


def test_streams_and_seeds_give_other_samples(letter_lm, make_trajectories):
    trajectories = make_trajectories(letter_lm)
    sampling = replace(SAMPLING, n=60, temperature=2.0, top_p=1.0)
    rollouts = Rollouts(letter_lm, trajectories, sampling)
    other = Rollouts(letter_lm, trajectories, replace(sampling, seed=4))
    drawn = [
        rollouts.first_tokens(0, 2),
        rollouts.first_tokens(0, 2, "kept"),
        other.first_tokens(0, 2),
    ]
    assert len({tuple(tokens) for tokens in drawn}) == 3


def test_first_tokens_follow_the_distribution(letter_lm, make_trajectories):
    trajectories = make_trajectories(letter_lm)
    rollouts = Rollouts(letter_lm, trajectories, Sampling(4000, temperature=1.5, top_p=1.0))
    drawn = np.bincount(rollouts.first_tokens(1, 2), minlength=letter_lm.width) / 4000
    with torch.inference_mode():
        ids = torch.tensor([[*trajectories[1].prompt, *trajectories[1].response[:2]]])
        p = (letter_lm.model(ids).logits[0, -1] / 1.5).softmax(-1).numpy()
    np.testing.assert_allclose(drawn, p, atol=4 * np.sqrt(0.25 / 4000))


def test_the_judge_sees_the_whole_response_up_to_a_stop_string(letter_lm, make_trajectories):
    seen = []
    (one,) = make_trajectories(letter_lm, 1)
    one = replace(one, judge=lambda text: seen.append(text) or text.startswith("b"))
    begin = letter_lm.decode(one.response[:2])
    stop = tuple("cdefgh")
    stopped = Rollouts(letter_lm, [one], replace(SAMPLING, n=40, stop=stop))
    stopped.run([full(stopped, 0, 2)])
    assert all(not set(text) & set(stop) for text in seen)
    assert all(text.startswith(begin) or set(begin) & set(stop) for text in seen)
    assert len(seen) == len(set(seen))  # equal texts are judged once


def test_windows_that_forget_are_read_again(make_letter_lm, make_trajectories):
    letter_lm = make_letter_lm(window=4)
    rollouts = Rollouts(letter_lm, make_trajectories(letter_lm), SAMPLING)
    (outcome,) = rollouts.run([full(rollouts, 0, 2)])
    assert len(outcome.right) == 6


def test_graders_take_the_answer_of_the_task():
    judge = grader(Task("sums", "number", None), "12")
    assert judge("5 + 7 = 12. The answer is 12.")
    assert not judge("12 - 5 = 7")
    assert not judge("no idea")


GOOD = Trajectory("a", [1, 2], [3, 4], bool)


@pytest.mark.parametrize(
    ("trajectories", "says"),
    [
        ([], "no trajectory"),
        ([GOOD, GOOD], "same name"),
        ([replace(GOOD, response=[])], "response of trajectory a is empty"),
        ([replace(GOOD, prompt=[])], "empty"),
        ([replace(GOOD, response=[3, 99])], "outside the model's 24"),
        ([replace(GOOD, response=[0, 4])], "goes on after an end-of-text token"),
        ([replace(GOOD, judge=None)], "has no judge"),
    ],
)
def test_bad_trajectories(letter_lm, trajectories, says):
    with pytest.raises(InputError, match=says):
        Rollouts(letter_lm, trajectories, SAMPLING)


def test_a_trajectory_beyond_the_context(letter_lm):
    short = replace(letter_lm)
    short.__dict__["context"] = 6
    with pytest.raises(InputError, match=re.escape("has 7 tokens, tiny takes 6")):
        Rollouts(short, [replace(GOOD, response=[3] * 5)], SAMPLING)


@pytest.mark.parametrize(
    "options", [{"n": 0}, {"max_new_tokens": 0}, {"temperature": 0.0}, {"top_p": 0.0}, {"top_p": 1.5}]
)
def test_bad_sampling(options):
    with pytest.raises(InputError, match="Rollouts need"):
        Sampling(**options)
