"""One training of a run: its arguments, its resumption after a kill, what it leaves."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback, TrainingArguments

from replication.files import write_atomic
from replication.lm.checkpoints import Sealing, last_whole
from replication.lm.loading import load
from replication.pretraining.config import Config
from replication.pretraining.selection import Selection
from replication.pretraining.trainer import SelectiveTrainer
from replication.settings import InputError

if TYPE_CHECKING:
    from datasets import Dataset

STARTED, DONE, LOG = "started.json", "done.json", "log.json"
# What of the arguments decides a training's result.
DECISIVE = ("num_train_epochs", "learning_rate", "lr_scheduler_type", "warmup_steps", "weight_decay",
            "adam_beta2", "max_grad_norm", "seed", "bf16")  # fmt: skip


def arguments(
    config: Config,
    folder: Path,
    tokens: int | None = None,
    rate: float | None = None,
    epochs: int | None = None,
) -> TrainingArguments:
    """Return the Trainer's arguments.

    Args:
        config: the run.
        folder: where checkpoints go.
        tokens: tokens of a step over all devices; None takes the learner's, as for the others.
        rate: peak learning rate.
        epochs: passes over the data.

    Raises:
        InputError: a step that is smaller than one micro-batch on every device.
    """
    import torch

    tokens = tokens or config.batch_tokens
    cpu = config.device == "cpu" or not torch.cuda.is_available()
    args = TrainingArguments(
        output_dir=str(folder),
        use_cpu=cpu,
        bf16=config.precision == "bfloat16" or (config.precision == "auto" and not cpu),
        activation_checkpointing=config.activation_checkpointing,
        per_device_train_batch_size=config.micro_batch,
        num_train_epochs=epochs or config.epochs,
        learning_rate=rate or config.learning_rate,
        lr_scheduler_type=config.schedule,
        warmup_steps=config.warmup,
        weight_decay=config.weight_decay,
        adam_beta2=config.beta2,
        max_grad_norm=config.clip,
        seed=config.seed,
        logging_steps=config.logging_steps,
        save_steps=max(1, config.save_tokens // tokens),
        save_total_limit=2,
        report_to="none",
        disable_tqdm=True,
        remove_unused_columns=False,
        ddp_find_unused_parameters=False,  # a causal language model uses all; the search costs time
        dataloader_pin_memory=not cpu,
    )
    once = config.micro_batch * config.block_length * args.world_size
    if tokens < once:
        raise InputError(
            f"A step of {tokens} tokens is less than one micro-batch on every device ({once}): "
            "lower micro_batch."
        )
    args.gradient_accumulation_steps = round(tokens / once)
    return args


def step_rows(args: TrainingArguments) -> int:
    """Return the number of blocks of one optimiser step, over all devices."""
    return args.per_device_train_batch_size * args.world_size * args.gradient_accumulation_steps


def check_rows(data: "Dataset", args: TrainingArguments) -> None:
    """Raise `InputError` when there are fewer blocks than one step takes."""
    if len(data) < step_rows(args):
        raise InputError(
            f"{len(data)} blocks are fewer than the {step_rows(args)} of one step: lower batch_tokens."
        )


def settings(args: TrainingArguments) -> list[Any]:
    """Return what of the arguments decides a training's result, as plain values."""
    return [step_rows(args), *(str(getattr(args, name)) for name in DECISIVE)]


def fit(
    folder: Path,
    about: str,
    base: str,
    data: "Dataset",
    args: TrainingArguments,
    selection: Selection,
    reference_model: Any = None,
    say: Callable[[str], None] = print,
) -> Path:
    """Train a model, or go on from its last checkpoint, or return at once when it is done.

    Args:
        folder: gets model and tokenizer, `log.json` with the lines of the log, and checkpoints.
        about: key of everything that decides the result.
        base: model to start from.
        data: blocks with the columns that the selection needs.
        args: the Trainer's arguments.
        selection: the rule by which tokens are kept.
        reference_model: scores the reference online.
        say: receives a line per line of the log.

    Returns:
        The folder.

    Raises:
        InputError: the folder holds another training; fewer blocks than one step takes.
    """
    check_rows(data, args)
    if _state(folder / DONE) == about:
        say(f"{folder} is done")
        return folder
    if _state(folder / STARTED) not in (None, about):
        raise InputError(
            f"{folder} holds a training with other settings: delete it, or choose another output."
        )
    if args.should_save:
        write_atomic(folder / STARTED, json.dumps({"key": about}) + "\n")
    lm = load(base, dtype="float32")
    trainer = SelectiveTrainer(
        model=lm.model.requires_grad_(True),
        args=args,
        train_dataset=data.with_format("numpy"),
        selection=selection,
        reference_model=reference_model,
        callbacks=[Lines(say), Sealing()],
    )
    trainer.train(resume_from_checkpoint=last_whole(folder, say))
    trainer.save_model(str(folder))
    if args.should_save:
        (folder / "training_args.bin").unlink(missing_ok=True)  # pickled, and in started.json what matters
        lm.tokenizer.save_pretrained(folder)
        write_atomic(folder / LOG, json.dumps(trainer.state.log_history, indent=1) + "\n")
        write_atomic(folder / DONE, json.dumps({"key": about}) + "\n")
    trainer.accelerator.wait_for_everyone()
    return folder


def _state(path: Path) -> str | None:
    """Return the key in a file, None where there is none."""
    content = _json(path)
    return None if content is None else content["key"]


def _json(path: Path) -> Any:
    """Return what a JSON file holds, None where it is missing or cut off."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


class Lines(TrainerCallback):
    """Says one line for each line of the Trainer's log."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **kwargs: Any) -> None:
        """Say step, losses of kept, all and dropped tokens, and the share kept."""
        if logs and "loss" in logs:
            names = ("loss", "loss_all", "loss_dropped", "kept_share", "cutoff")
            shown = ", ".join(f"{name} {logs[name]:.4g}" for name in names if name in logs)
            self.say(f"step {state.global_step} of {state.max_steps}: {shown}")
