"""What the models of a process have done, stage by stage: tokens generated, read and trained on, and seconds.

The count is taken where every model passes, at the forward pass of a Transformer, so that no method needs to
know of it. It is on where the environment names a file for it, and changes no result.
"""

import atexit
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from replication.files import write_atomic

VARIABLE = "REPLICATION_COSTS"
KINDS = ("generated", "read", "trained", "calls")
Stages = dict[str, dict[str, Any]]


def shape_of(config: Any) -> str:
    """Return what tells models of different cost apart: "<layers>x<width>x<vocabulary>", 0 where unknown."""
    names = ("num_hidden_layers", "hidden_size", "vocab_size")
    return "x".join(str(int(getattr(config, name, 0) or 0)) for name in names)


class Meter:
    """The count of one process.

    A stage that an earlier process has computed, and this one read, keeps the count of the earlier one, as
    the file of that process told it.

    Args:
        path: where the count goes, as JSON.

    Attributes:
        stages: stage -> {"seconds": of processor time, "work": {shape: counts in the order of `KINDS`}}.
            Generated tokens are steps of single tokens, ended rows that are fed along included; read tokens
            are those of longer passes without gradients (prompts, scoring), padding included; trained tokens
            those of passes with gradients. What belongs to no stage is under "".
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.stages: Stages = {}
        self._before = _read(path)
        self._open = [""]
        self._last = 0.0  # processor time so far belongs to no stage

    def count(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        """Add one forward pass; the signature is that of a global forward hook with keywords.

        Counted is the Transformer below the head, which scoring may call without the head.
        """
        import torch
        from transformers import PreTrainedModel

        if not isinstance(module, PreTrainedModel) or module.base_model is not module:
            return
        rows, length = output[0].shape[:2]  # of the last hidden states
        kind = 2 if torch.is_grad_enabled() and module.training else 0 if length == 1 else 1
        self.add(module.config, kind, rows * length)

    def add(self, config: Any, kind: int, tokens: int) -> None:
        """Add tokens of one pass of a model, `kind` their place in `KINDS`, to the stage that is open."""
        counts = self._stage()["work"].setdefault(shape_of(config), [0] * len(KINDS))
        counts[kind] += tokens
        counts[-1] += 1

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what happens inside for a stage; the innermost of several has it."""
        self._clock()
        self._open.append(name)
        try:
            yield
        finally:
            self._clock()
            self._open.pop()
            self.write()

    def reused(self, name: str) -> None:
        """Keep what is known of a stage that was read from disk."""
        if name not in self.stages and name in self._before:
            self.stages[name] = self._before[name]

    def write(self) -> None:
        """Write the count so far."""
        self._clock()
        write_atomic(self.path, json.dumps({"stages": self.stages}, indent=1, sort_keys=True) + "\n")

    def _stage(self) -> dict[str, Any]:
        return self.stages.setdefault(self._open[-1], {"seconds": 0.0, "work": {}})

    def _clock(self) -> None:
        """Give the processor time since the last call to the innermost open stage."""
        now = time.process_time()
        stage = self._stage()
        stage["seconds"] = round(stage["seconds"] + now - self._last, 4)
        self._last = now


_running: Meter | None = None


def running() -> Meter | None:
    """Return the process's meter, started when the environment asks for one; None when it does not."""
    global _running
    place = os.environ.get(VARIABLE, "")
    if _running is None and place:
        from torch.nn.modules.module import register_module_forward_hook

        Path(place).parent.mkdir(parents=True, exist_ok=True)
        _running = Meter(Path(place))
        register_module_forward_hook(_running.count, with_kwargs=True)
        atexit.register(_running.write)
    return _running


@contextmanager
def measured(name: str) -> Iterator[None]:
    """Count what happens inside for a stage, where a meter runs."""
    meter = running()
    if meter is None:
        yield
        return
    with meter.stage(name):
        yield


def passed(model: Any, tokens: int) -> None:
    """Count a pass over tokens that went past the model's own forward pass, where a meter runs."""
    import torch

    if (meter := running()) is not None:
        meter.add(model.config, 2 if torch.is_grad_enabled() and model.training else 1, tokens)


def reused(name: str) -> None:
    """Tell the meter, where one runs, that a stage was read from disk."""
    meter = running()
    if meter is not None:
        meter.reused(name)


def _read(path: Path) -> Stages:
    """Return the stages of a file; none when there is no such file, or one that cannot be read."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8"))["stages"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}
