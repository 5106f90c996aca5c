"""Lean steps give the library's logits and tokens, and are left to the library in all other cases."""

import copy
import math

import numpy as np
import pytest
import torch

from replication.lm import lean as module
from replication.lm import session
from replication.lm.engine import generate
from replication.lm.lean import fits, lean
from replication.lm.loading import load
from replication.lm.session import Session
from replication.tasks.base import load_task

CHECKPOINTS = ("testbed-small", "testbed", "testbed-large", "testbed-tuned", "testbed-wide", "control-08")


@pytest.fixture
def library(monkeypatch):
    """Function that runs something with the library's forward pass."""

    def run(call):
        with monkeypatch.context() as patch:
            patch.setattr(session, "lean", lambda model: None)
            return call()

    return run


@pytest.fixture
def asked():
    """Function that returns prompts of a testbed model."""

    def encode(lm, number):
        task = load_task("stories")
        return [lm.encode(task.prompt(q, "direct")) for q in task.questions("validation", number, 0)]

    return encode


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_same_tokens_as_the_library_on_every_checkpoint(name, library, asked):
    lm = load(name)
    prompts = asked(lm, 4)
    assert fits(lm.model)

    def run(**options):
        return generate(lm, prompts, branches=4, max_new_tokens=30, **options)

    for options in ({"first": "top-k", "branch_step": 2}, {"do_sample": True}):
        ours, theirs = run(**options), library(lambda given=options: run(**given))
        assert all(map(np.array_equal, ours["tokens"], theirs["tokens"]))
        for column in ("logprob", "top1", "top2", "entropy"):
            np.testing.assert_allclose(
                np.concatenate(ours[column].tolist()), np.concatenate(theirs[column].tolist()), atol=3e-4
            )


def test_as_exact_as_the_library(library, asked):
    # This model's logits magnify rounding: two float32 passes differ by up to 1e-4 of a nat.
    lm = load("control-08")
    (prompt,), exact = asked(lm, 1), copy.deepcopy(lm.model).double()

    def run():
        return generate(lm, [prompt], branches=8, do_sample=True, max_new_tokens=30)

    def error(paths):
        found = []
        for path in paths.itertuples():
            ids = torch.tensor([[*prompt, *path.tokens.tolist()]])
            with torch.inference_mode():
                logits = exact(ids).logits[0, len(prompt) - 1 : -1].log_softmax(-1)
            wanted = logits.gather(1, ids[0, len(prompt) :, None]).squeeze(1).numpy()
            found.append(np.abs(path.logprob - wanted))
        return np.concatenate(found).mean()

    assert error(run()) < 1.5 * error(library(run))


@pytest.mark.parametrize(
    "changes", [{}, {"num_key_value_heads": 4}, {"num_key_value_heads": 1, "head_dim": 16}]
)
def test_logits_of_padded_rows(make_lm, prompts, library, changes):
    lm = make_lm("llama", **changes)

    def run():
        own, found = Session(lm, prompts, 3), []
        for token, kept in ((5, [0, 4, 2, 2]), (9, [3, 1]), (11, [0, 1])):
            own.step(torch.full((len(own.logits),), token))
            found.append(own.logits)
            own.select(torch.tensor(kept))
        return found

    with torch.inference_mode():
        assert lean(lm.model) is not None
        for ours, theirs in zip(run(), library(run), strict=True):
            torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-5)


def test_changed_weights_are_seen(make_lm, prompts, library):
    lm = copy.deepcopy(make_lm("llama"))
    weight = lm.model.model.layers[0].mlp.down_proj.weight

    def run():
        return generate(lm, prompts, max_new_tokens=6)["logprob"].tolist()

    def change_by_optimiser():
        with torch.no_grad():
            weight.mul_(1.5)

    before = run()
    for change in (change_by_optimiser, lambda: weight.data.add_(0.3)):  # the latter counts no version
        change()
        after = run()
        assert not all(
            len(a) == len(b) and np.allclose(a, b, atol=1e-4) for a, b in zip(before, after, strict=True)
        )
        for ours, theirs in zip(after, library(run), strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-4)
        before = after


@pytest.mark.parametrize(
    "changes",
    [
        {"attention_bias": True},
        {"mlp_bias": True},
        {"hidden_act": "gelu"},
        {"rope_parameters": {"rope_type": "linear", "factor": 2.0, "rope_theta": 10000.0}},
    ],
)
def test_other_kinds_of_llama_are_left_to_the_library(make_lm, changes):
    name, value = next(iter(changes.items()))
    assert not fits(make_lm("llama", **{name: Frozen(value) if isinstance(value, dict) else value}).model)


class Frozen(dict):
    """A dictionary that can be a key of a cache."""

    def __hash__(self):
        return hash(tuple(self.items()))


@pytest.mark.parametrize("kind", ["mistral", "qwen2", "gemma", "gpt2", "granite"])
def test_other_models_are_left_to_the_library(make_lm, kind):
    assert not fits(make_lm(kind).model)
    assert lean(make_lm(kind).model) is None


def test_what_is_attached_to_a_model_is_not_passed_by(make_lm, monkeypatch):
    model = copy.deepcopy(make_lm("llama").model)
    assert fits(model)
    norm = model.model.layers[1].input_layernorm
    handle = norm.register_forward_hook(lambda *_: None)
    assert not fits(model)
    handle.remove()
    assert fits(model)
    norm.forward = lambda x: x
    assert not fits(model)
    del norm.forward
    assert fits(model.eval())
    assert not fits(model.train())
    model.eval()
    model.model.layers[0].mlp.up_proj = torch.nn.Sequential(model.model.layers[0].mlp.up_proj)
    assert not fits(model)
    monkeypatch.setattr(module, "LARGEST", 10)
    assert not fits(make_lm("llama").model)
    assert not fits(copy.deepcopy(make_lm("llama").model).bfloat16())


def test_norm_is_the_librarys(make_lm):
    from transformers.models.llama.modeling_llama import LlamaRMSNorm

    own = lean(make_lm("llama").model)
    x = torch.randn(4, 32) * torch.tensor([1e-4, 1.0, 30.0, 0.0])[:, None]
    wanted = LlamaRMSNorm(32, eps=make_lm("llama").model.config.rms_norm_eps)(x)
    found = torch.from_numpy(own._norm(x.numpy()))
    torch.testing.assert_close(found * math.sqrt(32), wanted.detach())
