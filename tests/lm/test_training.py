import gc

import torch

from replication.lm.training import flushed_denormals, spared_collections

TINY = 1e-310


def halved() -> float:
    return float(torch.tensor([2 * TINY], dtype=torch.float64) / 2)


def test_denormals_are_flushed_inside_and_kept_afterwards():
    assert halved() > 0
    with flushed_denormals():
        assert halved() == 0
    assert halved() > 0


def test_denormals_are_kept_after_a_failure():
    try:
        with flushed_denormals():
            raise KeyError
    except KeyError:
        pass
    assert halved() > 0


def test_objects_are_spared_inside_only():
    before = gc.get_freeze_count()
    with spared_collections():
        assert gc.get_freeze_count() > before
    assert gc.get_freeze_count() == before
