import numpy as np
import pytest

from replication.pretraining.trajectories import (
    CLASSES,
    accuracy_law,
    categories,
    fit,
    null_categories,
    shares,
)
from replication.settings import InputError


def noise(sigma, tokens=4000, checkpoints=15, seed=0):
    return sigma * np.random.default_rng(seed).standard_normal((tokens, checkpoints))


def test_the_line_is_numpys():
    losses = noise(1.0, tokens=5) + np.arange(15) * 0.3
    found = fit(losses)
    for i, row in enumerate(losses):
        slope, intercept = np.polyfit(np.arange(15), row, 1)
        assert (found.slope[i], found.intercept[i]) == pytest.approx((slope, intercept))
        assert found.change[i] == pytest.approx(14 * slope)
        rest = row - slope * np.arange(15) - intercept
        assert found.residual_std[i] == pytest.approx(np.sqrt((rest**2).sum() / 13))


@pytest.mark.parametrize(
    ("losses", "wanted"),
    [
        ([3, 2.5, 2, 1.5, 1], "H->L"),
        ([0.1, 0.3, 0.1, 0.3, 0.1], "L->L"),
        ([3.5, 4, 3.5, 4, 3.5], "H->H"),
        ([1, 1, 1, 1, 1.5], "L->H"),
        ([0.05, 0.05, 0.05, 0.05, 0.30], "L->L"),  # a change of 0.2, the boundary, is flat
        ([0.30, 0.05, 0.05, 0.05, 0.05], "L->L"),
        ([2, 2, 2, 2, 1], "H->L"),
        ([1.63, 1.63, 1.63, 1.63, 1.63], "L->L"),  # as large as the mean
    ],
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_classes_of_the_worked_examples(losses, wanted, dtype):
    assert categories(np.array([losses], dtype=dtype), mean_loss=1.63).tolist() == [wanted]


def test_flat_classes_look_at_the_last_loss():
    # The line ends at 1.5 above the mean of 1.45, the last loss lies below.
    losses = np.array([[1.5, 1.5, 1.6, 1.5, 1.4]])
    assert categories(losses, mean_loss=1.45).tolist() == ["L->L"]


def test_the_mean_is_that_of_all_tokens_at_the_end():
    losses = np.array([[1.0, 1.0], [3.0, 3.0]])
    assert categories(losses).tolist() == ["L->L", "H->H"]
    assert shares(categories(losses)) == {"H->H": 0.5, "L->H": 0, "H->L": 0, "L->L": 0.5}


@pytest.mark.parametrize(("sigma", "share"), [(0.1, 0.009), (0.2, 0.115), (0.3, 0.21), (0.5, 0.31)])
def test_noise_alone_fills_the_changing_classes(sigma, share):
    losses = 2 + noise(sigma, tokens=20_000)
    assert np.std(fit(losses).change) == pytest.approx(0.837 * sigma, rel=0.02)
    found = shares(categories(losses))
    assert found["H->L"] == pytest.approx(share, abs=0.01)
    assert found["L->H"] == pytest.approx(share, abs=0.01)
    null = null_categories(losses, repeats=3)
    assert null["H->L"].mean() == pytest.approx(share, abs=0.01)


def test_shuffled_checkpoints_take_the_order_away():
    losses = 2 + noise(0.1) - 0.1 * np.arange(15)
    assert shares(categories(losses))["H->L"] == 1
    for jointly in (False, True):
        null = {k: v.mean() for k, v in null_categories(losses, repeats=40, jointly=jointly).items()}
        assert null["H->L"] == pytest.approx(null["L->H"], abs=0.2)
        assert null["H->L"] < 0.6
        assert sum(null.values()) == pytest.approx(1)


def test_shuffles_repeat_by_their_seed():
    losses = 2 + noise(0.3, tokens=50)
    first, again, other = (null_categories(losses, seed=seed)["H->L"] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_every_token_falls_into_one_class_a_shuffle():
    total = sum(null_categories(2 + noise(0.3, tokens=50), repeats=5).values())
    assert np.allclose(total, 1)


def test_selection_noise_makes_a_bump_at_the_checkpoint_that_selects():
    # Regression to the mean: nothing here ever changes but the noise of each checkpoint. The mean of the top
    # 60 % of a standard normal is 0.644; selected by a noisy value it is 0.644 / sqrt(1 + sigma^2) elsewhere.
    generator = np.random.default_rng(0)
    excess = generator.standard_normal(100_000)
    for sigma, own, elsewhere in ((0.3, 0.67, 0.62), (0.6, 0.75, 0.55), (0.0, 0.64, 0.64)):
        seen = excess[:, None] + sigma * generator.standard_normal((100_000, 15))
        kept = seen[:, 4] >= np.quantile(seen[:, 4], 0.4)
        assert seen[kept, 4].mean() == pytest.approx(own, abs=0.015)
        assert np.delete(seen[kept], 4, axis=1).mean() == pytest.approx(elsewhere, abs=0.015)


def test_fluctuating_tokens_have_a_large_residual():
    steady, wild = fit([[0.1, 0.1, 0.1, 0.1], [0.1, 2.0, 0.1, 2.0]]).residual_std
    assert steady == pytest.approx(0)
    assert wild > 0.9
    assert fit([[1.0, 2.0]]).residual_std.tolist() == [0.0]


def test_the_law_is_found_again():
    loss = np.linspace(0.88, 0.95, 15)
    found = accuracy_law(loss, np.log(-2.5 * loss + 3.4))
    assert (found.a, found.c, found.s) == pytest.approx((-2.5, 3.4, 1))
    assert found.rmse == pytest.approx(0, abs=1e-12)
    assert found.slope < 0
    assert found(loss[:2]) == pytest.approx(np.log(-2.5 * loss[:2] + 3.4))
    assert np.isnan(found(2.0))


def test_the_law_of_three_parameters():
    loss = np.linspace(0.88, 0.95, 15)
    accuracy = 22 * np.log(-2.5 * loss + 4.0)
    found = accuracy_law(loss, accuracy, scaled=True)
    assert found.rmse < 0.02
    assert found(loss) == pytest.approx(accuracy, abs=0.05)
    # Units do not matter.
    fraction = accuracy_law(loss, accuracy / 100, scaled=True)
    assert fraction.slope * 100 == pytest.approx(found.slope, rel=0.02)


def test_the_law_of_rising_and_of_noisy_accuracies():
    loss = np.linspace(3.53, 3.66, 15)
    accuracy = 0.05 + 1.2 * (loss - 3.53) + noise(0.005, 1)[0]
    for scaled in (False, True):
        found = accuracy_law(loss, accuracy, scaled)
        assert found.slope > 0
        assert found.rmse < 0.01


@pytest.mark.parametrize("losses", [[1.0, 2.0], [[1.0]], [[1.0, np.nan]], np.zeros((0, 3))])
def test_losses_that_are_refused(losses):
    with pytest.raises(InputError, match="Trajectories need"):
        fit(losses)


def test_other_input_that_is_refused():
    with pytest.raises(InputError, match="at least one token"):
        shares([])
    with pytest.raises(InputError, match="at least 1 repeat"):
        null_categories([[1.0, 2.0]], repeats=0)
    with pytest.raises(InputError, match="3 or more"):
        accuracy_law([1, 2], [0.1, 0.2])
    with pytest.raises(InputError, match="4 or more"):
        accuracy_law([1, 2, 3], [0.1, 0.2, 0.3], scaled=True)
    with pytest.raises(InputError, match="3 or more"):
        accuracy_law([1, 1, 1], [0.1, 0.2, 0.3])
    with pytest.raises(InputError, match="scaled=True"):
        accuracy_law([0.0, 1.0, 1.1, 1.2], [3.0, 0.0, -5.0, -9.0])
    assert set(CLASSES) == {"H->H", "L->H", "H->L", "L->L"}
