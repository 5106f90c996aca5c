"""Tiny random models of many architectures, saved like any other model, for tests of several folders."""

from functools import cache
from pathlib import Path

ARCHITECTURES = ("llama", "mistral", "qwen2", "qwen3", "gemma", "phi", "gpt2", "olmo")
WORLDS = ("stories", "parity", "expressions", "coins", "lies", "counting")
ENDS = 5
SMALL = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "pad_token_id": None,
}
TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}{% endfor %}"
    "{% if add_generation_prompt %} [reply]{% endif %}"
)


def make_config(architecture: str, **changes):
    """Return the configuration of a tiny model; changes under Llama's names."""
    import transformers as hf

    base = SMALL | changes
    if architecture == "gpt2":
        names = {"hidden_size": "n_embd", "num_hidden_layers": "n_layer", "num_attention_heads": "n_head",
                 "max_position_embeddings": "n_positions"}  # fmt: skip
        base = {names.get(k, k): v for k, v in base.items()}
        for unused in ("intermediate_size", "num_key_value_heads"):
            base.pop(unused)
        return hf.GPT2Config(**base, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0)
    kinds = {
        "llama": lambda: hf.LlamaConfig(**base),
        "mistral": lambda: hf.MistralConfig(**base, sliding_window=None),
        "mistral-window": lambda: hf.MistralConfig(**base, sliding_window=7),
        "qwen2": lambda: hf.Qwen2Config(**base),
        "qwen3": lambda: hf.Qwen3Config(**base, head_dim=8),
        "gemma": lambda: hf.GemmaConfig(**base, head_dim=8),
        "gemma2": lambda: hf.Gemma2Config(**base, head_dim=8, final_logit_softcapping=5.0, sliding_window=9),
        "granite": lambda: hf.GraniteConfig(**base, logits_scaling=3.0),
        "phi": lambda: hf.PhiConfig(**base),
        "olmo": lambda: hf.OlmoConfig(**base),
    }
    return kinds[architecture]()


@cache
def _trained(bos: bool, pad: bool, size: int) -> str:
    """Return a byte-level tokenizer of the worlds' questions and prompts, as JSON."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    from replication.tasks import load_task

    texts = []
    for task in map(load_task, WORLDS):
        texts += [task.prompt(question, "few_shot_cot") for question in task.questions("test", 30, 5)]
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    special = ["</s>", *(["<s>"] if bos else []), *(["<pad>"] if pad else [])]
    core.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=size, special_tokens=special, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    ))  # fmt: skip
    if bos:
        core.post_processor = processors.TemplateProcessing(
            single="<s> $A", special_tokens=[("<s>", core.token_to_id("<s>"))]
        )
    return core.to_str()


def make_tokenizer(bos: bool = True, pad: bool = False, size: int = 512, template: str = ""):
    """Return a tokenizer whose ids are few on the worlds' texts; EOS is id 0."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(_trained(bos, pad, size)),
        eos_token="</s>",
        bos_token="<s>" if bos else None,
        pad_token="<pad>" if pad else None,
    )
    if template:
        tokenizer.chat_template = template
    return tokenizer


def save(folder: Path, architecture: str, tokenizer=None, padding: int = 0, **changes) -> Path:
    """Save a random model with its tokenizer; one id in `ENDS` ends a text, so that answers are short.

    Args:
        folder: made here.
        architecture: of `make_config`.
        tokenizer: by default one with BOS and without a pad token.
        padding: ids of the model beyond the tokenizer's.
        **changes: of the configuration.
    """
    import torch
    from transformers import AutoModelForCausalLM

    tokenizer = tokenizer or make_tokenizer()
    ids = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    config = make_config(architecture, vocab_size=len(tokenizer) + padding, max_position_embeddings=1024,
                         initializer_range=0.3, **ids | changes)  # fmt: skip
    torch.manual_seed(3)
    model = AutoModelForCausalLM.from_config(config)
    model.generation_config.eos_token_id = list(range(tokenizer.eos_token_id, len(tokenizer), ENDS))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return Path(folder)

