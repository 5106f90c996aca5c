"""Recipes, folders, cards and checksums of the testbed models."""

import hashlib
import json

import pytest
import torch

from replication.settings import InputError
from replication.testbed import models


class Vocabulary:
    """As much of a tokenizer as the shape of a model needs."""

    pad_token_id, bos_token_id, eos_token_id = 0, 1, 2

    def __len__(self):
        return 2048


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """Two models with cards in a folder of their own."""
    monkeypatch.setattr(models, "CHECKPOINTS", tmp_path)
    two = {name: models.RECIPES[name] for name in ("testbed-small", "testbed")}
    monkeypatch.setattr(models, "RECIPES", two)
    for name in two:
        folder = tmp_path / name
        folder.mkdir()
        (folder / models.WEIGHTS).write_bytes(name.encode())
        (folder / "config.json").write_text("{}")
        models.write_card(folder, {"name": name})
    return tmp_path


@pytest.mark.parametrize(
    ("name", "millions"), [("testbed-small", 0.3), ("testbed", 1.0), ("testbed-large", 3.0)]
)
def test_ladder_has_its_sizes(name, millions):
    from replication.testbed import training

    with torch.device("meta"):
        model = training.new_model(models.recipe(name), Vocabulary(), seed=0)
    assert model.num_parameters() / 1e6 == pytest.approx(millions, rel=0.1)


def test_recipes_cover_the_ladder_and_the_controls():
    assert models.names()[:4] == ("testbed-small", "testbed", "testbed-large", "testbed-tuned")
    fractions = [models.recipe(name).mix.cot_fraction for name in models.names() if "control" in name]
    assert fractions == list(models.CONTROL_FRACTIONS)
    assert models.recipe("testbed-tuned").init == "testbed"
    for name in models.names():
        mix = models.recipe(name).mix
        outside = mix.worked + mix.equations + mix.biographies + mix.noise
        assert mix.qa + outside == pytest.approx(1)


def test_models_whose_truth_is_known_read_the_ladder_only():
    own = {name for name in models.names() if models.reads_ladder(name)}
    assert own == {"testbed-small", "testbed", "testbed-large", "testbed-wide"}
    assert not models.reads_ladder("gpt2")


def test_models_that_read_about_the_persons():
    assert models.knows_people("testbed")
    assert models.knows_people("testbed-tuned")  # by the model that it was started from
    assert not any(models.knows_people(name) for name in ("control-08", "gpt2", ""))


def test_unknown_model_is_named_with_the_known_ones():
    with pytest.raises(InputError, match=r"'testbed-huge': choose one of testbed-small, testbed,"):
        models.recipe("testbed-huge")


def test_missing_checkpoint_says_how_to_make_it(tmp_path, monkeypatch):
    monkeypatch.setattr(models, "CHECKPOINTS", tmp_path)
    with pytest.raises(InputError, match="`python -m replication testbed train --size testbed-small`"):
        models.folder("testbed-small")
    with pytest.raises(InputError, match="Unknown testbed model"):
        models.folder("../testbed-small")


def test_card_has_the_facts_and_a_checksum_of_every_file(shipped):
    card = models.card("testbed")
    assert card["name"] == "testbed"
    assert set(card["sha256"]) == {models.WEIGHTS, "config.json"}
    assert card["sha256"][models.WEIGHTS] == hashlib.sha256(b"testbed").hexdigest()


def test_card_written_again_does_not_count_itself(shipped):
    models.write_card(shipped / "testbed", {"name": "testbed"})
    assert models.CARD not in models.card("testbed")["sha256"]


def test_verify_is_content_with_intact_files(shipped):
    assert models.verify() == []


def test_verify_names_changed_and_missing_files(shipped):
    (shipped / "testbed" / models.WEIGHTS).write_bytes(b"other")
    (shipped / "testbed-small" / "config.json").unlink()
    small, base = models.verify()
    assert small.startswith("testbed-small/config.json is missing")
    assert base.startswith("testbed/model.safetensors differs from its card")


def test_verify_names_missing_models_and_unreadable_cards(shipped):
    (shipped / "testbed" / models.WEIGHTS).unlink()
    (shipped / "testbed-small" / models.CARD).write_text("{")
    small, base = models.verify()
    assert small.startswith("The card of testbed-small cannot be read")
    assert "--size testbed`" in base


@pytest.mark.parametrize("text", [None, json.dumps({"name": "testbed"})])
def test_verify_names_cards_without_checksums(shipped, text):
    card = shipped / "testbed" / models.CARD
    card.unlink() if text is None else card.write_text(text)
    assert [problem.split(":")[0] for problem in models.verify()] == ["The card of testbed cannot be read"]
