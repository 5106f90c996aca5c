"""Fixed pairs are measured as a direct pass measures them, at the steps that were asked for."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from replication.alignment import heads, watching
from replication.alignment.preferences import forward_kl, token_log_probs
from replication.alignment.watching import PairWatch


@pytest.fixture
def models(make_model):
    found = [make_model(seed).eval() for seed in (0, 1)]
    for model in found:
        heads.add_response_head(model)
    return found


def direct(pair, model, base):
    values = []
    for side in (pair.chosen, pair.rejected):
        ids, start = torch.tensor([[*pair.prompt, *side]]), len(pair.prompt) - 1
        with torch.no_grad():
            own, other = (m(input_ids=ids).logits[0, start:-1] for m in (model, base))
        logs = token_log_probs(own, ids[0, start + 1 :]).sum().item()
        values.append((logs, len(side), forward_kl(other, own).sum().item()))
    return np.array(values).T.ravel()  # chosen, rejected; their tokens; their divergences


def test_measures_are_those_of_a_direct_pass(models, make_pairs, monkeypatch):
    monkeypatch.setattr(watching, "ROWS", 4)
    pairs = make_pairs(6)
    table = PairWatch(pairs, 1, 0, reference=models[1]).measure(models[0])
    assert table["question"].tolist() == [pair.question for pair in pairs]
    found = table[list(watching.COLUMNS[2:])].to_numpy()
    np.testing.assert_allclose(found, [direct(pair, *models) for pair in pairs], atol=1e-4)
    alone = PairWatch(pairs, 1, 0).measure(models[0])
    np.testing.assert_allclose(alone["chosen"], table["chosen"], atol=1e-4)
    assert alone["chosen_kl"].isna().all()


def test_measurements_fall_on_the_steps_and_leave_the_mode(models, make_pairs):
    watch = PairWatch(make_pairs(2), 2, 0)
    model = models[0].train()
    watch.on_train_begin(None, None, None, model=model)
    for step in range(1, 6):
        watch.on_step_end(None, SimpleNamespace(global_step=step, max_steps=5), None, model=model)
    assert model.training
    assert watch.table()["step"].unique().tolist() == [0, 2, 4, 5]
    assert PairWatch([], 1, 0).table().empty


def test_curves_are_means_over_the_pairs(models, make_pairs):
    pairs = make_pairs(3)
    watch = PairWatch(pairs, 1, 0, reference=models[1])
    watch.on_train_begin(None, None, None, model=models[0])
    table = watch.table()
    (row,) = watching.curves(table).to_dict("records")
    assert row["pairs"] == 3
    assert row["chosen"] == pytest.approx(table["chosen"].mean())
    assert row["gap"] == pytest.approx(row["chosen"] - row["rejected"])
    assert row["kl_margin"] == pytest.approx(row["rejected_kl"] - row["chosen_kl"])
    assert row["chosen_per_token"] == pytest.approx((table["chosen"] / table["chosen_tokens"]).mean())
