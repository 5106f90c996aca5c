"""Studies of selective training: one small training end to end, and statistics on made-up token losses."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from replication import settings
from replication.pretraining.experiment import Trained
from replication.pretraining.packing import Blocks
from replication.reporting.report import Report
from replication.studies import rho1, rho1_results, rho1_selection, rho1_trajectories, rho1_variants
from replication.studies.rho1_tokens import Tokens, sample_page, shown, tokens, top
from replication.testbed.web import LABELS

SIZES = {
    "steps": 4, "short_steps": 3, "n_blocks": 16, "n_clean": 8, "n_validation": 3, "n_questions": 6,
    "n_watch": 3, "n_checkpoints": 2, "seeds": 1,
}  # fmt: skip
USEFUL, WRONG, RANDOM = LABELS.index("useful"), LABELS.index("wrong"), LABELS.index("random")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    run = settings.start(
        "rho1", profile="smoke", results_dir=str(tmp_path_factory.mktemp("results")), **SIZES
    )
    return rho1.Study(run)


def made(losses, gold=None, page=None, reference=None):
    """Tokens with given losses (S, C, n)."""
    losses = np.asarray(losses, dtype=float)
    n = losses.shape[2]
    nothing = np.zeros((1, n), dtype=int)
    return Tokens(
        steps=np.arange(losses.shape[1]),
        losses=losses,
        gold=np.zeros(n, dtype=int) if gold is None else np.asarray(gold),
        page=np.arange(n) // 4 if page is None else np.asarray(page),
        reference=np.zeros(n) if reference is None else np.asarray(reference, dtype=float),
        place=np.arange(n),
        blocks=Blocks(nothing, nothing, nothing, nothing),
    )


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


# One training


def test_trainings_are_done_once_and_share_blocks(study):
    first = study.slm(0)
    trained = sorted(path.name for path in (study.settings.paper_dir / "models").iterdir())
    again = rho1.Study(study.settings)
    assert again.slm(0).folder == first.folder
    assert sorted(path.name for path in (study.settings.paper_dir / "models").iterdir()) == trained
    assert study.clm(0).tokens == first.tokens == 4 * rho1.ROWS * rho1.LENGTH


def test_learners_of_a_seed_start_from_the_same_losses_and_part(study):
    found = {name: tokens(study, [make(0)]) for name, make in (("clm", study.clm), ("slm", study.slm))}
    assert found["clm"].steps.tolist() == [0, 2, 4]
    np.testing.assert_array_equal(found["clm"].base, found["slm"].base)
    assert np.abs(found["clm"].losses[0, -1] - found["slm"].losses[0, -1]).max() > 1e-3


def test_token_losses_are_those_of_the_saved_model(study):
    last = tokens(study, [study.clm(0)]).losses[0, -1]
    scored = study.trainings.scores(study.clm(0).folder, study.validation)["reference_loss"]
    rows = scored[:3].ravel()[tokens(study, [study.clm(0)]).place]
    np.testing.assert_allclose(last, rows.astype(float), atol=0.01)


def test_the_parts_are_noisy_and_clean_pages(study):
    noisy, target = tokens(study, [study.clm(0)], "noisy"), tokens(study, [study.clm(0)], "target")
    assert {LABELS[label] for label in set(target.gold) - {-1}} == {"question", "useful"}
    assert {"boilerplate", "question", "useful"} <= {LABELS[label] for label in set(noisy.gold) - {-1}}


def test_a_page_is_shown_as_its_text(study):
    found = tokens(study, [study.clm(0)])
    page = sample_page(found)
    texts, values = shown(study, found, found.gold, page)
    assert "Q: " in "".join(texts) or "".join(texts).startswith(":")
    assert len(texts) == len(values) == int((found.page == page).sum())


def test_the_shares_of_easy_tokens_are_as_asked(study):
    valid = rho1.targets(study.noisy) >= 0
    keep = study.easy((("reference", 0.7),))
    assert keep[valid].mean() == pytest.approx(0.7, abs=1e-3)
    assert not keep[~valid].any()
    both = study.easy((("entropy", 0.7), ("reference", 0.7)), "intersection")
    either = study.easy((("entropy", 0.7), ("reference", 0.7)), "union")
    assert both.sum() + either.sum() == 2 * keep.sum()


def test_the_pipeline_names_this_runs_sizes(study):
    table = rho1_selection.pipeline(study)
    assert f"{study.noisy.targets:,}" in table["reads"][1]
    assert len(table) == 3


def test_the_learner_is_the_profiles_for_the_ladder_and_the_run_model_otherwise(study, tmp_path):
    assert study.base == "testbed-small"
    run = settings.start("rho1", profile="smoke", model="testbed-large", results_dir=str(tmp_path))
    assert rho1.Study(run).base == "testbed-large"


# Trajectories


def test_shares_of_the_classes_add_up_and_the_null_has_no_order():
    flat, falling = np.full((1, 15, 40), 0.1), np.linspace(3, 1, 15)[None, :, None] + np.zeros((1, 15, 40))
    found = made(np.concatenate([flat, falling], axis=2))
    own, null = rho1_trajectories.classes(found), rho1_trajectories.shuffled(found, 4)
    assert (own[0, :40] == "L->L").all()
    assert (own[0, 40:] == "H->L").all()
    assert np.allclose(sum(null.values()), 1)
    claims = rho1_trajectories.claims(found, own, null)
    assert claims["C1b"].value == pytest.approx(0.5)
    assert claims["K1"].low > 0


def test_noise_alone_does_not_exceed_its_own_null():
    found = made(2 + 0.3 * noise(3, 15, 400))
    own, null = rho1_trajectories.classes(found), rho1_trajectories.shuffled(found)
    assert abs(rho1_trajectories.claims(found, own, null)["K1"].value) < 0.05
    assert rho1_trajectories.share(found, own == "H->L").value == pytest.approx(0.21, abs=0.05)


# Selection


def test_the_top_share_is_exact_in_every_row():
    kept = top(noise(2, 3, 50), 0.6)
    assert (kept.sum(-1) == 30).all()


def test_losses_are_compared_on_the_same_tokens():
    start = np.full((2, 1, 80), 2.0)
    excess = np.r_[np.ones(48), np.zeros(32)]
    clm = made(np.concatenate([start, start - 0.5], 1), reference=2 - excess)
    slm_end = np.where(excess > 0, 0.5, 3.0) * np.ones((2, 1, 80))
    slm = made(np.concatenate([start, slm_end], 1), reference=2 - excess)
    found = rho1_selection.loss_claims({"CLM": clm, "SLM": slm}, {"CLM": clm, "SLM": slm})
    assert found["C6b"].value == pytest.approx(1.0)
    assert found["C6c"].value == pytest.approx(1.5)
    assert found["C6d"].value == pytest.approx(1.0)


def test_quality_counts_kept_tokens_by_what_they_are():
    gold = np.repeat([USEFUL, WRONG, RANDOM], [60, 20, 20])
    losses = np.where(gold == USEFUL, 3.0, 0.0)[None, None] + 0.01 * noise(1, 2, 100)
    claims = rho1_selection.quality_claims(made(losses, gold=gold))
    assert claims["K6a"].value == pytest.approx(0.4)
    assert claims["K6b"].value == claims["K6c"].value == 0.0
    table = rho1_selection.quality_table(made(losses, gold=gold)).set_index("tokens")
    assert table.loc["useful", "kept at the end"].value == pytest.approx(1.0)


def test_noise_makes_a_bump_that_an_independent_learner_does_not_have():
    found = made(1 + noise(1, 1, 600) + 0.4 * noise(3, 15, 600, seed=1))
    claims = rho1_selection.time_claims(found)
    assert claims["C8a"].low > 0
    assert claims["K5"].low > 0
    assert claims["K5"].value == pytest.approx(claims["C8a"].value, abs=0.03)


def test_without_noise_there_is_no_bump():
    found = made(1 + np.broadcast_to(noise(1, 1, 300), (2, 9, 300)))
    assert rho1_selection.time_claims(found)["C8a"].value == pytest.approx(0.0, abs=1e-9)


def test_one_seed_has_no_independent_learner():
    assert "two seeds" in rho1_selection.time_claims(made(noise(1, 5, 40)))["K5"]


def test_a_selection_that_settles_changes_less():
    fade = np.linspace(1, 0.05, 15)[None, :, None]
    found = made(noise(1, 1, 300) + fade * noise(2, 15, 300, seed=2))
    assert rho1_selection.settling(found).low > 0


def test_rank_correlation_has_the_sign_of_the_points():
    rows = [(chosen, seed, step, 2 - 0.1 * step, 0.05 * step)
            for chosen in (1, 2) for seed in (0, 1) for step in range(1, 12)]  # fmt: skip
    points = pd.DataFrame(rows, columns=["chosen", "seed", "step", "loss", "accuracy"])
    assert rho1_selection.correlation(points).value == pytest.approx(-1.0)
    laws = rho1_selection.laws({"selected": points})
    assert (laws["dAcc/dL"] < 0).all()


def test_rank_correlations_are_those_of_scipy():
    pairs = np.random.default_rng(0).integers(0, 6, (20, 9, 2)).astype(float)  # with ties
    pairs[3, :, 1] = 4.0
    found = rho1_selection._spearman(pairs)
    assert found[3] == 0
    for one, value in zip(np.delete(pairs, 3, axis=0), np.delete(found, 3), strict=True):
        assert value == pytest.approx(spearmanr(*one.T).statistic, rel=1e-12)


# Results


def trained(right, steps=4, at=()):
    """A training whose answers are given: {step: outcomes}, the last step's by `right`."""
    table = {**dict(at), steps: right}
    rows = [(step, f"q{i}", bool(value)) for step, own in table.items() for i, value in enumerate(own)]
    answers = pd.DataFrame(rows, columns=["step", "question", "correct"])
    return Trained(Path(), pd.DataFrame(), pd.DataFrame(), answers, steps, 1000)


