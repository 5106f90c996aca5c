"""The trainer's losses are trl's where trl has them, the papers' where it has not, and nothing is dropped."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from trl import DPOTrainer

from replication.alignment.collating import dataset
from replication.alignment.heads import labels_of
from replication.alignment.objectives import Objective
from replication.alignment.preferences import IGNORED, forward_kl, token_log_probs
from replication.alignment.trainer import PreferenceTrainer, cpu_args
from replication.lm import packed
from replication.settings import InputError

# trl's own steps ask transformers under a name that it has given up.
pytestmark = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")


class Prepared(DPOTrainer):
    """trl's trainer on ids: all of its losses, none of its tokenising."""

    def _prepare_dataset(self, dataset, *args):
        return dataset


@pytest.fixture
def trls(tmp_path, make_model, tokenizer):
    """Factory of trl's trainer."""

    def make(pairs, kind=Prepared, data=None, **options):
        return kind(
            model=make_model(0),
            ref_model=make_model(1),
            args=cpu_args(tmp_path, beta=0.1, per_device_train_batch_size=len(pairs), **options),
            train_dataset=dataset(pairs).select_columns(["prompt_ids", "chosen_ids", "rejected_ids"])
            if data is None
            else data,
            processing_class=tokenizer,
        )

    return make


def reference_of(model, pairs):
    """Return per-token log-probabilities, sequence by sequence."""
    found = []
    for pair in pairs:
        sides = []
        for side in (pair.chosen, pair.rejected):
            ids = torch.tensor([[*pair.prompt, *side]])
            with torch.no_grad():
                logs = token_log_probs(model(input_ids=ids).logits[:, :-1], ids[:, 1:])[0]
            sides.append(logs[len(pair.prompt) - 1 :].numpy())
        found.append(tuple(sides))
    return found


@pytest.fixture
def ours(tmp_path, make_model, tokenizer):
    """Factory of our trainer, with a stored reference by default."""

    def make(pairs, objective, stored=True, online=False, model=None, peft=None, **options):
        arguments = {"per_device_train_batch_size": len(pairs)} | options
        return PreferenceTrainer(
            model=make_model(0) if model is None else model,
            ref_model=make_model(1) if online else None,
            args=cpu_args(tmp_path, **arguments),
            train_dataset=dataset(pairs, reference_of(make_model(1), pairs) if stored else None),
            processing_class=tokenizer,
            peft_config=peft,
            objective=objective,
        )

    return make


def loss_and_gradient(trainer):
    """Return the loss of the first batch, and all gradients in one vector."""
    trainer.model.train()
    batch = next(iter(trainer.get_train_dataloader()))
    loss = trainer.compute_loss(trainer.model, batch)
    loss.backward()
    return loss.item(), torch.cat([p.grad.flatten() for p in trainer.model.parameters()])


