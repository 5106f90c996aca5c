"""The state of a training that goes on after a kill: one file, whole, of this recipe, or a fresh start."""

import pytest
import torch
from torch.optim import AdamW
from transformers import LlamaConfig, LlamaForCausalLM

from replication.testbed.training import State


@pytest.fixture
def parts():
    """A tiny model that has taken a step, and its optimiser."""

    def make(steps=1):
        torch.manual_seed(0)
        sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
        model = LlamaForCausalLM(LlamaConfig(vocab_size=20, tie_word_embeddings=True, **sizes))
        stepper = AdamW(model.parameters(), lr=0.1)
        for _ in range(steps):
            ids = torch.tensor([[1, 2, 3]])
            model(input_ids=ids, labels=ids).loss.backward()
            stepper.step()
            stepper.zero_grad()
        return model, [stepper]

    return make


def same(first, second):
    return all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_a_state_comes_back_with_its_moments(tmp_path, parts):
    state = State(tmp_path / "state", "recipe", 0)
    trained, steppers = parts()
    state.keep(trained, steppers, [{"step": 1, "loss": 2.5}])
    fresh, others = parts(steps=0)
    assert state.restore(fresh, others) == [{"step": 1, "loss": 2.5}]
    assert same(fresh, trained)
    moments = [one.state_dict()["state"][0]["exp_avg"] for one in (*steppers, *others)]
    assert torch.equal(*moments)
    assert [path.name for path in state.folder.iterdir()] == ["state.safetensors"]


@pytest.mark.parametrize("damage", ["cut", "bit", "empty", "missing", "recipe", "seed"])
def test_a_damaged_state_or_one_of_another_recipe_is_a_fresh_start(tmp_path, parts, damage):
    state = State(tmp_path / "state", "recipe", 0)
    state.keep(*parts(), [{"step": 1}])
    content = state.file.read_bytes()
    if damage == "missing":
        state.file.unlink()
    elif damage in ("cut", "bit", "empty"):
        turned = content[:-40] + bytes([content[-40] ^ 1]) + content[-39:]
        state.file.write_bytes({"cut": content[:-9], "bit": turned, "empty": b""}[damage])
    asked = State(tmp_path / "state", "other" if damage == "recipe" else "recipe", int(damage == "seed"))
    fresh, steppers = parts(steps=0)
    assert asked.restore(fresh, steppers) == []
    assert same(fresh, parts(steps=0)[0])
