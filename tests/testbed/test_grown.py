"""The larger ladder: what names stand for, trained once in the run that needs it, going on after a kill."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from replication.lm.loading import load, use_ladder
from replication.settings import InputError, start
from replication.studies import alignment
from replication.studies import testbed as study
from replication.testbed import grown, models, packing, training
from replication.testbed.models import Recipe

TINY = Recipe(16, 1, 2, steps=3, rate=1e-2, rows=2, row_tokens=96)


class Vocabulary:
    """As much of a tokenizer as the shape of a model needs."""

    pad_token_id, bos_token_id, eos_token_id = 0, 1, 2

    def __len__(self):
        return 2048


@pytest.fixture(autouse=True)
def shipped_ladder():
    """Leave the shipped ladder to the tests that follow."""
    yield
    grown.use(None)


@pytest.fixture
def small(core, monkeypatch):
    """The larger ladder's names with tiny recipes, trained within a second; returns the names trained."""
    monkeypatch.setattr(packing, "POOL", 32)
    monkeypatch.setattr(training, "VALIDATION_DOCUMENTS", 12)
    monkeypatch.setattr(training, "shared_tokenizer", lambda size: core)
    monkeypatch.setattr(training, "examine", lambda model, core: {"stories": {"greedy": 0.5}})
    tuned = replace(TINY, steps=2, init="testbed-30m", data_seed=1)
    monkeypatch.setattr(grown, "LARGER", {"testbed-30m": TINY, "testbed-30m-tuned": tuned})
    done, plain = [], training.train

    def train(name, *rest, **options):
        done.append(name)
        return plain(name, *rest, **options)

    monkeypatch.setattr(training, "train", train)
    return done


@pytest.mark.parametrize(
    ("name", "millions"), [("testbed-10m", 11.4), ("testbed-30m", 33.0), ("testbed-100m", 98.1)]
)
def test_larger_models_have_their_sizes(name, millions):
    with torch.device("meta"):
        model = training.new_model(grown.recipe(name), Vocabulary(), seed=0)
    assert model.num_parameters() / 1e6 == pytest.approx(millions, rel=0.01)


def test_recipes_name_what_they_start_from_and_read_the_ladder():
    assert set(grown.STAND_INS.values()) == set(grown.LARGER)
    assert set(grown.STAND_INS) < set(models.names())
    for name, other in grown.STAND_INS.items():
        assert grown.recipe(other).mix == models.recipe(name).mix
        assert grown.recipe(other).vocabulary == models.recipe(name).vocabulary
        assert bool(grown.recipe(other).init) == bool(models.recipe(name).init)
    with pytest.raises(InputError, match="Unknown testbed model"):
        grown.recipe("testbed-huge")


def test_names_stand_for_the_shipped_models_unless_asked(tmp_path):
    assert grown.in_force("testbed") == "testbed"
    assert grown.names() == ()
    assert grown.folder("testbed") == models.folder("testbed")
    assert grown.card("testbed") == models.card("testbed")
    grown.use(tmp_path)
    assert grown.in_force("testbed") == "testbed-30m"
    assert "testbed-100m" in grown.names()
    assert grown.folder("control-00") == models.folder("control-00")  # nothing stands in for it


def test_only_the_profile_for_gpus_takes_the_larger_ladder(small, tmp_path):
    run = start("cot_decoding", profile="gpu", device="cpu", results_dir=str(tmp_path))
    use_ladder(run)
    lm = load("testbed", "cpu")
    assert lm.model.config.hidden_size == 16
    assert lm.name == "testbed"
    assert (tmp_path / "gpu-testbed" / "testbed" / "models" / "testbed-30m" / models.WEIGHTS).is_file()
    use_ladder(start("cot_decoding", profile="cpu", device="cpu", results_dir=str(tmp_path)))
    assert load("testbed", "cpu").model.config.hidden_size == 128


def test_each_is_trained_once_with_what_it_starts_from(small, tmp_path):
    grown.use(tmp_path)
    folder = grown.folder("testbed-tuned")
    assert small == ["testbed-30m-tuned", "testbed-30m"]
    assert grown.folder("testbed-tuned") == folder
    assert grown.folder("testbed") == tmp_path / "testbed-30m"
    assert len(small) == 2
    assert grown.card("testbed")["name"] == "testbed-30m"
    assert grown.card("testbed")["steps"] == 3
    assert study.loss_curves(["testbed"])["testbed"]["step"].tolist() == [3]


def test_another_recipe_is_trained_anew(small, monkeypatch, tmp_path):
    grown.use(tmp_path)
    grown.folder("testbed")
    monkeypatch.setitem(grown.LARGER, "testbed-30m", replace(TINY, steps=1))
    grown.folder("testbed")
    assert small == ["testbed-30m"] * 2
    assert grown.card("testbed")["steps"] == 1


def test_killed_training_goes_on_and_ends_the_same(small, monkeypatch, tmp_path):
    monkeypatch.setattr(training, "CHUNK", 1)
    whole = tmp_path / "whole"
    grown.use(whole)
    grown.folder("testbed")
    step, calls = training._step, []

    def killed(*given):
        calls.append(given[-1])
        if calls == [0, 1]:
            raise KeyboardInterrupt
        return step(*given)

    monkeypatch.setattr(training, "_step", killed)
    grown.use(tmp_path / "killed")
    with pytest.raises(KeyboardInterrupt):
        grown.folder("testbed")
    grown.folder("testbed")
    assert calls == [0, 1, 1, 2]
    weights = [(home / "testbed-30m" / models.WEIGHTS).read_bytes() for home in (whole, tmp_path / "killed")]
    assert weights[0] == weights[1]


def test_state_of_a_large_model_is_kept_less_often(small, monkeypatch, tmp_path):
    monkeypatch.setattr(training, "CHUNK", 1)
    monkeypatch.setattr(training, "PARAMETERS_A_CHUNK", 5_000)  # of about 12,500
    kept = []
    monkeypatch.setattr(training.State, "keep", lambda self, model, steppers, rows: kept.append(len(rows)))
    grown.use(tmp_path)
    grown.folder("testbed")
    assert kept == [2]


def test_larger_models_need_a_folder_by_hand():
    with pytest.raises(InputError, match="--out"):
        training.train("testbed-30m")


def test_every_base_of_the_alignment_papers_has_rates(tmp_path):
    grown.use(tmp_path)
    for name in ("testbed-small", "testbed", "testbed-large"):
        assert grown.in_force(name) in alignment.BASES


def test_loss_in_bfloat16_is_close(core, drawn, monkeypatch):
    """What a GPU computes in, tried on the CPU: the same loss to three digits."""
    batch = next(packing.batches(core, iter(drawn), replace(TINY, row_tokens=160)))
    model = training.new_model(TINY, core, seed=1)
    plain = training.loss_of(model, batch).item()
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(input_ids=batch.ids, position_ids=batch.positions, use_cache=False).logits
    assert logits.dtype == torch.bfloat16
    half = SimpleNamespace(logits=logits)
    monkeypatch.setattr(type(model), "__call__", lambda self, **given: half)
    loss = training.loss_of(model, batch)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(plain, rel=1e-3)
