"""Tiny random models and blocks for the tests of pretraining."""

import copy
import os

import pytest
import torch

# The Trainer reads logs and sets seeds; nothing of it may look for a network or draw progress bars.
os.environ.setdefault("HF_HUB_OFFLINE", "1")
VOCABULARY = 61


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    torch.set_num_threads(1)


def new_model(seed=0, vocabulary=VOCABULARY, **changes):
    """Return a random Llama of 2 layers."""
    from transformers import LlamaConfig, LlamaForCausalLM

    settings = {
        "vocab_size": vocabulary,
        "hidden_size": 16,
        "intermediate_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "max_position_embeddings": 64,
        "initializer_range": 0.4,
        "pad_token_id": 0,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LlamaForCausalLM(LlamaConfig(**settings | changes))


@pytest.fixture
def make_model():
    """Factory of random models by seed."""
    return new_model


@pytest.fixture(scope="session")
def rows():
    """Blocks of different lengths, some with targets left out."""
    generator = torch.Generator().manual_seed(5)
    blocks = []
    for i in range(16):
        ids = torch.randint(1, VOCABULARY, (12 - i % 3,), generator=generator).tolist()
        labels = [-100 if (i + j) % 7 == 0 else token for j, token in enumerate(ids)]
        blocks.append({"input_ids": ids, "labels": labels})
    return blocks


@pytest.fixture
def data(rows):
    """The blocks as a data set."""
    from datasets import Dataset

    return Dataset.from_list(copy.deepcopy(rows))
