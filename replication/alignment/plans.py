"""What a training of this family is: model, examples or pairs, objective, rates, and what is watched."""

import hashlib
from dataclasses import dataclass, field

from replication.alignment.objectives import Objective
from replication.alignment.preferences import Pair, check, digest
from replication.lm.records import canonical
from replication.settings import InputError

PROJECTIONS = ("gate_proj", "up_proj", "down_proj")
ALL_LINEAR = ("all-linear",)


@dataclass(frozen=True)
class Lora:
    """Low-rank adapters, merged into the weights after the training.

    Attributes:
        rank: of the adapters.
        alpha: their scale is alpha / rank.
        dropout: share of inputs of the adapters that are dropped.
        targets: names of the modules that get one; `ALL_LINEAR` means all but the output layer.
    """

    rank: int = 16
    alpha: int = 32
    dropout: float = 0.0
    targets: tuple[str, ...] = ALL_LINEAR


@dataclass(frozen=True)
class Hyper:
    """Hyper-parameters of a training.

    Attributes:
        rate: peak learning rate of AdamW.
        rows: pairs or examples of one optimiser step.
        epochs: passes over the data, where `steps` is 0.
        steps: optimiser steps, 0 for what the epochs make.
        warmup: share of the steps over which the rate rises.
        schedule: how it falls afterwards: "linear", "cosine" or "constant_with_warmup".
        decay: weight decay.
        lora: adapters to train in place of all weights; None trains all.
    """

    rate: float
    rows: int
    epochs: float = 3.0
    steps: int = 0
    warmup: float = 0.1
    schedule: str = "linear"
    decay: float = 0.01
    lora: Lora | None = None

    def __post_init__(self) -> None:
        """Check every value."""
        schedules = ("linear", "cosine", "constant_with_warmup")
        if self.schedule not in schedules:
            raise InputError(f"Unknown schedule {self.schedule!r}: choose one of {', '.join(schedules)}.")
        if not self.rate > 0 or self.rows < 1 or self.steps < 0 or not 0 <= self.warmup < 1 or self.decay < 0:
            raise InputError(
                "A training needs a rate > 0, rows >= 1, steps >= 0, a warmup in [0, 1) and a decay >= 0, "
                f"got {self}."
            )
        if not self.steps and not self.epochs > 0:
            raise InputError(f"A training needs steps or epochs, got {self.steps} and {self.epochs}.")


@dataclass(frozen=True)
class Watch:
    """A fixed set of pairs that is measured during a training.

    Attributes:
        pairs: the pairs; none for no measurements.
        every: optimiser steps between two measurements.
        kl: whether sequential divergences from the reference are measured too.
    """

    pairs: tuple[Pair, ...] = ()
    every: int = 10
    kl: bool = False


@dataclass(frozen=True)
class Plan:
    """One training on preference pairs.

    Attributes:
        name: of its files.
        base: model to start from: a name, a hub id or a folder.
        pairs: what is learnt from, weights included where the objective is weighted.
        objective: what is learnt.
        hyper: rates and sizes.
        reference: model that the objective compares with, "" for `base`.
        watch: what is measured on the way.
        seed: of the order of the pairs, and of adapters.
    """

    name: str
    base: str
    pairs: tuple[Pair, ...]
    objective: Objective
    hyper: Hyper
    reference: str = ""
    watch: Watch = field(default_factory=Watch)
    seed: int = 0

    def check(self) -> None:
        """Raise `InputError` for pairs that the objective cannot use."""
        check(self.pairs)
        if self.objective.weighted and any(pair.weights is None for pair in self.pairs):
            raise InputError(
                f"{self.objective.method} needs weights on every pair: score the rejected tokens."
            )
        if self.watch.pairs:
            check(self.watch.pairs)
        if self.watch.every < 1:
            raise InputError(f"Measurements need 1 or more steps between them, got {self.watch.every}.")

    def key(self) -> dict[str, object]:
        """Return what determines the training besides models and code, as plain values."""
        watch = {
            "pairs": digest(self.watch.pairs, weights=False),
            "every": self.watch.every,
            "kl": self.watch.kl,
        }
        return {
            "pairs": digest(self.pairs, weights=self.objective.weighted),
            "objective": self.objective,
            "hyper": self.hyper,
            "watch": watch,
            "seed": self.seed,
        }


@dataclass(frozen=True)
class Example:
    """A response to learn, as token ids.

    Attributes:
        question: id of the question.
        prompt: ids of the prompt, not learnt.
        response: ids of the response, with the end-of-text token if it is to be learnt.
    """

    question: str
    prompt: tuple[int, ...]
    response: tuple[int, ...]


@dataclass(frozen=True)
class Tuning:
    """One fine-tuning on responses.

    Attributes:
        name: of its files.
        base: model to start from: a name, a hub id or a folder.
        examples: what is learnt.
        hyper: rates and sizes.
        seed: of the order of the examples, and of adapters.
    """

    name: str
    base: str
    examples: tuple[Example, ...]
    hyper: Hyper
    seed: int = 0

    def check(self) -> None:
        """Raise `InputError` for no examples, or ones without prompt or response."""
        if not self.examples:
            raise InputError(f"{self.name} has no examples: sample more responses.")
        if empty := [one.question for one in self.examples if not (one.prompt and one.response)]:
            raise InputError(f"The example of {empty[0]} has no prompt or no response: both need a token.")

    def key(self) -> dict[str, object]:
        """Return what determines the training besides the model and code, as plain values."""
        content = hashlib.sha256(canonical(list(self.examples)).encode()).hexdigest()[:16]
        return {"examples": content, "hyper": self.hyper, "seed": self.seed}
