"""The size of a model, found without loading weights: a folder's headers, facts, or a configuration."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from replication.settings import InputError, split_model

FACTS = Path(__file__).with_name("facts.toml")
HEADER = 8  # bytes before a safetensors header that say its length


@dataclass(frozen=True)
class Shape:
    """What a model's cost depends on.

    Attributes:
        name: what the model is called.
        parameters: all of them.
        layers: Transformer layers.
        hidden: width.
        keys: width of a layer's keys, and of its values.
        vocabulary: ids.
    """

    name: str
    parameters: int
    layers: int
    hidden: int
    keys: int
    vocabulary: int

    @property
    def mark(self) -> str:
        """The text by which counts of work tell models apart, see `replication.lm.meter.shape_of`."""
        return f"{self.layers}x{self.hidden}x{self.vocabulary}"

    def cache_bytes(self, width: int = 2) -> int:
        """Return the bytes of one position's keys and values, at `width` bytes a number."""
        return 2 * self.layers * self.keys * width


@cache
def facts() -> Mapping[str, Any]:
    """Return machines, models and tasks as `facts.toml` states them."""
    return tomllib.loads(FACTS.read_text(encoding="utf-8"))


def shape(name: str) -> Shape:
    """Return the shape of a testbed model (shipped or larger), a folder, a known model or any hub id.

    Only for a hub id that is not among the facts are transformers and, unless its configuration is on this
    machine, the network needed; weights never are. Options of loading change nothing here.

    Raises:
        InputError: no such model, or a configuration that cannot be had or read.
    """
    from replication.testbed import grown, models

    name = split_model(name)[0]
    if name in grown.LARGER:
        recipe = grown.LARGER[name]
        return of_llama(name, recipe.width, recipe.layers, recipe.vocabulary)
    if name in models.names():
        return of_folder(models.folder(name), name)
    if Path(name).expanduser().is_dir():
        return of_folder(Path(name).expanduser(), name)
    if known := facts()["models"].get(name.partition("@")[0]):
        return Shape(name, **known)
    return of_configuration(name)


def of_llama(name: str, width: int, layers: int, vocabulary: int) -> Shape:
    """Return the shape of a model of the testbed's kind, embeddings tied, from its recipe."""
    inner = width * 8 // 3
    layer = 4 * width**2 + 3 * width * inner + 2 * width
    return Shape(name, layers * layer + vocabulary * width + width, layers, width, width, vocabulary)


def of_folder(folder: Path, name: str) -> Shape:
    """Return the shape of a saved model, its parameters counted in the headers of its safetensors files.

    Raises:
        InputError: no configuration, no weights, or damaged ones.
    """
    try:
        content = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        files = sorted(folder.glob("*.safetensors"))
        parameters = sum(map(_counted, files))
    except (OSError, ValueError, OverflowError, KeyError) as error:
        raise InputError(f"The size of {name} cannot be read ({error}): copy the model again.") from error
    if not parameters:
        raise InputError(f"The folder {folder} holds no safetensors weights: copy the whole model.")
    return _shape(name, parameters, content)


def of_configuration(name: str) -> Shape:
    """Return the shape of a hub id from its configuration alone: the model is built without storage.

    Raises:
        InputError: the configuration cannot be had, or is not that of a causal language model.
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    hub, _, revision = name.partition("@")
    try:
        config = AutoConfig.from_pretrained(hub, revision=revision or "main", trust_remote_code=False)
        with torch.device("meta"):
            model = AutoModelForCausalLM.from_config(config)
    except (OSError, ValueError, KeyError, ImportError, RuntimeError) as error:
        known = ", ".join(facts()["models"])
        raise InputError(
            f"The configuration of {name!r} is not on this machine and could not be had: connect to the "
            f"network once, give a folder, or plan with a model of similar size that needs neither ({known})."
        ) from error
    return _shape(name, model.num_parameters(), config.to_dict())


def _counted(file: Path) -> int:
    """Return the number of values in a safetensors file, from its header."""
    with file.open("rb") as handle:
        header = json.loads(handle.read(int.from_bytes(handle.read(HEADER), "little")))
    total = 0
    for tensor, about in header.items():
        if tensor != "__metadata__":
            values = 1
            for side in about["shape"]:
                values *= side
            total += values
    return total


def _shape(name: str, parameters: int, content: Mapping[str, Any]) -> Shape:
    """Return a shape from a configuration, under any of the names that model families use."""

    def first(*keys: str) -> int:
        return next((int(content[key]) for key in keys if content.get(key)), 0)

    hidden, heads = first("hidden_size", "n_embd", "d_model"), first("num_attention_heads", "n_head")
    layers = first("num_hidden_layers", "n_layer", "num_layers")
    if not (hidden and heads and layers):
        raise InputError(f"The configuration of {name} names no layers, width or heads: give a causal model.")
    head = first("head_dim") or hidden // heads
    keys = (first("num_key_value_heads") or heads) * head
    return Shape(name, parameters, layers, hidden, keys, first("vocab_size"))
