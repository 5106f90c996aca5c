import numpy as np
import pytest
import torch

from replication.lm.sampling import mix, pick, stream_keys, uniforms


def test_splitmix64_has_its_published_values():
    state, found = np.array([1234567], dtype=np.uint64), []
    for _ in range(3):
        found.append(int(mix(state)[0]))
        state = state + np.uint64(0x9E3779B97F4A7C15)
    assert found == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_streams_are_uniform_and_independent():
    keys = stream_keys(0, [f"q{i % 50}" for i in range(2000)], [i // 50 for i in range(2000)])
    assert len(set(keys.tolist())) == 2000
    u = np.array([uniforms(keys, step) for step in range(20)])
    assert u.min() >= 0
    assert u.max() < 1
    np.testing.assert_allclose(np.histogram(u, 10, (0, 1))[0] / u.size, 0.1, atol=0.006)
    assert abs(np.corrcoef(u[0], u[1])[0, 1]) < 0.08
    assert abs(np.corrcoef(u[:, 0], u[:, 1])[0, 1]) < 0.6


def test_streams_depend_on_seed_question_branch_and_step_only():
    one = stream_keys(3, ["a", "b"], [0, 7])
    assert one[1] == stream_keys(3, ["b"], [7])[0]
    others = [stream_keys(4, ["b"], [7]), stream_keys(3, ["c"], [7]), stream_keys(3, ["b"], [6])]
    assert one[1] not in [int(key[0]) for key in others]
    assert uniforms(one, 0)[0] != uniforms(one, 1)[0]
    assert stream_keys(-1, ["a"], [0]).dtype == np.uint64


def test_pick_inverts_the_cumulative_distribution():
    p = torch.tensor([0.5, 0.0, 0.3, 0.2])
    scores = p.log().repeat(6, 1)
    u = np.array([0.0, 0.49, 0.51, 0.79, 0.81, 1 - 2.0**-53])
    assert pick(scores, u).tolist() == [0, 0, 2, 2, 3, 3]


def test_pick_never_takes_an_excluded_id():
    scores = torch.full((200, 50), -torch.inf)
    scores[:, 20:25] = torch.randn(200, 5)
    found = pick(scores, np.linspace(0, 1 - 2.0**-53, 200))
    assert set(found.tolist()) <= set(range(20, 25))
    with pytest.raises(ValueError, match="at least one id"):
        pick(torch.full((1, 4), -torch.inf), np.array([0.5]))