class Asked:
    """What `watched` needs of a study."""

    def __init__(self, n):
        self.questions = [type("Q", (), {"id": f"q{i}"}) for i in range(n)]
        self.sizes = {"n_watch": n}


def test_efficiency_is_the_ratio_of_the_tokens():
    ends = np.r_[np.ones(5), np.zeros(45)]
    slm = trained(np.ones(50), 8, {0: np.zeros(50), 2: ends, 4: np.ones(50)})
    clm = trained(ends, 8, {0: np.zeros(50), 2: np.zeros(50), 4: np.zeros(50)})
    found = rho1_results.efficiency(Asked(50), {"SLM, 60 %": [slm], "CLM": [clm]})
    assert found.value == pytest.approx(4.0)
    assert found.low <= 4.0 <= found.high


def test_a_learner_that_never_gets_there_is_not_earlier():
    clm = trained(np.ones(10), 8, {0: np.zeros(10), 4: np.ones(10)})
    slm = trained(np.zeros(10), 8, {0: np.zeros(10), 4: np.zeros(10)})
    assert rho1_results.efficiency(Asked(10), {"SLM, 60 %": [slm], "CLM": [clm]}).value == 1.0


def test_the_sweep_is_held_against_100_per_cent_and_its_neighbours():
    levels = {0.4: 0.5, 0.5: 0.6, 0.6: 0.8, 0.7: 0.6, 0.8: 0.5, 1.0: 0.1}
    runs = {ratio: [trained(np.arange(100) < 100 * level)] for ratio, level in levels.items()}
    claims = rho1_results.sweep_claims(runs)
    assert claims["C9a"].value == pytest.approx(0.4)
    assert claims["C9b"].value == pytest.approx(0.3)


