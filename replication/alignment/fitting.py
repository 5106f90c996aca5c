"""What the trainings of this family share: loading a model, adapters, rates, leaving weights behind."""

from pathlib import Path
from typing import Any

import torch

from replication.alignment.plans import ALL_LINEAR, Hyper, Lora
from replication.lm.loading import load


def trainable(name: str, device: str, dtype: str = "float32") -> tuple[Any, Any]:
    """Return a model that can be trained, and its tokenizer.

    Args:
        name: testbed model, folder or hub id.
        device: a torch device.
        dtype: of the weights.

    Raises:
        InputError: as `replication.lm.loading.load`.
    """
    lm = load(name, device, dtype=dtype)
    return lm.model.requires_grad_(True), lm.tokenizer


def adapter(lora: Lora | None) -> Any:
    """Return peft's configuration of adapters, None for none."""
    if lora is None:
        return None
    from peft import LoraConfig

    return LoraConfig(
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules="all-linear" if lora.targets == ALL_LINEAR else list(lora.targets),
        task_type="CAUSAL_LM",
    )


def steps(hyper: Hyper, rows: int) -> int:
    """Return the optimiser steps of a training on `rows` pairs or examples; a last, smaller batch counts."""
    return hyper.steps or max(1, round(hyper.epochs * -(-rows // hyper.rows)))


def rates(hyper: Hyper, rows: int, seed: int, device: str) -> dict[str, Any]:
    """Return arguments of transformers' and trl's trainers: AdamW, warm-up, schedule; bfloat16 on CUDA."""
    number = steps(hyper, rows)
    return {
        "use_cpu": device == "cpu",
        "bf16": device.startswith("cuda"),
        "max_steps": number,
        "per_device_train_batch_size": hyper.rows,
        "learning_rate": hyper.rate,
        "lr_scheduler_type": hyper.schedule,
        "warmup_steps": round(hyper.warmup * number),
        "weight_decay": hyper.decay,
        "max_grad_norm": 1.0,
        "logging_steps": max(1, number // 40),
        "seed": seed,
        "data_seed": seed,
    }


def leave(model: Any, tokenizer: Any, folder: Path) -> None:
    """Save weights as safetensors, adapters merged into them, and the tokenizer."""
    with torch.no_grad():
        plain = model.merge_and_unload() if hasattr(model, "merge_and_unload") else model
    plain.eval()
    plain.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
