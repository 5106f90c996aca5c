"""Trainings are done once per key, whole or not at all, and their models say what a direct run says."""

import contextlib
from dataclasses import replace
from itertools import islice

import numpy as np
import pandas as pd
import pytest
import torch

from replication.lm import trainings as once
from replication.pretraining import experiment, packing, running
from replication.pretraining.experiment import Trainings
from replication.pretraining.plans import Exam, Hyper, Plan
from replication.pretraining.rho1 import Selection
from replication.settings import InputError, Settings
from replication.tasks.base import load_task
from replication.testbed import web

BASE, LENGTH, STEPS = "control-00", 96, 3
TASK = "stories:kind=notes,level=1"


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    torch.set_num_threads(1)
    return Settings(
        paper="rho1",
        profile="smoke",
        model="testbed",
        task=TASK,
        data_dir="",
        seed=0,
        device="cpu",
        results=tmp_path_factory.mktemp("results"),
        default_task=TASK,
    )


@pytest.fixture(scope="module")
def trainings(settings):
    return Trainings(settings)


@pytest.fixture(scope="module")
def blocks(trainings):
    tokenizer = trainings.model(BASE).tokenizer
    pages = web.pages(1, web.Web(level=1, furniture=0.2))
    encoded = packing.encode(tokenizer, list(islice(pages, 40)), web.LABELS)
    return packing.pack(encoded, 6, LENGTH, tokenizer.pad_token_id, web.LABELS)


@pytest.fixture(scope="module")
def plan(blocks):
    task = load_task(TASK, "")
    questions = tuple(task.questions("test", 3, 0))
    exam = Exam(
        marks=(0, 2),
        blocks=blocks.rows([4, 5]),
        task=task,
        questions=questions[:2],
        final=questions[2:],
        prompt=lambda question: task.prompt(question, "zero_shot_cot"),
        length=6,
    )
    return Plan("clm", BASE, blocks.rows(slice(0, 4)), STEPS, Hyper(1e-3, 2), Selection(1.0, score="all"),
                exam=exam)  # fmt: skip


@pytest.fixture(scope="module")
def trained(trainings, plan):
    return trainings.train(plan)


@pytest.fixture
def asked(monkeypatch):
    """Plans that reach the trainer, which then refuses: nothing is trained in these tests."""
    found = []

    def refuse(plan, device, folder):
        found.append(plan)
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "run", refuse)
    return found


@pytest.fixture
def pretended(monkeypatch):
    """Plans that reach the trainer, which then pretends to be done: for tests of what is kept."""
    found = []

    def run(plan, device, folder):
        found.append(plan)
        folder.mkdir(parents=True)
        (folder / "config.json").write_text("{}")
        table = pd.DataFrame({"step": [1]})
        return dict.fromkeys(experiment.TABLES, table)

    monkeypatch.setattr(running, "run", run)
    return found


def folders(settings):
    """Return the names of the finished models."""
    return sorted(path.name for path in (settings.paper_dir / "models").iterdir() if path.name[0] != ".")


def test_a_training_leaves_a_model_and_its_tables(trained, plan, trainings):
    assert (trained.folder / "model.safetensors").is_file()
    assert trained.folder.name.startswith("clm-")
    assert trained.log["step"].tolist() == [1, 2, 3]
    assert trained.log["kept_share"].tolist() == pytest.approx([1.0] * 3)
    assert trained.steps == STEPS
    assert trained.tokens == STEPS * 2 * LENGTH
    before, after = trainings.model(BASE).model, trainings.model(trained.folder).model
    pairs = zip(before.parameters(), after.parameters(), strict=True)
    assert any(not torch.equal(a, b) for a, b in pairs)


def test_tables_hold_the_marks_and_the_last_step(trained, plan):
    assert trained.losses["step"].tolist() == [0, 2, STEPS]
    assert [values.shape for values in trained.losses["losses"]] == [(2 * LENGTH,)] * 3
    counts = trained.answers.groupby("step").size()
    assert counts.to_dict() == {0: 2, 2: 2, STEPS: 3}
    asked = {question.id for question in plan.exam.questions}
    assert set(trained.answers.loc[trained.answers["step"] == 2, "question"]) == asked
    assert trained.answers["correct"].isin([True, False]).all()


