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
    lengths = torch.zeros(dist.get_world_size(), dtype=torch.long, device=own.device)
    dist.all_gather_into_tensor(lengths, torch.tensor([len(own)], device=own.device))
    sizes = lengths.tolist()
    padded = torch.nn.functional.pad(own, (0, max(sizes) - len(own)))
    everyone = padded.new_empty((len(sizes), max(sizes)))
    dist.all_gather_into_tensor(everyone, padded)
    return [row[:size] for row, size in zip(everyone, sizes, strict=True)]


def total(own: Tensor) -> Tensor:
    """Return the sum of a tensor over all processes; shape and dtype as given."""
    if not several():
        return own
    everyone = own.clone()
    dist.all_reduce(everyone)
    return everyone
