"""What every training of a small model on a CPU needs, whichever library's trainer runs it."""

import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch

CPU_ARGUMENTS = {
    "use_cpu": True,
    "bf16": False,
    "report_to": "none",
    "disable_tqdm": True,
    "save_strategy": "no",
    "remove_unused_columns": False,
    "prediction_loss_only": True,
    "dataloader_pin_memory": False,
    "logging_steps": 10,
}
"""Arguments of transformers' and trl's trainers: float32, nothing reported, shown or saved."""


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Let this thread take denormal numbers for zero, and again as IEEE 754 has them afterwards.

    On a CPU they, such as the fading moments of tokens that do not occur, cost many times more. Left on, all
    else that the process computes would be changed.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


@contextmanager
def spared_collections() -> Iterator[None]:
    """Keep what is in memory already out of the garbage collections that happen inside.

    Trainers collect garbage as they start, which takes half a second in a process full of imported modules:
    more than a short training's own overhead.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Keep out of notebooks that trl and peft still ask transformers under a name that it has given up."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)
        yield
