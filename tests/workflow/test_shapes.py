"""Sizes of models without their weights: recipes, folders' headers, known facts, configurations."""

import json

import pytest

from replication.settings import InputError
from replication.testbed import models
from replication.workflow import shapes


@pytest.mark.parametrize("name", ["testbed-small", "testbed", "testbed-large", "testbed-wide", "control-30"])
def test_shipped_models_are_as_their_cards_say(name):
    found = shapes.shape(name)
    assert found.parameters == models.card(name)["parameters"]
    assert found.parameters == shapes.of_llama(
        name, found.hidden, found.layers, found.vocabulary
    ).parameters  # the formula by which larger ones are counted before they are trained
    assert found.mark == f"{models.recipe(name).layers}x{models.recipe(name).width}x{found.vocabulary}"


def test_larger_models_need_no_training_to_be_sized():
    assert shapes.shape("testbed-100m").parameters == 98_182_784
    assert shapes.shape("testbed-30m").mark == "8x576x2048"


def test_known_models_need_no_network():
    mistral = shapes.shape("mistralai/Mistral-7B-v0.1")
    assert mistral.parameters == 7_241_732_096
    assert mistral.cache_bytes() == 2 * 32 * 1024 * 2  # keys and values of 8 heads of 128, bfloat16
    assert shapes.shape("mistralai/Mistral-7B-v0.1@main").parameters == mistral.parameters


def test_folder_is_sized_by_its_headers(tmp_path):
    content = json.loads((models.folder("testbed-small") / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match="no safetensors weights"):
        shapes.shape(str(tmp_path))
    weights = (models.folder("testbed-small") / models.WEIGHTS).read_bytes()
    (tmp_path / "model.safetensors").write_bytes(weights)
    assert shapes.shape(str(tmp_path)).parameters == models.card("testbed-small")["parameters"]
    (tmp_path / "model.safetensors").write_bytes(b"\xff" * 12)
    with pytest.raises(InputError, match="copy the model again"):
        shapes.shape(str(tmp_path))


def test_configuration_alone_gives_the_shape(monkeypatch, tmp_path):
    """What a hub id on this machine, or behind a network, goes through; a folder stands for the hub."""
    content = json.loads((models.folder("testbed") / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(content))
    found = shapes.of_configuration(str(tmp_path))
    assert found.parameters == models.card("testbed")["parameters"]
    assert found.mark == shapes.shape("testbed").mark
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(InputError, match="plan with a model of similar size"):
        shapes.of_configuration(str(tmp_path))


def test_options_of_loading_change_no_shape():
    assert shapes.shape("testbed?dtype=bfloat16&chat=true") == shapes.shape("testbed")
