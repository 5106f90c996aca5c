"""The figures of the notebooks on truncation sampling come with the numbers that they show."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from replication.reporting import sampler_plots


@pytest.fixture(autouse=True)
def closed():
    """No figure is left open."""
    yield
    plt.close("all")


def curve(*values):
    values = np.array(values)
    x = [0.5, 1.0, 3.0][: len(values)]
    return pd.DataFrame({"T": x, "accuracy": values, "low": values - 0.05, "high": values + 0.05})


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def rendered(drawn):
    """Return figure and data; warnings while drawing, such as missing glyphs, are errors."""
    figure, _, _, data = drawn
    figure.canvas.draw()
    return figure, data


def test_lines_in_one_panel():
    series = {"top-nσ 1": curve(0.5, 0.6, 0.6), "min-p 0.1": curve(0.5, 0.4)}
    drawn = sampler_plots.lines(
        "table_2", series, "T", title="Shown", caption="C", log_x=True, marks={"T_c": 1.8},
        levels={"greedy": 55.0}, published={"min-p 0.1": [(1.0, 80.0), (3.0, 14.8)]},
    )  # fmt: skip
    assert drawn[1:3] == ("table_2", "C")
    figure, data = rendered(drawn)
    (axes,) = figure.axes
    assert axes.get_title() == "Shown"
    assert axes.get_xscale() == "log"
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["0.5", "1", "3"]
    assert legend(axes) == ["top-nσ 1", "min-p 0.1", "T_c", "greedy", "published"]
    np.testing.assert_allclose(axes.get_lines()[0].get_ydata(), [50, 60, 60])
    assert list(data["series"].unique()) == ["top-nσ 1", "min-p 0.1"]
    assert len(data) == 5
    assert "panel" not in data


def test_lines_in_panels_keep_a_look_for_each_series():
    panels = {"plain": {"a": curve(0.1), "b": curve(0.2)}, "coins": {"b": curve(0.3)}}
    figure, data = rendered(sampler_plots.lines("x", panels, "T", title="Both", scale=1.0, log_y=True))
    left, right = figure.axes
    assert (left.get_title(), right.get_title()) == ("plain", "coins")
    assert left.get_lines()[1].get_color() == right.get_lines()[0].get_color()
    assert right.get_yscale() == "log"
    assert legend(right) == ["a", "b"]
    assert list(data["panel"]) == ["plain", "plain", "coins"]
    assert list(data["accuracy"]) == [0.1, 0.2, 0.3]


def test_histogram_has_density_and_lines():
    values = np.random.default_rng(0).normal(size=500)
    drawn = sampler_plots.histogram(
        "figure_1a", values, {"μ + 5σ": 5.0, "maximum": 3.0}, title="T", normal=(0.0, 1.0)
    )
    figure, data = rendered(drawn)
    assert legend(figure.axes[0]) == ["500 tokens", "normal density", "μ + 5σ", "maximum"]
    assert (data["density"] * (data["to"] - data["from"])).sum() == pytest.approx(1)


def test_probabilities_show_cuts_inside_and_name_those_beyond():
    frame = pd.DataFrame({"token": [" a", "\n", "$x", ""], "probability": [0.5, 0.3, 0.1, 0.05]})
    figure, data = rendered(
        sampler_plots.probabilities("figure_1b", frame, {"n = 1": 2, "μ + 5σ": 30}, title="T")
    )
    axes = figure.axes[0]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["␣a", "↵", "$x", "∅"]
    assert legend(axes) == ["n = 1", "μ + 5σ: 30 tokens"]
    assert axes.get_lines()[0].get_xdata()[0] == 1.5
    assert data is frame


def test_probabilities_have_the_published_ones_beside_them():
    frame = pd.DataFrame({"token": list("ab"), "probability": [0.5, 0.3]})
    figure, _ = rendered(sampler_plots.probabilities("x", frame, {}, title="T", published=[0.41, 0.27, 0.1]))
    (dots,) = [line for line in figure.axes[0].get_lines() if line.get_label() == "published"]
    assert dots.get_ydata().tolist() == [0.41, 0.27, 0.1]
    assert dots.get_markerfacecolor() == "white"


def test_trace_tells_places_by_possible_tokens():
    frame = pd.DataFrame(
        {"token": list("abc"), "distance": [10.0, 5.0, 9.0], "valid": [1.0, 4.0, float("nan")]}
    )
    figure, data = rendered(sampler_plots.trace("figure_2a", frame, title="T", levels={"edge": 4.0}))
    assert legend(figure.axes[0]) == ["one possible token", "several", "unknown", "edge"]
    assert data is frame


def test_trace_without_truth_names_one_kind_only():
    frame = pd.DataFrame({"token": list("ab"), "distance": [1.0, 2.0], "valid": [float("nan")] * 2})
    figure, _ = rendered(sampler_plots.trace("figure_2a", frame, title="T"))
    assert legend(figure.axes[0]) == ["unknown"]