def test_selection_pays_for_its_reference_model(study):
    read = study.clm(0).tokens
    plain, selective = (rho1_results.cost_of(study, name, read) for name in ("CLM", "SLM, 60 %"))
    extra = 6 * study.reference.tokens + 2 * len(study.noisy) * rho1.LENGTH
    assert selective - plain == extra > 0


# Variants


def test_table_4_has_all_published_rows_under_the_published_averages(study):
    published = Report(study.settings, "04_variants").published("table_4")
    known = rho1_variants._known(published)
    labels = [label for label, _, _ in rho1_variants.table_4_rows(100)]
    assert len(labels) == len(published) == 21
    assert set(labels) == set(known)
    assert known["H_RM ∩ L_RM, 70 and 70 %"] == 24.8


def test_rows_of_table_3_are_named_as_published(study):
    published = Report(study.settings, "04_variants").published("table_3")
    assert set(rho1_variants.PRINTED.values()) <= set(published["model"])


def test_worlds_are_pooled_alike():
    found = {world: {"CLM": np.zeros((4, 2)), "SLM, 60 %": np.full((4, 2), float(i))}
             for i, world in enumerate(("a", "b"))}  # fmt: skip
    assert rho1_variants.general_claim(found).value == pytest.approx(0.5)
    table = rho1_variants.general_table(found)
    assert table["n"].tolist() == [4, 4, 8]