def test_losses_at_the_marks_are_those_of_the_models(trained, plan, trainings):
    watched = dict(zip(trained.losses["step"], trained.losses["losses"], strict=True))
    for step, model in ((0, BASE), (STEPS, trained.folder)):
        direct = trainings.scores(model, plan.exam.blocks)["reference_loss"]
        np.testing.assert_allclose(watched[step].reshape(direct.shape), direct, atol=1e-2)
    assert watched[STEPS].mean() < watched[0].mean()


def test_a_second_call_does_not_train(trained, plan, settings, asked):
    again = Trainings(settings).train(plan)
    assert asked == []
    assert again.folder == trained.folder
    for name in experiment.TABLES:
        pd.testing.assert_frame_equal(getattr(again, name), getattr(trained, name))


CHANGES = {
    "seed": lambda plan: replace(plan, seed=1),
    "selection": lambda plan: replace(plan, selection=Selection(0.5, score="random")),
    "columns": lambda plan: replace(plan, columns={"keep": plan.blocks.labels > 0}),
    "other columns": lambda plan: replace(plan, columns={"keep": plan.blocks.labels > 9}),
    "steps": lambda plan: replace(plan, steps=4),
    "rate": lambda plan: replace(plan, hyper=replace(plan.hyper, rate=2e-3)),
    "base": lambda plan: replace(plan, base="control-02"),
    "blocks": lambda plan: replace(plan, blocks=plan.blocks.rows([1, 0, 2, 3])),
    "marks": lambda plan: replace(plan, exam=replace(plan.exam, marks=(0, 1))),
    "questions": lambda plan: replace(plan, exam=replace(plan.exam, final=())),
    "split of the questions": lambda plan: replace(
        plan,
        exam=replace(
            plan.exam, questions=plan.exam.questions[:1], final=plan.exam.questions[1:] + plan.exam.final
        ),
    ),
    "length": lambda plan: replace(plan, exam=replace(plan.exam, length=7)),
    "prompt": lambda plan: replace(plan, exam=replace(plan.exam, prompt=lambda question: question.text)),
}


def test_whatever_determines_a_training_gives_another_key(trained, plan, trainings, settings, asked):
    before = folders(settings)
    for change in CHANGES.values():
        with pytest.raises(KeyboardInterrupt):
            trainings.train(change(plan))
    assert len(asked) == len(CHANGES)
    # Whoever was stopped leaves nothing that looks finished, one hidden folder each at most.
    assert folders(settings) == before
    hidden = {path.name for path in (settings.paper_dir / "models").iterdir()} - set(before)
    assert len(hidden) == len(CHANGES)
    assert all(name.startswith(".clm-") for name in hidden)


def test_one_that_was_stopped_while_it_trained_is_done_again(plan, trainings, settings, monkeypatch):
    short = replace(plan, name="stopped", steps=1, exam=Exam())
    with monkeypatch.context() as patch:

        def run(plan, device, folder):
            folder.mkdir(parents=True)
            (folder / "config.json").write_text("half of it")
            raise KeyboardInterrupt

        patch.setattr(running, "run", run)
        with pytest.raises(KeyboardInterrupt):
            trainings.train(short)
    assert not any(name.startswith("stopped") for name in folders(settings))
    done = trainings.train(short)
    assert sum(name.startswith("stopped") for name in folders(settings)) == 1
    assert not list((settings.paper_dir / "models").glob(".stopped*"))
    assert "half" not in (done.folder / "config.json").read_text()
    # Without an exam nothing is measured on the way.
    assert done.losses.empty
    assert done.answers.empty
    assert done.log["step"].tolist() == [1]


