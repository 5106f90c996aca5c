import gc
import warnings

import pytest
import torch

from replication.lm.training import flushed_denormals, quiet_libraries, spared_collections

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


def test_what_was_there_before_is_collected_again_afterwards():
    with spared_collections():
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0


def test_one_warning_is_kept_quiet_and_no_other():
    with quiet_libraries():
        warnings.warn("`is_gradient_checkpointing` is deprecated and will go", FutureWarning, stacklevel=1)
        with pytest.raises(FutureWarning, match="something else"):
            warnings.warn("something else", FutureWarning, stacklevel=1)
