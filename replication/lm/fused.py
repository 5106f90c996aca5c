"""Parts of a Llama's training step as one node of the graph each, their gradients written out.

PyTorch records every operation of a norm, a rotation or a loss and keeps what lies between them: for small
models on a CPU that costs as much as the matrix products. Here each part keeps its inputs, and computes its
gradient from them in place. Everything is float32; results are those of transformers' modules up to rounding.
"""

from typing import Any

import torch
from torch import Tensor

# Logits worked on at once: 2 MiB of float32, a usual second-level cache.
LOGITS = 2**19
KEPT = 2**24  # logits whose exponentials are kept for the gradient: 64 MiB
FEWEST = 64  # rows at once: products of fewer are slow, whatever the vocabulary


class Norm(torch.autograd.Function):
    """y = w · x / rms(x), rms(x)² = mean(x²) + ε (Zhang and Sennrich 2019, Eq. 4)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, epsilon: float) -> Tensor:
        """Return the norm of x (n, d) with the gains `weight` (d,)."""
        scale = torch.linalg.vecdot(x, x).div_(x.shape[1]).add_(epsilon).rsqrt_()[:, None]
        ctx.save_for_backward(x, weight, scale)
        return (x * scale).mul_(weight)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        """Return the gradients of x and of the gains."""
        x, weight, scale = ctx.saved_tensors
        unit = x * scale
        gains = torch.linalg.vecdot(gradient, unit, dim=0)
        inner = gradient * weight
        inner.sub_(unit.mul_(torch.linalg.vecdot(inner, unit)[:, None].div_(x.shape[1])))
        return inner.mul_(scale), gains, None


class Rotation(torch.autograd.Function):
    """Rotary positions (Su et al. 2021, Eq. 34): neighbouring pairs of numbers turned as complex numbers."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, turn: Tensor, back: Tensor) -> Tensor:
        """Return x (n, 2 m), changed in place, with pair j of row i multiplied by the complex `turn` (n, m).

        `back` (n, m) is the conjugate of `turn`.
        """
        ctx.save_for_backward(back)
        ctx.mark_dirty(x)
        torch.view_as_complex(x.unflatten(1, (-1, 2))).mul_(turn)
        return x

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        """Return the gradient turned back."""
        (back,) = ctx.saved_tensors
        turned = torch.view_as_complex(gradient.unflatten(1, (-1, 2))) * back
        return torch.view_as_real(turned).flatten(1), None, None


class Spread(torch.autograd.Function):
    """Tokens laid out in rows; their gradients fetched back, without adding up what no token receives."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, slots: Tensor, places: Tensor, twins: Tensor, twin_places: Tensor
    ) -> Tensor:
        """Return x (N, d) as (S, d), by the indices of `packed.Layout`."""
        ctx.save_for_backward(places, twins, twin_places)
        return x.index_select(0, slots)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None, None]:
        """Return the gradient of each token, that of its second place added."""
        places, twins, twin_places = ctx.saved_tensors
        found = gradient.index_select(0, places)
        if len(twins):
            found.index_add_(0, twins, gradient.index_select(0, twin_places))
        return found, None, None, None, None


class Gather(torch.autograd.Function):
    """Tokens fetched out of rows, each from one place."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, places: Tensor) -> Tensor:
        """Return the rows `places` (N,) of x (S, d)."""
        ctx.save_for_backward(places)
        ctx.length = len(x)
        return x.index_select(0, places)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """Return the gradient at the places, 0 elsewhere."""
        (places,) = ctx.saved_tensors
        found = gradient.new_zeros((ctx.length, gradient.shape[1]))
        return found.index_copy_(0, places, gradient), None


class TokenLosses(torch.autograd.Function):
    """-log softmax(W x) at each row's target, the logits of few rows at a time.

    A block's logits stay in the processor's cache. The gradient needs their exponentials again: up to `KEPT`
    of them are kept, which costs less than a fourth product; those of a larger vocabulary or batch are
    computed anew, so that a whole batch of logits is never held. Only rows that have a gradient are worked on
    (a selection of tokens leaves many without).
    """

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor, keep: bool) -> Tensor:
        """Return (n,) losses in nats, see `token_losses`; `keep` the exponentials for the gradient."""
        losses, normaliser, kept = hidden.new_empty(len(hidden)), hidden.new_empty(len(hidden)), []
        # The normaliser is what exponentials are divided by, or what is taken from logits to compute them.
        for part in _parts(len(hidden), len(weight)):
            logits = hidden[part] @ weight.T
            largest = logits.amax(-1, keepdim=True)
            own = logits.sub_(largest).gather(1, targets[part, None]).squeeze(1)
            total = logits.exp_().sum(-1)
            losses[part] = total.log() - own
            if keep:
                kept.append(logits)
                normaliser[part] = total
            else:
                normaliser[part] = total.log_().add_(largest.squeeze(1))
        ctx.save_for_backward(hidden, weight, targets, normaliser, *kept)
        return losses

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None, None]:
        """Return the gradients (softmax - one-hot) g of hidden states and weight."""
        hidden, weight, targets, normaliser, *kept = ctx.saved_tensors
        found, of_weight = torch.zeros_like(hidden), torch.zeros_like(weight)
        for number, part in enumerate(_parts(len(hidden), len(weight))):
            rows = gradient[part].nonzero().squeeze(1)
            if not len(rows):
                continue
            places = rows + part.start
            g, x, scale = gradient[places], hidden[places], normaliser[places, None]
            if kept:
                e = kept[number] if len(rows) == len(kept[number]) else kept[number][rows]
                slope = e * (g[:, None] / scale)
            else:
                slope = torch.addmm(scale, x, weight.T, beta=-1).exp_().mul_(g[:, None])
            slope[torch.arange(len(x)), targets[places]] -= g
            found.index_copy_(0, places, slope @ weight)
            of_weight.addmm_(slope.T, x)
        return found, of_weight, None, None


def token_losses(hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    """Return -log P(target) of each row: (n,) float32, nats.

    Args:
        hidden: (n, d) float32.
        weight: (V, d) float32, of the output layer.
        targets: (n,) int64.
    """
    keep = torch.is_grad_enabled() and len(hidden) * len(weight) <= KEPT
    return TokenLosses.apply(hidden, weight, targets, keep)


def _parts(rows: int, width: int) -> list[slice]:
    """Return slices of rows whose logits are at most `LOGITS` numbers, or of `FEWEST` rows."""
    size = max(FEWEST, LOGITS // width)
    return [slice(start, start + size) for start in range(0, rows, size)]
