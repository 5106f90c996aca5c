"""Muon for hidden matrices (K. Jordan 2024), with the update size of Liu et al. 2025.

The update size is that of arXiv 2502.16982, section 2.2. `torch.optim.Muon` does the same in bfloat16 only,
which CPUs without bfloat16 units emulate: there its step takes longer than the model's forward and backward
pass together. This one orthogonalises in float32.
"""

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.optimizer import ParamsT

COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # quintic Newton-Schulz iteration


def orthogonalise(matrix: Tensor, steps: int = 5) -> Tensor:
    """Return the nearest semi-orthogonal matrix, roughly: singular values between about 0.7 and 1.2.

    Directions with less than about a thousandth of the matrix's norm stay smaller than that.

    Args:
        matrix: (m, n) float32.
        steps: Newton-Schulz iterations.

    Returns:
        (m, n) float32.
    """
    a, b, c = COEFFICIENTS
    wide = matrix.T if matrix.shape[0] > matrix.shape[1] else matrix
    x = wide / (wide.norm() + 1e-7)
    for _ in range(steps):
        gram = x @ x.T
        x = a * x + (b * gram + c * gram @ gram) @ x
    return x.T if matrix.shape[0] > matrix.shape[1] else x


class Muon(Optimizer):
    """Momentum, orthogonalised; for matrices only.

    An update has the root mean square of AdamW's, 0.2 `lr`.

    Args:
        params: matrices, or groups of them.
        lr: learning rate.
        momentum: decay of the gradients' running average.
        weight_decay: share of a weight, times `lr`, that a step takes away.
    """

    def __init__(self, params: ParamsT, lr: float, momentum: float = 0.95, weight_decay: float = 0.0) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """Update every parameter from its gradient; closures are not supported."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                average = state.setdefault("momentum", torch.zeros_like(weight))
                average.lerp_(weight.grad, 1 - group["momentum"])
                update = orthogonalise(weight.grad.lerp(average, group["momentum"]))  # Nesterov
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(update, alpha=-group["lr"] * 0.2 * max(weight.shape) ** 0.5)
