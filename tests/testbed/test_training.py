"""Loss of packed rows, schedule, and trainings that end the same way however often they are interrupted."""

import csv
import json
from dataclasses import replace
from itertools import islice

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional
from transformers import AutoModelForCausalLM, AutoTokenizer

from replication.settings import InputError
from replication.testbed import models, packing, training
from replication.testbed.models import Recipe

TINY = Recipe(16, 1, 2, steps=5, rate=1e-2, rows=2, row_tokens=96)


class Killed(Exception):
    """Stands for the end of the process."""


@pytest.fixture
def tiny(core, monkeypatch, tmp_path):
    """Train a tiny model in two chunks, the second one short; return its folder."""
    monkeypatch.setattr(training, "CHUNK", 3)
    monkeypatch.setattr(packing, "POOL", 32)
    monkeypatch.setattr(training, "VALIDATION_DOCUMENTS", 12)
    monkeypatch.setattr(training, "shared_tokenizer", lambda size: core)
    monkeypatch.setattr(training, "examine", lambda model, core: {"stories": {"greedy": 0.5}})

    def train(name, **options):
        return training.train("testbed-small", tmp_path / name, **{"recipe": TINY, **options})

    return train


@pytest.fixture
def model(core):
    """A model whose attention matters: random weights, larger than at the start of a training."""
    model = training.new_model(replace(TINY, layers=2), core, seed=3).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim == 2 and "embed" not in name:
                weight.mul_(20)
    return model.double()


@pytest.fixture
def batch(core, drawn):
    return next(packing.batches(core, iter(drawn), replace(TINY, row_tokens=160)))


def weights_of(folder):
    return (folder / models.WEIGHTS).read_bytes()


def curve(folder):
    """Return the rows of a training's losses.csv."""
    return list(csv.DictReader((folder / training.LOSSES).read_text().splitlines()))


def stop_at(monkeypatch, step):
    """Make the training fail when it comes to this step."""
    whole = training._step

    def cut(model, steppers, batch, recipe, number):
        if number == step:
            raise Killed
        return whole(model, steppers, batch, recipe, number)

    monkeypatch.setattr(training, "_step", cut)


# Loss


def test_loss_of_packed_rows_is_that_of_separate_documents(model, batch):
    total = weight = 0.0
    with torch.no_grad():
        for r, ids in enumerate(batch.ids):
            starts = (ids == 1).nonzero().flatten().tolist()
            ends = ((ids == 2).nonzero().flatten() + 1).tolist()
            assert len(starts) == len(ends) > 1
            for start, end in zip(starts, ends, strict=True):
                logits = model(input_ids=ids[None, start:end], use_cache=False).logits[0, :-1]
                losses = functional.cross_entropy(logits, ids[start + 1 : end], reduction="none")
                weights = batch.weights[r, start + 1 : end]
                total += (losses * weights).sum().item()
                weight += weights.sum().item()
        packed = training.loss_of(model, batch).item()
    assert packed == pytest.approx(total / weight, abs=1e-5)


def test_rows_read_as_one_document_would_have_another_loss(model, batch):
    running = torch.arange(batch.ids.shape[1]).expand_as(batch.ids)
    with torch.no_grad():
        packed, leaking = (
            training.loss_of(model, batch),
            training.loss_of(model, replace(batch, positions=running)),
        )
    assert abs(packed - leaking) > 1e-3


def test_loss_ignores_padding(model, batch):
    ids = batch.ids.clone()
    ids[batch.ids == 0] = 7
    with torch.no_grad():
        assert training.loss_of(model, replace(batch, ids=ids)) == training.loss_of(model, batch)


# Schedule and optimisers


@pytest.mark.parametrize("steps", [1, 3, 10, 400, 2000])
def test_schedule_rises_stays_and_falls(steps):
    shares = [training.schedule(step, steps) for step in range(steps)]
    assert all(0 < share <= 1 for share in shares)
    assert max(shares) == 1
    top = shares.index(1)
    assert shares[:top] == sorted(shares[:top])
    assert shares[top:] == sorted(shares[top:], reverse=True)


