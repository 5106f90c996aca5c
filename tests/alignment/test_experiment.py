"""Trainings and fine-tunes are done once, leave models and tables, which say what they learnt."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from replication.alignment import contrastive, experiment, finetuning, running
from replication.alignment.cdpo import token_weights
from replication.alignment.experiment import Trainings
from replication.alignment.objectives import METHODS, Objective
from replication.alignment.plans import Example, Hyper, Lora, Plan, Tuning, Watch
from replication.alignment.preferences import weighted
from replication.alignment.watching import curves
from replication.lm.loading import load
from replication.lm.scoring import score
from replication.settings import InputError, Settings


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return Settings("cdpo", "smoke", "testbed", "stories", "", 0, "cpu", tmp_path_factory.mktemp("results"),
                    "stories")  # fmt: skip


@pytest.fixture(scope="module")
def trainings(settings):
    return Trainings(settings)


@pytest.fixture(scope="module")
def base(save_model):
    return save_model(0)


@pytest.fixture
def plan(base, make_pairs):
    pairs = make_pairs(6)
    return Plan("cdpo", base, pairs, Objective("cdpo"), Hyper(1e-2, 3, steps=3), watch=Watch(pairs[:2], 2))


def test_a_training_leaves_a_model_its_log_and_its_curves(trainings, plan):
    done = trainings.train(plan)
    assert (done.folder / "model.safetensors").is_file()
    assert done.log["step"].tolist() == [1, 2, 3]
    assert done.log["loss"].iloc[-1] < done.log["loss"].iloc[0]
    assert done.curves["step"].unique().tolist() == [0, 2, 3]
    means = curves(done.curves)
    assert means["gap"].iloc[-1] > means["gap"].iloc[0]
    # The last measurement is that of the model that was left.
    lm, pair = load(str(done.folder)), plan.watch.pairs[0]
    (found,) = score(lm, [[*pair.prompt, *pair.chosen]], start=len(pair.prompt))
    assert found.logprob.sum() == pytest.approx(done.curves["chosen"].iloc[-2], abs=1e-4)
    assert done.curves["chosen_kl"].isna().all()


def test_a_second_call_does_not_train(trainings, plan, settings, monkeypatch):
    first = trainings.train(plan)
    monkeypatch.setattr(running, "run", None)
    again = Trainings(settings).train(plan)
    assert again.folder == first.folder
    assert again.curves.equals(first.curves)
    with pytest.raises(TypeError):
        trainings.train(replace(plan, seed=5))


@pytest.mark.parametrize("method", METHODS)
def test_every_method_trains_with_divergences_on_fixed_pairs(trainings, plan, save_model, method):
    watch = replace(plan.watch, kl=True)
    done = trainings.train(replace(plan, name=method, objective=Objective(method), watch=watch))
    kl = curves(done.curves)["rejected_kl"]
    assert kl.iloc[0] == pytest.approx(0, abs=1e-5)
    assert kl.iloc[-1] > 1e-4
    assert done.log["logps/chosen"].notna().all()
    other = replace(plan, name=method, objective=Objective(method), watch=watch, reference=save_model(1))
    assert curves(trainings.train(other).curves)["rejected_kl"].iloc[0] > 0.1


def test_methods_start_from_the_same_measurements(trainings, plan):
    first = [trainings.train(replace(plan, objective=Objective(m))).curves["chosen"].iloc[0] for m in METHODS]
    np.testing.assert_allclose(first, first[0], atol=1e-4)


def test_the_reference_is_scored_once_for_all_methods_and_seeds(trainings, plan, monkeypatch, make_pairs):
    found = trainings.reference(plan.base, plan.pairs)
    assert [len(side) for side in found[1]] == [len(plan.pairs[1].chosen), len(plan.pairs[1].rejected)]
    assert found[0][0].dtype == np.float32
    monkeypatch.setattr(experiment, "score", None)
    plain = [replace(pair, weights=None) for pair in plan.pairs]
    for one, other in zip(found, trainings.reference(plan.base, plain), strict=True):
        np.testing.assert_array_equal(one[1], other[1])
    with pytest.raises(TypeError):
        trainings.reference(plan.base, make_pairs(3, seed=9))


def test_adapters_are_merged_into_the_weights(trainings, plan, base):
    hyper = replace(plan.hyper, lora=Lora(4, 8))
    done = trainings.train(replace(plan, name="lora", hyper=hyper, watch=replace(plan.watch, kl=True)))
    tensors = load_file(done.folder / "model.safetensors")
    before = load_file(f"{base}/model.safetensors")
    assert set(tensors) == set(before)
    name = "model.layers.0.mlp.up_proj.weight"
    assert not torch.equal(tensors[name], before[name])
    assert torch.equal(tensors["model.embed_tokens.weight"], before["model.embed_tokens.weight"])
    assert curves(done.curves)["chosen_kl"].iloc[0] == pytest.approx(0, abs=1e-5)


def test_contrastive_scores_become_weights_and_are_computed_once(trainings, plan, save_model, monkeypatch):
    names = save_model(3), save_model(4)
    found = trainings.contrast(*names, plan.pairs, beta=0.5)
    models = [trainings.model(name) for name in names]
    direct = contrastive.score_responses(
        *models, [pair.prompt for pair in plan.pairs], [pair.rejected for pair in plan.pairs], 0.5
    )
    for one, other in zip(found, direct, strict=True):
        np.testing.assert_array_equal(one.score, other.score)
        np.testing.assert_array_equal(one.kl, other.kl)
    pairs = weighted(plan.pairs, [token_weights(one.score, ends=True) for one in found])
    assert pairs[0].weights == pytest.approx(1 - found[0].score)
    monkeypatch.setattr(experiment, "score_responses", None)
    assert len(trainings.contrast(*names, plan.pairs, beta=0.5)) == len(pairs)
    with pytest.raises(TypeError):
        trainings.contrast(*names, plan.pairs, beta=1.0)
    with pytest.raises(InputError, match=r"61 ids and .* 62"):
        trainings.contrast(names[0], save_model(5, 62), plan.pairs)


def examples(make_pairs):
    return tuple(Example(pair.question, pair.prompt, pair.chosen) for pair in make_pairs(8))


@pytest.mark.parametrize("lora", [None, Lora(8, 16, 0.1, finetuning.PROJECTIONS)])
def test_a_fine_tuning_learns_its_responses_and_not_the_prompts(trainings, base, make_pairs, lora):
    own = examples(make_pairs)
    hyper = Hyper(1e-2, 4, steps=6, schedule="cosine", lora=lora)
    done = trainings.tune(Tuning("positive", base, own, hyper))
    assert done.curves.empty
    assert done.log["step"].tolist() == list(range(1, 7))
    after, before = load(str(done.folder)), trainings.model(base)

    def losses(lm):
        texts, starts = [[*one.prompt, *one.response] for one in own], [len(one.prompt) for one in own]
        return -np.concatenate([found.logprob for found in score(lm, texts, start=starts)])

    assert losses(after).mean() < losses(before).mean() - 0.05
    # Other prompts, another model: the prompt is read, not learnt, and its labels are left out.
    rows = finetuning._rows(Tuning("positive", base, own, hyper))
    assert [row["labels"].count(-100) for row in rows] == [len(one.prompt) for one in own]


def test_the_first_loss_of_a_fine_tuning_is_the_mean_over_response_tokens(trainings, base, make_pairs):
    own = examples(make_pairs)
    done = trainings.tune(Tuning("all", base, own, Hyper(1e-4, len(own), steps=1)))
    texts, starts = [[*one.prompt, *one.response] for one in own], [len(one.prompt) for one in own]
    found = np.concatenate([one.logprob for one in score(trainings.model(base), texts, start=starts)])
    assert done.log["loss"].iloc[0] == pytest.approx(-found.mean(), abs=1e-4)


def test_unusable_plans_are_refused_before_a_model_is_loaded(trainings, plan):
    with pytest.raises(InputError, match="needs weights"):
        trainings.train(
            replace(plan, base="nowhere", pairs=tuple(replace(p, weights=None) for p in plan.pairs))
        )
    with pytest.raises(InputError, match="no examples"):
        trainings.tune(Tuning("none", "nowhere", (), plan.hyper))
