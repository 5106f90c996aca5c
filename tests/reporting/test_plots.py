"""Each figure comes with the numbers that it shows."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from replication.evaluation.claims import NOTHING, Estimate
from replication.reporting import plots, style

NAN = float("nan")


@pytest.fixture(autouse=True)
def closed():
    """No figure is left open."""
    yield
    plt.close("all")


def curve(x, *accuracies):
    values = np.array(accuracies)
    return pd.DataFrame(
        {
            x: range(1, len(values) + 1),
            "accuracy": values,
            "low": values - 0.05,
            "high": values + 0.05,
            "n": 40,
        }
    )


def texts(figure):
    """Texts of the only panel's legend, in order."""
    return [text.get_text() for text in figure.axes[0].get_legend().get_texts()]


def check(drawn, name, caption=""):
    """Check the form that `Report.figure` takes, render the figure, and return it with its data."""
    figure, drawn_name, drawn_caption, data = drawn
    assert (drawn_name, drawn_caption) == (name, caption)
    figure.canvas.draw()  # warnings, such as missing glyphs, are errors here
    return figure, data


def test_curves():
    series = {"small": curve("k", 0.2, 0.3), "large": curve("k", 0.4, 0.6, 0.7)}
    published = {"large": [(1, 34.8), (3, 63.2)]}
    drawn = plots.curves("figure_5", series, "k", title="T", caption="C", published=published)
    figure, data = check(drawn, "figure_5", "C")
    assert list(data.columns) == ["series", "k", "accuracy", "low", "high", "n"]
    assert data["series"].tolist() == ["small"] * 2 + ["large"] * 3
    assert data["accuracy"].tolist() == [0.2, 0.3, 0.4, 0.6, 0.7]
    axes = figure.axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title()) == ("k", "accuracy, %", "T")
    lines = {line.get_label(): line for line in axes.lines}
    np.testing.assert_allclose(lines["large"].get_ydata(), [40, 60, 70])
    hollow = [line for line in axes.lines if line.get_label() == "large, published"]
    assert [float(line.get_ydata()[0]) for line in hollow] == [34.8, 63.2]
    assert {line.get_color() for line in hollow} == {lines["large"].get_color()}
    assert texts(figure) == ["small", "large", "large, published"]


def test_a_series_without_rows_is_named_and_not_drawn():
    series = {"a": curve("k", 0.2, 0.3), "b": curve("k").astype(object)}
    figure, data = check(plots.curves("figure_5", series, "k", title="T"), "figure_5")
    assert texts(figure) == ["a", "b"]
    assert len(data) == 2


def test_curve_panels():
    panels = {
        "stories": {"base": curve("k", 0.2, 0.3), "tuned": curve("k", 0.9, 0.9)},
        "parity": {"base": curve("k", 0.5, 0.6)},
    }
    published = {"stories": {"base": [(1, 9.9), (2, 25.1)]}}
    drawn = plots.curve_panels("figure_6", panels, "k", xlabel="branches k", published=published)
    figure, data = check(drawn, "figure_6")
    assert list(data.columns) == ["panel", "series", "k", "accuracy", "low", "high", "n"]
    assert data["panel"].tolist() == ["stories"] * 4 + ["parity"] * 2
    first, second = figure.axes
    assert (first.get_title(), second.get_title()) == ("stories", "parity")
    assert (first.get_ylabel(), second.get_xlabel()) == ("accuracy, %", "branches k")
    hollow = [line for line in first.lines if line.get_label() == "base, published"]
    assert [float(line.get_ydata()[0]) for line in hollow] == [9.9, 25.1]
    assert len(second.lines) == 1
    shown = [text.get_text() for text in second.get_legend().get_texts()]
    assert shown == ["base", "base, published", "tuned"]


def test_panels_have_a_title_and_whole_numbers_no_ticks_between():
    panels = {name: {"base": curve("k", 0.2, 0.3)} for name in "abc"}
    figure, _ = check(plots.curve_panels("figure_6", panels, "k", title="All"), "figure_6")
    assert figure.get_suptitle() == "All"
    for axes in figure.axes:
        assert all(tick == round(tick) for tick in axes.get_xticks())
    shares = {"base": curve("k", 0.2, 0.3).assign(k=[0.0, 0.3])}
    figure, _ = check(plots.curves("control", shares, "k", title="T"), "control")
    assert any(tick != round(tick) for tick in figure.axes[0].get_xticks())


def test_long_names_below_bars_are_broken():
    e = Estimate(0.5, 0.4, 0.6, 50)
    names = ("testbed-small", "testbed", "testbed-large", "testbed-tuned")
    figure, data = check(plots.bars("x", {name: {"greedy": e} for name in names}, title="T"), "x")
    ticks = [tick.get_text() for tick in figure.axes[0].get_xticklabels()]
    assert ticks == ["testbed-\nsmall", "testbed", "testbed-\nlarge", "testbed-\ntuned"]
    assert data["group"].tolist() == list(names)