def assert_same(first, second):
    assert first[0] == pytest.approx(second[0], abs=1e-5)
    torch.testing.assert_close(first[1], second[1], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("online", [False, True])
def test_dpo_is_trls_sigmoid_loss(ours, trls, make_pairs, online):
    pairs = make_pairs()
    found = loss_and_gradient(ours(pairs, Objective("dpo"), stored=not online, online=online))
    assert_same(found, loss_and_gradient(trls(pairs)))


def test_cdpo_with_weights_of_1_is_trls_sigmoid_loss_and_with_others_is_not(ours, trls, make_pairs):
    pairs, objective = make_pairs(), Objective("cdpo", beta=0.1)

    def weighing(value):
        return [replace(pair, weights=(value,) * len(pair.rejected)) for pair in pairs]

    expected = loss_and_gradient(trls(pairs))
    assert_same(loss_and_gradient(ours(weighing(1.0), objective)), expected)
    assert abs(loss_and_gradient(ours(weighing(0.5), objective))[0] - expected[0]) > 1e-3


@pytest.mark.parametrize("reduction", ["sequence", "token"])
def test_cdpo_is_the_formula_on_every_pair(ours, make_pairs, make_model, reduction):
    pairs, model = make_pairs(), make_model(0)
    policy, reference = reference_of(model, pairs), reference_of(make_model(1), pairs)
    width = max(pair.length for pair in pairs) - 1
    losses = []
    for pair, own, other in zip(pairs, policy, reference, strict=True):
        rows = np.zeros((2, width))
        for side in (0, 1):
            start = len(pair.prompt) - 1
            rows[side, start : start + len(own[side])] = own[side] - other[side]
            if side:
                rows[side, start : start + len(own[side])] *= pair.weights
        difference = rows[0] - rows[1]
        z = 0.1 * difference if reduction == "token" else 1.0 * difference.sum()
        losses.append(np.log1p(np.exp(-z)).mean())
    found, _ = loss_and_gradient(ours(pairs, Objective("cdpo", reduction=reduction)))
    assert found == pytest.approx(np.mean(losses), abs=1e-5)


def test_rpo_is_trls_where_chosen_responses_are_equally_long(ours, trls, make_pairs):
    options = {"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, 0.5]}
    even, uneven = make_pairs(even=True), make_pairs()
    objective = Objective("rpo", alpha=0.5)
    assert_same(loss_and_gradient(ours(even, objective)), loss_and_gradient(trls(even, **options)))
    found = loss_and_gradient(ours(uneven, objective))[0]
    assert abs(found - loss_and_gradient(trls(uneven, **options))[0]) > 1e-4


def test_sft_learns_the_chosen_responses_per_token_and_needs_no_reference(ours, make_pairs, make_model):
    pairs = make_pairs()
    trainer = ours(pairs, Objective("sft"), stored=False)
    means = [-chosen.mean() for chosen, _ in reference_of(make_model(0), pairs)]
    assert loss_and_gradient(trainer)[0] == pytest.approx(np.mean(means), abs=1e-5)
    assert trainer.ref_model is None


@pytest.mark.parametrize("method", ["tdpo1", "tdpo2"])
def test_tdpo_is_the_formula_on_whole_distributions(ours, make_pairs, make_model, method):
    pairs = make_pairs()
    trainer = ours(pairs, Objective(method), online=True)
    batch = next(iter(trainer.get_train_dataloader()))
    labels = labels_of(batch)[:, 1:]
    with torch.no_grad():
        policy, reference = (make_model(s)(input_ids=batch["input_ids"]).logits[:, :-1] for s in (0, 1))
    ratio = (token_log_probs(policy, labels) - token_log_probs(reference, labels)).sum(-1)
    kl = forward_kl(reference, policy).masked_fill(labels == IGNORED, 0).sum(-1)
    (chosen, rejected), (chosen_kl, rejected_kl) = ratio.chunk(2), kl.chunk(2)
    alpha = 1.0 if method == "tdpo1" else 0.5
    z = 0.1 * (chosen - rejected - alpha * (rejected_kl - chosen_kl))
    assert loss_and_gradient(trainer)[0] == pytest.approx(torch.log1p(torch.exp(-z)).mean().item(), abs=1e-5)


def test_weights_reach_the_batch_where_unused_columns_are_dropped(ours, make_pairs):
    trainer = ours(make_pairs(), Objective("cdpo"), remove_unused_columns=True)
    batch = next(iter(trainer.get_train_dataloader()))
    assert {"token_weights", "token_reference"} <= set(batch)


def test_trls_cache_of_sums_is_not_read(ours, trls, make_pairs, tmp_path):
    pairs = make_pairs()
    data = dataset(pairs, reference_of(trls(pairs).ref_model, pairs))
    data.save_to_disk(tmp_path / "data")
    from datasets import load_from_disk

    data = load_from_disk(tmp_path / "data")  # trl caches beside data on disk
    before = loss_and_gradient(ours(pairs, Objective("cdpo")))[0]
    cached = trls(pairs, data=data, precompute_ref_log_probs=True)
    assert "ref_chosen_logps" in cached.train_dataset.column_names
    trainer = ours(pairs, Objective("cdpo"))
    trainer.train_dataset = trainer._precompute_ref_logps(data, "train", 2)
    assert "ref_chosen_logps" not in trainer.train_dataset.column_names
    assert loss_and_gradient(trainer)[0] == pytest.approx(before, abs=1e-6)


def test_ids_are_those_that_trl_makes_of_the_text(trls, make_pairs):
    from datasets import Dataset

    pairs = make_pairs()

    def text(ids):
        return " ".join(f"w{i}" for i in ids)

    rows = [
        {
            "prompt": text(p.prompt),
            "chosen": " " + text(p.chosen[:-1]),
            "rejected": " " + text(p.rejected[:-1]),
        }
        for p in pairs
    ]
    theirs = trls(pairs, DPOTrainer, Dataset.from_list(rows)).train_dataset
    mine = dataset(pairs)
    for name in ("prompt_ids", "chosen_ids", "rejected_ids"):  # the end-of-text token included
        assert theirs[name][:] == mine[name][:]


def test_an_adapter_that_is_off_is_the_reference(ours, make_pairs, make_model):
    from replication.alignment.fitting import adapter
    from replication.alignment.plans import Lora

    pairs = make_pairs()
    for method in ("cdpo", "tdpo2"):
        trainer = ours(pairs, Objective(method), stored=False, peft=adapter(Lora(4, 8)), max_steps=2,
                       learning_rate=0.1, logging_steps=1)  # fmt: skip
        trainer.train()
        losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
        assert losses[0] == pytest.approx(np.log(2), abs=1e-6)
        assert losses[1] < losses[0]
        base = trainer.model.get_base_model().model.layers[0].self_attn.q_proj.base_layer.weight
        assert torch.equal(base, make_model(0).model.layers[0].self_attn.q_proj.weight)


def test_what_is_logged_is_not_weighted(ours, make_pairs, make_model):
    pairs = make_pairs()
    trainer = ours(pairs, Objective("cdpo"), max_steps=1, logging_steps=1)
    trainer.train()
    (line,) = (line for line in trainer.state.log_history if "loss" in line)
    policy, reference = reference_of(make_model(0), pairs), reference_of(make_model(1), pairs)
    for side, name in enumerate(("chosen", "rejected")):
        sums = [own[side].sum() for own in policy]
        base = [own[side].sum() for own in reference]
        assert line[f"logps/{name}"] == pytest.approx(np.mean(sums), abs=1e-4)
        assert line[f"rewards/{name}"] == pytest.approx(np.mean(sums) - np.mean(base), abs=1e-4)
    assert "entropy" not in line


def test_trainings_repeat_and_learn(ours, make_pairs):
    def run():
        trainer = ours(make_pairs(), Objective("cdpo"), max_steps=6, learning_rate=1e-2, logging_steps=1,
                       per_device_train_batch_size=3)  # fmt: skip
        trainer.train()
        return [line["loss"] for line in trainer.state.log_history if "loss" in line]

    first = run()
    assert run() == first
    assert first[-1] < first[0]


def test_every_step_takes_the_pass_over_needed_tokens(ours, make_pairs, monkeypatch):
    passes = []
    losses = packed.losses
    monkeypatch.setattr(packed, "losses", lambda *given: passes.append(1) or losses(*given))
    ours(make_pairs(), Objective("cdpo"), max_steps=3, per_device_train_batch_size=3).train()
    assert len(passes) == 3


def test_accumulated_batches_make_the_step_of_one(ours, make_pairs):
    def weights(**options):
        trainer = ours(
            make_pairs(), Objective("dpo"), max_steps=1, learning_rate=1e-2, optim="sgd", **options
        )
        trainer.train()
        return torch.cat([p.detach().flatten() for p in trainer.model.parameters()])

    halves = weights(per_device_train_batch_size=3, gradient_accumulation_steps=2)
    torch.testing.assert_close(halves, weights(per_device_train_batch_size=6), atol=1e-5, rtol=1e-4)


def test_other_data_can_be_evaluated(ours, make_pairs):
    trainer = ours(make_pairs(), Objective("cdpo"), max_steps=1, per_device_eval_batch_size=6)
    trainer.train()
    found = trainer.evaluate(trainer.train_dataset)
    trainer.model.eval()
    loss = trainer.compute_loss(trainer.model, next(iter(trainer.get_eval_dataloader(trainer.train_dataset))))
    assert found["eval_loss"] == pytest.approx(loss.item(), abs=1e-5)
    assert {"eval_logps/chosen", "eval_rewards/margins"} <= set(found)


def plain(pairs):
    return [replace(pair, weights=None) for pair in pairs]


@pytest.mark.parametrize(
    ("method", "change", "options", "message"),
    [
        ("cdpo", plain, {}, "rejected_weights"),
        ("dpo", plain, {"stored": False}, "needs a reference"),
        ("tdpo2", plain, {}, "whole distributions"),
        ("dpo", plain, {"max_length": 5}, "have more than 5 tokens"),
        ("dpo", plain, {"loss_type": "ipo"}, "takes the place of trl's loss_type"),
        ("dpo", plain, {"ld_alpha": 0.5}, "ld_alpha"),
    ],
)
def test_what_would_train_something_else_is_refused(ours, make_pairs, method, change, options, message):
    with pytest.raises(InputError, match=message):
        ours(change(make_pairs()), Objective(method), **options)


def test_text_is_refused(tmp_path, make_model, tokenizer):
    from datasets import Dataset

    data = Dataset.from_list([{"prompt": "w3", "chosen": " w4", "rejected": " w5"}])
    with pytest.raises(InputError, match="no column prompt_ids"):
        PreferenceTrainer(
            model=make_model(0),
            args=cpu_args(tmp_path),
            train_dataset=data,
            processing_class=tokenizer,
            objective=Objective("sft"),
        )
