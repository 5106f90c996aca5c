"""A causal language model with its tokenizer, ready for scoring and generation."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replication.lm.locating import TOKENIZER_FILES, Source, check, commit, locate, weight_files
from replication.lm.transfers import trouble
from replication.settings import InputError

if TYPE_CHECKING:
    import torch

__all__ = ["LanguageModel", "check", "load"]

DTYPES = ("auto", "float32", "float64", "float16", "bfloat16")
LOAD_ERRORS = (OSError, ValueError, KeyError, ImportError, RuntimeError)
WHOLE_FILE = 200 * 2**20
SAMPLE = 2**20
SAMPLES = 8
# Position tables that end: beyond them the forward pass fails, where rotary positions merely get worse.
POSITION_TABLES = ("wpe", "embed_positions", "position_embeddings", "position_embedding")


@dataclass(frozen=True)
class LanguageModel:
    """A model in evaluation mode and its tokenizer.

    Attributes:
        model: a transformers causal language model.
        tokenizer: its tokenizer, padding on the left.
        name: what the caller asked for.
        fingerprint: 16 hexadecimal digits that change with configuration, weights or tokenizer.
    """

    model: Any
    tokenizer: Any
    name: str
    fingerprint: str

    @property
    def device(self) -> "torch.device":
        """Device of the weights."""
        return self.model.device

    @cached_property
    def vocabulary(self) -> int:
        """Number of ids of the tokenizer, added ones included; the model's logits may be padded beyond it."""
        return len(self.tokenizer)

    @property
    def vocab_size(self) -> int:
        """Number of ids that the tokenizer can produce, as `vocabulary`."""
        return self.vocabulary

    @cached_property
    def width(self) -> int:
        """Number of ids that the model accepts."""
        return self.model.get_input_embeddings().weight.shape[0]

    @cached_property
    def eos_ids(self) -> frozenset[int]:
        """Ids that end a text, from the generation settings, else the configuration, else the tokenizer."""
        sources = (self.model.generation_config, self.model.config, self.tokenizer)
        values = (getattr(source, "eos_token_id", None) for source in sources)
        found = next((value for value in values if value is not None), ())
        return frozenset([found] if isinstance(found, int) else found)

    @cached_property
    def pad_id(self) -> int:
        """Id that fills rows on the left: the tokenizer's pad token, else EOS, else unknown, else 0.

        Padding is masked, so the choice changes no result; the vocabulary is left as it is.
        """
        special = (self.tokenizer.pad_token_id, *sorted(self.eos_ids), self.tokenizer.unk_token_id)
        return next((int(i) for i in special if i is not None and 0 <= i < self.width), 0)

    @cached_property
    def context(self) -> int | None:
        """Number of positions of a learnt table; None when positions are unlimited (rotary, ALiBi)."""
        import torch

        limit = getattr(self.model.config, "max_position_embeddings", None)
        for name, module in self.model.named_modules():
            if isinstance(module, torch.nn.Embedding) and name.rpartition(".")[2] in POSITION_TABLES:
                return limit or module.num_embeddings
        return None

    def encode(self, text: str, chat: bool = False) -> list[int]:
        """Return the ids of a text.

        Args:
            text: any text.
            chat: False: special tokens as the tokenizer adds them by default. True: the text becomes one user
                turn of the chat template, which places the special tokens itself.

        Raises:
            InputError: the tokenizer has no chat template.
        """
        if not chat:
            return list(self.tokenizer(text)["input_ids"])
        if not self.tokenizer.chat_template:
            raise InputError(
                f"The tokenizer of {self.name} has no chat template: use a tuned model or chat=False."
            )
        turn = [{"role": "user", "content": text}]
        rendered = self.tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True)
        return list(self.tokenizer(rendered, add_special_tokens=False)["input_ids"])

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids: special tokens left out, spaces untouched."""
        ids = [int(i) for i in ids]
        return self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)


def load(name_or_path: str, device: str = "cpu", dtype: str = "auto", revision: str = "") -> LanguageModel:
    """Return a model ready for use: evaluation mode, no gradients, safetensors only, no foreign code.

    Args:
        name_or_path: name of a testbed model, a folder, or a hub id, "org/name" or "org/name@revision".
        device: a torch device, such as "cpu", "cuda" or "cuda:1".
        dtype: "auto" is bfloat16 on CUDA and float32 elsewhere; or one of `DTYPES`.
        revision: branch, tag or commit of a hub id.

    Raises:
        InputError: the model cannot be found or fetched, is gated, incomplete, or not a causal language
        model; unknown dtype.
    """
    if dtype not in DTYPES:
        raise InputError(f"Unknown dtype {dtype!r}: choose one of {', '.join(DTYPES)}.")
    source = locate(name_or_path, revision)
    import torch
    from safetensors import SafetensorError
    from transformers import AutoModelForCausalLM, AutoTokenizer

    if dtype == "auto":
        dtype = "bfloat16" if str(device).startswith("cuda") else "float32"
    options: dict[str, Any] = {"local_files_only": source.offline, "trust_remote_code": False}
    if source.revision:
        options["revision"] = source.revision
    try:
        with _quiet():
            tokenizer = AutoTokenizer.from_pretrained(source.location, padding_side="left", **options)
            model, report = AutoModelForCausalLM.from_pretrained(
                source.location,
                dtype=getattr(torch, dtype),
                use_safetensors=True,
                output_loading_info=True,
                **options,
            )
    except Exception as error:
        if why := trouble(error):
            raise InputError(
                f"The model {name_or_path!r} could not be fetched, {why}: "
                "run the same command again, whole files are kept."
            ) from error
        if not isinstance(error, (*LOAD_ERRORS, SafetensorError)):
            raise
        raise InputError(f"The model {name_or_path!r} cannot be loaded: {_first_line(error)}") from error
    # The library would start from random values with no more than a warning.
    if missing := sorted(report["missing_keys"]):
        raise InputError(
            f"The weights of {name_or_path!r} lack {len(missing)} tensors, {missing[0]} for one: "
            "copy the whole model, or give one that its config.json describes."
        )
    model = model.to(device).eval().requires_grad_(False)
    return LanguageModel(model, tokenizer, str(name_or_path), _fingerprint(source))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's progress bars out of notebooks while a model is loaded."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _first_line(error: Exception) -> str:
    """Return the first non-empty line of an error's text, or its kind."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def _fingerprint(source: Source) -> str:
    """Return 16 hexadecimal digits: the files' content for a folder, the commit for a loaded hub model."""
    if not source.folder:
        return hashlib.sha256(f"{source.location}@{commit(source)}".encode()).hexdigest()[:16]
    folder = Path(source.location)
    # The order of keys and the version that saved a configuration change nothing, so they are left out.
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    settings = {
        key: value for key, value in settings.items() if key not in ("transformers_version", "_name_or_path")
    }
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode())
    extra = (
        "generation_config.json",
        "tokenizer_config.json",
        "special_tokens_map.json",
        "chat_template.jinja",
    )
    names = (*extra, *TOKENIZER_FILES, "merges.txt", "added_tokens.json")
    for file in [*weight_files(folder), *(folder / name for name in names)]:
        if file.is_file():
            digest.update(f"\n{file.name}\n".encode())
            digest.update(_file_digest(file))
    return digest.hexdigest()[:16]


def _file_digest(path: Path) -> bytes:
    """Return the SHA-256 of a file; above `WHOLE_FILE` bytes, of its size, header and samples."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= WHOLE_FILE:
            return hashlib.file_digest(file, "sha256").digest()
        digest = hashlib.sha256(str(size).encode())
        # A safetensors file opens with the length of its header (8 bytes, little endian): names, shapes,
        # offsets.
        length = int.from_bytes(file.read(8), "little")
        digest.update(file.read(min(length, 64 * SAMPLE)))
        for place in range(SAMPLES):
            file.seek((size - SAMPLE) * place // (SAMPLES - 1))
            digest.update(file.read(SAMPLE))
        return digest.digest()
