"""Scripted and random tiny models, tokenizers of three kinds, and path records written by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from replication.lm.loading import LanguageModel
from replication.tasks.base import Task

EOS = "</s>"
IMPOSSIBLE = -1e4


def word_tokenizer(words):
    """Every word of the list is one token, spaces included; texts are put together without separators."""
    vocabulary = {word: index for index, word in enumerate([EOS, *words])}
    core = Tokenizer(models.WordLevel(vocabulary, unk_token=EOS))
    core.pre_tokenizer = pre_tokenizers.Split("|", "removed")
    core.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(tokenizer_object=core, eos_token=EOS, pad_token=EOS)


def byte_tokenizer():
    """Byte-level BPE in which some characters are split over tokens and one token crosses a border."""
    split = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    euro = split.pre_tokenize_str("€")[0][0]
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    merged = ["12", "3.", "Ġ1", euro[:2], euro[2] + "6"]
    merges = [(token[0], token[1]) for token in merged]
    vocabulary = {token: index for index, token in enumerate([EOS, *alphabet, *merged])}
    core = Tokenizer(models.BPE(vocabulary, merges))
    core.pre_tokenizer = split
    core.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=core, eos_token=EOS, pad_token=EOS)


def piece_tokenizer():
    """SentencePiece-like: leading spaces as U+2581, bytes as <0x..>, the first space of a text dropped."""
    words = ["\u2581", "\u2581The", "\u2581is", "\u25811", "1", "4", "8", ".", "The"]
    words += [f"<0x{byte:02X}>" for byte in range(256)]
    vocabulary = {word: index for index, word in enumerate([EOS, *words])}
    core = Tokenizer(models.BPE(vocabulary, [], byte_fallback=True))
    space, strip = decoders.Replace("\u2581", " "), decoders.Strip(" ", 1, 0)
    core.decoder = decoders.Sequence([space, decoders.ByteFallback(), decoders.Fuse(), strip])
    return PreTrainedTokenizerFast(tokenizer_object=core, eos_token=EOS, pad_token=EOS)


TOKENIZERS = {"word": word_tokenizer, "byte": byte_tokenizer, "piece": piece_tokenizer}


def llama(tokenizer, hidden, eos=0, **options):
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=1,
        num_attention_heads=options.pop("heads", 1),
        max_position_embeddings=256,
        bos_token_id=None,
        eos_token_id=eos,
        pad_token_id=0,
        tie_word_embeddings=False,
    )
    return LlamaForCausalLM(config).eval().requires_grad_(False)


def table_lm(tokenizer, table):
    """A Llama whose next-token logits depend on the last token: table[word] = {next word: logit}.

    Attention and feed-forward output zero, embeddings are one-hot: the head's columns are rows of the table.
    """
    size = len(tokenizer)
    hidden = size + size % 2
    model = llama(tokenizer, hidden)
    head = torch.full((size, hidden), IMPOSSIBLE)
    ids = tokenizer.get_vocab()
    for word, following in table.items():
        for other, logit in following.items():
            head[ids[other], ids[word]] = logit
    layer = model.model.layers[0]
    layer.self_attn.o_proj.weight.zero_()
    layer.mlp.down_proj.weight.zero_()
    model.model.embed_tokens.weight.copy_(1e3 * torch.eye(size, hidden))
    model.lm_head.weight.copy_(head / hidden**0.5)
    return LanguageModel(model, tokenizer, "table", "0" * 16)


def random_lm(tokenizer, seed=0, eos=0):
    torch.manual_seed(seed)
    model = llama(tokenizer, 16, eos, heads=2)
    model.lm_head.weight.mul_(40)
    return LanguageModel(model, tokenizer, "random", "1" * 16)


def record(text, branch=0, margin=0.5, question="q", finish="eos", tokens=None, tokenizer=None, **columns):
    """A path record in which every step has the same margin, unless top1 and top2 are given."""
    ids = tokenizer.get_vocab()
    tokens = np.array([ids[token] for token in (tokens or [*text, EOS])], dtype=np.int32)
    steps = len(tokens)
    top = (1 + margin) / 2
    base = {"top1": top, "top2": 1 - top, "logprob": np.log(top), "entropy": 0.5}
    arrays = {name: np.full(steps, value, dtype=np.float32) for name, value in base.items()}
    arrays |= {name: np.array(value, dtype=np.float32) for name, value in columns.items()}
    row = {"question": question, "branch": branch, "tokens": tokens, "text": text, "finish": finish}
    return row | arrays | {"prompt_tokens": 1, "branch_step": 0}


CHARACTERS = ["\n", *(chr(code) for code in range(32, 127))]


@pytest.fixture(scope="session")
def kit():
    """The helpers above, and a tokenizer with one token per character for records written by hand."""
    characters = word_tokenizer(CHARACTERS)
    tasks = {
        "number": Task("number", "number", None),
        "parity": Task("parity", "option", None, options=("even", "odd")),
        "yesno": Task("yesno", "yesno", None, options=("yes", "no")),
    }

    def path(text, branch=0, margin=0.5, **columns):
        return record(text, branch, margin, tokenizer=characters, **columns)

    return SimpleNamespace(
        tokenizers=TOKENIZERS,
        word_tokenizer=word_tokenizer,
        table_lm=table_lm,
        random_lm=random_lm,
        characters=characters,
        tasks=tasks,
        path=path,
        frame=lambda *rows: pd.DataFrame(list(rows)),
    )
