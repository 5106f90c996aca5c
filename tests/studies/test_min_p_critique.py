"""Equal tuning effort: cells, the best of N, and what is judged on other questions."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from replication.decoding.experiment import Experiment
from replication.settings import InputError
from replication.studies import min_p_critique as study
from replication.studies import samplers
from replication.studies.samplers import PLAIN

SIZES = {"n_questions": 4, "n_grid": 3, "n_small": 3, "samples": 2, "traces": 3, "top_k": 0,
         "style": "zero_shot_cot", "max_new_tokens": 4}  # fmt: skip


def rule(name, *accuracies, n=20):
    """Cells whose first questions are right, so that a cell has the given accuracy exactly."""
    rows = np.arange(n)[:, None] < [round(n * a) for a in accuracies]
    return study.Cells(
        tuple((f"{name} {i}", float(i + 1)) for i in range(len(accuracies))), rows.astype(float)
    )


@pytest.fixture(scope="module")
def grid():
    return {
        "min-p": rule("min-p", 0.5, 0.3, 0.1),
        "top-p": rule("top-p", 0.4, 0.6, 0.2),
        "top-k": rule("top-k", 0.2, 0.1, 0.0),
        PLAIN: rule(PLAIN, 0.3),
    }


@pytest.fixture
def small(experiment):
    return Experiment(replace(experiment.settings, paper="min_p", sizes=SIZES))


def exact(grid, number, others):
    """Mean over all choices of `number` cells of each rule: best of min-p minus best of the others."""
    from itertools import combinations

    def tops(name):
        accuracies = grid[name].outcomes.mean(axis=0)
        return [max(own) for own in combinations(accuracies, min(number, len(accuracies)))]

    return np.mean([ours - max(rest) for ours, *rest in product(tops("min-p"), *map(tops, others))])


@pytest.mark.parametrize("others", [study.OTHERS, ("top-p",), (PLAIN,)])
def test_best_of_agrees_with_the_mean_over_all_choices(grid, others):
    found = study.best_of(grid, others, numbers=(1, 2, 3), draws=3000, resamples=10)
    for number, value in zip(found["N"], found["accuracy"], strict=True):
        assert value == pytest.approx(exact(grid, number, others), abs=0.01)
    assert found["n"].tolist() == [20] * 3


def test_all_cells_need_no_luck(grid):
    first, second = (study.best_of(grid, numbers=(3, 9), draws=2, resamples=50, seed=s) for s in (0, 1))
    assert first["accuracy"].tolist() == pytest.approx([-0.1, -0.1])
    assert second["accuracy"].tolist() == first["accuracy"].tolist()
    assert (first["low"] < -0.1).all()
    assert (first["high"] > -0.1).all()


def test_one_try_against_three_is_biased(grid):
    same = {name: grid["top-p"] for name in grid}
    found = study.best_of(same, numbers=(1,), draws=2000, resamples=10)
    assert found["accuracy"][0] < -0.05
    alone = study.best_of(same, ("top-p",), numbers=(1,), draws=2000, resamples=10)
    assert alone["accuracy"][0] == pytest.approx(0, abs=0.02)


def test_the_selection_on_a_further_task(small):
    table, gaps = study.further_task(small, "coins:level=2", (1.0, 2.0))
    assert table["rule"].tolist() == [*study.GRID, "greedy"]
    assert table["cells tried"].tolist() == [8, 8, 8, 2, 1]
    assert {name: gap.n for name, gap in gaps.items()} == {"C4a": 4, "C4b": 4}
    asked = {run.name.split("-")[0] for run in small.settings.records_dir.glob("*.parquet")}
    assert asked == {"sample", "greedy"}


def test_halves_judge_on_the_other_half():
    even = np.arange(40) % 2 == 0
    lucky = np.stack([even, ~even], axis=1).astype(float)  # right on one half, wrong on the other
    flat = np.full((40, 2), 0.5)
    names = (("a", 1.0), ("b", 1.0))
    grid = {"min-p": study.Cells(names, lucky), "top-p": study.Cells(names, flat)}
    same = study.best_of(grid, ("top-p",), numbers=(2,), draws=3, resamples=20)
    split = study.best_of(grid, ("top-p",), halves=True, numbers=(2,), draws=3, resamples=20)
    assert same["accuracy"][0] == pytest.approx(0.0)
    assert split["accuracy"][0] == pytest.approx(-0.5)  # chosen where it is right, judged where it is wrong
    one = {name: study.Cells(cells.names, cells.outcomes[:1]) for name, cells in grid.items()}
    with pytest.raises(InputError, match="at least two questions"):
        study.best_of(one, ("top-p",), halves=True)


def test_interval_covers_a_known_difference():
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(60):
        names = (("a", 1.0),)
        ours, other = ((rng.random((80, 1)) < p).astype(float) for p in (0.6, 0.4))
        grid = {"min-p": study.Cells(names, ours), "top-p": study.Cells(names, other)}
        found = study.best_of(grid, ("top-p",), numbers=(1,), draws=1, resamples=300, seed=seed).iloc[0]
        covered += found["low"] <= 0.2 <= found["high"]
    assert covered >= 52  # 95 % of 60 is 57


def test_best_prefers_low_temperatures_then_the_order():
    grid = {
        "min-p": study.Cells((("m", 1.0), ("m", 2.0)), np.array([[0, 1], [1, 0.0]])),
        "top-p": study.Cells((("p", 0.3), ("p", 1.0)), np.array([[1, 0], [0, 0.0]])),
        "top-k": study.Cells((("k", 0.3), ("l", 0.3)), np.array([[1, 1], [0, 0.0]])),
    }
    assert study.best(grid, ["min-p"]) == ("min-p", "m", 1.0)
    assert study.best(grid, ["top-k"]) == ("top-k", "k", 0.3)
    assert study.best(grid, ["min-p", "top-k", "top-p"]) == ("top-k", "k", 0.3)
    assert study.best(grid, ["min-p", "top-p", "top-k"]) == ("top-p", "p", 0.3)


def test_series_and_the_value_at_one(grid):
    series = study.best_of_series(grid)
    assert len(series) == 5
    first = series["best of the three"]
    one = study.at_one(first)
    assert (one.value, one.n) == (first["accuracy"][0], 20)
    assert series["top-p alone"]["accuracy"].iloc[-1] == pytest.approx(-0.1)
    assert series["top-k alone"]["accuracy"].iloc[-1] == pytest.approx(0.3)
    table = study.best_of_table(series)
    assert list(table.columns) == ["min-p minus", *(f"N = {n}" for n in study.NUMBERS)]
    assert table.loc[0, "N = 1"] == one


def test_grid_gives_every_rule_as_many_cells(small):
    frame = study.run_grid(small)
    cells = study.cells(frame)
    assert {name: own.outcomes.shape for name, own in cells.items()} == {
        "min-p": (3, 24),
        "top-p": (3, 24),
        "top-k": (3, 24),
        PLAIN: (3, 6),
    }
    assert all(question.split("-")[-2] == "validation" for question in frame["question"].unique())
    names = cells["min-p"].names
    assert names[:5] == (*((f"min-p {p:g}", 0.3) for p in (0.05, 0.1, 0.2, 0.3)), ("min-p 0.05", 0.7))
    column = cells["top-k"].names.index(("top-k 30", 1.5))
    own = samplers.by_question(samplers.cell(frame, "top-k 30", 1.5))
    assert cells["top-k"].outcomes[:, column].tolist() == own.tolist()


def test_chosen_cells_are_judged_on_test_questions(small):
    frame = study.run_grid(small)
    cells = study.cells(frame)
    chosen = study.judged(small, frame, cells)
    greedy = study.greedy(small)
    for name, (label, temperature, outcome) in chosen.items():
        assert (name, label, temperature) == study.best(cells, [name])
        assert len(outcome) == 8
        assert all("-test-" in question for question in outcome["question"])
    gaps = study.judged_gaps(cells, chosen, greedy)
    values = {name: own["correct"].mean() for name, (_, _, own) in chosen.items()}
    other, first = study.best(cells, study.OTHERS)[0], study.best(cells, tuple(study.GRID))[0]
    assert gaps["C4a"].value == pytest.approx(values["min-p"] - values[other])
    assert gaps["C4b"].value == pytest.approx(greedy["correct"].mean() - values[first])
    table = study.judged_table(cells, chosen, greedy)
    assert table["cells tried"].tolist() == [24, 24, 24, 6, 1]
    assert [e.n for e in table["test, %"]] == [4] * 5
    assert study.gap_table(gaps)["difference"].tolist() == [gaps["C4a"], gaps["C4b"]]


def test_a_grid_may_have_other_temperatures_and_another_style(small):
    frame = study.run_grid(small, (1.0, 2.0), style="direct")
    assert sorted(frame["temperature"].unique()) == [1.0, 2.0]
    cells = study.cells(frame)
    assert cells[PLAIN].names == (("sampling", 1.0), ("sampling", 2.0))
    chosen = study.judged(small, frame, cells, style="direct")
    assert set(chosen) == set(study.GRID)