def test_words_of_groups_are_not_broken():
    e = Estimate(0.5, 0.4, 0.6, 10)
    names = [f"{one} {kind}" for one in ("1 - s", "1 - P", "chance") for kind in ("moves", "portions")]
    figure, _ = check(plots.bars("x", {name: {"kept": e} for name in names}, title="T"), "x")
    shown = {label.get_text() for label in figure.axes[0].get_xticklabels()}
    assert "chance\nportions" in shown


def test_bars():
    low, high = Estimate(0.1, 0.05, 0.2, 50), Estimate(0.6, 0.5, 0.7, 50)
    groups = {"stories": {"greedy": low}, "parity": {"greedy": low, "CoT-decoding": high}}
    published = {"parity": {"greedy": 35.0, "CoT-decoding": 66.0}}
    figure, data = check(plots.bars("figure_3", groups, title="T", published=published), "figure_3")
    assert list(data.columns) == ["group", "bar", "value", "low", "high", "n"]
    assert data.loc[2].tolist() == ["parity", "CoT-decoding", 0.6, 0.5, 0.7, 50]
    assert len(data) == 3
    axes = figure.axes[0]
    np.testing.assert_allclose([bar.get_height() for bar in axes.patches], [10, 10, 60])
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["stories", "parity"]
    assert sorted(texts(figure)) == ["CoT-decoding", "greedy", "published"]
    assert axes.get_ylim() == (0, 100)


def test_bars_may_set_the_upper_end_and_lack_a_value():
    groups = {"a": {"x": Estimate(0.02, 0.01, 0.03, 500), "y": NOTHING}}
    figure, data = check(plots.bars("gsm8k_easy", groups, title="T", top=None), "gsm8k_easy")
    assert 3 <= figure.axes[0].get_ylim()[1] < 10
    assert np.isnan(data.loc[1, "value"])


def test_an_end_of_the_interval_may_pass_the_value_by_rounding():
    e = Estimate(0.1, 0.1 + 1e-15, 0.1, 50)
    _, data = check(plots.bars("figure_3", {"a": {"x": e}}, title="T"), "figure_3")
    assert data.loc[0, "low"] == e.low > data.loc[0, "value"]


def test_branches():
    frame = pd.DataFrame(
        {
            "branch": [0, 1, 2],
            "text": ["3.", "1+1=2, so 2.", "$?$"],
            "answer": ["3", "$2_$", None],
            "delta": [0.1, 0.9, NAN],
            "has_cot": [False, True, False],
        }
    )
    figure, data = check(plots.branches("figure_1", frame, title="T"), "figure_1")
    assert list(data.columns) == ["branch", "answer", "delta", "has_cot"]
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == ["3", "$2_$", "none"]
    heights, hatches = zip(*((bar.get_height(), bar.get_hatch() or "") for bar in axes.patches), strict=True)
    assert heights[:3] == (0.1, 0.9, 0.0)
    assert hatches[:3] == ("", "//", "")
    assert texts(figure) == ["direct", "reasoned"]
    assert axes.get_xticks().tolist() == [0, 1, 2]


def test_histogram():
    deltas, flags = [0.02, 0.04, 0.97, NAN, 0.99], [False, False, True, True, True]
    frame = pd.DataFrame({"delta": deltas, "has_cot": flags})
    figure, data = check(plots.histogram("delta_histogram", frame, title="T"), "delta_histogram")
    assert list(data.columns) == ["from", "to", "direct", "reasoned"]
    assert len(data) == 20
    assert (data["direct"].tolist(), data["reasoned"].tolist()) == ([2] + [0] * 19, [0] * 19 + [2])
    assert texts(figure) == ["direct (2 branches)", "reasoned (2 branches)"]
    none = frame.assign(has_cot=False)
    _, data = check(plots.histogram("x", none, title="T"), "x")
    assert data["reasoned"].sum() == 0


def test_losses():
    frame = pd.DataFrame(
        {"step": [0, 50], "tokens": [0.1e6, 2e6], "loss": [7.0, 2.0], "validation": [6.9, 2.1]}
    )
    figure, data = check(plots.losses("loss_curves", {"a": frame, "b": frame}, title="T"), "loss_curves")
    assert list(data.columns) == ["model", "step", "tokens", "loss", "validation"]
    assert data["model"].tolist() == ["a", "a", "b", "b"]
    axes = figure.axes[0]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    np.testing.assert_allclose(axes.lines[0].get_xdata(), [0.1, 2])
    np.testing.assert_allclose(axes.lines[0].get_ydata(), [6.9, 2.1])
    assert axes.lines[0].get_color() != axes.lines[1].get_color()


def test_figures_can_be_stored(tmp_path):
    figure, name, _, _ = plots.curves("figure_5", {"a": curve("k", 0.2, 0.3)}, "k", title="T")
    style.save(figure, tmp_path, name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["figure_5.pdf", "figure_5.png"]
