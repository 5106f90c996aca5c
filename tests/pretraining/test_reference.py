import json

import numpy as np
import pytest
import torch
from datasets import Dataset
from safetensors.numpy import load_file, save_file

from replication.files import checksum
from replication.lm.loading import load as load_lm
from replication.pretraining import reference
from replication.pretraining.blocks import row_targets
from replication.pretraining.scoring import score
from replication.pretraining.selection import excess_loss, select
from replication.pretraining.token_losses import targets
from replication.settings import InputError
from replication.testbed import models, tokenizer


@pytest.fixture(scope="module")
def lm():
    return load_lm("control-00")


@pytest.fixture
def folder(lm, data, tmp_path):
    """Reference losses of the blocks in three shards."""
    reference.compute(lm, data, tmp_path / "reference", entropy=True, shard_blocks=6)
    return tmp_path / "reference"


def change(folder, name, make):
    """Change an entry of the first shard and make the checksums fit again."""
    path = reference.shard(folder, 0)
    content = load_file(path)
    content[name] = make(content[name])
    save_file(content, path, metadata={"key": reference._header(path)["key"]})
    about = reference.read_facts(folder)
    about["sha256"][0] = checksum(path)
    (folder / reference.FACTS).write_text(json.dumps(about))


def test_columns_are_the_losses_of_a_plain_pass(lm, data, folder):
    found = reference.load(folder, data, lm.tokenizer, "concatenated")
    assert found.column_names == ["input_ids", "labels", "reference_loss", "reference_entropy"]
    for row in found:
        ids, labels = torch.tensor([row["input_ids"]]), torch.tensor([row["labels"]])
        losses, entropies = score(lm.model, ids, targets(labels), entropy=True)
        for name, wanted in (("reference_loss", losses), ("reference_entropy", entropies)):
            assert len(row[name]) == len(row["input_ids"])
            assert torch.allclose(torch.tensor(row[name]), wanted[0], atol=2**-8, rtol=2**-11)


def test_sixteen_bits_round_to_a_256th_below_16_nats(lm, rows):
    big = [(np.linspace(8, 15.99, 12, dtype=np.float32), None)]
    kept = big[0][0].astype(np.float16).astype(np.float32)
    assert np.abs(kept - big[0][0]).max() <= 2**-8
    coarse = torch.tensor(big[0][0]).bfloat16().float().numpy()
    assert np.abs(coarse - big[0][0]).max() > 2**-6


def test_stored_and_online_losses_keep_the_same_tokens(lm, data, folder):
    found = reference.load(folder, data).select(range(0, 16, 3))  # rows of equal length
    ids = torch.tensor(found["input_ids"])
    target = targets(torch.tensor(found["labels"]))
    learner = load_lm("control-08").model
    losses, online = score(learner, ids, target)[0], score(lm.model, ids, target)[0]
    stored = torch.tensor(found["reference_loss"])
    masks = [select(excess_loss(losses, one), target != -100, 0.6) for one in (online, stored)]
    assert torch.equal(*masks)


def test_a_killed_run_goes_on_with_the_missing_shard(lm, data, folder, monkeypatch):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / reference.FACTS).unlink()
    reference.shard(folder, 1).unlink()
    scored = []
    plain = reference.score_blocks

    def watch(model, blocks, *arguments):
        scored.append(len(blocks))
        return plain(model, blocks, *arguments)

    monkeypatch.setattr(reference, "score_blocks", watch)
    steps = []
    reference.compute(
        lm,
        data,
        folder,
        entropy=True,
        shard_blocks=6,
        progress=lambda done, total: steps.append((done, total)),
    )
    assert scored == [6]
    assert steps == [(1, 3), (2, 3), (3, 3)]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_shard_cut_off_or_of_another_run_is_made_again(lm, data, folder):
    path = reference.shard(folder, 2)
    whole = path.read_bytes()
    path.write_bytes(whole[:50])
    reference.compute(lm, data, folder, entropy=True, shard_blocks=6)
    assert path.read_bytes() == whole
    other = reference.compute(load_lm("control-08"), data, folder, entropy=True, shard_blocks=6)
    assert other["fingerprint"] != lm.fingerprint
    assert path.read_bytes() != whole
    reference.verify(folder, data)


