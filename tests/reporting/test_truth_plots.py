"""The figures that compare kept sets with the truth come with the numbers that they show."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from replication.reporting import truth_plots


@pytest.fixture(autouse=True)
def closed():
    """No figure is left open."""
    yield
    plt.close("all")


def rendered(drawn):
    """Return figure and data; warnings while drawing, such as missing glyphs, are errors."""
    figure, _, _, data = drawn
    figure.canvas.draw()
    return figure, data


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def sorted_row(size):
    p = 1.0 / np.arange(1, size + 1)
    return pd.DataFrame({"rank": np.arange(1, size + 1), "token": "x", "probability": p / p.sum()})


def test_distributions_show_cuts_and_thin_out_long_rows():
    panels = {f"prefix {i} $x_": (sorted_row(5000), {"top-p 0.95": 3, "η 0.01": 12}) for i in range(5)}
    figure, data = rendered(truth_plots.distributions("individual", panels, title="All", caption="C"))
    assert len(figure.axes) == 6  # three rows of two
    assert [axes.get_visible() for axes in figure.axes] == [True] * 5 + [False]
    assert figure.axes[0].get_title() == "prefix 0 $x_"
    assert legend(figure.axes[1]) == ["top-p 0.95", "η 0.01"]
    assert [line.get_xdata()[0] for line in figure.axes[0].get_lines()] == [3.5, 12.5]
    own = data[data["panel"] == "prefix 0 $x_"]
    assert own["rank"].head(100).tolist() == list(range(1, 101))
    assert own["rank"].iloc[-1] == 5000
    assert len(own) <= 200
    assert own["kept by η 0.01"].sum() == 12


def test_short_distributions_are_shown_whole():
    _, data = rendered(truth_plots.distributions("x", {"a": (sorted_row(8), {"ε": 8})}, title="t"))
    assert data["rank"].tolist() == list(range(1, 9))


def bins(*values, names=("one token", "0.01 to 0.5", "3 and more")):
    values = np.array(values)
    labels = list(names)[: len(values)]
    return pd.DataFrame({"bin": labels, "accuracy": values, "low": values - 0.1, "high": values + 0.1})


def test_series_of_a_bin_stand_side_by_side():
    panels = {"recall": {"top-p": bins(0.9, 0.5, 0.4), "η": bins(0.8, 0.7)}, "F1": {"η": bins(0.5)}}
    figure, data = rendered(truth_plots.by_bin("support", panels, title="Kept sets"))
    left, right = figure.axes
    assert [tick.get_text() for tick in left.get_xticklabels()] == ["one token", "0.01 to 0.5", "3 and more"]
    points = [axes.containers[0].lines[0] for axes in (left, right)]
    np.testing.assert_allclose(points[0].get_xdata(orig=False), [-0.1, 0.9, 1.9])
    np.testing.assert_allclose(points[0].get_ydata(orig=False), [90, 50, 40])
    np.testing.assert_allclose(points[1].get_xdata(orig=False), [0])
    assert legend(right) == ["top-p", "η"]
    assert len(data) == 6
    assert set(data["panel"]) == {"recall", "F1"}


def test_trade_off_leaves_far_points_out_of_the_picture_only():
    curve = pd.DataFrame({"tv": [0.0, 0.1, 0.8], "entropy": [1.0, 0.9, 0.1]})
    panels = {f"{i} to {i + 1}": {"η": curve.head(2), "typical": curve} for i in range(5)}
    figure, data = rendered(truth_plots.trade_off("tv", panels, "tv", "entropy", title="T", reach=0.2))
    assert len(figure.axes[0].get_lines()[1].get_xdata()) == 2
    assert len(data) == 5 * 5
    assert not figure.axes[5].get_visible()
    figure, _ = rendered(truth_plots.trade_off("tv", panels, "tv", "entropy", title="T"))
    assert len(figure.axes[0].get_lines()[1].get_xdata()) == 3


def test_cloud_draws_small_values_at_the_bottom():
    frame = pd.DataFrame({"h": [0.1, 1.0, 2.0], "p": [1e-9, 0.1, 0.2], "kind": ["a", "a", "b"], "more": 1})
    drawn = truth_plots.cloud(
        "mass", frame, "h", "p", group="kind", title="T", curves={"bound": ([0, 2], [1, 0.1])}
    )
    figure, data = rendered(drawn)
    (axes,) = figure.axes
    assert axes.get_yscale() == "log"
    np.testing.assert_allclose(axes.get_lines()[0].get_ydata(), [1e-6, 0.1])
    assert legend(axes) == ["a", "b", "bound"]
    assert data["p"].tolist() == [1e-9, 0.1, 0.2]
    assert list(data) == ["kind", "h", "p"]
