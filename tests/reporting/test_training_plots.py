"""The figures of the notebooks on trainings come with the numbers that they show."""

import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.collections import PolyCollection

from replication.reporting import style, training_plots


@pytest.fixture(autouse=True)
def closed():
    """No figure is left open."""
    yield
    plt.close("all")


def curve(*values, band=True):
    values = np.array(values)
    frame = pd.DataFrame({"tokens": 1000 * np.arange(1, len(values) + 1), "loss": values})
    return frame.assign(low=values - 0.1, high=values + 0.2) if band else frame


def rendered(drawn, name):
    """Return figure and data; warnings while drawing, such as missing glyphs, are errors."""
    figure, drawn_name, _, data = drawn
    assert drawn_name == name
    figure.canvas.draw()
    return figure, data


def legend(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def legends(figure):
    return sum(axes.get_legend() is not None for axes in figure.axes)


def bands(axes):
    return [one for one in axes.collections if isinstance(one, PolyCollection)]


def test_trajectories_with_bands_in_one_panel():
    series = {"H→L": curve(2.0, 1.0, 0.5), "L→L": curve(0.1, 0.1, band=False)}
    drawn = training_plots.trajectories("figure_3", series, "tokens", "T", unit="thousands", caption="C")
    assert drawn[2] == "C"
    figure, data = rendered(drawn, "figure_3")
    (axes,) = figure.axes
    assert axes.get_title() == "T"
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("processed tokens, thousands", "loss, nats per token")
    np.testing.assert_allclose(axes.get_lines()[0].get_xdata(), [1, 2, 3])
    np.testing.assert_allclose(axes.get_lines()[0].get_ydata(), [2, 1, 0.5])
    (band,) = bands(axes)
    assert band.get_datalim(axes.transData).y0 == pytest.approx(0.4)
    assert band.get_datalim(axes.transData).y1 == pytest.approx(2.2)
    assert legend(axes) == ["H→L", "L→L"]
    assert list(data.columns) == ["series", "tokens", "loss", "low", "high"]
    assert data["tokens"].tolist() == [1000, 2000, 3000, 1000, 2000]


def test_published_points_have_a_panel_and_our_colours():
    series = {"H→L": curve(2.0, 1.0), "L→L": curve(0.1, 0.1)}
    published = {"L→L": [(1.0, 0.2), (15.0, 0.1)], "H→H": [(1.0, 3.0)]}
    figure, data = rendered(
        training_plots.trajectories("figure_3", series, "tokens", "T", published=published), "figure_3"
    )
    ours, theirs = figure.axes
    assert (ours.get_title(), theirs.get_title()) == ("this run", "published")
    assert figure.get_suptitle() == "T"
    assert theirs.get_xlabel() == "processed tokens, billions"
    found = {line.get_label(): line for line in theirs.get_lines()}
    np.testing.assert_allclose(found["L→L"].get_xdata(), [1, 15])
    assert found["L→L"].get_color() == ours.get_lines()[1].get_color()
    assert found["L→L"].get_markerfacecolor() == "white"
    assert found["H→H"].get_color() not in {line.get_color() for line in ours.get_lines()}
    assert sorted(legend(theirs)) == ["H→H", "H→L", "L→L"]
    assert legends(figure) == 1
    assert data.groupby("panel").size().to_dict() == {"this run": 4, "published": 3}


def test_small_multiples_keep_a_look_for_each_label():
    panels = {
        "selected": {"CLM": curve(2.0, 1.5), "SLM": curve(2.0, 0.5)},
        "target": {"SLM": curve(1.0, 0.2)},
    }
    figure, data = rendered(
        training_plots.small_multiples("figure_4", panels, "tokens", "loss", "T", unit=""), "figure_4"
    )
    left, right = figure.axes
    assert (left.get_title(), right.get_title()) == ("selected", "target")
    assert figure.get_suptitle() == "T"
    assert left.get_lines()[1].get_color() == right.get_lines()[0].get_color() == style.VERMILLION
    assert (left.get_ylabel(), right.get_ylabel()) == ("loss, nats per token", "")
    assert left.get_xlabel() == right.get_xlabel() == "processed tokens"
    np.testing.assert_allclose(right.get_lines()[0].get_xdata(), [1000, 2000])
    assert legend(right) == ["CLM", "SLM"]
    assert legends(figure) == 1
    assert data["panel"].tolist() == ["selected"] * 4 + ["target"] * 2
    assert data["series"].tolist() == ["CLM"] * 2 + ["SLM"] * 4


def test_the_own_checkpoint_is_ringed():
    sets = {f"chosen at {t}": curve(3.0, 2.0, 1.0, band=False).assign(own=np.arange(3) == t) for t in (0, 2)}
    drawn = training_plots.small_multiples(
        "figure_7", {"SLM": sets}, "tokens", "loss", "T", ylabel="perplexity", mark="own", log_y=True
    )
    figure, _ = rendered(drawn, "figure_7")
    (axes,) = figure.axes
    assert axes.get_title() == "T"
    assert axes.get_yscale() == "log"
    rings = [line for line in axes.get_lines() if line.get_label() == "own checkpoint"]
    assert [(float(r.get_xdata()[0]), float(r.get_ydata()[0])) for r in rings] == [(1e-3, 3.0), (3e-3, 1.0)]
    assert legend(axes) == ["chosen at 0", "chosen at 2", "own checkpoint"]


def test_more_panels_than_a_row_takes():
    panels = {str(i): {"CLM": curve(1.0, 2.0)} for i in range(4)}
    figure, _ = rendered(training_plots.small_multiples("x", panels, "tokens", "loss", "T", sharey=True), "x")
    assert [axes.get_visible() for axes in figure.axes] == [True] * 4 + [False] * 2
    assert figure.axes[0].get_ylim() == figure.axes[3].get_ylim()
    assert legends(figure) == 1


def law(loss):
    return np.log(np.where(loss < 2.5, 3.0 - loss, np.nan)) / 2


def scattered():
    frame = pd.DataFrame({"loss": [1.0, 1.5, 2.0], "accuracy": [0.35, 0.2, 0.0]})
    return {"selected": frame.assign(low=frame["accuracy"] - 0.05, high=frame["accuracy"] - 1e-18),
            "unselected": frame.assign(loss=frame["loss"] + 2)}  # fmt: skip


def test_points_and_their_curve():
    drawn = training_plots.scatter_fit("figure_5", scattered(), {"selected": law}, "loss", "accuracy", "T")
    figure, data = rendered(drawn, "figure_5")
    left, right = figure.axes
    assert (left.get_title(), right.get_title()) == ("selected", "unselected")
    assert left.get_xlabel() == "loss, nats per token"
    assert left.get_ylabel() == "accuracy, %"
    np.testing.assert_allclose(left.containers[0].lines[0].get_ydata(orig=False), [35, 20, 0])
    (line,) = [line for line in left.get_lines() if line.get_label() == "selected, fitted"]
    np.testing.assert_allclose(line.get_ydata(), 100 * law(np.linspace(1, 2, 200)))
    assert line.get_color() == left.containers[0].lines[0].get_color()
    assert sorted(legend(right)) == ["selected", "selected, fitted", "unselected"]
    assert data.groupby(["series", "kind"]).size().to_dict() == {
        ("selected", "measured"): 3,
        ("selected", "fitted"): 200,
        ("unselected", "measured"): 3,
    }


def test_points_in_one_panel_and_a_curve_with_gaps():
    drawn = training_plots.scatter_fit(
        "x", scattered(), {"unselected": law}, "loss", "accuracy", "T", apart=False, scale=1.0
    )
    figure, data = rendered(drawn, "x")
    (axes,) = figure.axes
    assert axes.get_title() == "T"
    np.testing.assert_allclose(axes.containers[1].lines[0].get_ydata(orig=False), [0.35, 0.2, 0.0])
    assert data.loc[data["kind"] == "fitted", "accuracy"].isna().all()


def test_published_points_stand_in_the_panel_of_their_series():
    panels = {
        "target": {"CLM": curve(2.0, 1.5), "SLM": curve(2.0, 0.5)},
        "selected": {"SLM": curve(1.0, 0.2)},
    }
    published = {"target": {"SLM": [(1000.0, 1.1), (2000.0, 0.9)]}}
    drawn = training_plots.small_multiples(
        "figure_6", panels, "tokens", "loss", "T", unit="thousands", published=published
    )
    figure, _ = rendered(drawn, "figure_6")
    left, right = figure.axes
    hollow = [line for line in left.get_lines() if line.get_label() == "published"]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in hollow] == [(1.0, 1.1), (2.0, 0.9)]
    assert {line.get_color() for line in hollow} == {left.get_lines()[1].get_color()}
    assert legend(right)[-1] == "published"


def test_logarithmic_axes_have_plain_numbers():
    panels = {"a": {"x": curve(2.0, 30.0)}}
    drawn = training_plots.small_multiples("x", panels, "tokens", "loss", "T", log_y=True)
    figure, _ = rendered(drawn, "x")
    axes = figure.axes[0]
    labels = [tick.get_text() for which in (False, True) for tick in axes.get_yticklabels(minor=which)]
    assert "10" in labels
    assert not [label for label in labels if "times" in label or "^" in label]