def test_schedule_of_a_long_training():
    assert training.schedule(0, 2000) == pytest.approx(1 / 50)
    assert training.schedule(49, 2000) == training.schedule(1200, 2000) == 1
    assert training.schedule(1600, 2000) == pytest.approx(0.5)
    assert training.schedule(1999, 2000) == pytest.approx(1 / 800)


def test_every_weight_has_one_optimiser_and_matrices_have_muon(core):
    model = training.new_model(TINY, core, 0)
    muon, adamw = (
        {id(p) for group in stepper.param_groups for p in group["params"]}
        for stepper in training.optimisers(model, 0.1)
    )
    assert not muon & adamw
    assert muon | adamw == {id(p) for p in model.parameters()}
    assert id(model.model.layers[0].mlp.up_proj.weight) in muon
    assert id(model.model.embed_tokens.weight) in adamw


def test_new_model_depends_on_the_seed_alone(core):
    before = torch.get_rng_state()
    first, same, other = (training.new_model(TINY, core, seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[name], same[name]) for name in first)
    assert not torch.equal(first["model.embed_tokens.weight"], other["model.embed_tokens.weight"])
    assert torch.equal(torch.get_rng_state(), before)


def test_validation_batch_holds_one_document_a_row(core, monkeypatch):
    monkeypatch.setattr(training, "VALIDATION_DOCUMENTS", 12)
    batch = training.validation_batch(core, TINY.mix)
    assert 6 <= len(batch.ids) <= 12
    assert ((batch.ids == core.bos_token_id).sum(1) == 1).all()
    assert set(batch.weights.unique().tolist()) == {0.0, 1.0}


# Whole trainings


@pytest.fixture
def whole(tiny):
    return tiny("whole")


def test_training_is_deterministic(tiny, whole):
    again = tiny("again")
    assert weights_of(again) == weights_of(whole)
    assert (again / training.LOSSES).read_text() == (whole / training.LOSSES).read_text()
    assert weights_of(tiny("other", seed=1)) != weights_of(whole)


@pytest.mark.parametrize("step", [1, 3, 4])
def test_killed_training_ends_with_the_same_weights(tiny, whole, monkeypatch, tmp_path, step):
    with monkeypatch.context() as patch:
        stop_at(patch, step)
        with pytest.raises(Killed):
            tiny("killed")
    assert (tmp_path / "killed" / training.STATE).exists() == (step >= 3)
    with monkeypatch.context() as patch:
        if step >= 3:
            stop_at(patch, 0)  # the first chunk is not trained again
        resumed = tiny("killed")
    assert weights_of(resumed) == weights_of(whole)
    assert (resumed / training.LOSSES).read_text() == (whole / training.LOSSES).read_text()
    assert not list(resumed.glob(f"{training.STATE}*"))


def test_training_killed_after_its_last_step_trains_no_further(tiny, whole, monkeypatch):
    def fail(*args):
        raise Killed

    for place in ("examine", "_step"):  # the second call has no step left to do
        with monkeypatch.context() as patch:
            patch.setattr(training, place, fail)
            if place == "examine":
                with pytest.raises(Killed):
                    tiny("killed")
            else:
                assert weights_of(tiny("killed")) == weights_of(whole)


@pytest.mark.parametrize("change", [{"seed": 1}, {"cot_fraction": 0.5}])
def test_state_of_another_run_is_not_taken_over(tiny, monkeypatch, change):
    with monkeypatch.context() as patch:
        stop_at(patch, 4)
        with pytest.raises(Killed):
            tiny("mixed")
    assert weights_of(tiny("mixed", **change)) == weights_of(tiny("apart", **change))


def test_saved_folder_loads_as_float32_though_stored_as_float16(core, whole):
    stored = load_file(whole / models.WEIGHTS)
    assert {tensor.dtype for tensor in stored.values()} == {torch.float16}
    model = AutoModelForCausalLM.from_pretrained(whole)
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    embedding = model.get_input_embeddings().weight
    assert embedding is model.get_output_embeddings().weight
    assert torch.equal(embedding, stored["model.embed_tokens.weight"].float())
    again = AutoTokenizer.from_pretrained(whole)
    assert again("Tom has 14.")["input_ids"] == core("Tom has 14.")["input_ids"]
    assert model.generation_config.eos_token_id == core.eos_token_id


