"""Exchange between the processes of a distributed training; a single process needs none."""

import torch
import torch.distributed as dist
from torch import Tensor


def several() -> bool:
    """Tell whether more than one process trains."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def rank() -> int:
    """Return the place of this process, 0 for a single one."""
    return dist.get_rank() if several() else 0


def gather(own: Tensor) -> list[Tensor]:
    """Return the tensors (n_r,) of all processes in their order; lengths may differ, the dtype may not."""
    if not several():
        return [own]
    sizes = [int(size) for size in _gathered(torch.tensor([len(own)], device=own.device))]
    padded = torch.nn.functional.pad(own, (0, max(sizes) - len(own)))
    return [part[:size] for part, size in zip(_gathered(padded), sizes, strict=True)]


def _gathered(own: Tensor) -> list[Tensor]:
    """Return the tensors of all processes, all of one shape."""
    everyone = [torch.empty_like(own) for _ in range(dist.get_world_size())]
    dist.all_gather(everyone, own)
    return everyone


def total(own: Tensor) -> Tensor:
    """Return the sum of a tensor over all processes; shape and dtype as given."""
    if not several():
        return own
    everyone = own.clone()
    dist.all_reduce(everyone)
    return everyone


def wait() -> None:
    """Return once every process has come here."""
    if several():
        dist.barrier()
