import pytest
import torch
from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer

from replication.lm.cache import ROOM, RoomyLayer, new_cache


def fill(layer, lengths, rows=3):
    generator = torch.Generator().manual_seed(1)
    for length in lengths:
        keys = torch.randn(rows, 2, length, 4, generator=generator)
        layer.update(keys, -keys)


def test_equals_the_librarys_layer_through_every_operation():
    ours, theirs = RoomyLayer(), DynamicLayer()
    assert ours.get_seq_length() == 0
    steps = [
        lambda layer: fill(layer, [5, 1, 1, ROOM, 1]),
        lambda layer: layer.reorder_cache(torch.tensor([2, 0, 0, 1])),
        lambda layer: fill(layer, [1, 2], rows=4),
        lambda layer: layer.crop(-3),
        lambda layer: layer.batch_select_indices(torch.tensor([1, 3])),
        lambda layer: layer.batch_repeat_interleave(2),
        lambda layer: fill(layer, [1], rows=4),
        lambda layer: layer.reset(),
        lambda layer: fill(layer, [2]),
    ]
    for step in steps:
        step(ours)
        step(theirs)
        assert ours.get_seq_length() == theirs.get_seq_length()
        if theirs.keys is None:
            continue
        assert torch.equal(ours.keys, theirs.keys)
        assert torch.equal(ours.values, theirs.values)


def test_a_step_copies_nothing_while_there_is_room():
    layer = RoomyLayer()
    fill(layer, [4])
    place = layer.keys.data_ptr()
    fill(layer, [1] * (ROOM - 1))
    assert layer.keys.data_ptr() == place
    assert layer.keys.shape == (3, 2, 3 + ROOM, 4)


@pytest.mark.parametrize(
    ("name", "kind"), [("llama", RoomyLayer), ("mistral-window", DynamicSlidingWindowLayer)]
)
def test_layers_of_a_model(make_lm, name, kind):
    cache = new_cache(make_lm(name).model.config)
    assert [type(layer) for layer in cache.layers] == [kind, kind]
