"""Draw docs/results.png, the nine panels of the README, from the figures' numbers of a run.

    python docs/make_results.py [results/cpu-testbed]

Every panel is drawn from the `.csv` that its notebook stores beside the figure, so the picture shows what the
notebooks show. It is 1800 pixels wide and meant to be read at 900.
"""

import io
import sys
from pathlib import Path

import pandas as pd
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

from replication.files import write_atomic
from replication.reporting import style

HERE = Path(__file__).parent
SIZE, DPI = (9.0, 8.2), 200
SMALL = 7.5
RULES = {"sampling": 0, "top-p 0.9": 1, "top-k": 2, "min-p 0.1": 3, "top-nσ 1": 4}
"""Rule -> its colour, marker and dash in all panels of the second row."""


def numbers(run: Path, figure: str) -> pd.DataFrame:
    """Return the stored numbers of a figure, such as "min_p/main_table"."""
    paper, name = figure.split("/")
    path = run / paper / "figures" / f"{name}.csv"
    if not path.exists():
        raise SystemExit(f"{path} is missing: run `make reproduce` first, or name another run's folder.")
    return pd.read_csv(path)


def branches(axes: Axes, frame: pd.DataFrame) -> None:
    """Draw the confidence Δ of every branch of one question."""
    for reasoned, colour, label in ((False, style.BLUE, "direct"), (True, style.VERMILLION, "reasoned")):
        own = frame[frame["has_cot"] == reasoned]
        axes.bar(own["branch"], own["delta"], color=colour, hatch="//" if reasoned else "", label=label,
                 edgecolor="white", lw=0)  # fmt: skip
    for row in frame.itertuples():
        axes.text(row.branch, row.delta, row.answer, ha="center", va="bottom", fontsize=SMALL)
    axes.set(title="Branches of one question", xlabel="branch (rank of its first token)", ylim=(0, 1.15))
    axes.set(ylabel="Δ of the answer", xticks=range(len(frame)))
    axes.legend(loc="upper left")


def decoders(axes: Axes, frame: pd.DataFrame) -> None:
    """Draw greedy decoding against CoT-decoding on three tasks."""
    groups = list(dict.fromkeys(frame["group"]))
    for place, (bar, own) in enumerate(frame.groupby("bar", sort=False)):
        x = [groups.index(group) + 0.4 * (place - 0.5) for group in own["group"]]
        spread = [100 * (own["value"] - own["low"]), 100 * (own["high"] - own["value"])]
        look = {"color": style.PALETTE[place], "ecolor": "black"}
        axes.bar(x, 100 * own["value"], 0.4, yerr=spread, label=bar, **look)
    axes.set(title="CoT-decoding against greedy", ylabel="accuracy, %", ylim=(0, 130))
    axes.set_yticks(range(0, 101, 20))
    axes.set_xticks(range(len(groups)), [group.replace(" ", "\n") for group in groups])
    axes.legend(loc="upper right", ncols=2, columnspacing=1)


def by_k(axes: Axes, frame: pd.DataFrame) -> None:
    """Draw accuracy against the number of branches, a line per model."""
    for place, (model, own) in enumerate(frame.groupby("series", sort=False)):
        line(axes, own, "k", place, model)
    axes.set(title="Stories: accuracy against k", xlabel="branches k", ylabel="accuracy, %", ylim=(0, 105))
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 0.22))


def line(axes: Axes, frame: pd.DataFrame, x: str, place: int, label: str, scale: float = 100.0) -> None:
    """Draw one series with its interval."""
    look = style.look(place) | {"markersize": 3.5, "lw": 1.3}
    axes.plot(frame[x], scale * frame["accuracy"], label=label, **look)
    low, high = scale * frame["low"], scale * frame["high"]
    axes.fill_between(frame[x], low, high, color=look["color"], alpha=0.12, lw=0)


def samplers(axes: Axes, frame: pd.DataFrame, x: str, scale: float = 100.0) -> None:
    """Draw a line per rule; of several k the larger one."""
    for label, own in frame.groupby("series", sort=False):
        rule = "top-k" if label.startswith("top-k") else label
        if rule in RULES and label != "top-k 5":
            line(axes, own, x, RULES[rule], rule, scale)


def heat(axes: Axes, frame: pd.DataFrame) -> None:
    """Draw exact match against the temperature."""
    samplers(axes, frame, "relative")
    axes.axvline(1.0, color=style.GREY, ls="--", lw=1)
    axes.set(title="Exact match when it gets hot", ylabel="exact match, %")
    axes.set(xlabel="temperature, multiples of the critical one")


