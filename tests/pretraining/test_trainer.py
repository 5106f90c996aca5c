import copy

import numpy as np
import pytest
import torch
from datasets import Dataset
from transformers import Trainer, TrainerCallback

from replication.pretraining.collating import Collator
from replication.pretraining.masks import random_scores
from replication.pretraining.reference import score_blocks
from replication.pretraining.scoring import score
from replication.pretraining.selection import SCORES, Selection, select
from replication.pretraining.token_losses import targets
from replication.pretraining.trainer import SelectiveTrainer, cpu_args
from replication.settings import InputError


class Recorder(SelectiveTrainer):
    """Keeps what every micro-batch keeps, by block."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.kept, plain = {}, self.tally.add

        def add(losses, valid, keep, cutoff, block):
            for number, row, fine in zip(block.tolist(), keep, valid, strict=True):
                self.kept[number] = row[: int(fine.nonzero().max()) + 1].tolist()
            plain(losses, valid, keep, cutoff, block)

        self.tally.add = add


@pytest.fixture
def scored(data, make_model):
    """The blocks with losses and entropies of a reference model."""
    losses, entropies = zip(*score_blocks(make_model(9), data, entropy=True), strict=True)
    columns = {"reference_loss": losses, "reference_entropy": entropies}
    for name, values in columns.items():
        data = data.add_column(name, [one.tolist() for one in values])
    return data


@pytest.fixture
def train(tmp_path, make_model):
    """Function that trains a new model and returns its trainer."""

    def run(data, selection, model=None, kind=Recorder, resume=None, callbacks=(), **changes):
        options = {name: changes.pop(name) for name in ("reference_model", "remember") if name in changes}
        settings = {
            "per_device_train_batch_size": 8,
            "max_steps": 2,
            "logging_steps": 1,
            "learning_rate": 1e-2,
        }
        args = cpu_args(tmp_path / "out", **settings | changes)
        trainer = kind(
            model=model or make_model(), args=args, train_dataset=data, selection=selection,
            callbacks=list(callbacks), **options,
        )  # fmt: skip
        trainer.train(resume_from_checkpoint=resume)
        return trainer

    return run


def lines(trainer, *names):
    return [[line[name] for name in names] for line in trainer.state.log_history if "loss" in line]


def weights(trainer):
    return torch.cat([parameter.detach().flatten() for parameter in trainer.model.parameters()])


def test_everything_kept_is_the_trainers_own_loss(data, train, make_model, tmp_path):
    args = cpu_args(
        tmp_path / "peer", per_device_train_batch_size=8, max_steps=2, logging_steps=1, learning_rate=1e-2
    )
    peer = Trainer(model=make_model(), args=args, train_dataset=data, data_collator=Collator())
    peer.train()
    for selection in (Selection(1.0, score="all"), Selection(1.0, score="loss", scope="sequence")):
        ours = train(data, selection)
        assert np.allclose(lines(ours, "loss", "grad_norm"), lines(peer, "loss", "grad_norm"), rtol=1e-5)
        assert torch.allclose(weights(ours), weights(peer), atol=1e-6)
        assert "loss_dropped" not in ours.state.log_history[0]


@pytest.mark.parametrize("score_name", SCORES)
@pytest.mark.parametrize("scope", ["batch", "microbatch", "sequence"])
def test_what_is_kept_is_what_the_scores_say(scored, make_model, train, score_name, scope):
    ratio = 1.0 if score_name == "all" else 0.6
    trainer = train(
        scored, Selection(ratio, scope, score_name, seed=3), max_steps=1, per_device_train_batch_size=16
    )
    batch = Collator()([scored[i] for i in range(16)])
    target, valid = targets(batch["labels"]), targets(batch["labels"]) != -100
    own = score(make_model(), batch["input_ids"], target)[0]
    scores = {
        "excess": own - batch["reference_loss"], "reverse": batch["reference_loss"] - own, "loss": own,
        "reference": -batch["reference_loss"], "entropy": -batch["reference_entropy"],
        "random": random_scores(3, torch.arange(16), 12), "all": own,
    }[score_name]  # fmt: skip
    # Blocks come in the order of the shuffle, which decides ties only.
    keep = select(scores, valid, ratio, scope)
    assert sorted(trainer.kept) == list(range(16))
    for i in range(16):
        assert trainer.kept[i] == keep[i, : len(trainer.kept[i])].tolist()
    line = trainer.state.log_history[0]
    assert line["kept_share"] == pytest.approx(int(keep.sum()) / int(valid.sum()))
    assert line["loss_all"] == pytest.approx(float(own[valid].mean()), abs=1e-5)
    assert line["loss"] == pytest.approx(line["loss_kept"], abs=1e-5)
    assert line["loss"] == pytest.approx(float(own[keep].mean()), abs=1e-5)
    if score_name != "all":
        assert line["loss_dropped"] == pytest.approx(float(own[valid & ~keep].mean()), abs=1e-5)
        if scope != "sequence":
            assert line["cutoff"] == pytest.approx(float(scores[keep].min()), abs=1e-5)


@pytest.mark.parametrize("score_name", ["excess", "random", "entropy", "all"])
def test_accumulated_micro_batches_are_one_batch(scored, train, score_name):
    selection = Selection(1.0 if score_name == "all" else 0.6, score=score_name)
    whole = train(scored, selection)
    parts = train(scored, selection, per_device_train_batch_size=2, gradient_accumulation_steps=4)
    assert parts.kept == whole.kept
    names = "loss", "grad_norm", "loss_all", "kept_share"
    assert np.allclose(lines(parts, *names), lines(whole, *names), rtol=1e-5)
    assert torch.allclose(weights(parts), weights(whole), atol=1e-6)


def test_micro_batches_ranked_alone_are_weighted_by_what_they_keep(scored, train):
    trainer = train(
        scored, Selection(0.6, "microbatch"), per_device_train_batch_size=2, gradient_accumulation_steps=4
    )
    for line in trainer.state.log_history[:-1]:
        assert line["loss"] == pytest.approx(line["loss_kept"], rel=1e-5)


def test_an_online_reference_is_the_stored_one(data, scored, train, make_model):
    for accumulated in (1, 2):
        changes = {
            "per_device_train_batch_size": 8 // accumulated,
            "gradient_accumulation_steps": accumulated,
        }
        stored = train(scored, Selection(0.6), **changes)
        online = train(data, Selection(0.6), reference_model=make_model(9).train(), **changes)
        assert online.kept == stored.kept
        assert not online.reference_model.training
        assert all(parameter.grad is None for parameter in online.reference_model.parameters())
        assert np.allclose(lines(online, "loss", "cutoff"), lines(stored, "loss", "cutoff"), atol=1e-5)
    entropies = train(data, Selection(0.6, score="entropy"), reference_model=make_model(9))
    assert entropies.kept == train(scored, Selection(0.6, score="entropy")).kept


def test_a_static_mask(data, train, rows):
    masks = [[j % 3 == 0 for j in range(len(row["input_ids"]))] for row in rows]
    trainer = train(data.add_column("keep", masks), None, max_steps=1)
    for number, kept in trainer.kept.items():
        labels = [*rows[number]["labels"][1:], -100]
        assert (
            kept == [m and label != -100 for m, label in zip(masks[number], labels, strict=True)][: len(kept)]
        )
    line = trainer.state.log_history[0]
    assert line["loss"] == pytest.approx(line["loss_kept"], rel=1e-5)
    assert "cutoff" not in line


def one_batch(make_model, keep_rows=None):
    """A trainer-free step: model, embedded batch, selection of about half, gradients at the embeddings."""
    model = make_model().eval()
    ids = torch.randint(1, 61, (1, 8), generator=torch.Generator().manual_seed(1))
    embedded = model.get_input_embeddings()(ids).detach().requires_grad_()
    return model, ids, embedded


def test_tokens_that_are_not_kept_are_still_attended_to(make_model):
    from replication.pretraining.token_losses import selective_loss, token_losses

    model, ids, embedded = one_batch(make_model)
    keep = torch.zeros(1, 8, dtype=torch.bool)
    keep[0, 5] = True
    selective_loss(token_losses(model(inputs_embeds=embedded).logits, targets(ids)), keep).backward()
    norms = embedded.grad[0].norm(dim=-1)
    assert bool((norms[:6] > 0).all())  # the whole context of the kept token, none of it kept itself
    assert not bool(norms[6:].any())


def test_the_mask_is_no_attention_mask_and_labels_are_shifted_once(scored, train, make_model):
    seen = []
    model = make_model()
    plain = model.forward

    def forward(*args, **kwargs):
        seen.append(kwargs)
        return plain(*args, **kwargs)

    model.forward = forward
    trainer = train(scored, Selection(0.6), model, max_steps=1, per_device_train_batch_size=16)
    assert [set(one) for one in seen] == [{"input_ids", "use_cache"}]  # one pass; no mask, no labels
    batch = Collator()([scored[i] for i in range(16)])
    own = score(make_model(), batch["input_ids"], targets(batch["labels"]))[0]
    wanted = float(own[targets(batch["labels"]) != -100].mean())
    assert trainer.state.log_history[0]["loss_all"] == pytest.approx(wanted, abs=1e-5)


def test_the_scoring_pass_leaves_dropout_out(scored, train):
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=61, n_positions=16, n_embd=16, n_layer=1, n_head=2))
    before = copy.deepcopy(model)
    trainer = train(scored, Selection(0.6), model, max_steps=1, per_device_train_batch_size=8,
                    gradient_accumulation_steps=2)  # fmt: skip
    batch = Collator()([scored[i] for i in range(16)])
    target = targets(batch["labels"])
    excess = score(before, batch["input_ids"], target)[0] - batch["reference_loss"]
    keep = select(excess, target != -100, 0.6)
    assert all(trainer.kept[i] == keep[i, : len(trainer.kept[i])].tolist() for i in range(16))
    assert trainer.model.training


class Stop(TrainerCallback):
    """Ends a training as a kill would, right behind a checkpoint."""

    def on_save(self, args, state, control, **kwargs):
        control.should_training_stop = True


def test_a_stopped_training_goes_on_as_if_it_had_not(scored, train, tmp_path):
    changes = {
        "max_steps": 6,
        "per_device_train_batch_size": 4,
        "gradient_accumulation_steps": 1,
        "num_train_epochs": 3,
    }
    for selection in (Selection(0.6), Selection(0.5, score="random")):
        whole = train(scored, selection, **changes)
        stopped = train(scored, selection, **changes, save_strategy="steps", save_steps=3, callbacks=[Stop()])
        assert stopped.state.global_step == 3
        resumed = train(scored, selection, **changes, resume=str(tmp_path / "out" / "checkpoint-3"))
        names = "step", "loss", "loss_all", "cutoff", "grad_norm"
        assert lines(resumed, *names) == lines(whole, *names)
        assert torch.equal(weights(resumed), weights(whole))


def test_masks_of_blocks_seen_again_are_compared(scored, train):
    still = train(scored, Selection(0.6, score="random"), max_steps=4, remember=True)
    assert "turnover" not in still.state.log_history[0]
    assert still.state.log_history[2]["turnover"] == 0
    moving = train(scored, Selection(0.6), max_steps=4, learning_rate=0.1, remember=True)
    assert 0 < moving.state.log_history[2]["turnover"] < 1


def test_other_optimisers_and_evaluation(scored, make_model, tmp_path):
    model = make_model()
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1)
    schedule = torch.optim.lr_scheduler.ConstantLR(optimiser, factor=1.0)
    args = cpu_args(tmp_path, per_device_train_batch_size=8, max_steps=1, eval_strategy="steps", eval_steps=1)
    trainer = SelectiveTrainer(
        model=model,
        args=args,
        train_dataset=scored,
        eval_dataset=scored.select([0]),
        selection=Selection(0.5),
        optimizers=(optimiser, schedule),
    )
    trainer.train()
    assert trainer.optimizer.optimizer is optimiser
    # Evaluation is the plain mean over all tokens, whatever the selection.
    batch = Collator()([scored[0]])
    target = targets(batch["labels"])
    wanted = score(model, batch["input_ids"], target)[0].sum() / (target != -100).sum()
    assert trainer.evaluate()["eval_loss"] == pytest.approx(float(wanted), abs=1e-5)


def test_half_precision_training(scored, train):
    trainer = train(scored, Selection(0.6), bf16=True)
    assert all(np.isfinite(lines(trainer, "loss", "grad_norm")).ravel())
    assert trainer.state.log_history[0]["kept_share"] == pytest.approx(0.6, abs=0.02)


def test_rows_in_plain_lists(rows, train, scored):
    # A list has no column names: numbers of the blocks have to be given for random scores.
    numbered = [dict(row, block=i) for i, row in enumerate(rows)]
    trainer = train(numbered, Selection(0.5, score="random"), max_steps=1, per_device_train_batch_size=16)
    assert trainer.kept == train(scored, Selection(0.5, score="random"), max_steps=1,
                                 per_device_train_batch_size=16).kept  # fmt: skip
    with pytest.raises(InputError, match="needs block of shape"):
        train(rows, Selection(0.5, score="random"), kind=SelectiveTrainer)


def test_what_is_refused_before_training(data, train, make_model, tmp_path):
    with pytest.raises(
        InputError, match="no column reference_loss: score the blocks, or give a reference_model"
    ):
        train(data, Selection())
    with pytest.raises(InputError, match="no column keep: give a selection"):
        train(data, None, reference_model=make_model())
    with pytest.raises(InputError, match="label_smoothing_factor"):
        train(data, Selection(score="loss"), label_smoothing_factor=0.1)
    empty = Dataset.from_list([{"input_ids": [4, 5], "labels": [-100, -100]}] * 8)
    for scope in ("batch", "microbatch", "sequence"):
        with pytest.raises(InputError, match="No token of a whole step"):
            train(empty, Selection(score="loss", scope=scope), kind=SelectiveTrainer)
