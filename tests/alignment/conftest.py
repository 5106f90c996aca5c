"""Tiny random models that judge sums of token ids, so that right and wrong rollouts both occur."""

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM

from replication.lm.loading import LanguageModel

EOS, WIDTH = 0, 24


def tokenizer_of(width=WIDTH):
    """One token per letter; no text is tokenised."""
    from transformers import PreTrainedTokenizerFast

    words = ["</s>", *(chr(ord("a") + i) for i in range(width - 1))]
    core = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="</s>"))
    core.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    core.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(tokenizer_object=core, eos_token="</s>", pad_token="</s>")


SIZES = {
    "vocab_size": WIDTH,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    "bos_token_id": None,
    "eos_token_id": EOS,
    "pad_token_id": EOS,
    "initializer_range": 0.5,
}


def new_lm(seed=0, window=None):
    """Return a random model; with a window, one that sees no further."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    if window is None:
        model = LlamaForCausalLM(LlamaConfig(**SIZES))
    else:
        model = MistralForCausalLM(MistralConfig(**SIZES, sliding_window=window))
    return LanguageModel(model.eval().requires_grad_(False), tokenizer_of(), "tiny", "0" * 16)


@pytest.fixture(scope="session")
def make_lm():
    """Factory of tiny random models by seed."""
    return new_lm


@pytest.fixture(scope="session")
def lm():
    """A tiny random model."""
    return new_lm()


def judge(text):
    """Tell whether a text is right: an arbitrary property that few continuations have."""
    return sum(map(ord, text)) % 5 == 0


@pytest.fixture(scope="session")
def make_trajectories():
    """Function that gives responses of a model by sampling, those judged wrong."""
    from replication.alignment.rollouts import Trajectory
    from replication.lm.engine import generate

    def make(lm, count=4, seed=0, judge=judge):
        prompts = [[1 + (i + j) % (WIDTH - 1) for j in range(3 + i % 3)] for i in range(8 * count)]
        table = generate(lm, prompts, do_sample=True, max_new_tokens=9, seed=seed)
        rows = zip(prompts, table["tokens"], table["text"], strict=True)
        wrong = [(p, tokens.tolist()) for p, tokens, text in rows if len(tokens) > 3 and not judge(text)]
        return [Trajectory(f"w{i}", *pair, judge) for i, pair in enumerate(wrong[:count])]

    return make
