"""One step on 16 preference pairs by a small Llama: by trl's DPO trainer, and by ours.

All cases take the same way: the trainer's `training_step`, clipping, AdamW. The peers are trl's DPO with a
reference model that runs in every step, and with log-probabilities of the reference that were summed
beforehand. Ours has them by token. Both get the same ids; trl's own tokenising is left out.
"""

import tempfile
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, AutoTokenizer
from trl import DPOTrainer

from benchmarks.harness import Case
from replication.alignment.collating import REFERENCES, dataset
from replication.alignment.objectives import Objective
from replication.alignment.preferences import Pair
from replication.alignment.trainer import PreferenceTrainer, cpu_args
from replication.lm.loading import load
from replication.lm.locating import locate
from replication.lm.scoring import score
from replication.lm.training import quiet_libraries

PAIRS, MODEL = 16, "testbed"
# What is asked of ours: at most 0.8 and 1.05 times the peers' steps.
ONLINE_TARGET, STORED_TARGET = 1.25, 0.95
ONLINE, STORED = "step: DPO, trl", "step: DPO, trl, precomputed reference"


class OnIds(DPOTrainer):
    """trl's trainer without its tokenising."""

    def _prepare_dataset(self, dataset: Any, *args: Any) -> Any:
        return dataset


def pairs(number: int, width: int) -> list[Pair]:
    """Return random pairs of the lengths of the testbed's stories: 50 to 90 and 25 to 45 tokens."""
    draw = np.random.default_rng(0)

    def ids(low: int, high: int) -> tuple[int, ...]:
        return tuple(int(i) for i in draw.integers(3, width, draw.integers(low, high)))

    found = []
    for i in range(number):
        prompt, chosen, rejected = ids(50, 90), (*ids(25, 45), 2), (*ids(25, 45), 2)
        found.append(Pair(f"q{i}", prompt, chosen, rejected, tuple(draw.random(len(rejected)))))
    return found


class Step:
    """One optimiser step on one batch, by a trainer.

    Args:
        kind: class of the trainer, with what it needs besides.
        model: name of the model.
        data: the pairs.
        online: whether a reference model runs in the step.
        precompute: whether trl computes the reference beforehand.
    """

    def __init__(
        self, kind: Any, model: str, data: Any, online: bool = False, precompute: bool = False
    ) -> None:
        place = locate(model).location
        policy, reference = (
            AutoModelForCausalLM.from_pretrained(place, dtype=torch.float32) for _ in range(2)
        )
        args = cpu_args(
            tempfile.mkdtemp(), learning_rate=1e-5, per_device_train_batch_size=len(data),
            precompute_ref_log_probs=precompute,
        )  # fmt: skip
        with quiet_libraries():
            self.trainer = kind(
                model=policy,
                ref_model=reference if online or precompute else None,
                args=args,
                train_dataset=data,
                processing_class=AutoTokenizer.from_pretrained(place),
            )
        if not online:
            self.trainer.ref_model = None  # would only hold memory
        self.batch = next(iter(self.trainer.get_train_dataloader()))
        self.trainer.create_optimizer_and_scheduler(num_training_steps=10)
        self.trainer.current_gradient_accumulation_steps = 1

    def __call__(self) -> Tensor:
        """Return the loss of the step: a scalar."""
        trainer = self.trainer
        with quiet_libraries():
            loss = trainer.training_step(trainer.model, dict(self.batch), None)
        torch.nn.utils.clip_grad_norm_(trainer.model.parameters(), trainer.args.max_grad_norm)
        trainer.optimizer.step()
        trainer.model.zero_grad()
        trainer._metrics["train"].clear()
        return loss


def cases(number: int, model: str) -> list[Case]:
    """Return the cases on a number of pairs and a model."""
    lm = load(model)
    own = pairs(number, lm.width)
    texts = [[*pair.prompt, *side] for pair in own for side in (pair.chosen, pair.rejected)]
    starts = [len(pair.prompt) for pair in own for _ in range(2)]
    logs = [found.logprob for found in score(lm, texts, start=starts)]
    data = dataset(own, list(zip(logs[::2], logs[1::2], strict=True)))
    bare = data.remove_columns(list(REFERENCES))
    dpo, cdpo, tdpo = (partial(PreferenceTrainer, objective=Objective(m)) for m in ("dpo", "cdpo", "tdpo2"))
    weighted, name = Step(cdpo, model, data), "step: cDPO, stored reference"
    return [
        Case(ONLINE, Step(OnIds, model, bare, online=True)),
        Case(STORED, Step(OnIds, model, bare, precompute=True), ONLINE),
        Case("step: DPO, ours, stored reference", Step(dpo, model, data), ONLINE, ONLINE_TARGET),
        Case(name, weighted, ONLINE, ONLINE_TARGET),
        Case("step: cDPO, against precomputed", weighted, STORED, STORED_TARGET, times_of=name),
        Case("step: TDPO2, online reference", Step(tdpo, model, bare, online=True), ONLINE),
    ]


def check(number: int, model: str) -> dict[str, float]:
    """Return differences that have to be 0, about: of second losses, for the first ones are all log 2."""
    few = cases(number, model)[:3]
    for case in few:
        case.run()
    online, stored, ours = (float(case.run()) for case in few)
    return {
        "loss, precomputed less trl": round(stored - online, 6),
        "loss, ours less trl": round(ours - online, 6),
    }
