"""What one run of selective pretraining is: a YAML or TOML file, read and checked before any long work."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from replication.lm.configuration import make, read_content
from replication.pretraining.blocks import PACKINGS
from replication.pretraining.selection import Selection
from replication.settings import InputError

PRECISIONS = ("auto", "float32", "bfloat16")


@dataclass(frozen=True)
class Source:
    """Texts of one data set.

    Attributes:
        path: hub id, a file (.jsonl, .json, .parquet) or a folder of such.
        text: how a row becomes a text, with its columns in braces.
        split: split of a hub data set.
        name: configuration of a hub data set, "" for the default one.
        revision: commit, tag or branch of a hub data set, "" for its newest state.
        tokens: tokens after which to stop, 0 for all.
    """

    path: str
    text: str = "{text}"
    split: str = "train"
    name: str = ""
    revision: str = ""
    tokens: int = 0


@dataclass(frozen=True)
class Config:
    """One run; the paper's values are in `env/rho1/`.

    Attributes:
        model: what the learner starts from: testbed model, folder or hub id ("org/name@revision").
        output: folder of everything that is made; runs that differ in score, ratio, scope or seed alone share
            its blocks, reference model and reference losses.
        corpus: data that the learner is trained on.
        reference: a reference model that exists already; "" trains one on `clean_data`.
        reference_base: what the reference model starts from, "" for `model`; a smaller one is weak to strong.
        clean_data: curated data that the reference model is tuned on.
        online: score the reference while training, not before: no columns, a third more time on every run.
        score: score by which tokens are kept; "all" is plain causal language modelling.
        ratio: share of tokens that is kept.
        scope: among which tokens is ranked: "batch" (the whole step), "microbatch" or "sequence".
        seed: of the order of the data, and of random scores.
        block_length: tokens of a block.
        packing: "concatenated" cuts the joined documents; "documents" keeps them apart (`blocks.pack`).
        batch_tokens: tokens of an optimiser step, over all devices.
        micro_batch: blocks of one forward pass on one device.
        epochs: passes over the corpus.
        learning_rate: peak rate of the learner.
        schedule: learning-rate schedule of transformers, such as "cosine", "linear" or "constant".
        warmup: share of the steps over which the rate rises.
        weight_decay: of AdamW.
        beta2: second moment decay of AdamW.
        clip: largest norm of the gradient.
        precision: "bfloat16" is mixed with float32 weights; "auto" takes it on GPUs.
        activation_checkpointing: compute activations again in the backward pass, for less memory.
        reference_epochs: passes over the clean data.
        reference_learning_rate: peak rate of the reference model.
        reference_batch_tokens: tokens of its optimiser step.
        save_tokens: tokens between checkpoints.
        logging_steps: steps between log lines.
        device: "auto" takes GPUs where there are any; "cpu".
        parameters: number of the learner's parameters, for the plan only.
        reference_parameters: the same of the reference model, 0 for as many.
        vocabulary: entries of the output layer, for the plan only.
        tokens_per_second: training speed of one device, for the plan only; 0 scales the paper's.
        clean_tokens: tokens of the clean data, for the plan only.
    """

    model: str
    output: str
    corpus: tuple[Source, ...]
    reference: str = ""
    reference_base: str = ""
    clean_data: tuple[Source, ...] = ()
    online: bool = False
    score: str = "excess"
    ratio: float = 0.6
    scope: str = "batch"
    seed: int = 0
    block_length: int = 2048
    packing: str = "concatenated"
    batch_tokens: int = 2**20
    micro_batch: int = 8
    epochs: int = 1
    learning_rate: float = 8e-5
    schedule: str = "cosine"
    warmup: float = 0.01
    weight_decay: float = 0.1
    beta2: float = 0.95
    clip: float = 1.0
    precision: str = "auto"
    activation_checkpointing: bool = False
    reference_epochs: int = 3
    reference_learning_rate: float = 5e-5
    reference_batch_tokens: int = 2**19
    save_tokens: int = 10**9
    logging_steps: int = 10
    device: str = "auto"
    parameters: int = 0
    reference_parameters: int = 0
    vocabulary: int = 32_000
    tokens_per_second: float = 0.0
    clean_tokens: int = 0

    def __post_init__(self) -> None:
        """Check every value that can be checked without looking at files."""
        self.selection  # noqa: B018 (its constructor checks)
        if not self.corpus:
            raise InputError("The configuration names no corpus: give at least one source of texts.")
        if self.needs_reference and not (self.reference or self.clean_data):
            raise InputError(f"The score {self.score!r} needs a reference model or clean_data to train one.")
        allowed = {"packing": PACKINGS, "precision": PRECISIONS, "device": ("auto", "cpu")}
        for name, values in allowed.items():
            if getattr(self, name) not in values:
                raise InputError(f"Unknown {name} {getattr(self, name)!r}: choose {', '.join(values)}.")
        for name in ("micro_batch", "epochs", "reference_epochs", "logging_steps", "save_tokens"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} needs 1 or more, got {getattr(self, name)}.")
        for name in ("learning_rate", "reference_learning_rate", "clip"):
            if not getattr(self, name) > 0:
                raise InputError(f"{name} needs a number > 0, got {getattr(self, name)}.")
        if not 0 <= self.warmup < 1 or not 0 <= self.beta2 < 1:
            raise InputError("warmup and beta2 need numbers in [0, 1).")
        for name in ("batch_tokens", "reference_batch_tokens"):
            if getattr(self, name) < self.block_length or self.block_length < 2:
                raise InputError(
                    f"{name} needs at least one block of {self.block_length} tokens (2 or more)."
                )

    @property
    def selection(self) -> Selection:
        """The rule by which tokens are kept."""
        return Selection(self.ratio, self.scope, self.score, self.seed)

    @property
    def needs_reference(self) -> bool:
        """Whether the score is made with a reference model."""
        return any(name.startswith("reference") for name in self.selection.columns)

    @property
    def run(self) -> str:
        """Folder of the training below `output/runs`."""
        return f"{self.score}-{self.ratio:g}-{self.scope}-{self.seed}"


def key(*values: object) -> str:
    """Return 16 hexadecimal digits of plain values and dataclasses."""
    plain = [dataclasses.asdict(v) if dataclasses.is_dataclass(v) else v for v in values]
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]


def read(path: Path | str, changes: Sequence[str] = ()) -> Config:
    """Return the configuration of a YAML or TOML file.

    Args:
        path: the file.
        changes: "key=value" each, values as in YAML; they replace those of the file.

    Raises:
        InputError: no such file, text that cannot be read, unknown or missing keys, values of the wrong kind.
    """
    return build(read_content(path, changes))


def build(content: Mapping[str, Any]) -> Config:
    """Return the configuration of a mapping; `InputError` as `read`."""
    content = dict(content)
    for name in ("corpus", "clean_data"):
        if name not in content:
            continue
        given = content[name]
        if not isinstance(given, (list, tuple)):
            raise InputError(f"{name} needs a list of sources, each with a path, got {given!r}.")
        content[name] = tuple(one if isinstance(one, Source) else make(Source, one, name) for one in given)
    return make(Config, content, "configuration")
