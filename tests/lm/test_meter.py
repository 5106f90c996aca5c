"""The count of what a process's models do: tokens by kind and stage, kept across executions."""

import json

import pandas as pd
import pytest
import torch
from torch.nn.modules.module import register_module_forward_hook

from replication.lm import engine, meter
from replication.lm.records import Store
from replication.lm.scoring import score

PROMPTS = [[5, 6, 7], [8, 9, 10, 11]]


@pytest.fixture
def count(tmp_path, monkeypatch):
    """Maker of meters that are on until the test ends."""
    handles = []

    def start(name="costs.json"):
        own = meter.Meter(tmp_path / name)
        monkeypatch.setattr(meter, "_running", own)
        handles.append(register_module_forward_hook(own.count, with_kwargs=True))
        return own

    yield start
    for handle in handles:
        handle.remove()


@pytest.mark.parametrize("kind", ["llama", "gpt2"])
def test_generation_is_parted_into_prompts_and_steps(count, make_lm, kind):
    lm = make_lm(kind)
    own = count()
    with own.stage("paths"):
        found = engine.generate(lm, PROMPTS, branches=3, first="top-k", max_new_tokens=4)
    ((shape, counts),) = own.stages["paths"]["work"].items()
    generated, read, trained, calls = counts
    assert shape == meter.shape_of(lm.model.config)
    assert (read, trained) == (2 * 4, 0)  # two prompts, padded to the longer one
    # The first token of a path comes out of its prompt; rows that have ended may be fed along.
    steps = found["tokens"].map(len).sum() - len(found)
    assert steps <= generated <= len(found) * 3
    assert calls == 1 + found["tokens"].map(len).max() - 1


def test_scoring_counts_as_reading_and_passes_with_gradients_as_training(count, make_lm):
    lm = make_lm("llama")
    own = count()
    with own.stage("scores"):
        score(lm, PROMPTS)
    lm.model.train()
    with own.stage("training"):
        lm.model(input_ids=torch.tensor([[1, 2, 3]]))
        with torch.no_grad():
            lm.model(input_ids=torch.tensor([[1, 2, 3, 4, 5]]))
    lm.model.eval()
    kinds = {name: next(iter(about["work"].values()))[:3] for name, about in own.stages.items() if name}
    assert kinds["scores"][0] == kinds["scores"][2] == 0
    assert kinds["scores"][1] >= 7
    assert kinds["training"] == [0, 5, 3]


def test_inner_stage_has_what_happens_in_it(count, make_lm):
    lm = make_lm("llama")
    own = count()
    with own.stage("outer"):
        with own.stage("inner"):
            score(lm, PROMPTS)
    assert own.stages["inner"]["work"]
    assert not own.stages["outer"]["work"]
    assert own.stages["inner"]["seconds"] > 0
    written = json.loads(own.path.read_text())["stages"]
    assert written["inner"] == own.stages["inner"]


def test_count_of_a_stage_that_is_read_from_disk_is_kept(count, make_lm, monkeypatch, tmp_path):
    lm = make_lm("llama")

    def compute():
        return pd.DataFrame({"value": [float(score(lm, PROMPTS)[0].logprob.sum())]})

    def execution():
        own = count()
        monkeypatch.setattr(meter, "_running", own)
        Store(tmp_path / "records").frame("scores", {"n": 1}, compute)
        own.write()
        return own

    first, second = execution(), execution()
    (name,) = (name for name in first.stages if name)
    assert name.startswith("scores-")
    assert second.stages[name] == first.stages[name]
    assert json.loads(second.path.read_text())["stages"][name]["work"]


def test_nothing_is_counted_unless_the_environment_asks(monkeypatch, tmp_path):
    monkeypatch.setattr(meter, "_running", None)
    monkeypatch.delenv(meter.VARIABLE, raising=False)
    assert meter.running() is None
    with meter.measured("stage"):
        meter.reused("stage")
    handles = []
    monkeypatch.setattr(meter.atexit, "register", lambda call: None)
    monkeypatch.setattr(
        "torch.nn.modules.module.register_module_forward_hook", lambda call, **options: handles.append(call)
    )
    monkeypatch.setenv(meter.VARIABLE, str(tmp_path / "costs" / "one.json"))
    own = meter.running()
    assert own is meter.running()
    assert len(handles) == 1
    with meter.measured("stage"):
        pass
    assert "stage" in json.loads((tmp_path / "costs" / "one.json").read_text())["stages"]