def diversity(axes: Axes, frame: pd.DataFrame) -> None:
    """Draw accuracy against distinct solutions, a point per temperature."""
    samplers(axes, frame.assign(distinct=100 * frame["distinct"]), "distinct")
    for collection in list(axes.collections):
        collection.remove()  # the order along the axis is that of the temperature: no band
    axes.set(title="Accuracy against diversity", ylabel="accuracy, %")
    axes.set(xlabel="distinct solutions per path, %")


def kept(axes: Axes, frame: pd.DataFrame) -> None:
    """Draw the number of kept tokens against the temperature."""
    samplers(axes, frame, "temperature", 1.0)
    axes.set(title="Tokens that are kept", xlabel="temperature T", ylabel="tokens")
    axes.set(xscale="log", yscale="log")
    axes.set_xticks([0.5, 1, 2, 5, 10], ["0.5", "1", "2", "5", "10"])
    axes.set_xticks([], minor=True)


def selective(axes: Axes, frame: pd.DataFrame) -> None:
    """Draw accuracy against processed tokens, selective training beside plain."""
    own = frame[frame["panel"] == "this run"].rename(columns={"value": "accuracy"})
    for place, (label, part) in enumerate(own.groupby("series", sort=False)):
        line(axes, part.assign(read=part["read"] / 1000), "read", place, label, 1.0)
    axes.set(title="Rho-1: selective training", xlabel="processed tokens, thousands", ylabel="accuracy, %")
    axes.legend(loc="upper left")


def attempts(axes: Axes, frame: pd.DataFrame) -> None:
    """Draw pass@k around critical tokens."""
    own = frame[frame["panel"] == "this run"] if "panel" in frame else frame
    for place, (label, part) in enumerate(own.groupby("series", sort=False)):
        line(axes, part.rename(columns={"value": "accuracy"}), "k", place, label.partition(",")[0])
    axes.set(title="Critical tokens: pass@k", xlabel="attempts k", ylabel="pass@k, %", xscale="log")
    axes.set_xticks([1, 2, 4, 8, 16, 32], ["1", "2", "4", "8", "16", "32"])
    axes.set_xticks([], minor=True)
    axes.legend(loc="center right")


def preferences(axes: Axes, frame: pd.DataFrame) -> None:
    """Draw how log-probabilities of chosen (full lines) and rejected responses change in training."""
    for place, (method, own) in enumerate(frame.groupby("series", sort=False)):
        look, name = style.look(place), method.partition(",")[0].partition(" (")[0]
        for side, dash in (("chosen", "-"), ("rejected", ":")):
            part = own[own["panel"] == side]
            label = name if dash == "-" else None
            drawn = look | {"linestyle": dash, "lw": 1.5, "markersize": 3.5}
            axes.plot(part["step"], part["value"], label=label, **drawn)
            axes.fill_between(part["step"], part["low"], part["high"], color=look["color"], alpha=0.07, lw=0)
    axes.set(title="Preferences: chosen, rejected (dotted)", xlabel="optimiser step")
    axes.set(ylabel="change of the log-probability, nats")
    axes.legend(loc="lower left")


PANELS = (
    (branches, "cot_decoding/figure_1"),
    (decoders, "cot_decoding/figure_3"),
    (by_k, "cot_decoding/figure_5"),
    (heat, "top_nsigma/table_2"),
    (diversity, "min_p/quality_and_diversity"),
    (kept, "top_nsigma/kept_sizes"),
    (selective, "rho1/figure_1"),
    (attempts, "cdpo/figure_2_moves"),
    (preferences, "cdpo/figure_4"),
)


def draw(run: Path, target: Path) -> None:
    """Draw all panels at one size and write the picture."""
    style.apply()
    plt.rcParams.update({"font.size": 8, "axes.titlesize": 9, "axes.labelsize": 8, "legend.fontsize": SMALL})
    figure, axes = plt.subplots(3, 3, figsize=SIZE)
    for one, (panel, name) in zip(axes.flat, PANELS, strict=True):
        panel(one, numbers(run, name))
    handles, labels = axes[1, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), title="rule, second row")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI, metadata={"Software": None})
    plt.close(figure)
    write_atomic(target, buffer.getvalue())


if __name__ == "__main__":
    usual = HERE.parent / "results" / "cpu-testbed"
    draw(Path(sys.argv[1]) if len(sys.argv) > 1 else usual, HERE / "results.png")
