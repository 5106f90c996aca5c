"""One training on preference pairs from its plan, measured on fixed pairs on the way."""

from pathlib import Path
from typing import Any

import pandas as pd
from transformers.utils import logging

from replication.alignment.collating import Reference, dataset
from replication.alignment.fitting import adapter, leave, rates, trainable
from replication.alignment.heads import add_response_head, causal_lm, remove_heads
from replication.alignment.plans import Plan
from replication.alignment.trainer import PreferenceTrainer, cpu_args
from replication.alignment.watching import PairWatch
from replication.lm.loading import load
from replication.lm.training import flushed_denormals, spared_collections

LOGGED = ("step", "loss", "logps/chosen", "logps/rejected", "rewards/chosen", "rewards/rejected",
          "rewards/margins", "rewards/accuracies", "kl/chosen", "kl/rejected", "grad_norm",
          "learning_rate")  # fmt: skip


def run(plan: Plan, device: str, folder: Path, stored: Reference | None = None) -> dict[str, pd.DataFrame]:
    """Train by a plan, save model and tokenizer in `folder`, and return the tables log and curves.

    Args:
        plan: the plan.
        device: "cpu", "cuda" or "mps".
        folder: made here; holds the trainer's own files while it runs.
        stored: the reference's per-token log-probabilities of the plan's pairs, so that it need not run; None
            runs it in every step where the objective compares with it.

    Returns:
        "log": a row per logged step, the columns of `LOGGED` (not a number where the objective has none).
        "curves": a row per measured step and watched pair, see `PairWatch.measure`.

    Raises:
        InputError: pairs that cannot be used, or a model that cannot be loaded.
    """
    plan.check()
    logging.disable_progress_bar()  # bars of loading and saving have no place in notebooks
    model, tokenizer = trainable(plan.base, device)
    online = plan.objective.needs_distribution or (plan.objective.needs_reference and stored is None)
    watched = bool(plan.watch.pairs)
    reference = None
    if online or (watched and plan.watch.kl):
        reference = load(plan.reference or plan.base, device, dtype="float32").model
    trainer = PreferenceTrainer(
        model=model,
        ref_model=reference if online else None,
        args=_arguments(plan, device, folder / "trainer"),
        train_dataset=dataset(plan.pairs, stored),
        processing_class=tokenizer,
        peft_config=adapter(plan.hyper.lora),
        objective=plan.objective,
    )
    if reference is not None and not online:
        add_response_head(reference)
    watch = None
    if watched:
        pad = trainer.data_collator.pad_token_id
        watch = PairWatch(plan.watch.pairs, plan.watch.every, pad, reference if plan.watch.kl else None)
        trainer.add_callback(watch)
    with flushed_denormals(), spared_collections():
        trainer.train()
    remove_heads(causal_lm(trainer.model))
    leave(trainer.model, tokenizer, folder)
    lines = [line for line in trainer.state.log_history if "loss" in line]
    log = pd.DataFrame(lines, columns=list(LOGGED)).astype({"step": int})
    return {"log": log, "curves": _curves(watch)}


def _curves(watch: PairWatch | None) -> pd.DataFrame:
    """Return the measurements, none where nothing was watched."""
    return watch.table() if watch is not None else PairWatch([], 1, 0).table()


def _arguments(plan: Plan, device: str, folder: Path) -> Any:
    """Return the trainer's arguments."""
    return cpu_args(folder, beta=plan.objective.beta, **rates(plan.hyper, len(plan.pairs), plan.seed, device))