def test_saved_folder_has_safetensors_and_a_card_but_no_pickle(whole):
    names = {path.name for path in whole.rglob("*")}
    assert {models.WEIGHTS, models.CARD, training.LOSSES, "config.json", "tokenizer.json"} <= names
    assert {name.rpartition(".")[2] for name in names} <= {"safetensors", "json", "csv"}
    card = json.loads((whole / models.CARD).read_text())
    assert set(card["sha256"]) == names - {models.CARD}
    assert card["sha256"][models.WEIGHTS] == models.checksum(whole / models.WEIGHTS)
    assert (card["steps"], card["tokens"], card["seed"]) == (5, 5 * 2 * 96, 0)
    assert card["accuracy"] == {"stories": {"greedy": 0.5}}
    assert card["recipe"]["width"] == 16


def test_saved_tokenizer_pads_nothing_though_the_examination_did(tiny, monkeypatch):
    def examine(model, core):
        core(["Tom", "Tom has 14."], padding=True)
        return {}

    monkeypatch.setattr(training, "examine", examine)
    saved = json.loads((tiny("padded") / "tokenizer.json").read_text())
    assert saved["padding"] is None


def test_losses_have_a_row_per_chunk_and_a_line_is_said_of_each(tiny):
    lines = []
    folder = tiny("loud", say=lines.append)
    rows = curve(folder)
    assert [int(row["step"]) for row in rows] == [3, 5]
    assert [int(row["tokens"]) for row in rows] == [3 * 192, 5 * 192]
    assert all(0 < float(row["loss"]) < 8 and 0 < float(row["validation"]) < 8 for row in rows)
    assert [line.partition(":")[0] for line in lines] == ["step 3/5", "step 5/5"]


def test_training_lowers_the_loss(tiny):
    folder = tiny("longer", steps=24)
    losses = [float(row["loss"]) for row in curve(folder)]
    assert losses[-1] < losses[0] - 0.3


def test_rerun_repeats_the_first_chunks_and_writes_nothing(tiny, whole, monkeypatch, tmp_path):
    monkeypatch.setattr(models, "RECIPES", {"tiny": TINY})
    shipped = [float(row["loss"]) for row in curve(whole)]
    before = set(tmp_path.rglob("*"))
    assert [row["loss"] for row in training.rerun("tiny", 1)] == shipped[:1]
    assert [row["loss"] for row in training.rerun("tiny", 9)] == shipped
    assert set(tmp_path.rglob("*")) == before


def test_recipe_may_start_from_another_checkpoint(tiny, whole, monkeypatch, tmp_path):
    monkeypatch.setattr(models, "CHECKPOINTS", tmp_path)
    monkeypatch.setattr(models, "RECIPES", {"whole": TINY})
    recipe = replace(TINY, init="whole", data_seed=1)
    model, core = training.first_model(recipe, seed=5)
    stored = load_file(whole / models.WEIGHTS)
    assert torch.equal(model.get_input_embeddings().weight, stored["model.embed_tokens.weight"].float())
    assert len(core) == 600
    assert weights_of(tiny("tuned", recipe=recipe)) != weights_of(whole)


@pytest.mark.parametrize(
    ("options", "message"), [({"steps": 0}, "at least 1 step"), ({"cot_fraction": 1.5}, "between 0 and 1")]
)
def test_impossible_wishes_are_refused_before_any_work(tiny, tmp_path, options, message):
    with pytest.raises(InputError, match=message):
        tiny("never", **options)
    assert not (tmp_path / "never").exists()


def test_tokenizer_is_trained_once_where_none_is_shipped(monkeypatch, tmp_path):
    monkeypatch.setattr(models, "CHECKPOINTS", tmp_path)
    monkeypatch.setattr(training, "TOKENIZER_DOCUMENTS", 60)
    first = training.shared_tokenizer()
    smaller = training.shared_tokenizer(300)
    assert len(smaller) == 300 < len(first)
    monkeypatch.setattr(training, "documents", lambda seed: islice((), 0))
    assert training.shared_tokenizer().get_vocab() == first.get_vocab()
    assert training.shared_tokenizer(300).get_vocab() == smaller.get_vocab()
