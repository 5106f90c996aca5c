"""A tiny random model that writes digits, and experiments on it."""

import pytest
import torch
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from replication.decoding.experiment import Experiment
from replication.settings import Settings

EOS = "</s>"
SIZES = {"n_questions": 4, "n_small": 2, "k": 3, "samples": 3, "seeds": 2, "max_new_tokens": 6}


def digit_tokenizer():
    """One token per digit, sign and space; every other character reads as a space."""
    vocabulary = {token: index for index, token in enumerate([EOS, *"0123456789", "+", "=", " "])}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token=" "))
    core.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    core.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(tokenizer_object=core, eos_token=EOS, pad_token=EOS)


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """Folder of the model."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    tokenizer = digit_tokenizer()
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=512,
        bos_token_id=None,
        eos_token_id=0,
        pad_token_id=0,
        tie_word_embeddings=False,
    )
    torch.manual_seed(0)
    model = LlamaForCausalLM(config).requires_grad_(False)
    model.lm_head.weight.mul_(40)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.fixture
def experiment(tiny, tmp_path):
    """An experiment with the model on one-step stories, its records in a temporary folder."""
    return Experiment(
        Settings(
            paper="cot_decoding",
            profile="smoke",
            model=tiny,
            task="stories:level=1",
            data_dir="",
            seed=0,
            device="cpu",
            results=tmp_path / "results",
            default_task="stories:level=1",
            sizes=SIZES,
        )
    )
