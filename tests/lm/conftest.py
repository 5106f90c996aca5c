"""Tiny random models of several architectures, saved and loaded like any other."""

import functools
import tempfile
from pathlib import Path

import pytest
import torch

ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .,:?!=+-*/\n"
SMALL = {
    "vocab_size": 263,  # that of the tokenizer
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "initializer_range": 0.4,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": None,
}
ARCHITECTURES = ("llama", "mistral", "mistral-window", "qwen2", "gemma", "gpt2", "phi")


def make_tokenizer():
    """Return a byte-level tokenizer of 259 ids and a few merges; no pad token."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate(["<unk>", "<s>", "</s>", *letters])}
    merges = [("Q", ":"), ("Ċ", "Q"), ("Ġ", "a"), ("o", "n")]
    for left, right in merges:
        vocabulary[left + right] = len(vocabulary)
    tokenizer = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(t, special=True) for t in ("<unk>", "<s>", "</s>")])
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>"
    )


def make_config(architecture: str, **changes):
    """Return the configuration of a tiny model."""
    import transformers as hf

    base = SMALL | changes
    if architecture == "gpt2":
        names = {"hidden_size": "n_embd", "num_hidden_layers": "n_layer", "num_attention_heads": "n_head"}
        options = {names.get(k, k): v for k, v in base.items()}
        options["n_positions"] = options.pop("max_position_embeddings")
        for unused in ("intermediate_size", "num_key_value_heads"):
            options.pop(unused)
        return hf.GPT2Config(**options, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0)
    kinds = {
        "llama": lambda: hf.LlamaConfig(**base),
        "mistral": lambda: hf.MistralConfig(**base, sliding_window=None),
        "mistral-window": lambda: hf.MistralConfig(**base, sliding_window=7),
        "qwen2": lambda: hf.Qwen2Config(**base),
        "gemma": lambda: hf.GemmaConfig(**base, head_dim=8),
        "gemma2": lambda: hf.Gemma2Config(**base, head_dim=8, final_logit_softcapping=5.0, sliding_window=9),
        "granite": lambda: hf.GraniteConfig(**base, logits_scaling=3.0),
        "phi": lambda: hf.PhiConfig(**base),
    }
    return kinds[architecture]()


def save(folder: Path, architecture: str, **changes) -> Path:
    """Save a random model and its tokenizer in `folder`."""
    from transformers import AutoModelForCausalLM

    torch.manual_seed(3)
    model = AutoModelForCausalLM.from_config(make_config(architecture, **changes))
    model.save_pretrained(folder)
    make_tokenizer().save_pretrained(folder)
    return folder


@functools.cache
def language_model(architecture: str, **changes):
    """Return a loaded tiny model; made once per session of tests."""
    from replication.lm.loading import load

    with tempfile.TemporaryDirectory() as folder:
        return load(str(save(Path(folder), architecture, **changes)))


@pytest.fixture(scope="session")
def make_lm():
    """Factory of loaded tiny models: `make_lm("llama")`."""
    torch.set_num_threads(1)
    return language_model


@pytest.fixture(scope="session")
def save_lm():
    """Factory of saved tiny models: `save_lm(folder, "llama")`."""
    return save


@pytest.fixture(scope="session", params=ARCHITECTURES)
def lm(request):
    """A tiny random model of each architecture."""
    torch.set_num_threads(1)
    return language_model(request.param)


@pytest.fixture(scope="session")
def prompts(make_lm):
    """Prompts of different lengths."""
    texts = ("Q: 1+1?\nA:", "Tom has 12 pears", "x", "Q: who?\nA: on and on", "1,2,3,4,5,6,7,8")
    return [make_lm("llama").encode(text) for text in texts]


@pytest.fixture(scope="session")
def greedy():
    """Function that continues one prompt by transformers' own greedy `generate`: new ids."""

    def run(lm, prompt, max_new_tokens):
        ids = torch.tensor([prompt])
        output = lm.model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            num_beams=1,
            max_new_tokens=max_new_tokens,
            pad_token_id=lm.pad_id,
            suppress_tokens=list(range(lm.choices, lm.width)),
        )
        return output[0, ids.shape[1] :].tolist()

    return run
