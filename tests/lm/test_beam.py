import numpy as np
import pytest
import torch

from replication.lm.beam import beam
from replication.lm.engine import generate
from replication.lm.paths import COLUMNS
from replication.settings import InputError


def test_one_beam_is_greedy(make_lm, prompts):
    lm = make_lm("llama")
    table = beam(lm, prompts, num_beams=1, max_new_tokens=8)
    expected = generate(lm, prompts, max_new_tokens=8)
    assert list(table.columns) == list(COLUMNS)
    for name in ("text", "finish", "prompt_tokens", "question"):
        assert table[name].tolist() == expected[name].tolist()
    for one, other in zip(table.tokens, expected.tokens, strict=True):
        assert one.tolist() == other.tolist()
    for one, other in zip(table.logprob, expected.logprob, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-5)


def test_width_of_the_vocabulary_finds_the_best_pair(make_lm):
    lm = make_lm("qwen2")
    prompt = [1, 60, 61]
    row = beam(lm, [prompt], num_beams=lm.width, max_new_tokens=2).iloc[0]
    with torch.inference_mode():
        first = lm.model(torch.tensor([prompt])).logits[0, -1].log_softmax(-1)
        rows = torch.tensor([[*prompt, i] for i in range(lm.width)])
        second = lm.model(rows).logits[:, -1].log_softmax(-1)
    total = first[:, None] + second
    total[2] = -torch.inf  # ends at once; judged by another length
    best = divmod(int(total.argmax()), lm.width)
    assert tuple(row.tokens.tolist()) == best
    assert float(row.logprob.sum()) == pytest.approx(float(total.max()), abs=1e-4)


def test_models_own_settings_do_not_leak_in(make_lm, prompts):
    lm = make_lm("llama")
    expected = beam(lm, prompts, num_beams=3, max_new_tokens=6)
    config = lm.model.generation_config
    saved = config.to_dict()
    try:
        config.update(
            repetition_penalty=5.0, no_repeat_ngram_size=1, length_penalty=-3.0, do_sample=True, top_k=1
        )
        table = beam(lm, prompts, num_beams=3, max_new_tokens=6)
    finally:
        config.update(
            **{k: saved.get(k) for k in ("repetition_penalty", "no_repeat_ngram_size", "length_penalty")}
        )
        config.update(do_sample=saved.get("do_sample"), top_k=saved.get("top_k"))
    assert [row.tolist() for row in table.tokens] == [row.tolist() for row in expected.tokens]


def test_order_and_budget_do_not_matter(make_lm, prompts):
    lm = make_lm("mistral")
    one = beam(lm, prompts, num_beams=3, max_new_tokens=6)
    other = beam(lm, prompts[::-1], num_beams=3, max_new_tokens=6, token_budget=1)
    assert [row.tolist() for row in one.tokens] == [row.tolist() for row in other.tokens[::-1]]


def test_stop_strings_end_a_beam(make_lm, prompts):
    lm = make_lm("qwen2")
    plain = beam(lm, prompts[:1], num_beams=2, max_new_tokens=12).iloc[0]
    candidates = sorted({c for c in plain.text[1:] if c.isascii() and c.isprintable()})
    stopped = []
    for stop in candidates:
        row = beam(lm, prompts[:1], num_beams=2, max_new_tokens=12, stop=(stop,)).iloc[0]
        assert stop not in row.text
        assert len(row.logprob) == len(row.tokens)
        if row.finish == "stop":
            stopped.append(stop)
            assert stop in lm.decode(row.tokens)
            assert stop not in lm.decode(row.tokens[:-1])
    assert stopped


def test_bad_input(make_lm):
    with pytest.raises(InputError, match="empty"):
        beam(make_lm("llama"), [[]], max_new_tokens=3)
    with pytest.raises(InputError, match="num_beams"):
        beam(make_lm("llama"), [[1]], num_beams=0, max_new_tokens=3)
