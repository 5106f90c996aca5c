"""Orthogonalised momentum."""

import pytest
import torch

from replication.testbed.optimiser import Muon, orthogonalise


@pytest.mark.parametrize("shape", [(24, 64), (64, 24), (16, 16), (1, 8), (128, 48)])
@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e3])
def test_singular_values_are_near_one(shape, scale):
    matrix = scale * torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))
    values = torch.linalg.svdvals(orthogonalise(matrix))
    assert values.shape == (min(shape),)
    assert values.min() > 0.6
    assert values.max() < 1.3


def test_singular_directions_stay():
    left, _, right = torch.linalg.svd(
        torch.randn(8, 20, generator=torch.Generator().manual_seed(0)), full_matrices=False
    )
    matrix = left @ torch.diag(torch.linspace(1, 3, 8)) @ right
    inner = left.T @ orthogonalise(matrix) @ right.T
    assert (inner - torch.diag(inner.diagonal())).abs().max() < 1e-4
    assert inner.diagonal().min() > 0.6


def test_transposing_and_orthogonalising_commute():
    matrix = torch.randn(6, 9, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(orthogonalise(matrix.T), orthogonalise(matrix).T)


def test_zero_stays_zero():
    assert orthogonalise(torch.zeros(3, 5)).tolist() == torch.zeros(3, 5).tolist()


def quadratic(weight, steps, lr=0.02, **options):
    """Return the losses of `steps` steps towards the zero matrix."""
    stepper = Muon([weight], lr=lr, **options)
    losses = []
    for _ in range(steps):
        stepper.zero_grad()
        loss = weight.square().sum()
        loss.backward()
        losses.append(loss.item())
        stepper.step()
    return losses


def test_quadratic_loss_falls():
    weight = torch.nn.Parameter(torch.randn(12, 20, generator=torch.Generator().manual_seed(2)))
    losses = quadratic(weight, 100, lr=0.1)
    assert losses[-1] < 0.1 * losses[0]


def test_first_update_has_the_size_of_adamw():
    weight = torch.nn.Parameter(torch.randn(30, 50, generator=torch.Generator().manual_seed(3)))
    before = weight.detach().clone()
    quadratic(weight, 1, lr=0.5)
    size = (weight.detach() - before).square().mean().sqrt()
    assert size == pytest.approx(0.2 * 0.5, rel=0.3)


def test_weight_decay_shrinks_the_weight():
    plain, decayed = (torch.nn.Parameter(torch.ones(4, 4)) for _ in range(2))
    quadratic(plain, 1, lr=0.1)
    quadratic(decayed, 1, lr=0.1, weight_decay=0.5)
    torch.testing.assert_close(plain - decayed, torch.full((4, 4), 0.05))


def test_parameters_without_gradient_stay():
    used, idle = (torch.nn.Parameter(torch.ones(3, 4)) for _ in range(2))
    stepper = Muon([used, idle], lr=0.1)
    used.sum().backward()
    stepper.step()
    assert (idle == 1).all()
    assert idle not in stepper.state
    assert (used != 1).any()
