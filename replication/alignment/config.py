"""What one run of preference training at full scale is: a file, read and checked before any long work."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from replication.alignment.objectives import Objective
from replication.alignment.plans import Lora
from replication.lm.configuration import make, read_content
from replication.settings import InputError

SCHEDULES = ("linear", "cosine", "constant_with_warmup")


@dataclass(frozen=True)
class Config:
    """One run; the published values are in `env/cdpo/`.

    Attributes:
        model: what is trained, and with its adapter off the reference: testbed model, folder or hub id
            ("org/name@revision").
        output: folder of checkpoints and adapter.
        data: a .jsonl file or a hub data set with the columns of `launch.read_pairs`.
        split: split of a hub data set.
        method: as in `objectives.Objective`.
        beta: likewise; 0 for the method's own.
        alpha: likewise; 0 for the method's own.
        reduction: likewise.
        learning_rate: peak rate of AdamW.
        epochs: passes over the pairs.
        batch_pairs: pairs of an optimiser step, over all devices.
        micro_batch: pairs of one forward pass on one device.
        longest: tokens of a text; pairs above are counted and left out.
        longest_prompt: tokens of a prompt; likewise.
        schedule: learning-rate schedule of transformers.
        warmup: share of the steps over which the rate rises.
        weight_decay: of AdamW.
        lora_rank: rank of the adapters on all linear layers.
        lora_alpha: their scale is alpha / rank.
        lora_dropout: share of their inputs that are dropped.
        activation_checkpointing: compute activations again in the backward pass, for less memory.
        logging_steps: steps between log lines.
        save_steps: steps between checkpoints, from which a killed run goes on.
        device: "auto" takes GPUs where there are any; "cpu".
        seed: of the order of the pairs and of the adapters.
        pairs: number of pairs, for the plan.
        prompt_tokens: mean tokens of a prompt, for the plan.
        response_tokens: mean tokens of a response, for the plan.
        peak: operations a second of a device in bfloat16, for the plan.
        utilisation: share of them that is reached, for the plan.
    """

    model: str
    output: str
    data: str
    split: str = "train"
    method: str = "cdpo"
    beta: float = 0.0
    alpha: float = 0.0
    reduction: str = "sequence"
    learning_rate: float = 2e-5
    epochs: int = 3
    batch_pairs: int = 8
    micro_batch: int = 2
    longest: int = 1024
    longest_prompt: int = 512
    schedule: str = "linear"
    warmup: float = 0.1
    weight_decay: float = 0.01
    lora_rank: int = 16
    lora_alpha: int = 32
    lora_dropout: float = 0.0
    activation_checkpointing: bool = True
    logging_steps: int = 10
    save_steps: int = 200
    device: str = "auto"
    seed: int = 0
    pairs: int = 7000
    prompt_tokens: int = 100
    response_tokens: int = 150
    peak: float = 9.9e14
    utilisation: float = 0.35

    def __post_init__(self) -> None:
        """Check every value that can be checked without looking at files."""
        self.objective  # noqa: B018 (its constructor checks)
        if self.schedule not in SCHEDULES:
            raise InputError(f"Unknown schedule {self.schedule!r}: choose one of {', '.join(SCHEDULES)}.")
        if self.device not in ("auto", "cpu"):
            raise InputError(f"Unknown device {self.device!r}: choose auto or cpu.")
        counts = ("epochs", "batch_pairs", "micro_batch", "lora_rank", "lora_alpha", "logging_steps",
                  "save_steps", "pairs", "prompt_tokens", "response_tokens")  # fmt: skip
        for name in counts:
            if getattr(self, name) < 1:
                raise InputError(f"{name} needs 1 or more, got {getattr(self, name)}.")
        if not self.learning_rate > 0 or not 0 <= self.warmup < 1 or not 0 <= self.lora_dropout < 1:
            raise InputError("A run needs a learning_rate > 0, and warmup and lora_dropout in [0, 1).")
        if not 1 <= self.longest_prompt < self.longest:
            raise InputError("longest_prompt needs 1 or more, and less than longest.")
        if not 0 < self.utilisation <= 1 or not self.peak > 0:
            raise InputError("The plan needs a peak > 0 and a utilisation in (0, 1].")

    @property
    def objective(self) -> Objective:
        """What is learnt."""
        return Objective(self.method, self.beta or None, self.alpha or None, self.reduction)

    @property
    def lora(self) -> Lora:
        """The adapters."""
        return Lora(self.lora_rank, self.lora_alpha, self.lora_dropout)


def read(path: Path | str, changes: Sequence[str] = ()) -> Config:
    """Return the configuration of a YAML or TOML file; `InputError` as `replication.lm.configuration`.

    Args:
        path: the file.
        changes: "key=value" each, values as in YAML; they replace those of the file.
    """
    return make(Config, read_content(path, changes), "configuration")
