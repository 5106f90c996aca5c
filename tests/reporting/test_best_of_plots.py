"""The figures on tuning effort and on diversity come with the numbers that they show."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from replication.reporting import best_of_plots


@pytest.fixture(autouse=True)
def closed():
    """No figure is left open."""
    yield
    plt.close("all")


def frame(column, places, values):
    values = np.array(values)
    return pd.DataFrame(
        {column: places, "accuracy": values, "low": values - 0.02, "high": values + 0.03, "n": 20}
    )


def test_best_of_has_a_tick_for_every_n_and_a_line_at_zero():
    series = {
        "all": frame("N", [1, 4, 24], [-0.1, -0.02, 0.0]),
        "one": frame("N", [1, 4, 24], [0.1, 0.05, 0.01]),
    }
    figure, name, caption, data = best_of_plots.best_of("best_of_n", series, title="T", caption="C")
    figure.canvas.draw()
    assert (name, caption) == ("best_of_n", "C")
    axes = figure.axes[0]
    assert axes.get_xscale() == "log"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1", "4", "24"]
    lines = {line.get_label(): line for line in axes.lines}
    np.testing.assert_allclose(lines["all"].get_ydata(), [-10, -2, 0])
    assert any(list(line.get_ydata()) == [0, 0] for line in axes.lines)
    assert len(axes.collections) == 1  # the interval of the first series alone
    assert data["series"].tolist() == ["all"] * 3 + ["one"] * 3
    assert list(data.columns) == ["series", "N", "accuracy", "low", "high", "n"]


def test_trade_off_follows_the_temperatures_and_names_those_of_the_last_sampler():
    rows = frame("temperature", [0.7, 1.5, 3.0], [0.8, 0.6, 0.1]).assign(distinct=[0.2, 0.9, 0.4])
    figure, _, _, data = best_of_plots.trade_off("quality", {"top-p": rows, "min-p": rows}, title="T")
    figure.canvas.draw()
    axes = figure.axes[0]
    line = axes.containers[0].lines[0]
    np.testing.assert_allclose(line.get_xdata().astype(float), [20, 90, 40])
    np.testing.assert_allclose(line.get_ydata().astype(float), [80, 60, 10])
    assert [text.get_text() for text in axes.texts] == ["T = 0.7", "T = 1.5", "T = 3"]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["top-p", "min-p"]
    assert data["distinct"].tolist() == [0.2, 0.9, 0.4] * 2


def test_published_ranges_are_black_bars_in_points():
    series = {"all": frame("N", [1, 24], [-0.1, 0.0])}
    figure, *_ = best_of_plots.best_of(
        "best_of_n", series, title="T", published=[(1, -0.16, -0.04), (24, 0, 0.01)]
    )
    axes = figure.axes[0]
    bars = [line for line in axes.lines if line.get_label() == "published"]
    np.testing.assert_allclose([line.get_ydata() for line in bars], [[-16, -4], [0, 1]])
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["all", "published"]
