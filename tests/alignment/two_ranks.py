"""One of two processes of the launcher, as `accelerate launch` starts them. Run by test_ranks.py.

Runs the cases that it is given, `name:KEY=VALUE,...`, in turn. One whose name begins with "sharded", and
those behind it, shard the weights by env/cdpo/fsdp.yaml. accelerate leaves processes without GPUs unsharded,
whatever is asked, so it is told that there are some; the processes exchange by gloo all the same.
"""

import json
import os
import sys
from pathlib import Path

import torch
import yaml
from accelerate.state import PartialState
from accelerate.utils import DistributedType
from torch.distributed.tensor import DTensor

from replication.alignment import launch
from replication.alignment.trainer import PreferenceTrainer

FSDP = Path(__file__).parents[2] / "env/cdpo/fsdp.yaml"


def shard() -> None:
    """Let the trainers that follow shard their weights."""
    for name, value in yaml.safe_load(FSDP.read_text())["fsdp_config"].items():
        os.environ[name.upper()] = str(value)
    os.environ["ACCELERATE_USE_FSDP"] = "true"
    plain = launch._arguments

    def arguments(*given: object) -> object:
        args = plain(*given)  # looks for processes and devices anew
        PartialState._shared_state["distributed_type"] = DistributedType.MULTI_GPU
        return args

    launch._arguments = arguments


class Watched(PreferenceTrainer):
    """Leaves what it found itself to be when it saves the adapter."""

    def save_model(self, folder: str, *args: object, **kwargs: object) -> None:
        super().save_model(folder, *args, **kwargs)
        weights = list(self.model.parameters())
        facts = {"processes": self.accelerator.num_processes, "device": self.accelerator.device.type,
                 "shares": [weight.to_local().numel() / weight.numel() for weight in weights
                            if isinstance(weight, DTensor)], "weights": len(weights)}  # fmt: skip
        Path(folder).mkdir(parents=True, exist_ok=True)
        Path(folder, f"facts-{self.accelerator.process_index}.json").write_text(json.dumps(facts))


if __name__ == "__main__":
    torch.set_num_threads(1)
    sys.modules[PreferenceTrainer.__module__].PreferenceTrainer = Watched
    config, *cases = sys.argv[1:]
    for case in cases:
        name, _, changes = case.partition(":")
        if name.startswith("sharded") and launch._arguments.__name__ != "arguments":
            shard()
        launch.main(["--config", config, "--set", *changes.split(",")])
    torch.distributed.destroy_process_group()
