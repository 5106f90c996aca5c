"""Checkpoints of transformers' trainers: which of them is whole, so that a training goes on from it.

The trainer writes the state last; a run that was killed in between leaves a checkpoint without one. What was
damaged afterwards is told by `files.json`, the checksums of a checkpoint's files.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from replication.files import checksum, write_atomic

SEAL, STATE = "files.json", "trainer_state.json"
# Each process writes its own, maybe after the others are done.
OWN = "rng_state"


class Sealing(TrainerCallback):
    """Writes the checksums of a checkpoint's files as soon as it is there."""

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Seal the checkpoint of this step, in the first process."""
        folder = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        if not state.is_world_process_zero or not folder.is_dir():
            return
        found = [path for path in sorted(folder.rglob("*")) if path.is_file()]
        shared = [path for path in found if not path.name.startswith(OWN)]
        sums = {str(path.relative_to(folder)): checksum(path) for path in shared}
        write_atomic(folder / SEAL, json.dumps(sums, indent=1) + "\n")


def last_whole(folder: Path, say: Callable[[str], None] = print) -> str | None:
    """Return the newest checkpoint in a folder that is whole, None where there is none.

    Args:
        folder: where the trainer writes.
        say: receives a line for each checkpoint that is damaged.
    """
    found = [path.parent for path in folder.glob(f"checkpoint-*/{STATE}")]
    for checkpoint in sorted(found, key=_step, reverse=True):
        if not (wrong := damaged(checkpoint)):
            return str(checkpoint)
        say(f"{checkpoint.name}/{wrong} is damaged: the training goes on from an earlier state.")
    return None


def damaged(checkpoint: Path) -> str:
    """Return the name of a file that is not as it was saved, "" when all are; those of old have no seal."""
    try:
        json.loads((checkpoint / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return STATE
    if not (checkpoint / SEAL).exists():
        return ""
    try:
        sums = dict(json.loads((checkpoint / SEAL).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return SEAL
    for name, wanted in sums.items():
        file = checkpoint / name
        if not file.is_file() or checksum(file) != wanted:
            return name
    return ""


def _step(checkpoint: Path) -> int:
    """Return the step of a checkpoint, -1 for a name without one."""
    text = checkpoint.name.partition("-")[2]
    return int(text) if text.isdecimal() else -1
