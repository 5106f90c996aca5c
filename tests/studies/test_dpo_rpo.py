"""Studies of DPO and iterative RPO: small trainings end to end, and statistics on made-up curves."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from replication import papers, settings
from replication.alignment.experiment import Trained
from replication.alignment.pairs import Sampled, Trajectory
from replication.alignment.preferences import Pair
from replication.evaluation.accuracy import mean
from replication.reporting.report import Report
from replication.studies import dpo_rpo
from replication.studies import dpo_rpo_dynamics as moving
from replication.studies import dpo_rpo_iterations as iterating
from replication.studies.dpo_rpo import CHOSEN, DPO, FROM_SFT, GOLD, RPO
from replication.testbed import story_commitments

SIZES = {"n_questions": 6, "n_voted": 4, "n_votes": 2, "n_iterated": 8, "pairs_a_question": 2}
PAPER = papers.load("dpo_rpo")


def claims_of(notebook):
    return {claim.id for claim in PAPER.claims if claim.notebook == notebook}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    results = tmp_path_factory.getbasetemp() / "alignment"  # bases and samples are other papers' too
    return dpo_rpo.Study(settings.start("dpo_rpo", profile="smoke", results_dir=str(results), **SIZES))


def pairs(number=8, first=0):
    return tuple(Pair(f"q{i:02d}", (1,), (2,), (3,)) for i in range(first, first + number))


def trained(chosen, rejected, names):
    """A training whose watched pairs have the given log-probabilities: (pairs, steps) each."""
    rows = [
        {"step": step, "question": name, "chosen": chosen[i][step], "rejected": rejected[i][step]}
        for step in range(len(chosen[0]))
        for i, name in enumerate(names)
    ]
    return Trained(Path("none"), pd.DataFrame(), pd.DataFrame(rows))


def made(shifts, number=8, seeds=2):
    """A study whose runs move chosen and rejected by the given amounts: name -> (chosen, rejected)."""
    held, learnt = pairs(number), pairs(number, number)
    names = [pair.question for pair in (*held, *learnt)]
    level = -np.arange(1.0, len(names) + 1)
    runs = {
        name: [
            trained(np.stack([level, level + up], 1), np.stack([level - 1, level - 1 + down], 1), names)
            for _ in range(seeds)
        ]
        for name, (up, down) in shifts.items()
    }
    return SimpleNamespace(runs=runs, held_out=held, learnt=learnt, seeds=range(seeds))


AS_PUBLISHED = {
    GOLD: (0.5, 0.4), CHOSEN: (1.0, 0.8), DPO: (-1.0, -3.0), DPO + FROM_SFT: (-2.0, -4.0),
    RPO: (0.5, -2.0), RPO + FROM_SFT: (0.25, -1.0),
}  # fmt: skip


# Curves


def test_changes_are_end_minus_start_pair_by_pair():
    own = made({DPO: (-1.0, -3.0)})
    assert moving.changes(own.runs[DPO], own.held_out, "chosen") == pytest.approx(np.full((8, 2), -1.0))
    assert moving.changes(own.runs[DPO], own.held_out) == pytest.approx(np.full((8, 2), 2.0))


def test_a_curve_keeps_its_level_and_its_band_is_that_of_the_change():
    found = moving.curve(made({DPO: (-1.0, -3.0)}).runs[DPO], pairs(), "chosen")
    assert found["step"].tolist() == [0, 1]
    assert found["value"].tolist() == pytest.approx([-4.5, -5.5])
    assert (found["high"] - found["low"]).to_numpy() == pytest.approx(np.zeros(2), abs=1e-9)


def test_what_was_published_reproduces_every_claim_about_curves(tmp_path):
    measured = moving.movement_claims(made(AS_PUBLISHED))
    assert measured["C1c"].value == pytest.approx(-1.0)
    assert measured["C2e"].value == pytest.approx(-1.0)
    assert measured["C2f"].value == pytest.approx(1.25)
    assert measured["C3b"].value == pytest.approx(0.3)
    report = Report(settings.start("dpo_rpo", profile="smoke", results_dir=str(tmp_path)), "01_dynamics")
    report.measured["P2"] = moving.gaining(made(AS_PUBLISHED))
    report.judge(measured)
    failed = {name for name, result in report.results.items() if result.verdict == "not reproduced"}
    assert failed == set(), failed


def test_the_panels_of_figure_3_share_their_labels():
    panels = moving.figure_3(made(AS_PUBLISHED))
    labels = [list(series) for series in panels.values()]
    assert labels[0] == labels[1] == ["DPO, chosen", "DPO, rejected", "DPO+NLL, chosen", "DPO+NLL, rejected"]


# Pairs


def sampled(*outcomes):
    return Sampled("q", (5,), tuple(Trajectory((7, i), *outcome) for i, outcome in enumerate(outcomes)))


def test_wrong_responses_are_walked_without_an_answer_too_and_cut_off_ones_are_not():
    own = sampled(("4", True), ("3", False), ("", False), ("4", True, False))
    found = iterating.walked([own], 3)
    assert [(pair.chosen[1], pair.rejected[1]) for pair in found] == [(0, 1), (0, 2), (0, 1)]
    assert iterating.walked([own], 3, longest=2) == ()
    assert iterating.walked([sampled(("4", True))], 3) == ()


# End to end


def test_the_trainings_share_pairs_and_differ_in_start_and_objective(study):
    runs = study.runs
    assert list(runs) == [GOLD, CHOSEN, DPO, DPO + FROM_SFT, "DPO+NLL, α = 0.25", RPO, "DPO+NLL, α = 2",
                          RPO + FROM_SFT]  # fmt: skip
    assert len({run.folder for own in runs.values() for run in own}) == len(runs)
    starts = {name: moving.levels(own, study.held_out, "chosen")[1][..., 0] for name, own in runs.items()}
    np.testing.assert_array_equal(starts[DPO], starts[RPO])
    assert not np.array_equal(starts[DPO + FROM_SFT], starts[DPO])
    ends = moving.levels(runs[CHOSEN], study.held_out, "chosen")[1][..., -1]
    np.testing.assert_allclose(starts[DPO + FROM_SFT], ends, atol=1e-4)


def test_held_out_pairs_are_not_learnt(study):
    held, learnt = ({pair.question for pair in some} for some in (study.held_out, study.pairs))
    assert held
    assert learnt
    assert not held & learnt


def test_gold_solutions_are_right_and_end(study):
    number = int(study.sizes["n_sampled"])
    problems = {p.question: p for p in study.family.problems(study.cell, "train", number)}
    texts = {q.id: q.text for q in study.family.questions(study.cell, "train", number)}
    tokenizer = study.family.shared.model(study.cell.model).tokenizer
    for pair in study.gold_pairs:
        text = tokenizer.decode(pair.chosen[:-1])
        assert pair.chosen[-1] == tokenizer.eos_token_id
        assert story_commitments.error(problems[texts[pair.question]], text) is None


def test_every_claim_of_the_first_notebook_is_measured(study):
    found = moving.movement_claims(study) | moving.accuracy_claims(study)
    assert set(found) == claims_of("01_dynamics")
    assert all(estimate.usable for estimate in found.values())
    table = moving.table_1(study, Report(study.settings, "01_dynamics").published("table_1"))
    published = dict(zip(table["model"], table["published, GSM8K"], strict=True))
    assert published[RPO] == published[RPO + FROM_SFT] == 73.1
    assert published[DPO] == 61.8
    assert len(moving.movement(study)) == 2 * len(study.runs)
    assert moving.pair_table(study)[""].tolist() == ["prompt", "chosen", "rejected"]


def test_iterations_start_where_the_last_one_ended_and_ask_other_questions(study):
    loop = iterating.Loop(study)
    assert not {q.id for q in loop.questions[0]} & {q.id for q in loop.questions[1]}
    once = loop.samples(0, study.base, 0)
    assert {own.question for own in once} == {q.id for q in loop.questions[0]}
    assert {len(own.trajectories) for own in once} == {int(study.sizes["n_samples"])}


def test_every_claim_of_the_second_notebook_is_measured():
    """Outcomes in place of three trainings: the first question turns right in the second iteration."""
    right = {"iteration 1": [0, 0, 1], "iteration 2": [1, 0, 1], "iteration 3": [1, 0, 1], "once": [0, 1, 1]}
    columns = {name: np.array(values, dtype=float)[:, None] for name, values in right.items()}
    loop = SimpleNamespace(
        study=SimpleNamespace(
            right=lambda name: columns[name],
            accuracy=lambda name: mean(columns[name]),
            base_right=np.zeros((3, 1)),
        ),
        chains=["iteration 1", "iteration 2", "iteration 3"],
        once="once",
        votes={"iteration 3": np.ones(4), dpo_rpo.BASE: np.zeros(4)},
    )
    found = iterating.claims(loop)
    assert set(found) == claims_of("02_iterations")
    values = {name: round(estimate.value, 6) for name, estimate in found.items()}
    third = round(1 / 3, 6)
    assert values == {"C5a": third, "C5b": 0, "C5c": third, "C5d": 0, "C5e": third, "C5f": 1}
    curves = iterating.curve(loop)
    assert curves["iterations"]["iteration"].tolist() == [0, 1, 2, 3]
    assert curves["iterations"]["accuracy"].round(3).tolist() == [0, 0.333, 0.667, 0.667]
    assert curves[iterating.AT_ONCE]["accuracy"].round(3).tolist() == [0.667] * 3
    told = "Accuracy 0 %, by iterations 33, 67, 67 %;\none training on all pairs 67 %"
    assert iterating.title(curves) == told


def test_votes_are_counted_by_question(study):
    votes = iterating.Loop(study).voted(study.base)
    assert votes.shape == (4,)
    assert set(votes) <= {0.0, 1.0}


def test_published_iterations_stand_at_their_places():
    rows = PAPER.published["table_1"]
    points = iterating.published_points(
        pd.DataFrame([list(row) for row in rows.rows], columns=list(rows.columns))
    )
    assert points[iterating.CHAIN] == [(0, 55.6), (1, 73.1), (2, 78.0), (3, 81.1)]
    assert points[iterating.AT_ONCE] == [(3, 74.8)]
