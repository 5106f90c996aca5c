"""Studies of token-level DPO: small trainings end to end, and statistics on made-up divergences."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from replication import papers, settings
from replication.alignment.experiment import Trained
from replication.lm.scoring import score
from replication.reporting.report import Report
from replication.studies import tdpo
from replication.studies import tdpo_divergences as results
from replication.studies.tdpo import ALPHAS, DPO, TDPO1, tdpo2

SIZES = {"n_questions": 6, "n_own": 3, "own_samples": 2}
# Read by eye off the published figure: method -> (chosen, rejected).
PUBLISHED = {
    DPO: (23, 44), TDPO1: (49, 29), tdpo2(0.1): (18, 36), tdpo2(0.3): (10, 25), tdpo2(0.5): (6, 17),
    tdpo2(0.7): (4, 9),
}  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    results = tmp_path_factory.getbasetemp() / "alignment"  # bases and samples are other papers' too
    return tdpo.Study(settings.start("tdpo", profile="smoke", results_dir=str(results), **SIZES))


def trained(chosen_kl, rejected_kl, chosen=0.0, rejected=0.0, number=8):
    """A training that ends at the given divergences and log-probabilities on every pair."""
    ends = {"chosen": chosen, "rejected": rejected, "chosen_kl": chosen_kl, "rejected_kl": rejected_kl}
    rows = [
        {"step": step, "question": f"q{i}"} | {name: step * end for name, end in ends.items()}
        for step in (0, 1)
        for i in range(number)
    ]
    return Trained(Path("none"), pd.DataFrame(), pd.DataFrame(rows))


def made(ends, without=(30, 30)):
    runs = {name: [trained(*values), trained(*values)] for name, values in ends.items()}
    return SimpleNamespace(runs=runs, without_gradient=trained(*without), seeds=range(2))


def test_what_was_published_reproduces_every_claim_about_divergences(tmp_path):
    measured = results.divergence_claims(made(PUBLISHED))
    values = {name: round(estimate.value, 6) for name, estimate in measured.items()}
    assert values == {"C2a": 21, "C2b": 27, "C2c": 17, "C2d": 26, "C2e": 15, "C2f": 10, "C2g": 8, "C2h": 2,
                      "C2i": 3, "K1": 19}  # fmt: skip
    report = Report(settings.start("tdpo", profile="smoke", results_dir=str(tmp_path)), "01_divergences")
    report.precondition("P2", results.average(results.last(made(PUBLISHED).runs[DPO], results.REJECTED)))
    report.judge(measured)
    assert {result.verdict for result in report.results.values()} == {"reproduced"}


def test_one_rise_among_the_falls_is_found():
    values = [np.full((5, 2), x) for x in (4.0, 2.0, 2.5, 1.0)]
    assert results.smallest_fall(values).value == pytest.approx(-0.5)


def test_the_table_at_the_end_stands_beside_the_published_one(tmp_path):
    run = settings.start("tdpo", profile="smoke", results_dir=str(tmp_path))
    published = Report(run).published("figure_imdb_kl")
    table = results.ends(made(PUBLISHED), published)
    assert [e.value for e in table["on rejected"]] == pytest.approx(table["published, on rejected"].tolist())


def test_rewards_with_and_without_the_divergence_can_disagree():
    runs = [trained(1.0, 4.0, chosen=2.0, rejected=0.0)]
    assert results.prefers(runs).mean() == 1.0
    assert results.prefers(runs, with_divergence=True).mean() == 0.0


# End to end


def test_all_runs_start_at_the_reference_and_move(study):
    runs = study.runs
    assert list(runs) == [DPO, TDPO1, *map(tdpo2, ALPHAS)]
    for own in runs.values():
        for which in (results.CHOSEN, results.REJECTED):
            _, values = results.divergence(own, which)
            assert np.abs(values[..., 0]).max() < 1e-6
            assert values[..., -1].min() > 0


def test_own_samples_have_the_entropy_and_the_ratio_of_their_model(study):
    own = study.own(study.start)
    assert own["log_ratio"].abs().max() < 1e-3  # the reference compares with itself
    run = study.runs[DPO][0]
    table, number = study.own(run), int(study.sizes["own_samples"])
    questions = study.family.questions(study.cell, "test", int(study.sizes["n_own"]))
    paths = study.family.sample(str(run.folder), study.cell, questions, number, temperature=1.0, seed=0)
    lm = study.family.trainings.model(run.folder)
    prompt = study.family.prompts(lm, study.cell, questions[:1])[0]
    (found,) = score(lm, [[*prompt, *map(int, paths["tokens"][0])]], start=len(prompt))
    assert found.entropy.sum() == pytest.approx(table["entropy"][0], rel=1e-3)
    assert table["tokens"].tolist() == [len(tokens) for tokens in paths["tokens"]]
    entropy = results.entropy(study, [run])
    assert entropy.value == pytest.approx(table["entropy"].sum() / table["tokens"].sum())
    reward = results.per_sample(study, [run], "correct")
    assert reward.value == pytest.approx(table["correct"].mean())


def test_every_claim_is_measured(study):
    found = results.divergence_claims(study) | results.preference_claims(study)
    found["C5"] = study.gap(study.runs[tdpo2()], study.runs[DPO])
    assert {*found, "C1"} == {claim.id for claim in papers.load("tdpo").claims}
    assert all(estimate.usable for estimate in found.values())
    report = Report(study.settings, "01_divergences")
    assert len(results.table_hh(study, report.published("table_hh"))) == 7
    assert len(results.rewards(study)) == 7
    assert set(results.frontier(study)) == set(study.runs)
    assert list(results.curves(study)) == list(results.PANELS)


def test_the_gradient_through_the_chosen_divergence_makes_a_difference(study):
    with_it, without = results.last(study.runs[TDPO1], "on chosen"), study.without_gradient
    assert not np.array_equal(with_it[:, 0], results.last([without], "on chosen")[:, 0])


def test_the_title_of_the_frontier_gives_the_means_of_three_methods():
    points = {
        name: pd.DataFrame({"divergence": [0.1, 0.3], "reward": [0.25, 0.75]})
        for name in (results.DPO, results.TDPO1, results.tdpo2(), "another")
    }
    told = results.frontier_title(points)
    assert told.startswith("Means; DPO: 0.20 nats, 50 %; TDPO1: 0.20 nats, 50 %;\nTDPO2, α = 0.5: 0.20 nats")
