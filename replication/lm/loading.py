"""A causal language model with its tokenizer, ready for scoring and generation."""

import hashlib
import importlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replication.lm import memory
from replication.lm.locating import TOKENIZER_FILES, Source, check, commit, locate, weight_files
from replication.lm.specification import DTYPES, Specification, specify
from replication.lm.transfers import trouble
from replication.settings import InputError, Settings

if TYPE_CHECKING:
    import torch

__all__ = ["LanguageModel", "check", "load", "use_ladder"]

LOAD_ERRORS = (OSError, ValueError, KeyError, ImportError, RuntimeError)
# What transformers says of a model that would need `trust_remote_code`.
FOREIGN_CODE = "contains custom code which must be executed"
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
        name: what the caller asked for, without options of loading.
        fingerprint: 16 hexadecimal digits that change with configuration, weights or tokenizer, and with
            options of loading that change numbers.
        chat: whether prompts go through the chat template.
    """

    model: Any
    tokenizer: Any
    name: str
    fingerprint: str
    chat: bool = False

    @property
    def device(self) -> "torch.device":
        """Device of the weights."""
        return self.model.device

    @cached_property
    def vocabulary(self) -> int:
        """Number of ids of the tokenizer, added ones and gaps included; no text has an id beyond it.

        Embedding and output layer may be padded beyond it; those logits are cut off before anything reads
        them.
        """
        return ids_of(self.tokenizer)

    @property
    def vocab_size(self) -> int:
        """Number of ids that the tokenizer can produce, as `vocabulary`."""
        return self.vocabulary

    @cached_property
    def width(self) -> int:
        """Number of ids that the model accepts."""
        return self.model.get_input_embeddings().weight.shape[0]

    @cached_property
    def choices(self) -> int:
        """Number of logits of a step: the model's, without those that no token of the tokenizer has."""
        return min(self.width, self.vocabulary)

    def real(self, logits: "torch.Tensor") -> "torch.Tensor":
        """Return the logits that tokens have, (..., `choices`), of all that the model gives, (..., width)."""
        return logits if logits.shape[-1] == self.choices else logits[..., : self.choices]

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
            ids = list(self.tokenizer(text)["input_ids"])
            return ids[: len(ids) - self._closing] if self._closing else ids
        return list(self.tokenizer(self._turn(text), add_special_tokens=False)["input_ids"])

    def prompt(self, text: str, start: str = "") -> list[int]:
        """Return the ids of a prompt, as one user turn where the model was asked for with chat=true.

        Args:
            text: any text.
            start: text that the answer is made to begin with.

        Raises:
            InputError: chat is wanted and the tokenizer has no chat template.
        """
        if not self.chat:
            return self.encode(text + start)
        return list(self.tokenizer(self._turn(text) + start, add_special_tokens=False)["input_ids"])

    def _turn(self, text: str) -> str:
        """Return the chat template's text of one user turn and the beginning of the answer."""
        if not self.tokenizer.chat_template:
            raise InputError(
                f"The tokenizer of {self.name} has no chat template: use a tuned model or chat=False."
            )
        turn = [{"role": "user", "content": text}]
        return self.tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True)

    @cached_property
    def _closing(self) -> int:
        """Number of special tokens that the tokenizer sets behind a text: a prompt must not end in EOS."""
        marked, plain = (self.tokenizer("a", add_special_tokens=x)["input_ids"] for x in (True, False))
        for place in range(len(marked) - len(plain), -1, -1):
            if marked[place : place + len(plain)] == plain:
                return len(marked) - len(plain) - place
        return 0

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids: special tokens left out, spaces untouched."""
        ids = [int(i) for i in ids]
        return self.tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)


def ids_of(tokenizer: Any) -> int:
    """Return the number of ids of a tokenizer: one more than the largest, so that gaps count."""
    return max(len(tokenizer), 1 + max(tokenizer.get_vocab().values(), default=-1))


def load(name_or_path: str, device: str = "cpu", dtype: str = "auto", revision: str = "") -> LanguageModel:
    """Return a model ready for use: evaluation mode, no gradients, safetensors only, no foreign code.

    Args:
        name_or_path: name of a testbed model, a folder, or a hub id, "org/name" or "org/name@revision";
            options of loading may follow a question mark (`replication.lm.specification`).
        device: a torch device, such as "cpu", "cuda" or "cuda:1"; not used where a device map is asked for.
        dtype: one of `DTYPES`; "auto" takes that of the model's text, else bfloat16 on CUDA and float32
            elsewhere.
        revision: branch, tag or commit of a hub id.

    Raises:
        InputError: the model cannot be found or fetched, is gated, incomplete, or not a causal language
            model; it does not fit into memory, or not to its tokenizer; an option or dtype that there is not.
    """
    if dtype not in DTYPES:
        raise InputError(f"Unknown dtype {dtype!r}: choose one of {', '.join(DTYPES)}.")
    asked = specify(name_or_path)
    source = locate(asked.name, revision)
    dtype = dtype if dtype != "auto" else asked.dtype
    if dtype == "auto":
        dtype = "bfloat16" if str(device).startswith("cuda") else "float32"
    memory.check(source, asked, dtype, str(device))
    from safetensors import SafetensorError
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    options: dict[str, Any] = {"local_files_only": source.offline, "trust_remote_code": False}
    if source.revision:
        options["revision"] = source.revision
    try:
        with _quiet():
            tokenizer = AutoTokenizer.from_pretrained(source.location, padding_side="left", **options)
            config = AutoConfig.from_pretrained(source.location, **options)
            _check_ids(asked.name, tokenizer, getattr(config.get_text_config(), "vocab_size", None))
            model, report = AutoModelForCausalLM.from_pretrained(
                source.location,
                use_safetensors=True,
                output_loading_info=True,
                **_placement(asked, dtype, str(device)),
                **options,
            )
    except InputError:
        raise
    except Exception as error:
        if why := trouble(error):
            raise InputError(
                f"The model {name_or_path!r} could not be fetched, {why}: "
                "run the same command again, whole files are kept."
            ) from error
        if not isinstance(error, (*LOAD_ERRORS, SafetensorError)):
            raise
        if FOREIGN_CODE in str(error):
            raise InputError(
                f"The model {name_or_path!r} needs program code that comes with it, and such code is never "
                "run: choose a model whose architecture and tokenizer transformers itself has."
            ) from error
        raise InputError(f"The model {name_or_path!r} cannot be loaded: {_first_line(error)}") from error
    # The library would start from random values with no more than a warning.
    if missing := sorted(report["missing_keys"]):
        raise InputError(
            f"The weights of {name_or_path!r} lack {len(missing)} tensors, {missing[0]} for one: "
            "copy the whole model, or give one that its config.json describes."
        )
    if not (asked.device_map or asked.quantised):
        model = model.to(device)
    mark = asked.fingerprint(_fingerprint(source))
    lm = LanguageModel(model.eval().requires_grad_(False), tokenizer, asked.name, mark, asked.chat)
    _check_ids(asked.name, tokenizer, lm.width)
    if lm.chat:
        lm.prompt("")  # a missing template is said here, before anything is run
    return lm


def use_ladder(settings: Settings) -> None:
    """Let the names of testbed models stand for the larger ones in a run of the profile for GPUs."""
    # Imported by name, as in `locating`: what a model was trained by decides nothing that its weights do not.
    grown = importlib.import_module("replication.testbed.grown")
    home = settings.run_dir / "testbed" / "models" if settings.profile == "gpu" else None
    grown.use(home, settings.device)


def _placement(asked: Specification, dtype: str, device: str) -> dict[str, Any]:
    """Return transformers' arguments for the kind and the place of the weights."""
    import torch

    chosen: dict[str, Any] = {"dtype": getattr(torch, dtype)}
    if asked.device_map or asked.quantised:
        chosen["device_map"] = asked.device_map or {"": device}
    if asked.quantised:
        from transformers import BitsAndBytesConfig

        chosen["quantization_config"] = BitsAndBytesConfig(
            load_in_8bit=asked.load_in_8bit,
            load_in_4bit=asked.load_in_4bit,
            bnb_4bit_compute_dtype=getattr(torch, dtype),
        )
    return chosen


def _check_ids(name: str, tokenizer: Any, width: int | None) -> None:
    """Raise `InputError` for a tokenizer with ids that the model has no embedding for.

    Special tokens may lie beyond, such as a pad token that the library adds: no text becomes them.
    """
    ids = ids_of(tokenizer)
    if width is None or ids <= width:
        return
    special = set(tokenizer.all_special_ids)
    if any(i >= width and i not in special for i in tokenizer.get_vocab().values()):
        raise InputError(
            f"The tokenizer of {name} has {ids} ids, its model takes {width}: give the tokenizer that "
            "belongs to the model, or resize the model's embeddings and save it again."
        )


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
