"""Tiny random models, preference pairs, and models of letters that judge sums of token ids.

With the latter both right and wrong rollouts occur.
"""

import os

import numpy as np
import pytest
import torch

# The trainers read logs and set seeds; nothing of it may look for a network or draw progress bars.
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
        "bos_token_id": 1,
        "eos_token_id": 2,
    }
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LlamaForCausalLM(LlamaConfig(**settings | changes))


def new_tokenizer(vocabulary=VOCABULARY):
    """Return a tokenizer of whole words w3, w4, ... behind pad, bos, eos."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = {"<pad>": 0, "<s>": 1, "</s>": 2} | {f"w{i}": i for i in range(3, vocabulary)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="<pad>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", bos_token="<s>", eos_token="</s>"
    )


@pytest.fixture
def make_model():
    """Factory of random models by seed."""
    return new_model


@pytest.fixture(scope="session")
def tokenizer():
    """A tokenizer of whole words."""
    return new_tokenizer()


@pytest.fixture(scope="session")
def make_lm():
    """Factory of random models with a tokenizer, by seed."""
    from replication.lm.loading import LanguageModel

    def make(seed=0, vocabulary=VOCABULARY, **changes):
        model = new_model(seed, vocabulary, **changes).eval().requires_grad_(False)
        return LanguageModel(model, new_tokenizer(vocabulary), f"tiny-{seed}", f"{seed:016d}")

    return make


@pytest.fixture(scope="session")
def save_model(tmp_path_factory):
    """Factory of saved random models with a tokenizer: the folder."""

    def save(seed=0, vocabulary=VOCABULARY):
        folder = tmp_path_factory.mktemp("models") / f"tiny-{seed}-{vocabulary}"
        new_model(seed, vocabulary).save_pretrained(folder)
        new_tokenizer(vocabulary).save_pretrained(folder)
        return str(folder)

    return save


def new_pairs(number=6, seed=0, even=False):
    """Return random pairs with weights, their texts of different lengths unless `even`."""
    from replication.alignment.preferences import Pair

    draw = np.random.default_rng(seed)

    def ids(n):
        return tuple(int(i) for i in draw.integers(3, VOCABULARY, n))

    pairs = []
    for i in range(number):
        sizes = (4, 5, 6) if even else (3 + i % 4, 4 + i % 3, 3 + (i * 2) % 5)
        rejected = (*ids(sizes[2]), 2)
        weights = tuple(float(w) for w in draw.uniform(0.05, 0.95, len(rejected)))
        pairs.append(Pair(f"q{i}", ids(sizes[0]), (*ids(sizes[1]), 2), rejected, weights))
    return tuple(pairs)


@pytest.fixture
def make_pairs():
    """Factory of random pairs."""
    return new_pairs


@pytest.fixture(scope="session")
def pair_rows():
    """Factory of random pairs as rows of a file."""

    def rows(number=6):
        return [
            {"prompt": list(p.prompt), "chosen": list(p.chosen), "rejected": list(p.rejected),
             "rejected_weights": list(p.weights)}
            for p in new_pairs(number)
        ]  # fmt: skip

    return rows


EOS, WIDTH = 0, 24


def letter_tokenizer(width=WIDTH):
    """One token per letter; no text is tokenised."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = ["</s>", *(chr(ord("a") + i) for i in range(width - 1))]
    core = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="</s>"))
    core.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    core.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(tokenizer_object=core, eos_token="</s>", pad_token="</s>")


LETTER_SIZES = {
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


def new_letter_lm(seed=0, window=None):
    """Return a random model; with a window, one that sees no further."""
    from transformers import LlamaConfig, LlamaForCausalLM, MistralConfig, MistralForCausalLM

    from replication.lm.loading import LanguageModel

    torch.manual_seed(seed)
    if window is None:
        model = LlamaForCausalLM(LlamaConfig(**LETTER_SIZES))
    else:
        model = MistralForCausalLM(MistralConfig(**LETTER_SIZES, sliding_window=window))
    return LanguageModel(model.eval().requires_grad_(False), letter_tokenizer(), "tiny", "0" * 16)


@pytest.fixture(scope="session")
def make_letter_lm():
    """Factory of tiny random models by seed."""
    return new_letter_lm


@pytest.fixture(scope="session")
def letter_lm():
    """A tiny random model."""
    return new_letter_lm()


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
