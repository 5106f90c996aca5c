"""Costs follow from the formula in the open."""

from dataclasses import replace

import pytest

from replication.alignment import costs
from replication.alignment.config import Config

CONFIG = Config("m", "o", "d", pairs=1000, epochs=2, prompt_tokens=50, response_tokens=150, micro_batch=1)
SMALL = costs.SIZES[0]


def test_operations_and_hours_by_hand():
    found = costs.costs(CONFIG, SMALL)
    assert found.tokens == 1000 * 2 * 2 * 200
    assert found.flops == pytest.approx(2 * 8.03e9 * 4 * 800_000)  # forward, backward, reference, again
    assert found.hours == pytest.approx(found.flops / (9.9e14 * 0.35) / 3600)
    assert found.steps == 2 * 125
    sft = costs.costs(replace(CONFIG, method="sft", activation_checkpointing=False), SMALL)
    assert sft.flops == pytest.approx(found.flops / 2)


def test_adapters_of_8b_have_42_million_parameters():
    assert SMALL.adapters(16) == 41_943_040


def test_memory_grows_with_what_is_held_and_falls_with_devices():
    base = costs.costs(CONFIG, SMALL).memory
    assert 2 * 8.03e9 < base < 80e9
    assert costs.costs(replace(CONFIG, activation_checkpointing=False), SMALL).memory > base
    assert costs.costs(replace(CONFIG, method="tdpo2"), SMALL).memory > base
    assert costs.costs(CONFIG, replace(SMALL, devices=4)).memory < base
    assert all(costs.costs(CONFIG, size).memory < 80e9 for size in costs.SIZES)
