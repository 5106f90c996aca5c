"""What a training is: model, blocks, rule, rates, and what is measured on the way."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from replication.lm.records import canonical
from replication.pretraining.packing import Blocks
from replication.pretraining.rho1 import Selection
from replication.tasks.base import Question, Task


@dataclass(frozen=True)
class Hyper:
    """Hyper-parameters of a training.

    Attributes:
        rate: peak learning rate of AdamW.
        rows: blocks of one optimiser step.
        warmup: share of the steps over which the rate rises.
        decay: share of the steps, the last ones, over which it falls to zero.
    """

    rate: float
    rows: int
    warmup: float = 0.1
    decay: float = 0.2


@dataclass(frozen=True)
class Exam:
    """What is measured at the marked steps of a training.

    Attributes:
        marks: optimiser steps, ascending; 0 is the model before training.
        blocks: validation blocks whose token losses are kept; None for none.
        task: how answers are read and graded.
        questions: what is asked, greedily.
        final: more questions, asked after the last step only.
        prompt: makes the prompt of a question.
        length: longest answer in tokens.
    """

    marks: tuple[int, ...] = ()
    blocks: Blocks | None = None
    task: Task | None = None
    questions: tuple[Question, ...] = ()
    final: tuple[Question, ...] = ()
    prompt: Callable[[Question], str] | None = None
    length: int = 60

    def key(self) -> dict[str, object]:
        """Return what determines the measurements, as plain values."""
        asked = (*self.questions, *self.final)
        prompts = [self.prompt(question) for question in asked] if self.prompt else []
        return {
            "marks": list(self.marks),
            "blocks": self.blocks.digest if self.blocks else "",
            "task": self.task.name if self.task else "",
            "questions": Task.question_hash(asked),
            "first": len(self.questions),
            "prompts": hashlib.sha256(canonical(prompts).encode()).hexdigest(),
            "length": self.length,
        }


@dataclass(frozen=True)
class Plan:
    """One training.

    Attributes:
        name: of its files.
        base: model to start from: a name, a hub id or a folder.
        blocks: what is read.
        steps: optimiser steps.
        hyper: rates and sizes.
        selection: which tokens are learned from.
        columns: (N, T) arrays beside the blocks: reference_loss, reference_entropy, keep.
        exam: what is measured on the way.
        seed: of the order of the blocks.
    """

    name: str
    base: str
    blocks: Blocks
    steps: int
    hyper: Hyper
    selection: Selection
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)
    exam: Exam = field(default_factory=Exam)
    seed: int = 0
