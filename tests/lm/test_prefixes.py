import numpy as np
import pytest
import torch

from replication.lm import prefixes
from replication.lm.engine import generate
from replication.lm.prefixes import Prefixes
from replication.lm.session import Session


@pytest.fixture
def cuts(prompts):
    """Prefixes of all prompts, and the length of the shortest of each."""
    starts = [1 + i % 2 for i in range(len(prompts))]
    return [p[:n] for p, start in zip(prompts, starts, strict=True) for n in range(start, len(p) + 1)], starts


@pytest.mark.parametrize("positions", [2**13, 1])
def test_sessions_go_on_from_a_prefix_as_from_one_read_alone(lm, prompts, cuts, positions, monkeypatch):
    monkeypatch.setattr(prefixes, "POSITIONS", positions)
    parts, starts = cuts
    known = Prefixes(lm, prompts, starts)
    fresh, restored = Session(lm, parts, 3), Session(lm, parts, 3, known)
    windowed = getattr(lm.model.config, "sliding_window", None)
    assert known.found == (0 if windowed else 1)
    for token in (5, 9):
        torch.testing.assert_close(restored.logits, fresh.logits, atol=2e-4, rtol=1e-4)
        for session in (fresh, restored):
            session.step(torch.full((len(parts),), token))


def test_logits_are_the_models(lm, prompts):
    known = Prefixes(lm, prompts, [2] * (len(prompts) - 3) + [1] * 3)
    for number in (0, 3):
        with torch.inference_mode():
            wanted = lm.model(torch.tensor([prompts[number]])).logits[0, 2]
        torch.testing.assert_close(known.logits(number, 3), wanted, atol=2e-4, rtol=1e-4)


def test_what_is_no_prefix_is_computed(make_lm, prompts):
    lm, other = make_lm("llama"), make_lm("llama", initializer_range=0.3)
    known = Prefixes(lm, prompts, [4, 4, 1, 4, 4])
    for asked in ([prompts[0][:3]], [[*prompts[1], 7]]):  # shorter than the start, and longer than the text
        assert torch.equal(Session(lm, asked, 2, known).logits, Session(lm, asked, 2).logits)
    Session(other, prompts, 2, known)
    assert known.found == 0


def test_the_paths_are_the_same(make_lm, prompts):
    lm = make_lm("qwen2")
    options = {"branches": 4, "do_sample": True, "max_new_tokens": 6}
    plain = generate(lm, prompts, **options)
    known = Prefixes(lm, [[*prompt, 3, 4] for prompt in prompts], [1] * len(prompts))
    again = generate(lm, prompts, prefills=known, **options)
    assert known.found > 0
    assert all(map(np.array_equal, plain["tokens"], again["tokens"]))