def test_a_run_that_fails_leaves_no_facts(lm, data, tmp_path, monkeypatch):
    def fail(*arguments, **options):
        raise OSError("disk full")

    monkeypatch.setattr(reference, "save_file", fail)
    with pytest.raises(OSError, match="disk full"):
        reference.compute(lm, data, tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="no finished reference losses"):
        reference.load(tmp_path, data)


def test_another_tokenizer_or_packing_is_refused(data, folder):
    with pytest.raises(InputError, match="tokenizer of control-00"):
        reference.verify(folder, data, tokenizer.load(models.folder("testbed-wide")))
    with pytest.raises(InputError, match="packed as 'concatenated', not 'documents'"):
        reference.verify(folder, data, packing="documents")


def test_other_blocks_are_refused(data, rows, folder):
    with pytest.raises(InputError, match="of 16 blocks, the data has 15"):
        reference.verify(folder, data.select(range(15)))
    with pytest.raises(InputError, match="Block 0 differs"):
        reference.verify(folder, data.shuffle(seed=0))
    # The text moved on by one token, as when a first token is added or lost.
    moved = [*rows[:4], {"input_ids": rows[4]["input_ids"][1:], "labels": rows[4]["labels"][1:]}, *rows[5:]]
    with pytest.raises(InputError, match="Block 4 differs"):
        reference.verify(folder, Dataset.from_list(moved))
    masked = [*rows[:7], rows[7] | {"labels": [-100] * len(rows[7]["labels"])}, *rows[8:]]
    with pytest.raises(InputError, match="Block 7 differs"):
        reference.verify(folder, Dataset.from_list(masked))
    restarted = data.add_column("position_ids", [[0] * len(row["input_ids"]) for row in rows])
    with pytest.raises(InputError, match=r"Block 0 differs.*positions"):
        reference.verify(folder, restarted)


@pytest.mark.parametrize("shift", [1, -1])
def test_shifted_columns_are_refused(data, folder, shift):
    change(folder, "loss", lambda losses: np.roll(losses, shift))
    with pytest.raises(InputError, match="shifted: column j scores the token at j"):
        reference.verify(folder, data)


def test_shifted_losses_are_not_even_saved(rows, tmp_path):
    good = [(row_targets(row) != -100).astype(np.float32) for row in rows]

    def save(losses):
        reference.save(
            tmp_path / "a.safetensors", rows, iter((loss, None) for loss in losses), "float16", "key"
        )

    save(good)
    for bad, says in (
        ([np.roll(loss, 1) for loss in good], "shifted"),
        ([loss[:-1] for loss in good], "are 11 for 12 tokens"),
        ([loss * np.nan for loss in good], "not all finite"),
    ):
        with pytest.raises(InputError, match=says):
            save(bad)


def test_missing_and_changed_shards_are_refused(data, folder):
    path = reference.shard(folder, 1)
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(InputError, match="was changed: delete it"):
        reference.verify(folder, data)
    path.unlink()
    with pytest.raises(InputError, match="is missing: run the scoring step"):
        reference.load(folder, data)


def test_blocks_that_the_model_cannot_read_are_refused_first(lm, tmp_path):
    for ids, says in (
        ([5] * 513, "longer than control-00 takes"),
        ([5, 9999], "id 9999 is outside"),
        ([], "no tokens"),
    ):
        with pytest.raises(InputError, match=says):
            reference.compute(lm, [{"input_ids": ids}], tmp_path)
    with pytest.raises(InputError, match="at least one row"):
        reference.compute(lm, [], tmp_path)
    with pytest.raises(InputError, match="not 'bfloat16'"):
        reference.compute(lm, [{"input_ids": [5, 6]}], tmp_path, dtype="bfloat16")
    assert list(tmp_path.iterdir()) == []


def test_batches_do_not_change_the_scores(lm, data):
    one, many = (list(reference.score_blocks(lm.model, data, True, budget)) for budget in (1, 2**14))
    for (losses, entropies), (others, more) in zip(one, many, strict=True):
        assert np.allclose(losses, others, atol=1e-4)
        assert np.allclose(entropies, more, atol=1e-4)