def test_one_that_was_stopped_while_it_was_written_is_done_again(
    plan, trainings, settings, pretended, monkeypatch
):
    unwritten = replace(plan, name="unwritten")
    real = once.write_frame

    def write(path, table, key):
        if path.stem.endswith("answers"):
            raise OSError("disk full")
        real(path, table, key)

    with monkeypatch.context() as patch:
        patch.setattr(once, "write_frame", write)
        with pytest.raises(OSError, match="disk full"):
            trainings.train(unwritten)
    assert not any(name.startswith("unwritten") for name in folders(settings))
    trainings.train(unwritten)
    trainings.train(unwritten)
    assert len(pretended) == 2


def test_a_lost_table_or_model_is_made_again(plan, trainings, settings, pretended):
    lost = replace(plan, name="lost")
    folder = trainings.train(lost).folder
    tables = [settings.records_dir / f"{folder.name}-{name}.parquet" for name in experiment.TABLES]
    for number, path in enumerate([folder / "config.json", *tables]):
        path.unlink()
        told = pytest.warns(RuntimeWarning, match="the training is done again")
        with told if path.parent == folder else contextlib.nullcontext():
            assert trainings.train(lost).folder == folder
        assert len(pretended) == number + 2
    tables[0].write_bytes(b"no table")
    with pytest.warns(RuntimeWarning, match="is damaged: it is computed again"):
        trainings.train(lost)
    assert len(pretended) == 6


def alone(model, ids):
    """Return the losses of a document that stands alone, last position 0."""
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0].float()
    found = torch.nn.functional.cross_entropy(logits[:-1], torch.tensor(ids[1:]), reduction="none")
    return [*found.tolist(), 0.0]


def test_scores_equal_a_direct_computation_and_come_back_from_disk(trainings, blocks, settings, monkeypatch):
    few = blocks.rows([0, 1])
    first = trainings.scores(BASE, few, entropy=True)
    losses, model = first["reference_loss"], trainings.model(BASE).model
    assert losses.dtype == np.float16
    assert losses.shape == few.ids.shape
    for row in range(2):
        starts = np.flatnonzero((few.positions[row] == 0) & (few.ids[row] == few.ids[0, 0])).tolist()
        size = int((few.gold[row] >= 0).sum()) + 2 * len(starts)
        for start, end in zip(starts, [*starts[1:], size], strict=True):
            direct = alone(model, few.ids[row, start:end].tolist())
            np.testing.assert_allclose(losses[row, start:end], direct, atol=1e-2)
        assert not losses[row, size:].any()
    monkeypatch.setattr(experiment.reference, "compute", None)
    again = Trainings(settings).scores(BASE, few, entropy=True)
    for name in ("reference_loss", "reference_entropy"):
        np.testing.assert_array_equal(again[name], first[name])


def test_digests_tell_content_and_type():
    values = np.arange(4)
    assert experiment.digest(values) == experiment.digest(values.copy())
    others = (values.astype(np.float32), values.reshape(2, 2), values[::-1], values.astype(np.int32))
    assert len({experiment.digest(v) for v in (values, *others)}) == 5


@pytest.mark.parametrize(
    ("steps", "number", "found"),
    [
        (80, 4, (20, 40, 60, 80)),
        (10, 3, (3, 7, 10)),
        (2, 4, (1, 2)),
        (5, 1, (5,)),
        (7, 7, tuple(range(1, 8))),
    ],
)
def test_marks_are_even_and_end_at_the_last_step(steps, number, found):
    assert experiment.marks(steps, number) == found


def test_outcomes_of_a_step(trained):
    table = pd.DataFrame({"step": [0, 0, 2], "question": ["a", "b", "a"], "correct": [False, True, True]})
    assert experiment.outcomes(table, 0).to_dict() == {"a": False, "b": True}
    assert experiment.outcomes(table, 2).to_dict() == {"a": True}
    assert len(experiment.outcomes(trained.answers, STEPS)) == 3


def test_a_selection_without_its_column_is_an_error(plan, trainings):
    with pytest.raises(InputError):
        trainings.train(replace(plan, name="lacking", selection=Selection(0.6), exam=Exam()))
